use std::collections::BTreeMap;

use super::*;

const LENGTH: Duration = Duration::from_secs(350);

#[test]
fn a_storm_of_fifty_and_more_has_each_kind_at_least_five_times() {
    for seed in 0..100 {
        for count in [50, 56] {
            let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
            for planned in schedule(seed, count, LENGTH) {
                *kinds.entry(planned.kind).or_default() += 1;
                assert!(planned.at >= FIRST && planned.at < LENGTH);
            }
            assert_eq!(kinds.values().sum::<usize>(), count as usize);
            assert_eq!(kinds.len(), 8);
            assert!(kinds.values().all(|times| *times >= 5), "{kinds:?}");
        }
    }
}

#[test]
fn the_same_seed_strikes_the_same_and_another_differently() {
    assert_eq!(schedule(1, 56, LENGTH), schedule(1, 56, LENGTH));
    assert_ne!(schedule(1, 56, LENGTH), schedule(2, 56, LENGTH));
}
