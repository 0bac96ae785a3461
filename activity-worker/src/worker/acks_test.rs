use warren_broker::Published;

use super::{
    super::{
        Input, ItemId,
        fixture::{A, B, Bench, bench, delivery, short, task, work},
    },
    ACK_AFTER, MANY,
};

/// A worker whose items 1 to 4 came by queue `a` under tags 1 to 4, item 5 by queue `b` under tag 1; all have ended.
fn ended() -> Bench {
    let mut bench = bench(8);
    bench.deliver(A, [task(1), task(2), task(3), task(4)]);
    bench.deliver(B, [delivery(1, work(11))]);
    for item in 1..=5 {
        bench.finish(item);
    }
    bench
}

fn confirm(bench: &mut Bench, items: &[u64]) -> Vec<String> {
    let fates = items.iter().map(|item| (ItemId(*item), Published::Confirmed)).collect();
    short(&bench.step(Input::Published(fates)))
}

#[test]
fn what_is_confirmed_together_is_acknowledged_together() {
    assert_eq!(confirm(&mut ended(), &[3, 1, 5, 2, 4]), ["ack a ..4", "ack b 1"]);
}

#[test]
fn an_acknowledgement_never_reaches_past_an_item_that_is_not_done() {
    let mut bench = ended();
    assert_eq!(confirm(&mut bench, &[1, 2, 4]), ["ack a ..2", "ack a 4"]);
    assert_eq!(confirm(&mut bench, &[3]), ["ack a 3"]);
}

#[test]
fn the_newest_alone_is_acknowledged_alone() {
    let mut bench = ended();
    assert_eq!(confirm(&mut bench, &[4]), ["ack a 4"]);
    assert_eq!(confirm(&mut bench, &[1, 2, 3]), ["ack a ..3"]);
}

/// Tags begin anew with the channel: those of the old one must not hold back the new one's.
#[test]
fn tags_of_a_lost_channel_do_not_count() {
    let mut bench = ended();
    bench.lose(A);
    bench.deliver(A, [delivery(1, work(21)), delivery(2, work(22))]);
    bench.finish(6);
    bench.finish(7);
    assert_eq!(confirm(&mut bench, &[1, 2, 3, 4]), [""; 0]);
    assert_eq!(confirm(&mut bench, &[6, 7]), ["ack a ..2"]);
}

/// The shell gives back first and acknowledges last, so the wide acknowledgement can't take in what was given back.
#[test]
fn what_was_given_back_does_not_keep_others_from_being_acknowledged_together() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1), task(2), task(3), delivery(4, work(1))]);
    assert_eq!(short(&bench.step(Input::Drain)), ["cancel a", "cancel b", "requeue a 3"]);
    bench.finish(1);
    bench.finish(2);
    assert_eq!(confirm(&mut bench, &[1, 2]), ["ack a ..4", "stopped, 0 running, 0 replying"]);
}

/// A worker with many slots whose items 1 to 6 came by queue `a` under tags 1 to 6; all have ended.
fn many_ended() -> Bench {
    let mut bench = bench(32);
    bench.deliver(A, [task(1), task(2), task(3), task(4), task(5), task(6)]);
    for item in 1..=6 {
        bench.finish(item);
    }
    bench
}

#[test]
fn few_wait_a_moment_for_others_and_for_an_older_one() {
    let mut bench = many_ended();
    assert_eq!(confirm(&mut bench, &[1]), [""; 0]);
    assert_eq!(confirm(&mut bench, &[2]), [""; 0]);
    assert_eq!(short(&bench.pass(ACK_AFTER)), ["ack a ..2"]);
    assert_eq!(confirm(&mut bench, &[4]), [""; 0]);
    assert_eq!(short(&bench.pass(ACK_AFTER / 2)), [""; 0]);
    assert_eq!(short(&bench.pass(ACK_AFTER / 2)), ["ack a 4"], "the older one takes its time");
    assert_eq!(confirm(&mut bench, &[3]), [""; 0]);
    assert_eq!(short(&bench.pass(ACK_AFTER / 2)), ["ack a 3"]);
}

#[test]
fn many_are_acknowledged_at_once() {
    let mut bench = bench(1_000);
    let (most, all) = (MANY as u64, MANY as u64 + 2);
    bench.deliver(A, (1..=all).map(|number| task(number as u32)).collect::<Vec<_>>());
    (1..=all).for_each(|item| drop(bench.finish(item)));
    assert_eq!(confirm(&mut bench, &(2..=most).collect::<Vec<_>>()), [""; 0]);
    assert_eq!(confirm(&mut bench, &[1]), [format!("ack a ..{most}")]);
    assert_eq!(confirm(&mut bench, &[all]), [""; 0]);
}

/// Else the broker would send less than can run.
#[test]
fn only_a_share_of_the_slots_waits_for_an_older_one() {
    let mut bench = many_ended();
    assert_eq!(confirm(&mut bench, &[2, 3, 4]), [""; 0]);
    assert_eq!(confirm(&mut bench, &[6]), ["ack a 2", "ack a 3", "ack a 4", "ack a 6"]);
}

#[test]
fn what_waits_for_an_older_one_is_acknowledged_at_once_by_a_worker_that_stops() {
    let mut bench = many_ended();
    assert_eq!(confirm(&mut bench, &[2]), [""; 0]);
    assert_eq!(short(&bench.step(Input::Drain)), ["cancel a", "cancel b", "ack a 2"]);
}

#[test]
fn what_waits_for_an_older_one_is_forgotten_with_its_channel() {
    let mut bench = many_ended();
    assert_eq!(confirm(&mut bench, &[2]), [""; 0]);
    bench.lose(A);
    assert_eq!(short(&bench.pass(ACK_AFTER)), [""; 0]);
}
