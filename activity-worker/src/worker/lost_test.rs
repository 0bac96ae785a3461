use std::time::Duration;

use warren_broker::Published;

use super::super::fixture::{A, B, bench, delivery, short, task, work};

#[test]
fn what_waits_is_forgotten_with_its_channel() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2), task(3)]);
    bench.deliver(B, [delivery(1, work(11))]);
    bench.lose(A);
    assert_eq!(bench.worker.held(), 2, "one runs, one waits in the other queue");
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03", "run 4"]);
}

/// H8: the activity has been run; its reply is sent though the item can't be acknowledged any more.
#[test]
fn what_finishes_after_a_loss_is_answered_and_not_acknowledged() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.lose(A);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.confirm(1)), [""; 0]);
    assert_eq!(bench.worker.held(), 0);
}

#[test]
fn a_reply_that_was_on_the_way_at_the_loss_is_still_tried_again() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.finish(1);
    bench.lose(A);
    bench.published(1, Published::Lost("connection reset".into()));
    assert_eq!(short(&bench.pass(Duration::from_millis(100))), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.confirm(1)), [""; 0]);
}

/// H7: the broker's acknowledgement timeout closes the channel of an activity that merely takes long.
#[test]
fn h7_an_item_that_comes_back_while_it_runs_is_not_begun_again() {
    let mut bench = bench(2);
    bench.deliver(A, [delivery(7, work(1))]);
    bench.lose(A);
    assert_eq!(short(&bench.deliver(A, [delivery(1, work(1)), delivery(2, work(2))])), ["run 2"]);
    bench.finish(1);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
}

#[test]
fn an_item_that_comes_back_after_its_end_runs_again() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.finish(1);
    bench.lose(A);
    bench.confirm(1);
    assert_eq!(short(&bench.deliver(A, [task(1)])), ["run 2"]);
}

#[test]
fn an_orphan_keeps_its_slot_until_it_ends() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.lose(A);
    assert_eq!(short(&bench.deliver(A, [delivery(1, work(2))])), [""; 0]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03", "run 2"]);
}

/// The broker comes and goes, and takes no reply: what is held stays bounded by prefetch times queues.
#[test]
fn replies_without_a_channel_do_not_pile_up() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    bench.finish(1);
    bench.lose(A);
    bench.deliver(A, [task(2)]);
    bench.finish(2);
    bench.lose(A);
    assert_eq!(short(&bench.deliver(A, [task(3)])), [""; 0], "two replies of two possible are unconfirmed");
    assert_eq!(short(&bench.confirm(1)), ["run 3"]);
}

#[test]
fn a_dead_letter_is_forgotten_and_made_anew() {
    let mut bench = bench(1);
    let mut broken = work(1);
    broken.kind = None;
    bench.deliver(A, [delivery(1, broken.clone())]);
    bench.lose(A);
    assert_eq!(bench.worker.held(), 0);
    assert_eq!(short(&bench.deliver(A, [delivery(1, broken)])), ["publish 2 to h.dead"]);
    assert_eq!(short(&bench.confirm(1)), [""; 0], "the late word about the first copy");
}

#[test]
fn another_queue_is_not_touched() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1)]);
    bench.deliver(B, [delivery(1, work(11))]);
    bench.lose(B);
    bench.finish(1);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
}
