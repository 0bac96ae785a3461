//! What an owner reads.

use rusqlite::{Connection, OptionalExtension, Row};
use warren_model::{ActionId, ExecutionId, InstanceId, InstanceRecord, MessageId, Partition, Timestamp, TurnRecord};

use super::{
    columns::{INSTANCE, Json, Micros, PROGRESS, Text, instance, limit},
    error::{of_value, why},
    lease,
};
use crate::{
    Aside, CommandRow, Epoch, Error, Load, Loaded, LoadedInstance, OutboxRow, PartitionState, PendingRow, Progress,
    Result, Suspect, TimerRow, TurnKey, TurnRow, turns,
};

/// Reads what an owner needs before its first turn.
pub(super) fn partition(connection: &mut Connection, partition: Partition, epoch: Epoch) -> Result<PartitionState> {
    let snapshot = connection.transaction()?;
    let number = lease::fence(&snapshot, partition, epoch)?;
    let from = Source { snapshot: &snapshot, partition };
    Ok(PartitionState {
        number,
        outbox: from.legible(
            "outbox",
            "SELECT number, entries FROM outbox WHERE partition = ?1 ORDER BY number",
            |row| Ok(OutboxRow { number: row.get(0)?, entries: row.get::<_, Json<_>>(1)?.0 }),
        )?,
        sent: from.all("SELECT target, sequence FROM sent WHERE partition = ?1", watermark)?.into_iter().collect(),
        received: from
            .all("SELECT source, sequence FROM received WHERE partition = ?1", watermark)?
            .into_iter()
            .collect(),
        aside: from.legible(
            "aside",
            "SELECT source, sequence, message FROM aside WHERE partition = ?1 ORDER BY source, sequence",
            |row| {
                Ok(Aside {
                    source: Partition(row.get(0)?),
                    sequence: row.get(1)?,
                    message: row.get::<_, Json<_>>(2)?.0,
                })
            },
        )?,
        waiting: from.all(WAITING, |row| Ok(row.get::<_, Text<_>>(0)?.0))?,
        suspects: from
            .all("SELECT instance, count, reason FROM suspect WHERE partition = ?1 ORDER BY instance", |row| {
                Ok(Suspect { instance: row.get::<_, Text<_>>(0)?.0, count: row.get(1)?, reason: row.get(2)? })
            })?,
        task_notes: from.legible(
            "task_note",
            "SELECT mark FROM task_note WHERE partition = ?1 ORDER BY instance, id",
            |row| Ok(row.get::<_, Json<_>>(0)?.0),
        )?,
    })
}

