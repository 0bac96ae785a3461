use warren_broker::{Address, Message};
use warren_model::Partition;
use warren_store::{Epoch, OutboxTurn};

use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_750_000_000).unwrap()
}

fn execution(instance: &str) -> Execution {
    (InstanceId::new(instance).unwrap(), ExecutionId::from_u128(1))
}

fn turn(instance: &str) -> OutboxEntry {
    let (instance, execution) = execution(instance);
    let (sequences, payload_max) = (Vec::new(), None);
    OutboxEntry::Turn(OutboxTurn {
        instance,
        execution,
        turn: 0,
        sequences,
        parent: None,
        answer_to: None,
        payload_max,
        traceparent: None,
        only_words: false,
    })
}

fn over(instance: &str) -> OutboxEntry {
    let (instance, execution) = execution(instance);
    OutboxEntry::Over { instance, execution }
}

/// A row whose first entry has a message on its way.
fn sent(outbox: &mut Outbox, number: u64, entries: Vec<OutboxEntry>) {
    outbox.enter(number, &entries);
    let message =
        Publication { to: Address::Queue("q".into()), mandatory: true, packs: false, message: Message::default() };
    outbox.add(number, entries, vec![(0, message)]);
}

fn write(outbox: &mut Outbox) -> Commit {
    let mut commit = Commit::new(Partition(0), Epoch(1), 9);
    outbox.write(&mut commit);
    commit
}

#[test]
fn h19_turns_go_with_the_row_of_the_commit_that_ended_them_once_all_of_them_is_confirmed() {
    let mut outbox = Outbox::default();
    sent(&mut outbox, 1, vec![turn("a")]);
    sent(&mut outbox, 2, vec![turn("b"), over("a")]);
    outbox.settle(2, &[Published::Confirmed], now());
    let commit = write(&mut outbox);
    // The second row waits for the first, and no longer names what it had to send: that may go before the row does.
    assert_eq!((commit.outbox_done, commit.forget), (vec![], vec![]));
    assert_eq!(commit.outbox, [OutboxRow { number: 2, entries: vec![over("a")] }]);
    assert_eq!((write(&mut outbox).outbox, outbox.flush_at()), (vec![], None), "once");
    outbox.settle(1, &[Published::Confirmed], now());
    assert!(!outbox.is_at_rest());
    let commit = write(&mut outbox);
    assert_eq!((commit.outbox_done, commit.forget, commit.outbox), (vec![1, 2], vec![execution("a")], vec![]));
    assert!(outbox.is_at_rest());
}

#[test]
fn h4_a_turn_that_can_t_be_read_keeps_its_row_and_its_execution() {
    let mut outbox = Outbox::default();
    sent(&mut outbox, 1, vec![turn("b"), turn("a"), over("c")]);
    outbox.set_aside(1, vec![turn("a")]);
    sent(&mut outbox, 2, vec![turn("b"), over("a")]);
    outbox.settle(1, &[Published::Confirmed], now());
    outbox.settle(2, &[Published::Confirmed], now());
    let commit = write(&mut outbox);
    assert_eq!((commit.outbox_done, commit.forget), (vec![], vec![execution("c")]));
    let rows: Vec<_> = commit.outbox.into_iter().map(|row| (row.number, row.entries)).collect();
    assert_eq!(rows, [(2, vec![over("a")]), (1, vec![turn("a")])]);
    assert!(outbox.is_at_rest(), "a drain does not wait for it");
}

#[test]
fn h6_pauses_grow_and_only_what_is_left_is_sent_again() {
    let mut outbox = Outbox::default();
    sent(&mut outbox, 1, vec![turn("a")]);
    let mut pauses = Vec::new();
    let mut time = now();
    for _ in 0..9 {
        outbox.settle(1, &[Published::Returned], time);
        let at = outbox.next_retry().unwrap();
        pauses.push(at.duration_since(time).as_millis());
        let mut effects = Vec::new();
        outbox.retry(at, &mut effects);
        assert!(matches!(&effects[..], [Effect::Publish { batch, .. }] if batch.len() == 1));
        time = at;
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    assert_eq!(write(&mut outbox).outbox, [], "nothing was confirmed, so nothing is narrowed");
}
