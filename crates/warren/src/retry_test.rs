use super::*;

const EXECUTION: ExecutionId = ExecutionId::from_u128(0x1234);

fn delays(policy: &RetryPolicy, attempts: u32) -> Vec<u128> {
    (1..=attempts).map(|attempt| policy.delay(EXECUTION, ActionId(1), attempt).as_millis()).collect()
}

#[test]
fn waits_grow_up_to_the_longest() {
    let policy = RetryPolicy::times(9).jitter(0.0).longest_delay(Duration::from_secs(5));
    assert_eq!(delays(&policy, 5), [1000, 2000, 4000, 5000, 5000]);
    assert_eq!(delays(&policy.coefficient(1.0), 3), [1000, 1000, 1000]);
}

#[test]
fn jitter_only_shortens_and_is_the_same_each_time() {
    // H22
    let policy = RetryPolicy::times(9).coefficient(1.0).jitter(0.2);
    let first = delays(&policy, 8);
    assert_eq!(first, delays(&policy, 8));
    assert!(first.iter().all(|wait| (800..=1000).contains(wait)), "{first:?}");
    assert!(first.windows(2).any(|pair| pair[0] != pair[1]), "{first:?}");
}

#[test]
fn odd_numbers_do_no_harm() {
    for odd in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        let policy = RetryPolicy::times(9).coefficient(odd).jitter(odd);
        assert!(delays(&policy, 3).iter().all(|wait| *wait <= 60_000), "{odd}");
    }
    let forever = RetryPolicy::times(u32::MAX).first_delay(Duration::MAX).longest_delay(Duration::MAX);
    let _no_panic = forever.delay(EXECUTION, ActionId(1), u32::MAX);
}

#[test]
fn a_policy_stops_at_its_attempts_at_permanent_failures_and_at_named_codes() {
    let policy = RetryPolicy::times(3).not_for("declined");
    assert!(policy.allows(2, &Failure::new("busy", "")));
    assert!(!policy.allows(3, &Failure::new("busy", "")));
    assert!(!policy.allows(1, &Failure::permanent("busy", "")));
    assert!(!policy.allows(1, &Failure::new("declined", "")));
}
