use std::time::Duration;

use warren_broker::Published;

use super::super::fixture::{A, Bench, bench, short, task};

/// A worker with one item that has finished, its reply on the way.
fn replying() -> Bench {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03"]);
    bench
}

const SOON: Duration = Duration::from_millis(100);

#[test]
fn h5_a_work_item_is_acknowledged_only_after_its_reply_is_confirmed() {
    let mut bench = replying();
    assert_eq!(short(&bench.pass(Duration::from_secs(60))), [""; 0]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
    assert_eq!(bench.worker.held(), 0);
}

#[test]
fn h5_a_returned_reply_is_kept_and_tried_again_until_it_is_confirmed() {
    let mut bench = replying();
    assert_eq!(short(&bench.published(1, Published::Returned)), ["declare h.control.03"]);
    assert_eq!(short(&bench.pass(SOON)), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.published(1, Published::Returned)), ["declare h.control.03"]);
    assert_eq!(short(&bench.pass(SOON * 2)), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
}

/// H6: the broker may have it, or not; the owner drops a second one.
#[test]
fn h6_a_reply_that_was_refused_or_lost_is_tried_again() {
    for fate in [Published::Refused("full".into()), Published::Lost("channel closed".into())] {
        let mut bench = replying();
        assert_eq!(short(&bench.published(1, fate)), [""; 0]);
        assert_eq!(short(&bench.pass(SOON)), ["publish 1 to h.control.03"]);
        assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
    }
}

#[test]
fn a_reply_is_not_tried_again_before_its_time() {
    let mut bench = replying();
    bench.published(1, Published::Returned);
    assert_eq!(short(&bench.pass(Duration::from_millis(49))), [""; 0]);
    assert_eq!(short(&bench.pass(Duration::from_millis(51))), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.pass(SOON)), [""; 0], "it is on the way");
}

#[test]
fn a_reply_that_waits_holds_no_slot() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1), task(2), task(3)]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03", "run 3"]);
}

/// A report about an earlier try must not count for the next.
#[test]
fn a_late_report_while_a_reply_waits_is_ignored() {
    let mut bench = replying();
    bench.published(1, Published::Returned);
    assert_eq!(short(&bench.confirm(1)), [""; 0]);
    assert_eq!(short(&bench.pass(SOON)), ["publish 1 to h.control.03"]);
}

#[test]
fn a_report_about_an_unknown_item_is_ignored() {
    assert_eq!(short(&bench(1).confirm(8)), [""; 0]);
}
