use super::*;

#[test]
fn a_seed_always_gives_the_same_numbers_and_another_seed_others() {
    let first = |seed| Random::new(seed).next();
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
}

#[test]
fn numbers_stay_in_their_range_and_reach_its_ends() {
    let mut random = Random::new(7);
    let drawn: std::collections::BTreeSet<u64> = (0..1_000).map(|_| random.between(3, 6)).collect();
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
}

/// The generator's own reference: its state 1, 2, 3, 4 gives these first numbers.
#[test]
fn the_numbers_are_those_of_the_reference() {
    let mut random = Random([1, 2, 3, 4]);
    assert_eq!([random.next(), random.next(), random.next()], [11520, 0, 1_509_978_240]);
}
