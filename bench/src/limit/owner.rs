//! What the owner's path costs without an engine: the messages of the limit, with fenced commits between them.
//!
//! It takes what has arrived, up to a batch, writes instances, turns and an outbox row in one statement that holds the
//! lease, and only then publishes and acknowledges; while one batch commits, the next is folded. It runs no orchestrator,
//! replays nothing, and recovers from nothing: an upper bound for an owner that is as honest about durability.

use std::{collections::HashMap, fmt::Write as _};

use anyhow::{Context, bail, ensure};
use futures_util::{FutureExt, StreamExt};
use lapin::{
    BasicProperties, Channel,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions},
    types::{FieldTable, ShortString},
};
use tokio::sync::mpsc;
use tokio_postgres::{NoTls, Statement};
use uuid::Uuid;

use super::{
    Places,
    messages::{Messages, Template, read_token},
    stage::{correlation, publish, taken},
};
use crate::{driver, shape::Shape};

/// Most messages that one commit takes in.
const BATCH_MAX: usize = 500;

/// Its tables, made anew.
const TABLES: &str = "
    DROP SCHEMA IF EXISTS bench_path CASCADE;
    CREATE SCHEMA bench_path;
    SET search_path = 'bench_path';
    CREATE TABLE lease (partition integer PRIMARY KEY, epoch bigint NOT NULL, counter bigint NOT NULL);
    INSERT INTO lease VALUES (0, 1, 0);
    CREATE TABLE instance (partition integer, id text COLLATE \"C\", status smallint, turn integer,
        PRIMARY KEY (partition, id));
    CREATE TABLE history (partition integer, instance text COLLATE \"C\", turn integer, body text,
        PRIMARY KEY (partition, instance, turn));
    CREATE TABLE outbox (partition integer, number bigint, turns text, PRIMARY KEY (partition, number));";

/// One commit: writes only if the lease is still held.
const COMMIT: &str = "
    WITH held AS (SELECT partition FROM lease WHERE partition = 0 AND epoch = 1 FOR KEY SHARE),
    instances AS (
        INSERT INTO instance SELECT held.partition, new.* FROM held,
            unnest($1::text[], $2::smallint[], $3::integer[]) AS new (id, status, turn)
        ON CONFLICT (partition, id) DO UPDATE SET status = excluded.status, turn = excluded.turn),
    turns AS (
        INSERT INTO history SELECT held.partition, new.* FROM held,
            unnest($1::text[], $3::integer[], $4::text[]) AS new (instance, turn, body)),
    confirmed AS (DELETE FROM outbox USING held WHERE outbox.partition = held.partition AND number = ANY ($5)),
    unconfirmed AS (INSERT INTO outbox SELECT partition, $6::bigint, $7::text FROM held)
    SELECT count(*) FROM held";

/// An instance that has not ended.
struct Instance {
    id: String,
    turn: i32,
    step: u32,
    open: u32,
    client: ShortString,
    correlation: ShortString,
}

/// What one commit writes, and what follows of it.
#[derive(Default)]
struct Batch<'a> {
    ids: Vec<String>,
    statuses: Vec<i16>,
    turns: Vec<i32>,
    bodies: Vec<String>,
    outbox: String,
    out: Vec<(ShortString, &'a Template, BasicProperties)>,
    last: u64,
}

/// Serves the control queue for as long as the process lives.
pub(super) async fn run(
    store: &str,
    messages: &Messages,
    places: &Places,
    shape: Shape,
    channel: Channel,
) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(store, NoTls).await.context("connect to the database")?;
    tokio::spawn(connection);
    client.batch_execute(TABLES).await?;
    let commit = client.prepare(COMMIT).await?;
    let options = BasicConsumeOptions::default();
    let mut deliveries =
        channel.basic_consume(places.control.as_str().into(), "".into(), options, FieldTable::default()).await?;
    let (batches, to_commit) = mpsc::channel(1);
    let mut owner = Owner { messages, work: places.work.as_str().into(), shape, instances: HashMap::new() };
    let folding = async {
        driver::say_ready()?;
        while let Some(first) = deliveries.next().await {
            let mut taken = vec![first?];
            while taken.len() < BATCH_MAX
                && let Some(Some(delivery)) = deliveries.next().now_or_never()
            {
                taken.push(delivery?);
            }
            batches.send(owner.fold(&taken)?).await.ok().context("the committing half has ended")?;
        }
        bail!("the consumer has ended")
    };
    tokio::try_join!(folding, commits(&client, &commit, &channel, to_commit)).map(|((), ())| ())
}

struct Owner<'a> {
    messages: &'a Messages,
    work: ShortString,
    shape: Shape,
    instances: HashMap<u32, Instance>,
}

