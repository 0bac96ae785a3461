use super::*;

#[test]
fn delays_double_up_to_the_longest_and_are_spread_by_half() {
    for salt in 0..200 {
        for (failures, most) in [(1, 100), (2, 200), (3, 400), (6, 3200), (7, 5000), (u32::MAX, 5000)] {
            let most = Duration::from_millis(most);
            let delay = delay(failures, salt);
            assert!(most / 2 <= delay && delay <= most, "{failures} failures: {delay:?}");
        }
    }
}

/// H22: what failed together is not tried together again.
#[test]
fn h22_items_and_workers_do_not_retry_in_step() {
    let of_items: std::collections::BTreeSet<_> = (0..100).map(|item| delay(1, item)).collect();
    assert!(of_items.len() > 90, "{}", of_items.len());
    let names: Vec<String> = (0..100).map(|number| format!("worker-{number}")).collect();
    let of_workers: std::collections::BTreeSet<_> = names.iter().map(|name| delay(1, salt(name) ^ 1)).collect();
    assert!(of_workers.len() > 90, "{}", of_workers.len());
}
