use std::time::Duration;

use super::*;

fn lease(owner: &str, epoch: i64, number: i64) -> Lease {
    Lease { partition: 1, owner: Some(owner.into()), epoch, number }
}

#[test]
fn a_takeover_lasts_until_the_next_owner_has_committed() {
    let (mut takeovers, start) = (Takeovers::default(), Instant::now());
    let at = |ms| start + Duration::from_millis(ms);
    takeovers.strike(&[lease("a", 3, 10)], (7, "a", false), at(0));
    takeovers.see(&[lease("a", 3, 11)], at(50)); // committed just before the fault
    takeovers.see(&[lease("b", 4, 11)], at(4_000)); // acquired, and nothing committed yet
    assert_eq!(takeovers.done, []);
    takeovers.see(&[lease("b", 4, 12)], at(4_200));
    let expected = Takeover { fault: 7, partition: 1, ms: 4_200, is_polite: false, is_disturbed: false };
    assert_eq!(takeovers.done, [expected]);
    takeovers.see(&[lease("b", 4, 13)], at(4_300));
    assert_eq!(takeovers.done.len(), 1);
}

#[test]
fn a_takeover_during_an_outage_is_told_apart() {
    let (mut takeovers, start) = (Takeovers::default(), Instant::now());
    takeovers.strike(&[lease("a", 3, 10)], (0, "a", false), start);
    takeovers.disturb();
    takeovers.see(&[lease("b", 4, 11)], start);
    takeovers.outages(1);
    takeovers.strike(&[lease("b", 4, 11)], (1, "b", false), start);
    takeovers.outages(-1);
    takeovers.see(&[lease("c", 5, 12)], start);
    assert!(takeovers.done.len() == 2 && takeovers.done.iter().all(|takeover| takeover.is_disturbed));
}

#[test]
fn an_owner_that_goes_on_was_not_taken_over() {
    let mut takeovers = Takeovers::default();
    takeovers.strike(&[lease("a", 3, 10)], (0, "a", false), Instant::now());
    assert!(!takeovers.is_settled());
    takeovers.survived(0);
    takeovers.see(&[lease("b", 4, 12)], Instant::now());
    assert!(takeovers.done.is_empty() && takeovers.is_settled());
}

#[test]
fn who_owns_nothing_leaves_nothing_to_take_over() {
    let mut takeovers = Takeovers::default();
    takeovers.strike(&[lease("a", 3, 10)], (0, "b", false), Instant::now());
    takeovers.see(&[lease("c", 4, 12)], Instant::now());
    assert_eq!(takeovers.done, []);
}

#[test]
fn an_owner_is_known_by_its_process_in_each_of_its_lives() {
    let replica = |owner| lease(owner, 1, 1).replica().map(ToOwned::to_owned);
    assert_eq!(replica("worker-1-19709174d7a24a378cd97da1529f1669"), Some("worker-1".into()));
    assert_eq!(replica("worker-1"), Some("worker-1".into()));
}

#[test]
fn a_spread_tells_the_median_and_the_longest() {
    assert_eq!(Spread::of([5, 1, 9].into_iter()), Spread { count: 3, p50: 5, max: 9 });
    assert_eq!(Spread::of(std::iter::empty()), Spread::default());
}
