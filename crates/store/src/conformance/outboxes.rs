//! Batches whose messages are unconfirmed.

use warren_model::{AnswerTo, EventRaised, Parent, Partition, PartitionMessage};

use super::{Fixture, sample::*};
use crate::{OutboxEntry, OutboxRow, OutboxTurn};

fn entry(instance: &str, turn: u32) -> OutboxEntry {
    OutboxEntry::Turn(OutboxTurn {
        instance: id(instance),
        execution: FIRST,
        turn,
        parent: Some(Parent { instance: id("p"), execution: SECOND, task: warren_model::ActionId(1), attempt: 1 }),
        answer_to: Some(AnswerTo { reply_to: "q".into(), correlation_id: None, stored: false, packs: false }),
        sequences: vec![(Partition(2), 8), (Partition(0), 1)],
        payload_max: Some(4_096),
        traceparent: Some("00-1-2-01".into()),
        only_words: true,
    })
}

fn dead() -> OutboxEntry {
    let event = EventRaised { name: "paid".into(), input: json(r#"{"b": "\ud800"}"#) };
    OutboxEntry::Dead { instance: id("x"), event, reason: "nobody came".into() }
}

fn over() -> OutboxEntry {
    OutboxEntry::Over { instance: id("order-1"), execution: SECOND }
}

fn message(sequence: u64) -> OutboxEntry {
    let event = EventRaised { name: "paid".into(), input: json(r#"{"b": "\ud800"}"#) };
    OutboxEntry::Message {
        target: Partition(1),
        sequence,
        message: PartitionMessage::Raise { instance: id("x"), event },
    }
}

pub async fn h4_unconfirmed_batches_are_found_oldest_first<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let mut rows = Vec::new();
    for number in 1..=12 {
        rows.push(OutboxRow { number, entries: vec![entry("order-1", 0), message(number), dead(), over()] });
        let row = rows.last().cloned();
        a.commit(|commit| commit.outbox.extend(row)).await;
    }
    drop(a);
    assert_eq!(owned(fixture).await.state().await.outbox, rows);
}

pub async fn a_batch_is_narrowed_and_cleared<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let wide = OutboxRow { number: 1, entries: vec![entry("order-1", 0), entry("order-2", 3), message(4)] };
    a.commit(|commit| commit.outbox.push(wide.clone())).await;
    let narrow = OutboxRow { number: 1, entries: vec![entry("order-2", 3)] };
    a.commit(|commit| {
        commit.outbox.extend([narrow.clone(), OutboxRow { number: 2, entries: vec![entry("order-3", 0)] }]);
    })
    .await;
    assert_eq!(a.state().await.outbox[0], narrow);
    a.commit(|commit| commit.outbox_done.extend([1, 2, 77])).await;
    assert_eq!(a.state().await.outbox, []);
}
