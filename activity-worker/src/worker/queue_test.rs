use std::{num::NonZeroU16, time::Duration};

use warren_broker::Lane;
use warren_model::Priority;

use super::super::{
    Bound, Limits,
    fixture::{A, B, Bench, DRAIN, HOLD, LEASE, PAYLOAD_BYTES, delivery, short, task, work},
};
use super::Served;

const SECOND: Duration = Duration::from_secs(1);

fn limits(slots: u16) -> Limits {
    let concurrency = NonZeroU16::new(slots).unwrap();
    Limits { concurrency, payload_bytes: PAYLOAD_BYTES, drain: DRAIN, lease: LEASE, hold: HOLD }
}

/// A worker with many slots, whose queue `a` has rules.
fn bench(limit: Option<u16>, per_minute: Option<u32>) -> Bench {
    Bench::of([Served { whole: Bound { limit, per_minute }, ..Served::from("a") }, "b".into()], limits(8))
}

#[test]
fn no_more_of_a_queue_run_at_a_time_than_its_limit_says_and_others_are_not_held_up() {
    let mut bench = bench(Some(2), None);
    assert_eq!(short(&bench.deliver(A, [task(1), task(2), task(3), task(4)])), ["run 1", "run 2"]);
    assert_eq!(short(&bench.deliver(B, [delivery(1, work(11))])), ["run 5"]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03", "run 3"]);
    bench.lose(A);
    assert_eq!(short(&bench.deliver(A, [delivery(1, work(4))])), [""; 0], "what runs still counts");
    assert_eq!(short(&bench.finish(2)), ["publish 2 to h.control.03", "run 6"]);
}

/// The broker would send another one in its place.
#[test]
fn what_has_a_limit_is_held_until_it_ends() {
    let mut bench = bench(Some(1), None);
    bench.deliver(A, [task(1)]);
    bench.pass(SECOND);
    let token = work(1).correlation_id.unwrap();
    bench.step(super::super::Input::Told(warren_broker::OwnerWord::Held { token, id: None }));
    assert!(short(&bench.pass(HOLD)).iter().all(|effect| !effect.starts_with("ack")));
}

#[test]
fn no_more_of_a_queue_begin_in_a_minute_than_its_rate_says() {
    let mut bench = bench(None, Some(30));
    assert_eq!(short(&bench.deliver(A, (1..=9).map(task).collect::<Vec<_>>())), ["run 1"]);
    for number in 1..9 {
        bench.finish(number);
        bench.confirm(number);
        assert_eq!(short(&bench.pass(2 * SECOND - Duration::from_millis(1))), [""; 0]);
        let begun = short(&bench.pass(Duration::from_millis(1)));
        assert_eq!(begun, [format!("run {}", number + 1)]);
    }
    assert_eq!(short(&bench.deliver(B, [delivery(1, work(11))])), ["run 10"], "another queue");
}

/// A pause is not saved up for a burst.
#[test]
fn a_rate_is_even() {
    let mut bench = bench(None, Some(1_200));
    bench.pass(60 * SECOND);
    assert_eq!(bench.deliver(A, (1..=8).map(task).collect::<Vec<_>>()).len(), 2);
    assert_eq!(short(&bench.pass(Duration::from_millis(50))), ["run 3"]);
}

#[test]
fn what_is_high_begins_first_though_it_came_last() {
    let lanes = vec![Lane { name: "b".into(), priority: Priority::High, number: 0 }];
    let mut bench = Bench::of([Served::from("a"), Served { lanes, ..Served::from("b") }], limits(1));
    assert_eq!(short(&bench.deliver(A, [task(1), task(2)])), ["run 1"]);
    assert_eq!(short(&bench.deliver(B, [delivery(1, work(11))])), [""; 0]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03", "run 3"]);
    bench.finish(3);
    assert_eq!(short(&bench.confirm(3)), ["ack b 1", "run 2"]);
}
