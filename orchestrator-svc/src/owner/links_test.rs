use warren_model::{EventRaised, InstanceId, Payload};
use warren_store::Epoch;

use super::*;

fn message(name: &str) -> PartitionMessage {
    let event = EventRaised { name: name.into(), input: Payload::null() };
    PartitionMessage::Raise { instance: InstanceId::new("x").unwrap(), event }
}

/// Takes these numbers from partition 1 in this order and returns the numbers that came through.
fn check(links: &mut Links, numbers: &[u64]) -> Vec<String> {
    let taken = numbers.iter().flat_map(|n| links.take(Partition(1), *n, message(&n.to_string())));
    taken.map(|m| if let PartitionMessage::Raise { event, .. } = m { event.name } else { String::new() }).collect()
}

fn commit(links: &mut Links) -> Commit {
    let mut commit = Commit::new(Partition(0), Epoch(1), 1);
    links.write(&mut commit);
    commit
}

#[test]
fn h9_each_message_comes_through_once_and_in_order_whatever_the_broker_does() {
    let mut links = Links::new(&PartitionState::default());
    assert_eq!(check(&mut links, &[1, 1, 3, 5, 2, 3, 4, 2, 6]), ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn h9_what_is_ahead_of_a_gap_survives_a_restart() {
    let mut links = Links::new(&PartitionState::default());
    assert_eq!(check(&mut links, &[1, 3]), ["1"]);
    let first = commit(&mut links);
    assert_eq!((first.received, first.aside.len()), (vec![(Partition(1), 1)], 1));
    let state = PartitionState { received: [(Partition(1), 1)].into(), aside: first.aside, ..Default::default() };
    let mut links = Links::new(&state);
    assert_eq!(check(&mut links, &[3, 2]), ["2", "3"]);
    let second = commit(&mut links);
    assert_eq!((second.received, second.aside_done), (vec![(Partition(1), 3)], vec![(Partition(1), 3)]));
    assert_eq!(commit(&mut links), Commit::new(Partition(0), Epoch(1), 1));
}

/// Found by `make chaos`, seed 6: a child's outcome was whole, set aside, acknowledged, and its payload dropped; then it
/// came again, without its payload.
#[test]
fn h1_a_copy_of_what_is_aside_does_not_take_its_place() {
    let name = |message: &PartitionMessage| {
        let PartitionMessage::Raise { event, .. } = message else { panic!("{message:?}") };
        event.name.clone()
    };
    let mut links = Links::new(&PartitionState::default());
    assert_eq!(links.take(Partition(1), 2, message("whole")), []);
    assert_eq!(links.take(Partition(1), 2, message("without its payload")), []);
    let aside = commit(&mut links).aside;
    assert_eq!(aside.iter().map(|aside| name(&aside.message)).collect::<Vec<_>>(), ["whole"]);
    // Nor after a restart.
    let mut links = Links::new(&PartitionState { aside, ..Default::default() });
    assert_eq!(links.take(Partition(1), 2, message("without its payload")), []);
    let taken = links.take(Partition(1), 1, message("1"));
    assert_eq!(taken.iter().map(name).collect::<Vec<_>>(), ["1", "whole"]);
}

#[test]
fn a_gap_that_closes_within_a_batch_never_reaches_the_store() {
    let mut links = Links::new(&PartitionState::default());
    check(&mut links, &[2, 1]);
    let commit = commit(&mut links);
    assert_eq!((commit.aside, commit.aside_done, commit.received), (vec![], vec![], vec![(Partition(1), 2)]));
}

#[test]
fn each_target_has_its_own_numbers() {
    let mut links = Links::new(&PartitionState { sent: [(Partition(2), 7)].into(), ..Default::default() });
    assert_eq!([links.number(Partition(2)), links.number(Partition(3)), links.number(Partition(2))], [8, 1, 9]);
    assert_eq!(commit(&mut links).sent, [(Partition(2), 9), (Partition(3), 1)]);
}
