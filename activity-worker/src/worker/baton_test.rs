use std::{num::NonZeroU16, time::Duration};

use warren_broker::Lane;
use warren_model::Priority::{self, High, Low, Normal};

use super::super::{
    Bound, Effect, Input, Limits, QueueId, Served, ServedId,
    fixture::{A, B, Bench, DRAIN, HOLD, LEASE, PAYLOAD_BYTES, brief, delivery, task, work},
};

const QUEUE: ServedId = ServedId(0);
const C: QueueId = QueueId(2);
const SECOND: Duration = Duration::from_secs(1);

fn limit(limit: u16) -> Bound {
    Bound { limit: Some(limit), per_minute: None }
}

/// A queue with lanes of these priorities and numbers, the first called `a`.
fn queue(lanes: &[(Priority, u16)], whole: Bound, each: Bound) -> Served {
    let lane = |(name, (priority, number)): (&str, &(Priority, u16))| Lane {
        name: name.into(),
        priority: *priority,
        number: *number,
    };
    let lanes = ["a", "b", "c", "d"].into_iter().zip(lanes).map(lane).collect();
    Served { name: "a".into(), lanes, whole, each, has_baton: true }
}

fn bench(slots: u16, queues: impl IntoIterator<Item = Served>) -> Bench {
    let concurrency = NonZeroU16::new(slots).unwrap();
    Bench::of(queues, Limits { concurrency, payload_bytes: PAYLOAD_BYTES, drain: DRAIN, lease: LEASE, hold: HOLD })
}

/// A worker of a queue with two lanes, of which two run at a time.
fn two_lanes() -> Bench {
    bench(8, [queue(&[(Normal, 0), (Normal, 1)], limit(2), Bound::default())])
}

fn baton(bench: &mut Bench, is_held: bool) -> Vec<String> {
    brief(&bench.step(Input::Baton { queue: QUEUE, is_held }))
}

/// Lets this many items come to each of so many lanes; returns what begins.
fn flood(bench: &mut Bench, lanes: usize, count: u32) -> Vec<Effect> {
    let of_lane = |lane: usize| {
        (1..=count)
            .map(|tag| delivery(tag.into(), work(u32::try_from(lane).unwrap() * 1_000 + tag)))
            .collect::<Vec<_>>()
    };
    (0..lanes).flat_map(|lane| bench.deliver(QueueId(lane), of_lane(lane))).collect()
}

/// Which item an effect begins.
fn begun(effects: &[Effect]) -> Vec<u64> {
    let begun = |effect: &String| effect.strip_prefix("run ")?.parse().ok();
    brief(effects).iter().filter_map(begun).collect()
}

/// Ends what runs, the oldest first, and returns from which lane so many begin; each has `count` items.
fn lanes_of_the_next(bench: &mut Bench, running: &mut Vec<u64>, turns: usize, count: u64) -> Vec<u64> {
    let mut lanes = Vec::new();
    while lanes.len() < turns {
        let ended = running.remove(0);
        let next = begun(&bench.finish(ended));
        lanes.extend(next.iter().map(|item| (item - 1) / count));
        running.extend(next);
        running.extend(begun(&bench.confirm(ended)));
    }
    lanes
}

#[test]
fn lanes_are_consumed_while_the_baton_is_held_and_what_they_hold_is_counted_together() {
    let mut bench = two_lanes();
    assert_eq!(baton(&mut bench, true), ["consume a", "consume b"]);
    assert_eq!(baton(&mut bench, true), [""; 0]);
    assert_eq!(brief(&bench.deliver(A, [task(1), task(2), task(3)])), ["run 1", "run 2"]);
    assert_eq!(brief(&bench.deliver(B, [delivery(1, work(11))])), [""; 0]);
    assert_eq!(brief(&bench.finish(1)), ["publish 1 to h.control.03", "run 4"], "the other lane had no turn yet");
    assert_eq!(brief(&bench.finish(2)), ["publish 2 to h.control.03", "run 3"]);
}

/// Another worker begins to count at nothing: until what runs here has ended, up to twice the limit may run.
#[test]
fn who_loses_the_baton_gives_back_what_waits_and_ends_what_runs() {
    let mut bench = two_lanes();
    baton(&mut bench, true);
    bench.deliver(A, [task(1), task(2), task(3)]);
    assert_eq!(baton(&mut bench, false), ["pause a", "pause b"]);
    assert_eq!(brief(&bench.finish(1)), ["publish 1 to h.control.03"], "nothing begins");
    assert_eq!(brief(&bench.step(Input::Paused { queue: A })), ["requeue a 3"]);
    assert_eq!(brief(&bench.step(Input::Paused { queue: B })), [""; 0]);
    assert_eq!(baton(&mut bench, true), ["consume a", "consume b"]);
    let again = bench.deliver(B, [delivery(1, work(11)), delivery(2, work(12))]);
    assert_eq!(brief(&again), ["run 4"], "what still runs counts");
}

#[test]
fn a_drain_hands_the_baton_on_once_nothing_runs_that_it_counts() {
    let mut bench = two_lanes();
    baton(&mut bench, true);
    bench.deliver(A, [task(1), task(2), task(3)]);
    assert_eq!(brief(&bench.step(Input::Drain)), ["cancel a", "cancel b", "requeue a 3"]);
    assert_eq!(brief(&bench.finish(1)), ["publish 1 to h.control.03"]);
    assert_eq!(brief(&bench.finish(2)), ["publish 2 to h.control.03", "leave baton 0"]);
    assert_eq!(baton(&mut bench, false), [""; 0]);
    bench.confirm(1);
    assert_eq!(brief(&bench.confirm(2)), ["ack a 2", "stopped, 0 running, 0 replying"]);
}

