//! What an owner reads.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Pool;
use futures_util::{future::join_all, try_join};
use tokio_postgres::{Error as Sql, Row};
use uuid::Uuid;
use warren_model::{ActionId, InstanceId, InstanceRecord, MessageId, Partition, Timestamp, TurnRecord};

use super::{
    columns::{
        INSTANCE, PROGRESS, Why, execution, from_json, get, instance, limit, micros_not_before, number, text,
        timestamp, uuid,
    },
    flight::{SNAPSHOT, ask, fly, land, prepare},
    lease::{FENCE, hold, key},
    state::legible,
};
use crate::{
    CommandRow, Epoch, Error, Load, Loaded, LoadedInstance, PendingRow, Progress, Result, TimerRow, TurnKey, TurnRow,
    turns,
};

const HISTORIES: &str = "SELECT asked.id, h.turn, h.body
    FROM unnest($2::text[]) AS asked (id), LATERAL (
        SELECT execution, status, turn FROM instance WHERE partition = $1 AND id = asked.id OFFSET 0
    ) AS i, LATERAL (
        SELECT turn, body FROM history
        WHERE partition = $1 AND instance = asked.id AND execution = i.execution
            AND turn >= CASE WHEN i.status IN ('Completed', 'Failed', 'Terminated') THEN i.turn - 1 ELSE 0 END
        OFFSET 0
    ) AS h
    ORDER BY asked.id, h.turn";

const PENDING: &str = "SELECT p.instance, p.position, p.message, p.expires_at
    FROM unnest($2::text[]) AS asked (id), LATERAL (
        SELECT * FROM pending WHERE partition = $1 AND instance = asked.id OFFSET 0
    ) AS p
    ORDER BY p.instance, p.position";

const COMMANDS: &str = "SELECT c.id, c.answer, c.at
    FROM unnest($2::text[]) AS asked (id), LATERAL (
        SELECT * FROM command WHERE partition = $1 AND id = asked.id OFFSET 0
    ) AS c";

/// Whether the partitions are held, and nothing is there of what was asked for.
const NOTHING: &str = "SELECT NOT (
    EXISTS (SELECT FROM unnest($1::int[], $2::bigint[]) AS asked (partition, epoch)
        WHERE NOT EXISTS (SELECT FROM progress AS p WHERE p.partition = asked.partition AND p.epoch = asked.epoch))
    OR EXISTS (SELECT FROM unnest($3::int[], $4::text[]) AS asked (partition, id), LATERAL (
        SELECT FROM instance WHERE partition = asked.partition AND id = asked.id OFFSET 0
    ) AS i) OR EXISTS (SELECT FROM unnest($3::int[], $4::text[]) AS asked (partition, id), LATERAL (
        SELECT FROM pending WHERE partition = asked.partition AND instance = asked.id LIMIT 1
    ) AS p) OR EXISTS (SELECT FROM unnest($5::int[], $6::text[]) AS asked (partition, id), LATERAL (
        SELECT FROM command WHERE partition = asked.partition AND id = asked.id OFFSET 0
    ) AS c))";

/// What one partition asks for.
type Asked = (Partition, Epoch, Load);

/// Reads what batches of several partitions need: what begins is looked up in one statement for all of them, the rest is
/// read for each.
pub(super) async fn load_together(pool: &Pool, loads: Vec<Asked>) -> Vec<Result<Loaded>> {
    let starts: Vec<&Asked> = loads.iter().filter(|(.., load)| is_of_starts(load)).collect();
    // Who can't tell says no, and what is read then says why.
    let are_unseen = !starts.is_empty() && is_nothing_there(pool, &starts).await.unwrap_or(false);
    let read = |(partition, epoch, load): Asked| async move {
        if are_unseen && is_of_starts(&load) {
            let instances = load.instances.into_iter().map(LoadedInstance::unseen).collect();
            return Ok(Loaded { instances, commands: Vec::new() });
        }
        read(pool, partition, epoch, load).await
    };
    join_all(loads.into_iter().map(read)).await
}

/// Reads what a batch needs.
pub(super) async fn load(pool: &Pool, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
    load_together(pool, vec![(partition, epoch, load)]).await.pop().expect("one load has one result")
}

async fn read(pool: &Pool, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
    let client = pool.get().await?;
    let instances = format!(
        "SELECT {INSTANCE} FROM unnest($2::text[]) AS asked (id), LATERAL (
            SELECT * FROM instance WHERE partition = $1 AND id = asked.id OFFSET 0
        ) AS i {PROGRESS}"
    );
    let [fence, instances, histories, pending, commands] =
        prepare(&client, [FENCE, &instances, HISTORIES, PENDING, COMMANDS]).await?;
    let at = key(partition);
    let ids = once_each(load.instances.iter().map(InstanceId::as_str));
    let messages = once_each(load.commands.iter().map(MessageId::as_str));
    let reads = async {
        try_join!(
            ask(&client, &fence, [&at, &epoch.0]),
            ask(&client, &instances, [&at, &ids]),
            ask(&client, &histories, [&at, &ids]),
            ask(&client, &pending, [&at, &ids]),
            ask(&client, &commands, [&at, &messages]),
        )
    };
    let result = fly(&client, SNAPSHOT, reads).await;
    let (fence, instances, histories, pending, answers) = land(client, result)?;
    hold(&fence, partition, epoch)?;
    let found = Found { records: by_id(&instances)?, turns: by_id(&histories)?, pending: by_id(&pending)? };
    let instances = load.instances.into_iter().map(|id| found.instance(id)).collect::<Result<_>>()?;
    Ok(Loaded { instances, commands: answered(&load.commands, &answers)? })
}

