use warren_store::Epoch;

use super::*;

fn lease(owner: Option<&str>, counter: i64) -> Lease {
    Lease { partition: Partition(0), owner: owner.map(Into::into), epoch: Epoch(1), counter }
}

/// Reads these leases at these seconds and returns whether the last one was free.
fn check(readings: &[(u64, Lease)]) -> bool {
    let (mut watch, start) = (Watch::new(Duration::from_secs(4)), Instant::now());
    let read = |(second, lease): &(u64, Lease)| watch.free(vec![lease.clone()], start + Duration::from_secs(*second));
    !readings.iter().map(read).last().unwrap().is_empty()
}

#[test]
fn h2_a_lease_is_free_once_nobody_holds_it_or_its_counter_has_stood_still() {
    assert!(check(&[(0, lease(None, 1))]));
    assert!(!check(&[(0, lease(Some("a"), 1))]));
    assert!(!check(&[(0, lease(Some("a"), 1)), (3, lease(Some("a"), 1))]));
    assert!(check(&[(0, lease(Some("a"), 1)), (4, lease(Some("a"), 1))]));
    assert!(!check(&[(0, lease(Some("a"), 1)), (3, lease(Some("a"), 2)), (6, lease(Some("a"), 2))]));
}
