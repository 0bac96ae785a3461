//! Messages that can't be handled yet.

use warren_model::{
    ActionId, ChildEnded, Condition, ConditionKind, EventRaised, ExecutionStarted, Failure, InboxMessage,
    InstanceRecord, Status, TaskEnded,
};

use super::{Fixture, sample::*};
use crate::{Error, Expired, PendingRow, Store};

pub async fn h10_messages_keep_the_order_of_their_arrival<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| commit.pending.extend([pending("order-1", 10), pending("order-1", 2), pending("order-2", 5)]))
        .await;
    a.commit(|commit| commit.pending.push(pending("order-1", 9))).await;
    // Nobody has seen the instance; its messages wait all the same.
    let loaded = a.load("order-1").await;
    assert_eq!((loaded.record, loaded.next_position), (None, 11));
    assert_eq!(loaded.pending, [pending("order-1", 2), pending("order-1", 9), pending("order-1", 10)]);
    a.commit(|commit| commit.pending_done.extend([(id("order-1"), 2), (id("order-1"), 77)])).await;
    assert_eq!(a.load("order-1").await.pending, [pending("order-1", 9), pending("order-1", 10)]);
    assert_eq!(a.load("order-2").await.pending, [pending("order-2", 5)]);
    let again = a.try_commit(|commit| commit.pending.push(pending("order-1", 9))).await;
    assert!(matches!(&again, Err(Error::Refused(why)) if why.contains("order-1") && why.contains('9')), "{again:?}");
}

fn expiring(instance: &str, position: u64, second: i64) -> PendingRow {
    PendingRow { expires_at: Some(at(second)), ..pending(instance, position) }
}

pub async fn h10_messages_for_an_unseen_instance_expire<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let rows = [expiring("a", 1, 10), expiring("a", 2, 30), expiring("b", 1, 20), pending("c", 1)];
    a.commit(|commit| commit.pending.extend(rows.clone())).await;
    let [a1, a2, b, c] = rows;
    let expire = async |now, limit| a.store.expire(P0, a.epoch, at(0), at(now), limit).await.unwrap();
    assert_eq!(expire(10, 100).await, Expired::default());
    assert_eq!(expire(31, 1).await, Expired { pending: vec![a1.clone()], has_more: true });
    assert_eq!(expire(21, 100).await, Expired { pending: vec![a1.clone(), b.clone()], has_more: false });
    assert_eq!(expire(1_000, 100).await.pending, [a1.clone(), b, a2.clone()]);
    // They are there until a commit says that they are done: what becomes of them is in the same one.
    assert_eq!(a.load("a").await.pending, [a1, a2.clone()]);
    a.commit(|commit| commit.pending_done.extend([(id("a"), 1), (id("b"), 1)])).await;
    let expired = a.store.expire(P0, a.epoch, at(0), at(1_000), 100).await.unwrap();
    assert_eq!(expired.pending, [a2]);
    assert_eq!(a.load("c").await.pending, [c]);
}

pub async fn messages_for_an_instance_that_was_seen_do_not_expire<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    a.commit(|commit| commit.pending.push(expiring("order-1", 1, 10))).await;
    a.commit(|commit| commit.instances.push(record("order-1", 0))).await;
    assert_eq!(a.store.expire(P0, a.epoch, at(0), at(1_000), 100).await.unwrap(), Expired::default());
    assert_eq!(a.load("order-1").await.pending, [expiring("order-1", 1, 10)]);
}

pub async fn instances_that_may_go_on_are_found<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let condition = Some(Condition { kind: ConditionKind::UnknownOrchestrator, message: "x".into(), details: None });
    a.commit(|commit| {
        let rows = [
            record("idle", 0),
            record("with-messages", 0),
            InstanceRecord { status: Status::Suspended, ..record("paused-with-messages", 0) },
            InstanceRecord { condition: condition.clone(), ..record("with-condition", 0) },
            InstanceRecord { condition: condition.clone(), status: Status::Suspended, ..record("with-both", 0) },
            InstanceRecord { condition, status: Status::Failed, ..record("ended", 0) },
            InstanceRecord { status: Status::Completed, ..record("ended-with-messages", 0) },
        ];
        commit.instances.extend(rows);
        let waiting = ["with-messages", "paused-with-messages", "with-both", "ended-with-messages", "unseen"];
        commit.pending.extend(waiting.iter().flat_map(|name| [pending(name, 0), pending(name, 1)]));
    })
    .await;
    let mut waiting = a.state().await.waiting;
    waiting.sort();
    assert_eq!(waiting, [id("with-both"), id("with-condition"), id("with-messages")]);
}

pub async fn every_kind_of_message_is_kept<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let input = json(r#"{"z":"\ud800",  "a":"\u0000"}"#);
    let failure = Failure::new("broken", "it broke").with_details(&input).caused_by(Failure::permanent("deep", "\0"));
    let task = |outcome| TaskEnded { execution: FIRST, task: ActionId(1), attempt: 2, outcome };
    let started = ExecutionStarted {
        name: "checkout".into(),
        version: Some("2".into()),
        input: input.clone(),
        parent: None,
        answer_to: None,
        tags: [("a".into(), "b".into())].into(),
        traceparent: Some("00-1-1-01".into()),
    };
    let messages = [
        InboxMessage::Start { execution: FIRST, cause: message_id("m"), started },
        InboxMessage::Task(task(Ok(input.clone()))),
        InboxMessage::Task(task(Err(failure.clone()))),
        InboxMessage::Child(ChildEnded { execution: FIRST, task: ActionId(1), attempt: 1, outcome: Err(failure) }),
        InboxMessage::Timer { execution: SECOND, id: ActionId(4) },
        InboxMessage::Raise(EventRaised { name: "paid".into(), input }),
        InboxMessage::Terminate { reason: Some("enough".into()), recursive: true },
        InboxMessage::Suspend { reason: None },
        InboxMessage::Resume { reason: Some(String::new()) },
    ];
    let rows: Vec<PendingRow> =
        (0..).zip(messages).map(|(position, message)| PendingRow { message, ..pending("order-1", position) }).collect();
    a.commit(|commit| commit.pending.extend(rows.clone())).await;
    assert_eq!(a.load("order-1").await.pending, rows);
}
