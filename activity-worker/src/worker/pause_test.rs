use std::{num::NonZeroU16, time::Duration};

use warren_broker::OwnerWord;

use super::super::{
    Bound, Effect, Input, Limits, QueueId, Served,
    fixture::{A, B, Bench, DRAIN, HOLD, LEASE, PAYLOAD_BYTES, bench, brief, delivery, task, work},
};
use super::PATIENCE;

const SECOND: Duration = Duration::from_secs(1);

/// Holds and lets go of item `number`, which has run since the beginning; returns what else is done then.
fn release(bench: &mut Bench, number: u32) -> Vec<String> {
    bench.pass(SECOND);
    let token = work(number).correlation_id.unwrap();
    bench.step(Input::Told(OwnerWord::Held { token, id: None }));
    let mut effects = brief(&bench.pass(HOLD));
    assert_eq!(effects.remove(0), format!("ack a {number}"));
    effects
}

fn paused(bench: &mut Bench, queue: QueueId) -> Vec<Effect> {
    bench.step(Input::Paused { queue })
}

#[test]
fn h7_what_comes_while_acknowledged_work_has_every_slot_goes_to_others_until_one_is_free() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    assert_eq!(release(&mut bench, 1), ["pause a", "pause b"], "no slot was free for long");
    assert_eq!(brief(&bench.deliver(A, [task(2)])), [""; 0], "it was on its way");
    assert_eq!(brief(&paused(&mut bench, A)), ["requeue a 2"]);
    assert_eq!(brief(&paused(&mut bench, B)), [""; 0]);
    assert_eq!(brief(&bench.pass(HOLD)), [""; 0]);
    let freed = ["publish 1 to h.control.03", "consume a", "consume b"];
    assert_eq!(brief(&bench.finish(1)), freed);
    assert_eq!(brief(&bench.deliver(A, [delivery(3, work(3))])), ["run 3"]);
    assert_eq!(brief(&bench.pass(PATIENCE)), [""; 0], "nothing that runs was acknowledged");
}

#[test]
fn who_has_only_unacknowledged_work_goes_on_consuming() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2)]);
    assert_eq!(brief(&bench.pass(10 * PATIENCE)), [""; 0]);
}

#[test]
fn slots_that_turn_over_are_worth_waiting_for() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1)]);
    assert_eq!(release(&mut bench, 1), [""; 0]);
    for number in 2..20 {
        bench.deliver(A, [task(number), task(number + 100)]);
        assert_eq!(brief(&bench.pass(PATIENCE - SECOND)), [""; 0]);
        let taken = u64::from(2 * number - 2);
        assert_eq!(brief(&bench.finish(taken)).len(), 2, "the next begins");
        assert_eq!(brief(&bench.finish(taken + 1)).len(), 1);
        bench.confirm(taken);
        bench.confirm(taken + 1);
    }
}

#[test]
fn a_slot_that_is_free_before_the_broker_has_heard_of_a_pause_ends_it() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    release(&mut bench, 1);
    bench.deliver(A, [task(2)]);
    assert_eq!(brief(&bench.finish(1)), ["publish 1 to h.control.03", "consume a", "consume b", "run 2"]);
    assert_eq!(brief(&paused(&mut bench, A)), [""; 0]);
}

fn bench_with_a_limit_of_b() -> Bench {
    let concurrency = NonZeroU16::new(2).unwrap();
    let limits = Limits { concurrency, payload_bytes: PAYLOAD_BYTES, drain: DRAIN, lease: LEASE, hold: HOLD };
    let whole = Bound { limit: Some(1), per_minute: None };
    Bench::of(["a".into(), Served { whole, ..Served::from("b") }], limits)
}

/// Another worker would begin items of it beside those that run here.
#[test]
fn a_queue_with_a_limit_is_not_paused_while_something_of_it_runs() {
    let mut bench = bench_with_a_limit_of_b();
    bench.deliver(A, [task(1)]);
    bench.deliver(B, [delivery(1, work(11)), delivery(2, work(12))]);
    assert_eq!(release(&mut bench, 1), ["pause a"]);
    assert_eq!(brief(&paused(&mut bench, B)), [""; 0]);
}

/// No other worker serves it meanwhile, whatever the slots hold.
#[test]
fn a_queue_with_a_limit_goes_to_another_worker_while_others_have_every_slot() {
    let mut bench = bench_with_a_limit_of_b();
    bench.deliver(A, [task(1), task(2)]);
    assert_eq!(brief(&bench.deliver(B, [delivery(1, work(11))])), [""; 0]);
    assert_eq!(brief(&bench.pass(PATIENCE)), ["pause b"]);
    assert_eq!(brief(&paused(&mut bench, B)), ["requeue b 1"]);
    assert_eq!(brief(&bench.finish(1)), ["publish 1 to h.control.03", "consume b"]);
}