/// Returns whether it may be all about instances that are to begin: each with a command that nobody has seen.
fn is_of_starts(load: &Load) -> bool {
    load.commands.len() >= load.instances.len()
}

/// Returns whether the partitions are held and nothing is there: of what begins nothing is, and one statement tells as much
/// as five.
async fn is_nothing_there(pool: &Pool, loads: &[&Asked]) -> Result<bool> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(NOTHING).await?;
    let (partitions, epochs): (Vec<i32>, Vec<i64>) =
        loads.iter().map(|(partition, epoch, _)| (key(*partition), epoch.0)).unzip();
    let (homes, instances) = with_homes(loads, |load| &load.instances, InstanceId::as_str);
    let (askers, commands) = with_homes(loads, |load| &load.commands, MessageId::as_str);
    let row = client.query_one(&statement, &[&partitions, &epochs, &homes, &instances, &askers, &commands]).await?;
    Ok(row.try_get(0)?)
}

/// Returns the ids of all loads, each with its partition.
fn with_homes<'l, T: 'l>(
    loads: &[&'l Asked],
    ids: impl Fn(&'l Load) -> &'l Vec<T>,
    text: impl Fn(&'l T) -> &'l str,
) -> (Vec<i32>, Vec<&'l str>) {
    let pairs =
        |(partition, _, load): &&'l Asked| ids(load).iter().map(|id| (key(*partition), text(id))).collect::<Vec<_>>();
    loads.iter().flat_map(pairs).unzip()
}

fn once_each<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    ids.collect::<HashSet<_>>().into_iter().collect()
}

/// The rows that were read, by the instance that their first column names.
struct Found<'r> {
    records: HashMap<&'r str, Vec<&'r Row>>,
    turns: HashMap<&'r str, Vec<&'r Row>>,
    pending: HashMap<&'r str, Vec<&'r Row>>,
}

fn by_id(rows: &[Row]) -> Result<HashMap<&str, Vec<&Row>>> {
    let mut found: HashMap<&str, Vec<&Row>> = HashMap::new();
    for row in rows {
        found.entry(row.try_get(0)?).or_default().push(row);
    }
    Ok(found)
}

fn of<'f>(rows: &'f HashMap<&str, Vec<&Row>>, id: &InstanceId) -> &'f [&'f Row] {
    rows.get(id.as_str()).map(Vec::as_slice).unwrap_or_default()
}

impl Found<'_> {
    /// Reads one instance. What can't be read is said in `turns`: one instance's trouble is not its neighbours'.
    fn instance(&self, id: InstanceId) -> Result<LoadedInstance> {
        let (record, trouble) = match of(&self.records, &id).first().map(|row| instance(row)) {
            Some(Ok(record)) => (Some(record), None),
            Some(Err(why)) => (None, Some(format!("instance {id}: {why}"))),
            None => (None, None),
        };
        let turns = record.as_ref().map_or_else(|| Ok(Vec::new()), |record| self.turns(record));
        let Pending { rows: pending, next_position, trouble: of_pending } = Pending::read(&id, of(&self.pending, &id))?;
        let turns = trouble.or(of_pending).map_or(turns, Err);
        Ok(LoadedInstance { id, record, turns, pending, next_position })
    }

    /// Reads the turns of the present execution; if it has ended, the one that says how.
    fn turns(&self, record: &InstanceRecord) -> Result<Vec<TurnRecord>, Why> {
        let why = |why| format!("history of instance {}, execution {}: {why}", record.id, record.execution);
        let rows = of(&self.turns, &record.id).iter().map(|row| Ok((number(row, 1)?, get(row, 2)?)));
        let rows: Vec<(u32, String)> = rows.collect::<Result<_, Why>>().map_err(why)?;
        if !record.status.is_terminal() {
            return turns::read(record, &rows);
        }
        let Some(last) = record.turn.checked_sub(1) else { return Ok(Vec::new()) };
        let key = turns::key(record, last);
        match rows.iter().find(|(turn, _)| *turn == last) {
            Some((_, body)) => turns::parse(&key, body).map(|turn| vec![turn]),
            None => Err(format!("{key}: is missing")),
        }
    }
}

#[derive(Default)]
struct Pending {
    rows: Vec<PendingRow>,
    next_position: u64,
    trouble: Option<Why>,
}

