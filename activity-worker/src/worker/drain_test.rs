use std::time::Duration;

use warren_broker::Published;

use super::super::{
    Input,
    fixture::{A, B, DRAIN, bench, brief as short, delivery, task, work},
};

#[test]
fn h21_a_drain_cancels_hands_back_what_has_not_begun_and_finishes_what_runs() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2), task(3)]);
    bench.deliver(B, [delivery(1, work(11))]);
    let effects = short(&bench.step(Input::Drain));
    assert_eq!(effects, ["cancel a", "cancel b", "requeue a 2", "requeue a 3", "requeue b 1"]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03"], "nothing new begins");
    assert_eq!(short(&bench.confirm(1)), ["ack a 1", "stopped, 0 running, 0 replying"]);
}

#[test]
fn an_idle_worker_stops_at_once() {
    assert_eq!(short(&bench(1).step(Input::Drain)), ["cancel a", "cancel b", "stopped, 0 running, 0 replying"]);
}

/// Between the cancel and the broker's answer more may arrive.
#[test]
fn what_arrives_during_a_drain_is_handed_back() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1)]);
    bench.step(Input::Drain);
    assert_eq!(short(&bench.deliver(A, [task(2), task(3)])), ["requeue a 2", "requeue a 3"]);
}

#[test]
fn a_reply_is_tried_again_during_a_drain() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.step(Input::Drain);
    bench.finish(1);
    bench.published(1, Published::Returned);
    assert_eq!(short(&bench.pass(Duration::from_millis(100))), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1", "stopped, 0 running, 0 replying"]);
}

#[test]
fn a_drain_ends_at_its_limit_and_leaves_the_rest_unacknowledged() {
    let mut bench = bench(2);
    bench.pass(Duration::from_secs(100));
    bench.deliver(A, [task(1), task(2)]);
    bench.step(Input::Drain);
    bench.finish(2);
    assert_eq!(short(&bench.pass(DRAIN - Duration::from_millis(1))), ["end 1 WorkerStops"]);
    assert_eq!(short(&bench.pass(Duration::from_millis(1))), ["publish 1 to h.control.03"], "it is handed back");
    assert_eq!(short(&bench.pass(Duration::from_secs(2))), ["stopped, 1 running, 2 replying"]);
}

#[test]
fn nothing_follows_the_stop() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.step(Input::Drain);
    for _ in 0..3 {
        bench.pass(DRAIN);
    }
    assert_eq!(short(&bench.finish(1)), [""; 0]);
    assert_eq!(short(&bench.deliver(A, [task(2)])), [""; 0]);
    assert_eq!(short(&bench.step(Input::Drain)), [""; 0]);
}

#[test]
fn a_second_drain_changes_nothing() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.step(Input::Drain);
    bench.pass(DRAIN / 2);
    assert_eq!(short(&bench.step(Input::Drain)), [""; 0]);
    assert_eq!(short(&bench.pass(DRAIN / 2)), ["end 1 WorkerStops"]);
}

#[test]
fn a_channel_lost_during_a_drain_does_not_hold_it_up() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.step(Input::Drain);
    bench.lose(A);
    bench.finish(1);
    assert_eq!(short(&bench.confirm(1)), ["stopped, 0 running, 0 replying"]);
}

/// Both deliveries of one attempt go back, so that another worker gets it.
#[test]
fn a_duplicate_that_waits_is_handed_back_whole() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2), delivery(3, work(2))]);
    assert_eq!(short(&bench.step(Input::Drain)), ["cancel a", "cancel b", "requeue a 2", "requeue a 3"]);
}
