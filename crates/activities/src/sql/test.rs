use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;
use warren_testing::postgres_url;

use super::*;
use crate::testing::{details, task};

fn settings(statement: &str, parameters: &[&str]) -> SqlSettings {
    SqlSettings {
        url: postgres_url().into(),
        statement: statement.into(),
        parameters: parameters.iter().map(|text| (*text).to_owned()).collect(),
        ..SqlSettings::default()
    }
}

async fn run(settings: &SqlSettings, input: &Value) -> Result<Value, Failure> {
    let sql = Sql::new("remember", settings).unwrap();
    sql.run(&task(input)).await.map(|result| result.parse().unwrap())
}

async fn connect() -> Client {
    let (client, connection) = tokio_postgres::connect(postgres_url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A table that no other test has; it goes with [`Table::drop`].
struct Table {
    name: String,
    client: Client,
}

impl Table {
    async fn new(columns: &str) -> Self {
        let (name, client) = (format!("warren_test_{}", Uuid::new_v4().simple()), connect().await);
        client.batch_execute(&format!("CREATE TABLE {name} ({columns})")).await.unwrap();
        Self { name, client }
    }

    async fn count(&self) -> i64 {
        self.client.query_one(&format!("SELECT count(*) FROM {}", self.name), &[]).await.unwrap().get(0)
    }

    async fn drop(self) {
        self.client.batch_execute(&format!("DROP TABLE {}", self.name)).await.unwrap();
    }
}

#[tokio::test]
async fn parameters_are_of_the_types_that_the_statement_takes_and_rows_are_objects() {
    let statement = "SELECT $1::int AS i, $2::numeric AS n, $3::text AS t, $4::bool AS b, $5::jsonb AS j, $6::timestamptz \
                     AT TIME ZONE 'UTC' AS at, $7::uuid AS u, $8::text AS missing, $9::jsonb AS word, $10::text AS key;";
    let parameters =
        ["{/i}", "{/n}", "t{/i}", "{/b}", "{/j}", "{/at}", "{/u}", "{/none}", "{/word}", "{idempotency_key}"];
    let input = json!({
        "i": 7, "n": 12.50, "b": true, "j": {"a": [1]}, "at": "2026-11-24T12:00:00Z", "none": null, "word": "x",
        "u": "7d0c3f0e-5b1c-4a5e-9d52-6f3b1c8ea417",
    });
    let row = json!({
        "i": 7, "n": 12.5, "t": "t7", "b": true, "j": {"a": [1]}, "at": "2026-11-24T12:00:00", "missing": null,
        "u": "7d0c3f0e-5b1c-4a5e-9d52-6f3b1c8ea417", "word": "x", "key": "order-7:3",
    });
    assert_eq!(run(&settings(statement, &parameters), &input).await, Ok(json!([row])));
    assert_eq!(run(&settings("SELECT 1 AS one WHERE false", &[]), &input).await, Ok(json!([])));
}

#[tokio::test]
async fn a_statement_that_is_run_again_under_its_key_writes_once() {
    let table = Table::new("key text PRIMARY KEY, total int").await;
    let insert = format!("INSERT INTO {} VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", table.name);
    let insert = settings(&insert, &["{idempotency_key}", "{/total}"]);
    assert_eq!(run(&insert, &json!({"total": 12})).await, Ok(json!({"rows_affected": 1})));
    assert_eq!(run(&insert, &json!({"total": 12})).await, Ok(json!({"rows_affected": 0})));
    let update = format!("UPDATE {} SET total = total + $1 RETURNING total -- all of them", table.name);
    assert_eq!(run(&settings(&update, &["{/more}"]), &json!({"more": 30})).await, Ok(json!([{"total": 42}])));
    table.drop().await;
}

#[tokio::test]
async fn an_error_of_the_server_has_its_state_and_says_whether_a_retry_may_help() {
    let table = Table::new("id int PRIMARY KEY").await;
    let insert = settings(&format!("INSERT INTO {} VALUES ($1)", table.name), &["{/id}"]);
    run(&insert, &json!({"id": 1})).await.unwrap();
    let twice = run(&insert, &json!({"id": 1})).await.unwrap_err();
    assert_eq!((twice.code.as_str(), twice.retryable), ("sql_error", false));
    let constraint = format!("{}_pkey", table.name);
    assert_eq!(details(&twice), json!({"sqlstate": "23505", "table": table.name, "constraint": constraint}));
    let text = run(&insert, &json!({"id": "seven"})).await.unwrap_err();
    assert_eq!((details(&text), text.retryable), (json!({"sqlstate": "22P02"}), false));
    table.drop().await;
    for (state, retryable) in [("40001", true), ("53100", true), ("57P01", true), ("08006", true), ("42P01", false)] {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = 'on purpose'; END $$");
        let failure = run(&settings(&raise, &[]), &json!(null)).await.unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retryable), ("sql_error", retryable), "{failure}");
        assert_eq!(details(&failure), json!({"sqlstate": state}));
    }
}

