use super::*;

const HIGH: Priority = Priority::High;
const NORMAL: Priority = Priority::Normal;
const LOW: Priority = Priority::Low;

/// Takes so many turns of queues that never run empty.
fn taken(turns: &mut Turns, count: usize, ready: &[(usize, Priority)]) -> Vec<usize> {
    (0..count).map(|_| turns.take(ready.iter().copied()).unwrap()).collect()
}

fn count(taken: &[usize], queue: usize) -> usize {
    taken.iter().filter(|one| **one == queue).count()
}

#[test]
fn queues_of_one_priority_take_turns() {
    let mut turns = Turns::default();
    assert_eq!(taken(&mut turns, 5, &[(0, NORMAL), (1, NORMAL), (2, NORMAL)]), [0, 1, 2, 0, 1]);
    assert_eq!(taken(&mut turns, 3, &[(0, NORMAL), (1, NORMAL)]), [0, 1, 0], "one has run empty");
    assert_eq!(turns.take(std::iter::empty()), None);
}

#[test]
fn what_is_high_comes_first_and_every_eighth_turn_is_another_s() {
    let mut turns = Turns::default();
    let all = [(0, NORMAL), (1, HIGH), (2, LOW)];
    let taken = taken(&mut turns, 900, &all);
    assert_eq!(taken[..10], [1, 1, 1, 1, 1, 1, 1, 0, 2, 1]);
    assert_eq!((count(&taken, 0), count(&taken, 2)), (112, 112), "nothing starves");
}

#[test]
fn what_is_low_waits_for_what_is_not() {
    let mut turns = Turns::default();
    let taken = taken(&mut turns, 800, &[(0, NORMAL), (1, LOW)]);
    assert_eq!((taken[0], count(&taken, 1)), (0, 100));
    assert_eq!(turns.take([(1, LOW)].into_iter()), Some(1), "a slot is not left free for it");
}

#[test]
fn a_flood_of_a_higher_priority_leaves_the_turns_of_the_others_as_they_are() {
    let mut turns = Turns::default();
    let taken = taken(&mut turns, 800, &[(0, NORMAL), (1, HIGH), (2, NORMAL)]);
    assert_eq!((count(&taken, 0), count(&taken, 2)), (50, 50));
}
