use super::*;
use crate::HeaderValue;

const MS: Duration = Duration::from_millis(1);

fn to(name: &str) -> Address {
    Address::Queue(name.into())
}

fn pace() -> Pace {
    let mut pace = Pace::new(Arc::new(Topology::new("h").unwrap()));
    assert_eq!(pace.parts_max(&to("h.work.q")), PARTS_FIRST);
    pace
}

fn told(queue: &str, took: Duration) -> Message {
    let micros = HeaderValue::Number(took.as_micros().try_into().unwrap());
    let headers = [("took".to_owned(), micros), ("queue".to_owned(), HeaderValue::Text(queue.into()))];
    Message { headers: headers.into(), ..Message::default() }
}

fn note(pace: &mut Pace, took: Duration, times: usize) -> usize {
    (0..times).for_each(|_| pace.note(&told("q", took)));
    pace.parts_max(&to("h.work.q"))
}

#[test]
fn a_pack_holds_as_many_tasks_as_fit_its_share() {
    let expected = [(MS, 50), (10 * MS, 5), (49 * MS, 1), (3_600_000 * MS, 1), (MS / 10, 256), (Duration::ZERO, 256)];
    for (took, parts) in expected {
        assert_eq!(note(&mut pace(), took, 1), parts, "{took:?}");
    }
}

#[test]
fn h21_slow_tasks_among_quick_ones_are_noticed_at_once_and_forgotten_late() {
    let mut pace = pace();
    assert_eq!(note(&mut pace, MS, 1_000), 50);
    assert_eq!(note(&mut pace, 1_000 * MS, 1), 1);
    assert_eq!(note(&mut pace, MS, 10), 1);
    let after_a_hundred = note(&mut pace, MS, 90);
    assert!((2..10).contains(&after_a_hundred), "{after_a_hundred}");
    assert_eq!(note(&mut pace, MS, 1_000), 49);
}

#[test]
fn a_slow_task_in_every_twenty_keeps_packs_small() {
    let mut pace = pace();
    for _ in 0..50 {
        note(&mut pace, MS, 19);
        note(&mut pace, 500 * MS, 1);
    }
    assert_eq!(note(&mut pace, MS, 19), 1);
}

#[test]
fn only_work_queues_have_a_pace_and_each_its_own() {
    let mut pace = pace();
    assert_eq!(note(&mut pace, 40 * MS, 1), 1);
    assert_eq!(pace.parts_max(&to("h.work.other")), PARTS_FIRST);
    let exchange = Address::Exchange { exchange: "h.ingress".into(), key: "start.q".into() };
    for other in [to("h.control.01"), to("x.work.q"), to("amq.gen-1"), exchange] {
        assert_eq!(pace.parts_max(&other), PARTS_MAX);
    }
}

/// Anybody may write a reply.
#[test]
fn what_replies_say_of_unknown_queues_or_without_sense_leaves_no_trace() {
    let mut pace = pace();
    pace.note(&told("nobody", MS));
    let mut negative = told("q", MS);
    negative.headers.insert("took", HeaderValue::Number(-1));
    let text = Message { headers: [("took".to_owned(), HeaderValue::Text("1".into()))].into(), ..Message::default() };
    [negative, text, Message::default()].iter().for_each(|message| pace.note(message));
    assert_eq!(pace.expected, HashMap::from([("q".to_owned(), None)]));
    for n in 0..2 * QUEUES_MAX {
        assert_eq!(pace.parts_max(&to(&format!("h.work.{n}"))), PARTS_FIRST);
    }
    assert_eq!(pace.expected.len(), QUEUES_MAX);
}
