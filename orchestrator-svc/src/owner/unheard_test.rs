use warren_model::{EventRaised, InstanceId, PartitionMessage, Payload};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

fn word(target: u16, sequence: u64) -> OutboxEntry {
    let (instance, event) = (InstanceId::new("a").unwrap(), EventRaised { name: "e".into(), input: Payload::null() });
    OutboxEntry::Message { target: Partition(target), sequence, message: PartitionMessage::Raise { instance, event } }
}

fn numbers(rows: Vec<(u64, Vec<OutboxEntry>)>) -> Vec<u64> {
    rows.into_iter().map(|(number, _)| number).collect()
}

#[test]
fn a_row_is_done_when_every_target_has_taken_its_words() {
    let mut unheard = Unheard::default();
    assert_eq!(numbers(unheard.hear(Partition(1), 3)), [0; 0]);
    assert!(!unheard.has(&word(1, 3)) && unheard.has(&word(1, 4)) && unheard.has(&word(2, 1)));
    unheard.add(7, vec![word(1, 3), word(1, 4), word(2, 1)], at(0));
    unheard.add(8, vec![word(2, 2)], at(0));
    unheard.add(9, vec![word(1, 5)], at(0));
    assert_eq!(numbers(unheard.hear(Partition(2), 2)), [8]);
    assert_eq!(numbers(unheard.hear(Partition(1), 1)), [0; 0], "late news");
    assert_eq!(numbers(unheard.hear(Partition(1), 4)), [7]);
    assert_eq!(numbers(unheard.hear(Partition(1), 9)), [9]);
    assert_eq!(unheard.next_at(), None);
}

#[test]
fn a_row_does_not_wait_for_what_was_heard_before() {
    let mut unheard = Unheard::default();
    unheard.hear(Partition(1), 3);
    unheard.add(7, vec![word(1, 3), word(2, 1)], at(0));
    assert_eq!(numbers(unheard.hear(Partition(2), 1)), [7]);
}

#[test]
fn h6_what_nobody_hears_of_is_sent_again_with_growing_pauses() {
    let mut unheard = Unheard::default();
    let (mut now, mut pauses) = (at(0), Vec::new());
    for _ in 0..9 {
        unheard.add(7, vec![word(1, 1)], now);
        let next = unheard.next_at().unwrap();
        assert_eq!(numbers(unheard.again(now, false)), [0; 0]);
        pauses.push(next.duration_since(now).as_secs());
        now = next;
        assert_eq!(numbers(unheard.again(now, false)), [7]);
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    unheard.forget(7);
    unheard.add(7, vec![word(1, 2)], at(0));
    assert_eq!((unheard.next_at(), numbers(unheard.again(at(0), true))), (Some(at(30)), vec![7]));
}

#[test]
fn rows_beyond_a_number_are_left_to_the_broker() {
    let mut unheard = Unheard::default();
    for number in 0..ROWS_MAX as u64 {
        assert_eq!(unheard.add(number, vec![word(1, number + 1)], at(0)), None);
    }
    let oldest = unheard.add(ROWS_MAX as u64, vec![word(1, 99_999)], at(0)).unwrap();
    assert_eq!((oldest.0, unheard.numbers().count()), (0, ROWS_MAX));
}
