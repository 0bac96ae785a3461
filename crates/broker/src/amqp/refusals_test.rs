use super::*;

const PATIENCE: Duration = Duration::from_secs(2);

#[test]
fn h6_a_channel_is_stale_once_one_queue_is_refused_for_long_with_nothing_taken_in_between() {
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let mut refusals = Refusals::new(PATIENCE);
    refusals.refused("a", start);
    refusals.refused("b", after(1));
    refusals.refused("a", after(1));
    refusals.taken("a");
    refusals.refused("a", after(2));
    assert!(!refusals.is_stale(), "each was refused for a second at most");
    refusals.refused("b", after(3));
    assert!(refusals.is_stale());
    refusals.renewed();
    assert!(!refusals.is_stale());
    refusals.refused("b", after(9));
    assert!(!refusals.is_stale(), "the new channel gets as much patience");
}
