use futures_util::future::join_all;
use warren_testing::postgres_url;

use super::*;
use crate::{
    Queries, Store,
    postgres::{
        Postgres, PostgresReader,
        testing::{Place, Role, empty, spec, take},
    },
};

#[tokio::test]
async fn replicas_that_start_at_once_share_one_hub() {
    for _ in 0..3 {
        let place = Place::new();
        let url = place.url();
        let spec = spec();
        let opened = join_all((0..5).map(|_| Postgres::open(&url, &spec))).await;
        let hubs: Vec<Hub> = opened.into_iter().map(|store| Store::hub(&store.unwrap()).clone()).collect();
        assert!(hubs.iter().all(|hub| hub == &hubs[0]));
    }
}

#[tokio::test]
async fn two_hubs_live_in_one_database() {
    let names = ["a", "b"].map(|name| format!("{name}-{}", Uuid::new_v4().simple()));
    let _places = names.clone().map(|name| Place::named(&format!("warren_{name}")));
    let mut secrets = Vec::new();
    for (name, count) in names.iter().zip([2, 3]) {
        let spec = HubSpec { name: name.clone(), partitions: PartitionCount(NonZeroU16::new(count).unwrap()) };
        let store = Postgres::open(postgres_url(), &spec).await.unwrap();
        let seen = Store::survey(&store).await.unwrap().leases;
        assert_eq!(seen.len(), usize::from(count));
        store.acquire(&seen[0], name).await.unwrap().unwrap();
        secrets.push(Store::hub(&store).secret);
    }
    assert_ne!(secrets[0], secrets[1]);
    for name in &names {
        let reader = PostgresReader::open(postgres_url(), name).await.unwrap();
        assert_eq!(reader.survey().await.unwrap().leases[0].owner.as_ref(), Some(name));
    }
}

#[tokio::test]
async fn tables_of_a_later_version_are_refused_by_number() {
    let place = Place::new();
    Postgres::open(&place.url(), &spec()).await.unwrap();
    place.sql().await.batch_execute("INSERT INTO migration (version) VALUES (77)").await.unwrap();
    let opened = Postgres::open(&place.url(), &spec()).await.err();
    for error in [opened, PostgresReader::open(&place.url(), "orders").await.err()] {
        let error = error.unwrap();
        let says = |text| error.to_string().contains(text);
        assert!(matches!(error, Error::Mismatch(_)) && says("version 77") && says(&place.schema), "{error}");
    }
}

#[tokio::test]
async fn a_reader_waits_until_an_owner_has_brought_older_tables_up_to_date() {
    let place = Place::new();
    Postgres::open(&place.url(), &spec()).await.unwrap();
    place.sql().await.batch_execute("UPDATE migration SET version = 0").await.unwrap();
    let waiting = PostgresReader::open(&place.url(), "orders").await.err();
    assert!(matches!(&waiting, Some(Error::Unavailable(why)) if why.contains("version 0")), "{waiting:?}");
}

#[tokio::test]
async fn another_program_s_tables_are_refused_and_left_as_they_are() {
    let place = Place::new();
    let (sql, schema) = (place.sql().await, &place.schema);
    sql.batch_execute(&format!("CREATE SCHEMA {schema}; CREATE TABLE hub (name text)")).await.unwrap();
    let opened = Postgres::open(&place.url(), &spec()).await.err();
    for error in [opened, PostgresReader::open(&place.url(), "orders").await.err()] {
        let error = error.unwrap();
        assert!(matches!(&error, Error::Mismatch(why) if why.contains("another program")), "{error}");
    }
    let count = "SELECT count(*) FROM pg_tables WHERE schemaname = $1";
    assert_eq!(sql.query_one(count, &[schema]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_user_without_the_right_to_make_tables_opens_what_is_there() {
    let place = Place::new();
    let (sql, schema) = (place.sql().await, &place.schema);
    let role = Role::new(&sql, "").await;
    let url = role.url(&place);
    let denied = Postgres::open(&url, &spec()).await.err();
    assert!(matches!(&denied, Some(Error::Unavailable(why)) if why.contains("rights")), "{denied:?}");
    Postgres::open(&place.url(), &spec()).await.unwrap();
    let name = &role.name;
    let grant = format!(
        "GRANT USAGE ON SCHEMA {schema} TO {name};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name}"
    );
    sql.batch_execute(&grant).await.unwrap();
    let store = Postgres::open(&url, &spec()).await.unwrap();
    let epoch = take(&store).await;
    store.commit(empty(epoch, 1)).await.unwrap();
}