#[tokio::test]
async fn a_commit_that_fails_says_whether_anything_may_be_written() {
    let table = Table::new("id int UNIQUE DEFERRABLE INITIALLY DEFERRED").await;
    let insert = settings(&format!("INSERT INTO {} VALUES ($1)", table.name), &["{/id}"]);
    run(&insert, &json!({"id": 1})).await.unwrap();
    let twice = run(&insert, &json!({"id": 1})).await.unwrap_err();
    assert_eq!((twice.code.as_str(), &details(&twice)["sqlstate"]), ("sql_error", &json!("23505")));
    let name = &table.name;
    let end = format!(
        "CREATE FUNCTION {name}_end() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER the_end AFTER INSERT ON {name} DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION {name}_end()"
    );
    table.client.batch_execute(&end).await.unwrap();
    let lost = run(&insert, &json!({"id": 2})).await.unwrap_err();
    assert_eq!((lost.code.as_str(), lost.retryable), ("sql_unreachable", true));
    assert!(lost.message.starts_with("nobody knows whether it was written"), "{lost}");
    table.client.batch_execute(&format!("DROP FUNCTION {name}_end() CASCADE")).await.unwrap();
    table.drop().await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_a_timeout() {
    let slow = SqlSettings { timeout_seconds: 1, ..settings("SELECT pg_sleep(60)", &[]) };
    let failure = run(&slow, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("sql_timeout", true));
    assert_eq!(details(&failure), json!({"sqlstate": "57014"}));
}

#[tokio::test]
async fn a_server_that_is_not_there_or_lets_nobody_in_is_unreachable() {
    let away = SqlSettings { url: "postgres://nobody@127.0.0.1:1/nowhere".into(), ..settings("SELECT 1", &[]) };
    let failure = run(&away, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("sql_unreachable", true));
    assert!(failure.message.contains("refused"), "{failure}");
    let (place, _) = postgres_url().rsplit_once('/').unwrap();
    let other = SqlSettings { url: format!("{place}/of_nobody").as_str().into(), ..settings("SELECT 1", &[]) };
    let failure = run(&other, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), details(&failure)), ("sql_unreachable", json!({"sqlstate": "3D000"})));
}

#[tokio::test]
async fn a_result_over_its_limits_is_refused_and_nothing_is_written() {
    let table = Table::new("id int").await;
    let insert = format!("INSERT INTO {} SELECT generate_series(1, 3) RETURNING id", table.name);
    let few = SqlSettings { rows_max: 2, ..settings(&insert, &[]) };
    let failure = run(&few, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("sql_result_too_large", false));
    assert!(failure.message.contains("rows_max = 2"), "{failure}");
    assert_eq!(table.count().await, 0);
    assert_eq!(
        run(&SqlSettings { rows_max: 3, ..few }, &json!(null)).await,
        Ok(json!([{"id": 1}, {"id": 2}, {"id": 3}]))
    );
    table.drop().await;
    // The server would go on for minutes.
    let endless = settings("SELECT generate_series(1, 1000000000) AS n", &[]);
    let failure = run(&SqlSettings { rows_max: 10, ..endless }, &json!(null)).await.unwrap_err();
    assert_eq!(failure.code, "sql_result_too_large", "{failure}");
    let large = SqlSettings { result_kilobytes_max: 1, ..settings("SELECT repeat('x', 1024) AS x", &[]) };
    let failure = run(&large, &json!(null)).await.unwrap_err();
    assert!(failure.message.contains("result_kilobytes_max = 1"), "{failure}");
}

#[tokio::test]
async fn an_input_that_fits_no_parameter_is_refused() {
    let select = settings("SELECT $1::int AS i", &["{/i}"]);
    let failure = run(&select, &json!({})).await.unwrap_err();
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, "parameters: {/i} is missing"));
    let failure = run(&select, &json!({"i": [1]})).await.unwrap_err();
    let why = "parameters: $1 is a list or an object, but int4 is expected";
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, why));
    let failure = run(&settings("SELECT $1::int AS i", &[]), &json!(null)).await.unwrap_err();
    assert_eq!(failure, Failure::permanent("sql_error", "the statement takes 1 parameters, the settings give 0"));
    let failure = run(&settings("SELEKT 1", &[]), &json!(null)).await.unwrap_err();
    assert_eq!(details(&failure), json!({"sqlstate": "42601"}));
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_any_more_writes_nothing_and_keeps_no_connection() {
    let table = Table::new("id int").await;
    let statement = format!("INSERT INTO {} SELECT 1 FROM pg_sleep($1)", table.name);
    let insert = SqlSettings { connections: 1, ..settings(&statement, &["{/seconds}"]) };
    let sql = Sql::new("remember", &insert).unwrap();
    let mut slow = Box::pin(async { sql.run(&task(&json!({"seconds": 5}))).await });
    let active = format!("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '{statement}'");
    let begun = async {
        while table.client.query_one(&active, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! { ended = &mut slow => panic!("{ended:?}"), () = begun => {} }
    drop(slow);
    let fast = sql.run(&task(&json!({"seconds": 0}))).await;
    assert_eq!(fast.map(|rows| rows.as_str().to_owned()), Ok("{\"rows_affected\":1}".into()));
    assert_eq!(table.count().await, 1);
    let gone = async {
        while table.client.query_one(&active, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), gone).await.unwrap();
    assert_eq!(table.count().await, 1);
    table.drop().await;
}

#[test]
fn settings_that_can_t_work_are_refused_by_name() {
    let refused = |url: &str| {
        let settings = SqlSettings { url: url.into(), ..settings("SELECT 1", &[]) };
        Sql::new("remember", &settings).unwrap_err().to_string()
    };
    let begin = "serve activities.remember: its setting url";
    let why = refused("postgres://u:hunter2@db/app?sslmode=on");
    assert!(why.starts_with(begin) && why.contains("sslmode=on is none") && !why.contains("hunter2"), "{why}");
    let why = refused("{env:OF_NOBODY_AT_ALL}");
    assert_eq!(why, format!("{begin} needs the environment variable OF_NOBODY_AT_ALL, which is not set"));
    assert!(refused("postgres://db/app?schema=a%22b").contains("must be letters"));
}
