//! Rows to write, and short ways to do so.

use std::{
    collections::BTreeMap,
    num::NonZeroU16,
    time::{Duration, Instant},
};

use warren_model::{
    ActionId, Event, EventRaised, ExecutionCompleted, ExecutionId, ExecutionStarted, InboxMessage, InstanceId,
    InstanceRecord, MessageId, Outcome, Partition, PartitionCount, Payload, Status, Timestamp, TurnRecord,
    execution_id,
};

use super::Fixture;
use crate::{
    Commit, Epoch, Error, HubSpec, Lease, Load, LoadedInstance, OutboxEntry, OutboxRow, OutboxTurn, PartitionState,
    PendingRow, Progress, Result, Store, TimerRow, TurnKey, TurnRow,
};

/// The hub of most cases: one partition, so that every instance is in it.
pub(crate) fn spec() -> HubSpec {
    wide(1)
}

/// The hub with some partitions.
pub(super) fn wide(partitions: u16) -> HubSpec {
    HubSpec { name: "orders".into(), partitions: PartitionCount(NonZeroU16::new(partitions).unwrap()) }
}

pub(crate) const P0: Partition = Partition(0);

/// A store with one of its partitions held.
pub(super) struct Owned<S> {
    pub(super) store: S,
    pub(super) partition: Partition,
    pub(super) epoch: Epoch,
    /// The number of the last commit, by what was read when it was taken and what was written since.
    pub(super) number: u64,
}

/// Opens the hub and takes partition 0.
pub(super) async fn owned<F: Fixture>(fixture: &F) -> Owned<F::Store> {
    take(fixture.open(&spec()).await.unwrap(), P0).await
}

/// Takes a partition, whoever holds it.
pub(super) async fn take<S: Store>(store: S, partition: Partition) -> Owned<S> {
    let seen = lease(&store, partition).await;
    take_as_seen(store, &seen).await
}

/// Takes a partition whose lease is still as it was seen, as soon as no commit is open there, and reads its state at once.
pub(super) async fn take_as_seen<S: Store>(store: S, seen: &Lease) -> Owned<S> {
    let deadline = Instant::now() + Duration::from_secs(20);
    let epoch = loop {
        if let Some(epoch) = store.acquire(seen, "owner").await.unwrap() {
            break epoch;
        }
        assert!(Instant::now() < deadline, "the lease is not as it was seen, or stays locked: {seen:?}");
    };
    let number = store.partition(seen.partition, epoch).await.unwrap().number;
    Owned { store, partition: seen.partition, epoch, number }
}

/// Returns a partition's lease.
pub(super) async fn lease<S: Store>(store: &S, partition: Partition) -> Lease {
    Store::survey(store).await.unwrap().leases.into_iter().find(|lease| lease.partition == partition).unwrap()
}

impl<S: Store> Owned<S> {
    /// Returns the next commit, with `fill` applied.
    pub(super) fn next(&self, fill: impl FnOnce(&mut Commit)) -> Commit {
        let mut commit = Commit::new(self.partition, self.epoch, self.number + 1);
        fill(&mut commit);
        commit
    }

    /// Writes the next commit.
    pub(super) async fn try_commit(&mut self, fill: impl FnOnce(&mut Commit)) -> Result<()> {
        let done = self.store.commit(self.next(fill)).await;
        self.number += u64::from(done.is_ok());
        done
    }

    /// Writes the next commit, which must succeed.
    pub(super) async fn commit(&mut self, fill: impl FnOnce(&mut Commit)) {
        self.try_commit(fill).await.unwrap();
    }

    pub(super) async fn state(&self) -> PartitionState {
        self.store.partition(self.partition, self.epoch).await.unwrap()
    }

    pub(super) async fn load(&self, instance: &str) -> LoadedInstance {
        let load = Load { instances: vec![id(instance)], commands: Vec::new() };
        let mut loaded = self.store.load(self.partition, self.epoch, load).await.unwrap();
        assert_eq!(loaded.instances.len(), 1);
        loaded.instances.remove(0)
    }