impl Pending {
    /// Reads the messages that can be read, and names the first that can't.
    fn read(id: &InstanceId, rows: &[&Row]) -> Result<Self> {
        let mut pending = Self::default();
        for row in rows {
            let position: u64 = number(row, 1)
                .map_err(|why| Error::Corrupt { what: format!("pending messages of instance {id}"), why })?;
            pending.next_position = position + 1;
            match pending_row(row) {
                Ok(row) => pending.rows.push(row),
                Err(why) => {
                    let name = || format!("pending message {position} of instance {id}: {why}");
                    pending.trouble.get_or_insert_with(name);
                }
            }
        }
        Ok(pending)
    }
}

/// Reads a pending message: instance, position, message, expiry.
pub(super) fn pending_row(row: &Row) -> Result<PendingRow, Why> {
    let has_expiry = get::<Option<std::time::SystemTime>>(row, 3)?.is_some();
    Ok(PendingRow {
        instance: text(row, 0)?,
        position: number(row, 1)?,
        message: from_json(row, 2)?,
        expires_at: if has_expiry { Some(timestamp(row, 3)?) } else { None },
    })
}

/// Returns the commands that were found, in the order asked.
fn answered(asked: &[MessageId], rows: &[Row]) -> Result<Vec<CommandRow>> {
    let rows: HashMap<&str, &Row> =
        rows.iter().map(|row| Ok((row.try_get(0)?, row))).collect::<Result<_, tokio_postgres::Error>>()?;
    let found = asked.iter().filter_map(|id| Some((id, rows.get(id.as_str())?)));
    found
        .map(|(id, row)| {
            let read = || Ok(CommandRow { id: id.clone(), answer: from_json(row, 1)?, at: timestamp(row, 2)? });
            read().map_err(|why| Error::Corrupt { what: format!("command {id}"), why })
        })
        .collect()
}

const TURNS: &str = "SELECT asked.place, h.body, h.updated_at, h.history_events, h.history_bytes
    FROM unnest($2::text[], $3::uuid[], $4::bigint[]) WITH ORDINALITY AS asked (instance, execution, turn, place), LATERAL (
        SELECT body, updated_at, history_events, history_bytes FROM history
        WHERE partition = $1 AND instance = asked.instance AND execution = asked.execution AND turn = asked.turn OFFSET 0
    ) AS h
    ORDER BY asked.place";

/// Reads single turns; those that are gone are left out.
pub(super) async fn turns(pool: &Pool, partition: Partition, epoch: Epoch, keys: Vec<TurnKey>) -> Result<Vec<TurnRow>> {
    let client = pool.get().await?;
    let [fence, turns] = prepare(&client, [FENCE, TURNS]).await?;
    let at = key(partition);
    let instances: Vec<&str> = keys.iter().map(|key| key.instance.as_str()).collect();
    let executions: Vec<Uuid> = keys.iter().map(|key| uuid(key.execution)).collect();
    let numbers: Vec<i64> = keys.iter().map(|key| key.turn.into()).collect();
    let reads = async {
        try_join!(ask(&client, &fence, [&at, &epoch.0]), ask(&client, &turns, [&at, &instances, &executions, &numbers]),)
    };
    let result = fly(&client, SNAPSHOT, reads).await;
    let (fence, rows) = land(client, result)?;
    hold(&fence, partition, epoch)?;
    let places = rows.iter().map(|row| Ok((row.try_get(0)?, row))).collect::<Result<HashMap<i64, &Row>, Sql>>()?;
    let found = (1..).zip(keys).filter_map(|(place, key)| Some((key, *places.get(&place)?)));
    found.map(|(key, row)| turn_row(key, row)).collect()
}

fn turn_row(key: TurnKey, row: &Row) -> Result<TurnRow> {
    let body = row.try_get(1)?;
    let progress = || -> Result<Progress, Why> {
        Ok(Progress { updated_at: timestamp(row, 2)?, history_events: number(row, 3)?, history_bytes: number(row, 4)? })
    };
    let progress = progress().map_err(|why| Error::Corrupt { what: key.to_string(), why })?;
    Ok(TurnRow { key, body, progress })
}

const TIMERS: &str = "SELECT instance, execution, id, fire_at FROM timer
    WHERE partition = $1 AND fire_at < $2 ORDER BY fire_at, instance, id LIMIT $3";

/// Reads the timers that come due before `until`, soonest first.
pub(super) async fn timers(
    pool: &Pool,
    partition: Partition,
    epoch: Epoch,
    until: Timestamp,
    most: usize,
) -> Result<Vec<TimerRow>> {
    let client = pool.get().await?;
    let [fence, timers] = prepare(&client, [FENCE, TIMERS]).await?;
    let (at, until, most) = (key(partition), micros_not_before(until), limit(most));
    let reads = async { try_join!(ask(&client, &fence, [&at, &epoch.0]), ask(&client, &timers, [&at, &until, &most])) };
    let result = fly(&client, SNAPSHOT, reads).await;
    let (fence, rows) = land(client, result)?;
    hold(&fence, partition, epoch)?;
    let timer = |row: &Row| {
        Ok(TimerRow {
            instance: text(row, 0)?,
            execution: execution(row, 1)?,
            id: ActionId(number(row, 2)?),
            fire_at: timestamp(row, 3)?,
        })
    };
    Ok(legible(partition, "timer", &rows, timer))
}