impl<'a> Owner<'a> {
    /// Returns what these deliveries change, a turn for each instance.
    fn fold(&mut self, deliveries: &[Delivery]) -> anyhow::Result<Batch<'a>> {
        let mut batch = Batch::default();
        let mut events: HashMap<u32, String> = HashMap::new();
        for delivery in deliveries {
            let id = correlation(delivery)?;
            let is_start = delivery.properties.kind() == self.messages.start.properties.kind();
            let number = if is_start { id.as_str().parse()? } else { read_token(id.as_str())?.0 };
            if is_start {
                self.start(number, delivery)?;
            }
            let events = events.entry(number).or_default();
            let happened = if is_start { "ExecutionStarted" } else { "TaskCompleted" };
            note(events, happened, &delivery.data);
            self.go_on(number, is_start, events, delivery, &mut batch)?;
            batch.last = delivery.delivery_tag;
        }
        for (number, events) in events {
            self.write(number, events, &mut batch)?;
        }
        Ok(batch)
    }

    fn start(&mut self, number: u32, delivery: &Delivery) -> anyhow::Result<()> {
        let client = delivery.properties.reply_to().clone().context("a start has no reply_to")?;
        let correlation = correlation(delivery)?.clone();
        let id = Uuid::new_v4().to_string();
        let new = Instance { id, turn: 0, step: 0, open: 0, client, correlation };
        ensure!(self.instances.insert(number, new).is_none(), "instance {number} was started twice");
        Ok(())
    }

    /// Takes one completion, or a start, and asks for what follows.
    fn go_on(
        &mut self,
        number: u32,
        is_start: bool,
        events: &mut String,
        delivery: &Delivery,
        batch: &mut Batch<'a>,
    ) -> anyhow::Result<()> {
        let instance = self.instances.get_mut(&number).with_context(|| format!("nobody started instance {number}"))?;
        if !is_start {
            instance.open -= 1;
        }
        if instance.open > 0 {
            return Ok(());
        }
        if instance.step == self.shape.steps() {
            let template = &self.messages.outcome;
            note(events, "ExecutionCompleted", &template.body);
            let message = template.properties.message_id().clone().unwrap_or_default();
            let properties = template.with(message, instance.correlation.clone());
            batch.out.push((instance.client.clone(), template, properties));
            return Ok(());
        }
        instance.step += 1;
        instance.open = self.shape.width();
        let template = &self.messages.work_item;
        for _ in 0..self.shape.width() {
            note(events, "TaskScheduled", &template.body);
            let token = ShortString::from(self.messages.token(number, instance.step));
            let properties = template.with(token.clone(), token).with_reply_to(delivery.routing_key.clone());
            batch.out.push((self.work.clone(), template, properties));
        }
        Ok(())
    }

    /// Writes the turn of one instance into the batch.
    fn write(&mut self, number: u32, events: String, batch: &mut Batch<'a>) -> anyhow::Result<()> {
        let instance = self.instances.get_mut(&number).context("an instance with events is there")?;
        instance.turn += 1;
        let has_ended = instance.open == 0;
        batch.ids.push(instance.id.clone());
        batch.statuses.push(has_ended.into());
        batch.turns.push(instance.turn);
        batch.bodies.push(format!("{{\"format\":1,\"events\":[{events}]}}"));
        write!(batch.outbox, "{}:{} ", instance.id, instance.turn)?;
        if has_ended {
            self.instances.remove(&number);
        }
        Ok(())
    }
}

/// Adds an event as JSON; payloads are JSON already.
fn note(events: &mut String, name: &str, payload: &[u8]) {
    if !events.is_empty() {
        events.push(',');
    }
    let _ = write!(events, "{{\"{name}\":{}}}", String::from_utf8_lossy(payload));
}

/// Commits, then publishes and acknowledges, batch by batch.
async fn commits(
    client: &tokio_postgres::Client,
    commit: &Statement,
    channel: &Channel,
    mut batches: mpsc::Receiver<Batch<'_>>,
) -> anyhow::Result<()> {
    let (confirmed, mut done) = mpsc::unbounded_channel::<i64>();
    let mut number: i64 = 0;
    while let Some(batch) = batches.recv().await {
        number += 1;
        let cleared: Vec<i64> = std::iter::from_fn(|| done.try_recv().ok()).collect();
        let Batch { ids, statuses, turns, bodies, outbox, out, last } = batch;
        let held: i64 =
            client.query_one(commit, &[&ids, &statuses, &turns, &bodies, &cleared, &number, &outbox]).await?.get(0);
        ensure!(held == 1, "the lease was lost");
        let mut confirms = Vec::with_capacity(out.len());
        for (queue, template, properties) in out {
            confirms.push(publish(channel, queue, template, properties).await?);
        }
        channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
        let confirmed = confirmed.clone();
        tokio::spawn(async move {
            for confirm in confirms {
                // Whatever is not confirmed stays in the outbox.
                if confirm.await.map_err(anyhow::Error::from).and_then(taken).is_err() {
                    return;
                }
            }
            let _ = confirmed.send(number);
        });
    }
    Ok(())
}
