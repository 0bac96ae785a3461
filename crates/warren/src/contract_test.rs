use std::rc::Rc;

use super::*;

fn can_be_shared<T: Copy + Send + Sync>(_: T) {}

#[test]
fn contracts_can_be_copied_and_shared_whatever_their_types() {
    can_be_shared(Activity::<Rc<String>, Rc<String>>::new("a").queue("q"));
    can_be_shared(Orchestrator::<Rc<String>, Rc<String>>::new("o").version("2"));
    can_be_shared(Event::<Rc<String>>::new("e"));
}

#[test]
fn a_name_may_be_neither_empty_nor_too_long() {
    assert_eq!(flaw("activity", "charge"), None);
    assert_eq!(flaw("activity", &"x".repeat(NAME_BYTES_MAX)), None);
    assert_eq!(flaw("activity", "").unwrap(), "activity name is empty");
    let long = flaw("event", &"x".repeat(NAME_BYTES_MAX + 1)).unwrap();
    assert_eq!(long, "event name has 129 bytes, at most 128 are allowed");
}
