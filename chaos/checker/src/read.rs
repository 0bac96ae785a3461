//! Reading a hub's tables.

use tokio_postgres::{Client, Error, Row};

use crate::{Hub, InstanceRow, Rest, TurnRow};

/// Longest text of a row that is shown.
const SHOWN_CHARS: usize = 300;

impl Hub {
    /// Reads a hub's tables as they are at one moment; `client` must look into its schema. The queues are left empty.
    pub async fn read(client: &Client) -> Result<Self, Error> {
        // One snapshot: else a batch that is confirmed meanwhile looks half done.
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let hub = Self::read_tables(client).await?;
        client.batch_execute("COMMIT").await?;
        Ok(hub)
    }

    async fn read_tables(client: &Client) -> Result<Self, Error> {
        // A turn that changes nothing else of its instance says by itself how far that has come.
        let instances = "SELECT i.partition, i.id, replace(i.execution::text, '-', ''), name, status, condition,
            greatest(i.turn, p.turn), coalesce(p.history_events, i.history_events), start_id, parent
            FROM instance AS i LEFT JOIN LATERAL (
                SELECT turn + 1 AS turn, history_events FROM history
                WHERE partition = i.partition AND instance = i.id AND execution = i.execution AND turn >= i.turn
                ORDER BY turn DESC LIMIT 1
            ) AS p ON true ORDER BY i.partition, i.id";
        let turns = "SELECT instance, replace(execution::text, '-', ''), turn, body FROM history
            ORDER BY partition, instance, execution, turn";
        let instances = client.query(instances, &[]).await?.iter().map(instance).collect::<Result<_, _>>()?;
        let turns = client.query(turns, &[]).await?.iter().map(turn).collect::<Result<_, _>>()?;
        let payloads = client.query_one("SELECT count(*) FROM payload", &[]).await?.try_get(0)?;
        Ok(Self { instances, turns, rest: rest(client).await?, payloads, queues: Vec::new() })
    }
}

/// What should be empty once all instances have ended and all is confirmed.
const RESTS: [(&str, &str); 5] = [
    ("timer", "SELECT instance, 'timer ' || id || ' due ' || fire_at FROM timer"),
    ("pending", "SELECT instance, message FROM pending"),
    ("suspect", "SELECT instance, count || ' marks: ' || reason FROM suspect"),
    ("outbox", "SELECT 'partition ' || partition, entries FROM outbox"),
    (
        "aside",
        "SELECT 'partition ' || partition, 'from ' || source || ' number ' || sequence || ': ' || message FROM aside",
    ),
];

async fn rest(client: &Client) -> Result<Vec<Rest>, Error> {
    let mut rest = Vec::new();
    for (table, sql) in RESTS {
        for row in client.query(sql, &[]).await? {
            let what: String = row.try_get(1)?;
            rest.push(Rest { table, of: row.try_get(0)?, what: what.chars().take(SHOWN_CHARS).collect() });
        }
    }
    Ok(rest)
}

fn instance(row: &Row) -> Result<InstanceRow, Error> {
    Ok(InstanceRow {
        partition: row.try_get(0)?,
        id: row.try_get(1)?,
        execution: row.try_get(2)?,
        name: row.try_get(3)?,
        status: row.try_get(4)?,
        condition: row.try_get(5)?,
        turn: row.try_get(6)?,
        history_events: row.try_get(7)?,
        start_id: row.try_get(8)?,
        parent: row.try_get(9)?,
    })
}

fn turn(row: &Row) -> Result<TurnRow, Error> {
    Ok(TurnRow { instance: row.try_get(0)?, execution: row.try_get(1)?, turn: row.try_get(2)?, body: row.try_get(3)? })
}
