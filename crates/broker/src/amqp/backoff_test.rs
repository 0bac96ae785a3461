use super::*;

const MIN: Duration = Duration::from_millis(200);
const MAX: Duration = Duration::from_secs(5);

#[test]
fn h22_waits_double_up_to_the_longest_and_are_spread() {
    for (failures, full_ms) in
        [(0, 200), (1, 200), (2, 400), (3, 800), (5, 3200), (6, 5000), (60, 5000), (usize::MAX, 5000)]
    {
        let full = Duration::from_millis(full_ms);
        for _ in 0..100 {
            let wait = wait(failures, MIN, MAX);
            assert!(wait >= full / 2 && wait <= full, "{failures}: {wait:?}");
        }
    }
    let spread: std::collections::BTreeSet<Duration> = (0..100).map(|_| wait(6, MIN, MAX)).collect();
    assert!(spread.len() > 50);
}