#[test]
fn a_drain_asks_for_no_baton_any_more() {
    let mut bench = bench(1, [queue(&[(Normal, 0)], limit(1), Bound::default()), "b".into()]);
    bench.deliver(B, [task(1)]);
    assert_eq!(brief(&bench.step(Input::Drain)), ["cancel a", "cancel b", "leave baton 0"]);
    assert_eq!(baton(&mut bench, true), [""; 0], "it was on its way");
    assert_eq!(baton(&mut bench, false), [""; 0]);
}

/// Others may have a slot.
#[test]
fn a_worker_whose_slots_are_taken_for_long_leaves_the_baton_to_others() {
    let mut bench = bench(1, [queue(&[(Normal, 0)], limit(1), Bound::default()), "b".into()]);
    baton(&mut bench, true);
    bench.deliver(B, [task(1)]);
    assert_eq!(brief(&bench.deliver(A, [delivery(1, work(11))])), [""; 0]);
    assert_eq!(brief(&bench.pass(6 * SECOND)), ["pause a", "leave baton 0"]);
    assert_eq!(brief(&bench.step(Input::Paused { queue: A })), ["requeue a 1"]);
    assert_eq!(brief(&bench.finish(1)), ["publish 1 to h.control.03"], "it is not given back yet");
    assert_eq!(baton(&mut bench, false), ["ask for baton 0"]);
    bench.confirm(1);
    bench.deliver(B, [task(2)]);
    bench.pass(SECOND);
    assert_eq!(brief(&bench.pass(6 * SECOND)), ["leave baton 0"], "nor would it begin anything now");
    assert_eq!(baton(&mut bench, false), [""; 0]);
    assert_eq!(brief(&bench.finish(3)), ["publish 3 to h.control.03", "ask for baton 0"]);
    assert_eq!(baton(&mut bench, true), ["consume a"]);
}

#[test]
fn a_worker_whose_slots_are_taken_keeps_the_baton_of_what_it_runs() {
    let mut bench = bench(1, [queue(&[(Normal, 0)], limit(1), Bound::default())]);
    baton(&mut bench, true);
    bench.deliver(A, [task(1)]);
    assert_eq!(brief(&bench.pass(60 * SECOND)), [""; 0]);
}

/// Whatever else the worker begins between two turns of the queue.
#[test]
fn lanes_take_turns_within_their_limit() {
    let lanes = queue(&[(Normal, 0), (Normal, 1)], limit(1), Bound::default());
    let mut bench = bench(2, [lanes, "c".into()]);
    baton(&mut bench, true);
    let mut running = begun(&flood(&mut bench, 3, 100));
    assert_eq!(running, [1, 201]);
    let lanes = lanes_of_the_next(&mut bench, &mut running, 60, 100);
    let of_queue: Vec<u64> = lanes.iter().copied().filter(|lane| *lane < 2).collect();
    assert!(of_queue.len() > 20, "{lanes:?}");
    assert!(of_queue.windows(2).all(|two| two[0] != two[1]), "{lanes:?}");
    assert!(C.0 == 2 && lanes.contains(&2));
}

#[test]
fn what_is_high_comes_first_within_a_limit_and_what_is_not_does_not_starve() {
    let lanes = queue(&[(Normal, 0), (High, 0), (Low, 0)], limit(1), Bound::default());
    let mut bench = bench(2, [lanes, "d".into()]);
    baton(&mut bench, true);
    let mut running = begun(&flood(&mut bench, 4, 1_000));
    let lanes = lanes_of_the_next(&mut bench, &mut running, 400, 1_000);
    let of_queue: Vec<u64> = lanes.into_iter().filter(|lane| *lane < 3).collect();
    let count = |lane| of_queue.iter().filter(|one| **one == lane).count();
    assert!(count(1) * 10 > of_queue.len() * 7, "{of_queue:?}");
    assert!(count(0) * 12 > of_queue.len() && count(2) * 12 > of_queue.len(), "{of_queue:?}");
}

#[test]
fn a_limit_of_each_lane_holds_for_its_priorities_together() {
    let lanes = queue(&[(Normal, 0), (Normal, 1), (High, 0), (High, 1)], limit(3), limit(2));
    let mut bench = bench(8, [lanes]);
    baton(&mut bench, true);
    assert_eq!(brief(&bench.deliver(A, [task(1), task(2), task(3)])), ["run 1", "run 2"]);
    assert_eq!(brief(&bench.deliver(C, [delivery(1, work(21))])), [""; 0], "the same number");
    assert_eq!(brief(&bench.deliver(B, [delivery(1, work(11)), delivery(2, work(12))])), ["run 5"]);
    assert_eq!(brief(&bench.finish(1)), ["publish 1 to h.control.03", "run 4"], "high first");
}

#[test]
fn a_rate_of_all_lanes_holds_for_them_together() {
    let whole = Bound { limit: None, per_minute: Some(60) };
    let mut bench = bench(8, [queue(&[(Normal, 0), (Normal, 1)], whole, Bound::default())]);
    baton(&mut bench, true);
    bench.pass(SECOND);
    assert_eq!(begun(&flood(&mut bench, 2, 8)).len(), 1);
    for _ in 0..5 {
        assert_eq!(begun(&bench.pass(SECOND / 2)).len(), 0);
        assert_eq!(begun(&bench.pass(SECOND / 2)).len(), 1);
    }
}