/// Collects the rows that can be read, and tells the log of the others.
fn legible<T>(rows: impl Iterator<Item = rusqlite::Result<T>>, partition: Partition, table: &str) -> Result<Vec<T>> {
    let mut read = Vec::new();
    for row in rows {
        match row.map_err(|error| of_value(error, || format!("a row of table {table}"))) {
            Ok(row) => read.push(row),
            Err(error @ Error::Corrupt { .. }) => {
                tracing::error!(%partition, %error, "row is left alone: mend or delete it, then restart the owner");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// By the two small indexes; the instances that have ended, the most by far, are not looked at.
const WAITING: &str = "SELECT id FROM instance
    WHERE partition = ?1 AND status NOT IN ('Completed', 'Failed', 'Terminated') AND id IN (
        SELECT id FROM instance INDEXED BY instance_with_condition WHERE partition = ?1 AND condition IS NOT NULL
        UNION SELECT instance FROM pending WHERE partition = ?1)
    AND (status != 'Suspended' OR condition IS NOT NULL)
    ORDER BY id";

fn watermark(row: &Row<'_>) -> rusqlite::Result<(Partition, u64)> {
    Ok((Partition(row.get(0)?), row.get(1)?))
}

/// Reads what a batch needs.
pub(super) fn load(connection: &mut Connection, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
    let snapshot = connection.transaction()?;
    lease::fence(&snapshot, partition, epoch)?;
    let from = Source { snapshot: &snapshot, partition };
    let instances = load.instances.into_iter().map(|id| from.instance(id)).collect::<Result<_>>()?;
    let mut commands = Vec::new();
    for id in load.commands {
        commands.extend(from.command(id)?);
    }
    Ok(Loaded { instances, commands })
}

const ONE_TURN: &str = "SELECT body, updated_at, history_events, history_bytes FROM history
    WHERE partition = ?1 AND instance = ?2 AND execution = ?3 AND turn = ?4";

/// Reads single turns; those that are gone are left out.
pub(super) fn turns(
    connection: &mut Connection,
    partition: Partition,
    epoch: Epoch,
    keys: Vec<TurnKey>,
) -> Result<Vec<TurnRow>> {
    let snapshot = connection.transaction()?;
    lease::fence(&snapshot, partition, epoch)?;
    let mut statement = snapshot.prepare_cached(ONE_TURN)?;
    let mut found = Vec::new();
    for key in keys {
        let row = (partition.0, key.instance.as_str(), Text(key.execution), key.turn);
        let read = |row: &Row<'_>| {
            let progress = Progress {
                updated_at: row.get::<_, Micros>(1)?.0,
                history_events: row.get(2)?,
                history_bytes: row.get(3)?,
            };
            Ok((row.get(0)?, progress))
        };
        let read = statement.query_row(row, read).optional()?;
        found.extend(read.map(|(body, progress)| TurnRow { key, body, progress }));
    }
    Ok(found)
}

/// Reads the timers that come due before `until`, soonest first.
pub(super) fn timers(
    connection: &mut Connection,
    partition: Partition,
    epoch: Epoch,
    until: Timestamp,
    most: usize,
) -> Result<Vec<TimerRow>> {
    let snapshot = connection.transaction()?;
    lease::fence(&snapshot, partition, epoch)?;
    let mut statement = snapshot.prepare_cached(
        "SELECT instance, execution, id, fire_at FROM timer
         WHERE partition = ?1 AND fire_at < ?2 ORDER BY fire_at, instance, id LIMIT ?3",
    )?;
    let rows = statement.query_map((partition.0, Micros::not_before(until), limit(most)), |row| {
        Ok(TimerRow {
            instance: row.get::<_, Text<_>>(0)?.0,
            execution: row.get::<_, Text<ExecutionId>>(1)?.0,
            id: ActionId(row.get(2)?),
            fire_at: row.get::<_, Micros>(3)?.0,
        })
    })?;
    legible(rows, partition, "timer")
}

struct Source<'t> {
    snapshot: &'t Connection,
    partition: Partition,
}

impl Source<'_> {
    /// Reads all rows that a query gives for the partition.
    fn all<T>(&self, sql: &str, row: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let read =
            || self.snapshot.prepare_cached(sql)?.query_map([self.partition.0], row)?.collect::<rusqlite::Result<_>>();
        read().map_err(|error| of_value(error, || format!("state of partition {}", self.partition)))
    }

    /// Reads the rows that can be read; of the others the log tells, and they stay where they are: one row's trouble is not
    /// the partition's.
    fn legible<T>(&self, table: &str, sql: &str, row: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let mut statement = self.snapshot.prepare_cached(sql)?;
        let rows = statement.query_map([self.partition.0], row)?;
        legible(rows, self.partition, table)
    }

    /// Reads one instance. What can't be read is said in `turns`: one instance's trouble is not its neighbours'.
    fn instance(&self, id: InstanceId) -> Result<LoadedInstance> {
        let (record, record_trouble) = apart(self.record(&id)?);
        let turns = record.as_ref().map_or_else(|| Ok(Ok(Vec::new())), |record| self.turns(record))?;
        let Pending { rows: pending, next_position, trouble } = self.pending(&id)?;
        let trouble = record_trouble.map(|why| format!("instance {id}: {why}")).or(trouble);
        let turns = trouble.map_or(turns, Err);
        Ok(LoadedInstance { id, record, turns, pending, next_position })
    }

    fn record(&self, id: &InstanceId) -> Result<Readable<Option<InstanceRecord>>> {
        let sql = format!("SELECT {INSTANCE} FROM instance AS i {PROGRESS} WHERE i.partition = ?1 AND i.id = ?2");
        let mut statement = self.snapshot.prepare_cached(&sql)?;
        readable(statement.query_row((self.partition.0, id.as_str()), instance).optional())
    }

    fn turns(&self, record: &InstanceRecord) -> Result<Result<Vec<TurnRecord>, String>> {
        if record.status.is_terminal() {
            return self.last_turn(record);
        }
        let mut statement = self.snapshot.prepare_cached(
            "SELECT turn, body FROM history WHERE partition = ?1 AND instance = ?2 AND execution = ?3 ORDER BY turn",
        )?;
        let key = (self.partition.0, record.id.as_str(), Text(record.execution));
        let rows: rusqlite::Result<Vec<_>> = statement.query_map(key, |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
        let rows = readable(rows)?;
        Ok(rows
            .map_err(|why| format!("history of instance {}, execution {}: {why}", record.id, record.execution))
            .and_then(|rows| turns::read(record, &rows)))
    }

    /// Reads the turn that ended an instance: it says how.
    fn last_turn(&self, record: &InstanceRecord) -> Result<Result<Vec<TurnRecord>, String>> {
        let Some(last) = record.turn.checked_sub(1) else { return Ok(Ok(Vec::new())) };
        let key = turns::key(record, last);
        let row = (self.partition.0, key.instance.as_str(), Text(key.execution), last);
        let body = self.snapshot.prepare_cached(ONE_TURN)?.query_row(row, |row| row.get::<_, String>(0)).optional();
        Ok(match readable(body)? {
            Ok(Some(body)) => turns::parse(&key, &body).map(|turn| vec![turn]),
            Ok(None) => Err(format!("{key}: is missing")),
            Err(why) => Err(format!("{key}: {why}")),
        })
    }

    /// Reads the pending messages that can be read, and names the first that can't.
    fn pending(&self, id: &InstanceId) -> Result<Pending> {
        let mut statement = self.snapshot.prepare_cached(
            "SELECT position, message, expires_at FROM pending WHERE partition = ?1 AND instance = ?2 ORDER BY position",
        )?;
        let mut rows = statement.query((self.partition.0, id.as_str()))?;
        let mut pending = Pending::default();
        while let Some(row) = rows.next()? {
            let position: u64 = row.get(0)?;
            pending.next_position = position + 1;
            match readable(pending_row(id, position, row))? {
                Ok(row) => pending.rows.push(row),
                Err(why) => {
                    pending
                        .trouble
                        .get_or_insert_with(|| format!("pending message {position} of instance {id}: {why}"));
                }
            }
        }
        Ok(pending)
    }

    fn command(&self, id: MessageId) -> Result<Option<CommandRow>> {
        let mut statement =
            self.snapshot.prepare_cached("SELECT answer, at FROM command WHERE partition = ?1 AND id = ?2")?;
        let read = |row: &Row<'_>| Ok((row.get::<_, Json<_>>(0)?.0, row.get::<_, Micros>(1)?.0));
        let found = statement
            .query_row((self.partition.0, id.as_str()), read)
            .optional()
            .map_err(|error| of_value(error, || format!("command {id}")))?;
        Ok(found.map(|(answer, at)| CommandRow { id, answer, at }))
    }
}

#[derive(Default)]
struct Pending {
    rows: Vec<PendingRow>,
    next_position: u64,
    trouble: Option<String>,
}

fn pending_row(id: &InstanceId, position: u64, row: &Row<'_>) -> rusqlite::Result<PendingRow> {
    Ok(PendingRow {
        instance: id.clone(),
        position,
        message: row.get::<_, Json<_>>(1)?.0,
        expires_at: row.get::<_, Option<Micros>>(2)?.map(|at| at.0),
    })
}

/// A value that was read, or what is wrong with the row.
pub(super) type Readable<T> = Result<T, String>;

/// Tells a row that can't be read (the inner error) from a database that can't be (the outer one).
pub(super) fn readable<T>(read: rusqlite::Result<T>) -> Result<Readable<T>> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(
            error @ (rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)),
        ) => Ok(Err(why(&error))),
        Err(error) => Err(error.into()),
    }
}

fn apart<T>(readable: Readable<Option<T>>) -> (Option<T>, Option<String>) {
    match readable {
        Ok(value) => (value, None),
        Err(why) => (None, Some(why)),
    }
}