    pub(super) async fn timers(&self) -> Vec<TimerRow> {
        self.store.timers(self.partition, self.epoch, at(i64::from(u32::MAX)), 1000).await.unwrap()
    }
}

pub(crate) fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

pub(super) fn message_id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn json(text: &str) -> Payload {
    Payload::from_bytes(text.as_bytes()).unwrap()
}

/// The executions of `order-1`, which most cases are about.
pub(crate) const FIRST: ExecutionId = ExecutionId::from_u128(1);
pub(super) const SECOND: ExecutionId = ExecutionId::from_u128(2);

/// The first execution of an instance: no two instances have the same.
pub(super) fn first(instance: &str) -> ExecutionId {
    if instance == "order-1" { FIRST } else { execution_id(&id(instance), "first") }
}

/// The row of an instance in its first execution, running.
pub(crate) fn record(instance: &str, turns: u32) -> InstanceRecord {
    InstanceRecord {
        id: id(instance),
        execution: first(instance),
        name: "checkout".into(),
        version: None,
        status: Status::Running,
        condition: None,
        turn: turns,
        created_at: at(1_000),
        updated_at: at(1_000),
        custom_status: None,
        parent: None,
        answer_to: None,
        start_id: message_id(&format!("start of {instance}")),
        tags: BTreeMap::new(),
        history_events: 0,
        history_bytes: 0,
    }
}

pub(crate) fn key(instance: &str, turn: u32) -> TurnKey {
    TurnKey { instance: id(instance), execution: first(instance), turn }
}

/// A row of history with one event, which says which turn it is.
pub(super) fn turn(instance: &str, number: u32) -> TurnRow {
    turn_of(key(instance, number), &[raised(&number.to_string())])
}

pub(super) fn turn_of(key: TurnKey, events: &[Event]) -> TurnRow {
    let progress = Progress::of(&record(key.instance.as_str(), key.turn + 1));
    TurnRow { key, body: serde_json::to_string(&TurnRecord::new(events.to_vec())).unwrap(), progress }
}

pub(super) fn started(input: &str) -> Event {
    Event::ExecutionStarted(ExecutionStarted {
        name: "checkout".into(),
        version: None,
        input: json(input),
        parent: None,
        answer_to: None,
        tags: BTreeMap::new(),
        traceparent: None,
    })
}

pub(super) fn raised(input: &str) -> Event {
    Event::EventRaised(EventRaised { name: "paid".into(), input: json(input) })
}

pub(super) fn completed(outcome: Outcome) -> Event {
    Event::ExecutionCompleted(ExecutionCompleted { outcome })
}

pub(super) fn timer(instance: &str, action: u32, second: i64) -> TimerRow {
    TimerRow { instance: id(instance), execution: FIRST, id: ActionId(action), fire_at: at(second) }
}

pub(super) fn pending(instance: &str, position: u64) -> PendingRow {
    let message = InboxMessage::Raise(EventRaised { name: "paid".into(), input: json(&position.to_string()) });
    PendingRow { instance: id(instance), position, message, expires_at: None }
}

/// A turn with all that belongs to it.
pub(super) fn whole(commit: &mut Commit, instance: &str, number: u32) {
    commit.instances.push(record(instance, number + 1));
    commit.turns.push(turn(instance, number));
    commit.timers.push(timer(instance, number + 1, 2_000));
    commit.outbox.push(outbox(commit.number, instance, number));
}

pub(super) fn outbox(number: u64, instance: &str, turn: u32) -> OutboxRow {
    let turn = OutboxTurn {
        instance: id(instance),
        execution: FIRST,
        turn,
        parent: None,
        answer_to: None,
        sequences: vec![(Partition(3), number)],
        payload_max: None,
        traceparent: None,
        only_words: number % 2 == 1,
    };
    OutboxRow { number, entries: vec![OutboxEntry::Turn(turn)] }
}

pub(super) fn is_fenced<T>(result: &crate::Result<T>) -> bool {
    matches!(result, Err(Error::Fenced { partition: P0, .. }))
}
