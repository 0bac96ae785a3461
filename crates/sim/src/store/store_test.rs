use std::num::NonZeroU16;

use warren_model::{ActionId, ExecutionId, InboxMessage, Timestamp};
use warren_store::{Commit, Lease, PendingRow, Progress, TimerRow, TurnKey, TurnRow};

use super::*;

const P: Partition = Partition(0);

fn store() -> Store {
    let mut store = Store::new(PartitionCount(NonZeroU16::MIN));
    take(&mut store);
    store
}

/// Another owner takes the partition.
fn take(store: &mut Store) {
    let [seen] = &store.leases()[..] else { panic!("one partition has one lease") };
    let seen: Lease = seen.clone();
    store.acquire(&seen, "somebody").unwrap();
}

fn commit(epoch: i64, number: u64) -> Commit {
    Commit::new(P, Epoch(epoch), number)
}

fn id() -> InstanceId {
    InstanceId::new("a").unwrap()
}

fn turn(turn: u32) -> TurnRow {
    let key = TurnKey { instance: id(), execution: ExecutionId::from_u128(1), turn };
    let progress = Progress { updated_at: Timestamp::UNIX_EPOCH, history_events: 0, history_bytes: 0 };
    TurnRow { key, body: r#"{"format":1,"events":[]}"#.into(), progress }
}

fn timer(id_: u32) -> TimerRow {
    let fire_at = warren_model::Timestamp::UNIX_EPOCH;
    TimerRow { instance: id(), execution: ExecutionId::from_u128(1), id: ActionId(id_), fire_at }
}

#[test]
fn h2_an_epoch_that_is_over_neither_writes_nor_reads() {
    let mut store = store();
    store.commit(&commit(1, 1)).unwrap();
    take(&mut store);
    assert_eq!(store.commit(&commit(1, 2)), Err(Trouble::Fenced));
    assert_eq!(store.partition(P, Epoch(1)), Err(Trouble::Fenced));
    store.commit(&commit(2, 2)).unwrap();
    store.release(P, Epoch(2)).unwrap();
    assert_eq!(store.commit(&commit(2, 3)), Err(Trouble::Fenced), "nor one that was given back");
}

#[test]
fn a_lease_that_has_changed_since_it_was_seen_is_not_given() {
    let mut store = store();
    let seen = store.leases()[0].clone();
    assert!(store.renew("a", true, &[(P, Epoch(1))]).is_empty());
    assert_eq!(store.acquire(&seen, "other"), None);
    let seen = store.leases()[0].clone();
    assert_eq!(store.acquire(&seen, "other"), Some(Epoch(2)));
    assert_eq!(store.renew("a", true, &[(P, Epoch(1))]), [P]);
}

#[test]
fn a_commit_is_written_whole_or_not_at_all() {
    let mut store = store();
    assert!(matches!(store.commit(&commit(1, 2)), Err(Trouble::OutOfTurn(_))), "a number is skipped");
    store.commit(&Commit { turns: vec![turn(0)], ..commit(1, 1) }).unwrap();
    let again = Commit { turns: vec![turn(0)], timers: vec![timer(1)], ..commit(1, 2) };
    assert!(matches!(store.commit(&again), Err(Trouble::Refused(_))), "a turn is there already");
    assert!(store.tables(P).timers.is_empty());
    assert_eq!(store.tables(P).number, 1);
}

#[test]
fn deletions_come_before_insertions() {
    let mut store = store();
    let message = InboxMessage::Suspend { reason: None };
    let row = PendingRow { instance: id(), position: 0, message, expires_at: None };
    let first = Commit { timers: vec![timer(1), timer(2)], pending: vec![row.clone()], ..commit(1, 1) };
    store.commit(&first).unwrap();
    let next = Commit {
        timers_clear: vec![id()],
        timers: vec![timer(2)],
        pending_done: vec![(id(), 0)],
        pending: vec![row],
        ..commit(1, 2)
    };
    store.commit(&next).unwrap();
    assert_eq!(store.tables(P).timers_of(&id()).map(|row| row.id.0).collect::<Vec<_>>(), [2]);
    assert_eq!(store.tables(P).pending_of(&id()).count(), 1);
}
