use super::*;

#[test]
fn the_check_digit_is_the_standards() {
    assert_eq!(check_digit("47312482"), 9); // RR473124829GB, the example that textbooks use
    assert_eq!(check_digit("12345678"), 5);
    assert_eq!(check_digit("00000000"), 5); // 11 becomes 5
}

#[test]
fn a_key_has_one_number_for_ever() {
    assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8); // a published test vector
    let first = number("order-0001");
    assert_eq!(first, number("order-0001"));
    assert_ne!(first, number("order-0002"));
    assert_eq!(first.len(), 13);
}
