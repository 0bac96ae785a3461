use std::collections::BTreeSet;

use super::*;

#[test]
fn purposes_that_differ_in_a_digit_have_nothing_in_common() {
    let firsts: BTreeSet<u64> = (0..5_000).map(|number| Dice::new(1, &format!("case {number}")).roll()).collect();
    assert_eq!(firsts.len(), 5_000);
}

#[test]
fn every_number_of_a_range_comes_up_and_no_other() {
    let mut dice = Dice::new(1, "range");
    let seen: BTreeSet<u32> = (0..1_000).map(|_| dice.between(3, 9)).collect();
    assert_eq!(seen, (3..9).collect());
}

#[test]
fn a_shuffle_loses_nothing() {
    let mut things: Vec<u32> = (0..50).collect();
    Dice::new(1, "shuffle").shuffle(&mut things);
    assert_ne!(things, (0..50).collect::<Vec<_>>());
    things.sort_unstable();
    assert_eq!(things, (0..50).collect::<Vec<_>>());
}
