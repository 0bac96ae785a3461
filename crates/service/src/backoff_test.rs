use std::time::Duration;

use super::{Backoff, chance};

const FIRST: Duration = Duration::from_millis(100);
const MAX: Duration = Duration::from_secs(5);

#[test]
fn waits_double_up_to_the_cap() {
    let mut backoff = Backoff::new(FIRST, MAX);
    let waits: Vec<u128> = (0..8).map(|_| backoff.next(1.0).as_millis()).collect();
    assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
}

#[test]
fn the_least_wait_is_half_the_greatest() {
    let mut backoff = Backoff::new(FIRST, MAX);
    let waits: Vec<u128> = (0..7).map(|_| backoff.next(0.0).as_millis()).collect();
    assert_eq!(waits, [50, 100, 200, 400, 800, 1_600, 2_500]);
}

#[test]
fn a_success_begins_anew() {
    let mut backoff = Backoff::new(FIRST, MAX);
    for _ in 0..5 {
        let _ = backoff.next(1.0);
    }
    assert_eq!(backoff.tries(), 5);
    backoff.reset();
    assert_eq!(backoff.next(1.0), FIRST);
}

#[test]
fn any_number_of_tries_is_survived() {
    let mut backoff = Backoff::new(Duration::MAX, Duration::MAX);
    assert!((0..100).all(|_| backoff.next(0.0) >= Duration::MAX / 2 - Duration::from_secs(1)));
}

/// H22: replicas that lose the broker at the same moment must not come back at the same moment.
#[test]
fn h22_replicas_spread_over_half_the_wait() {
    let mut waits: Vec<Duration> = (0..1_000).map(|_| Backoff::new(MAX, MAX).next(chance())).collect();
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 990, "only {} different waits", waits.len());
    assert!(waits[0] < MAX.mul_f64(0.52) && waits[waits.len() - 1] > MAX.mul_f64(0.98));
    assert!(waits.iter().all(|wait| (MAX / 2..=MAX).contains(wait)));
}
