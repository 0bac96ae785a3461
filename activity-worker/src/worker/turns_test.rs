use super::*;

const HIGH: Priority = Priority::High;
const NORMAL: Priority = Priority::Normal;
const LOW: Priority = Priority::Low;

fn turns(lanes: &[Priority]) -> Turns {
    let mut turns = Turns::default();
    lanes.iter().enumerate().for_each(|(lane, priority)| turns.list(lane, *priority));
    turns
}

/// Takes so many turns of lanes that never run empty.
fn taken(turns: &mut Turns, count: usize) -> Vec<usize> {
    (0..count).map(|_| turns.take(|_| Ready::Yes).unwrap()).collect()
}

fn count(taken: &[usize], lane: usize) -> usize {
    taken.iter().filter(|one| **one == lane).count()
}

#[test]
fn lanes_of_one_priority_take_turns() {
    let mut turns = turns(&[NORMAL, NORMAL, NORMAL]);
    assert_eq!(taken(&mut turns, 5), [0, 1, 2, 0, 1]);
    let two_is_empty = |lane| if lane == 2 { Ready::Empty } else { Ready::Yes };
    assert_eq!([0; 3].map(|_| turns.take(two_is_empty).unwrap()), [0, 1, 0]);
    assert_eq!(taken(&mut turns, 3), [1, 0, 1], "what ran empty is looked at no more …");
    turns.list(2, NORMAL);
    turns.list(2, NORMAL);
    assert_eq!(taken(&mut turns, 5), [2, 0, 1, 2, 0], "… until it has something: its last turn is longest ago");
    assert_eq!(turns.take(|_| Ready::NotNow), None);
    assert_eq!(turns.take(|_| Ready::Empty), None);
    assert_eq!(turns.take(|_| Ready::Yes), None);
}

/// Or what others begin meanwhile would move its turn on, for ever.
#[test]
fn a_lane_that_may_not_begin_keeps_its_turn() {
    let mut turns = turns(&[NORMAL, NORMAL, NORMAL]);
    let not_now = |lanes: &'static [usize]| move |lane| if lanes.contains(&lane) { Ready::NotNow } else { Ready::Yes };
    assert_eq!(turns.take(not_now(&[])), Some(0));
    for _ in 0..10 {
        assert_eq!(turns.take(not_now(&[0, 1])), Some(2));
    }
    assert_eq!(turns.take(not_now(&[])), Some(1));
}

#[test]
fn what_is_high_comes_first_and_every_eighth_turn_is_another_s() {
    let taken = taken(&mut turns(&[NORMAL, HIGH, LOW]), 900);
    assert_eq!(taken[..10], [1, 1, 1, 1, 1, 1, 1, 0, 2, 1]);
    assert_eq!((count(&taken, 0), count(&taken, 2)), (112, 112), "nothing starves");
}

#[test]
fn what_is_low_waits_for_what_is_not() {
    let mut turns = turns(&[NORMAL, LOW]);
    let taken = taken(&mut turns, 800);
    assert_eq!((taken[0], count(&taken, 1)), (0, 100));
    let low_alone = |lane| if lane == 1 { Ready::Yes } else { Ready::NotNow };
    assert_eq!(turns.take(low_alone), Some(1), "a slot is not left free for it");
}

#[test]
fn a_flood_of_a_higher_priority_leaves_the_turns_of_the_others_as_they_are() {
    let taken = taken(&mut turns(&[NORMAL, HIGH, NORMAL]), 800);
    assert_eq!((count(&taken, 0), count(&taken, 2)), (50, 50));
}
