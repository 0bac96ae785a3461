//! What partitions tell each other.

use warren_model::{ActionId, ChildStart, Event, EventRaised, Parent, Partition, PartitionMessage, Payload, Timeouts};

use super::{Fixture, sample::*};
use crate::{Aside, Error, OutboxRow, PartitionState, Queries, Suspect, TaskNote, TaskRun};

fn aside(source: u16, sequence: u64) -> Aside {
    let event = EventRaised { name: "paid".into(), input: json(r#""\u0000""#) };
    Aside { source: Partition(source), sequence, message: PartitionMessage::Raise { instance: id("x"), event } }
}

pub async fn a_row_that_can_t_be_read_keeps_no_other_from_its_owner<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let entry = |number| OutboxRow { number, entries: vec![] };
    a.commit(|commit| {
        commit.outbox.extend([entry(1), entry(7)]);
        commit.aside.extend([aside(1, 3), aside(2, 5)]);
        commit.timers.extend([timer("a", 1, 10), timer("b", 2, 20)]);
    })
    .await;
    fixture.sql("UPDATE outbox SET entries = '[{' WHERE number = 1").await;
    fixture.sql("UPDATE aside SET message = 'no JSON' WHERE source = 1").await;
    fixture.sql("UPDATE timer SET instance = '' WHERE instance = 'a'").await;
    let b = owned(fixture).await;
    let state = b.state().await;
    assert_eq!((state.outbox, state.aside), (vec![entry(7)], vec![aside(2, 5)]));
    assert_eq!(b.timers().await, [timer("b", 2, 20)]);
}

pub async fn h18_suspects_are_kept_until_they_have_proved_innocent<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let suspect = |instance: &str, count| Suspect { instance: id(instance), count, reason: "it was running".into() };
    a.commit(|commit| commit.suspects.extend([suspect("b", 1), suspect("a", 1), suspect("c", 1)])).await;
    a.commit(|commit| {
        commit.suspects_done.extend([id("b"), id("never")]);
        commit.suspects.push(suspect("a", 2));
    })
    .await;
    a.commit(|commit| {
        commit.suspects_done.push(id("c"));
        commit.suspects.push(suspect("c", 5));
    })
    .await;
    assert_eq!(owned(fixture).await.state().await.suspects, [suspect("a", 2), suspect("c", 5)]);
}

pub async fn h18_suspected_tasks_are_kept_until_they_end_and_shown_once_quarantined<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let reader = fixture.reader("orders").await.unwrap();
    let timeouts = Timeouts { start_to_close_ms: Some(9), ..Timeouts::default() };
    let run = |count: u32| TaskRun {
        worker: "worker-1".into(),
        beside: (count > 1).then(|| "worker-2".into()),
        started_at: at(i64::from(count)),
        lease_ms: Some(20_000),
        is_handed_over: false,
        timeouts,
    };
    let task = |instance: &str, number, count| TaskNote {
        count,
        asked: format!("q-{count}"),
        workers: vec!["worker-1".into()],
        run: Some(run(count)),
        progress: Some(Payload::from_bytes(b"[1, \"\\u0000\"]").unwrap()),
        is_handed_back: true,
        ..TaskNote::new(id(instance), FIRST, ActionId(number), 2, "charge \u{1}".into())
    };
    let quarantined = |instance, number| TaskNote { quarantine: Some("it kills".into()), ..task(instance, number, 5) };
    a.commit(|commit| {
        commit.task_notes.extend([task("b", 1, 1), task("a", 7, 1), task("a", 3, 1), quarantined("c", 1)]);
    })
    .await;
    assert_eq!(reader.quarantined(None, 10).await.unwrap(), [quarantined("c", 1)]);
    a.commit(|commit| {
        commit.task_notes_done.extend([(id("b"), ActionId(1)), (id("b"), ActionId(2))]);
        commit.task_notes.extend([task("a", 3, 2), quarantined("a", 7)]);
    })
    .await;
    // Another attempt of the same id begins in the commit in which the one before ends.
    a.commit(|commit| {
        commit.task_notes_done.push((id("a"), ActionId(3)));
        commit.task_notes.push(task("a", 3, 9));
    })
    .await;
    assert_eq!(reader.quarantined(None, 10).await.unwrap(), [quarantined("a", 7), quarantined("c", 1)]);
    assert_eq!(reader.quarantined(None, 1).await.unwrap(), [quarantined("a", 7)]);
    assert_eq!(reader.quarantined(Some(&id("c")), 10).await.unwrap(), [quarantined("c", 1)]);
    assert_eq!(reader.quarantined(Some(&id("b")), 10).await.unwrap(), []);
    let kept = [task("a", 3, 9), quarantined("a", 7), quarantined("c", 1)];
    assert_eq!(owned(fixture).await.state().await.task_notes, kept);
}

pub async fn h9_sequences_rise_and_gaps_are_kept<F: Fixture>(fixture: &F) {
    let mut a = owned(fixture).await;
    let Event::ExecutionStarted(started) = started("1") else { panic!("a start") };
    let start = PartitionMessage::ChildStart(ChildStart { instance: id("child"), started });
    let parent = Parent { instance: id("p"), execution: FIRST, task: ActionId(1), attempt: 1 };
    let end = PartitionMessage::ChildEnded { parent: parent.clone(), outcome: Ok(json("[ ]")) };
    let stop = PartitionMessage::Terminate { instance: id("child"), parent, reason: "r".into() };
    let others: Vec<Aside> =
        (20..).zip([start, end, stop]).map(|(sequence, message)| Aside { message, ..aside(1, sequence) }).collect();
    a.commit(|commit| {
        commit.sent.extend([(Partition(0), 3), (Partition(7), 1)]);
        commit.received.extend([(Partition(1), 9), (Partition(2), 4)]);
        commit.aside.extend(others.iter().rev().cloned());
        commit.aside.extend([aside(2, 7), aside(1, 11), aside(2, 6)]);
    })
    .await;
    a.commit(|commit| {
        commit.sent.push((Partition(7), 2));
        commit.received.push((Partition(2), 6));
        commit.aside_done.extend([(Partition(2), 6), (Partition(5), 5)]);
    })
    .await;
    let again = a.try_commit(|commit| commit.aside.push(aside(1, 11))).await;
    assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
    drop(a);
    let mut expected = vec![aside(1, 11)];
    expected.extend(others);
    expected.push(aside(2, 7));
    let state = PartitionState {
        number: 2,
        sent: [(Partition(0), 3), (Partition(7), 2)].into(),
        received: [(Partition(1), 9), (Partition(2), 6)].into(),
        aside: expected,
        ..PartitionState::default()
    };
    assert_eq!(owned(fixture).await.state().await, state);
}
