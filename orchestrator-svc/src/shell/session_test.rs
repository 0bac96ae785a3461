use super::*;

#[test]
fn acknowledgements_wait_for_others_for_a_while_unless_they_are_many_or_the_last() {
    let (mut acks, begun) = (Acks::default(), Instant::now());
    let at = |ms| begun + Duration::from_millis(ms);
    acks.add(3, at(0));
    acks.add(5, at(9));
    assert_eq!(acks.take(at(9), 100, false), None);
    assert_eq!(acks.take(at(10), 100, false), Some(5), "the first has waited");
    assert_eq!(acks.take(at(30), 100, true), None, "nothing is left");
    acks.add(104, at(31));
    assert_eq!(acks.take(at(31), 100, false), None);
    acks.add(105, at(31));
    assert_eq!(acks.take(at(31), 100, false), Some(105), "a hundred messages are many");
    acks.add(106, at(32));
    assert_eq!(acks.take(at(32), 100, true), Some(106));
}
