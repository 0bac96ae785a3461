use super::*;

fn instance(id: &str) -> Option<InstanceId> {
    Some(InstanceId::new(id).unwrap())
}

#[test]
fn the_place_moves_only_past_what_is_done_with_in_one_piece() {
    let mut window = Window::new();
    for (tag, offset) in [(1, 10), (2, 11), (3, 15)] {
        assert_eq!(window.arrive(offset, tag, None, offset), Some(offset));
    }
    assert_eq!((window.done(11, None), window.advance(), window.next()), (None, None, None));
    window.done(10, None);
    assert_eq!((window.advance(), window.next()), (Some(2), Some(12)));
    assert_eq!(window.advance(), None, "told once");
    window.done(15, None);
    assert_eq!((window.advance(), window.next()), (Some(3), Some(16)));
}

#[test]
fn messages_of_an_instance_are_done_one_after_another_and_hold_up_no_other() {
    let mut window = Window::new();
    let (a, b) = (instance("a"), instance("b"));
    assert_eq!(window.arrive(0, 1, a.as_ref(), 0), Some(0));
    assert_eq!(window.arrive(1, 2, a.as_ref(), 1), None);
    assert_eq!(window.arrive(2, 3, a.as_ref(), 2), None);
    assert_eq!(window.arrive(3, 4, b.as_ref(), 3), Some(3));
    assert_eq!(window.done(3, b.as_ref()), None);
    assert_eq!(window.done(0, a.as_ref()), Some(1));
    assert_eq!(window.done(1, a.as_ref()), Some(2));
    assert_eq!(window.done(2, a.as_ref()), None);
    assert_eq!((window.advance(), window.next()), (Some(4), Some(4)));
    assert_eq!(window.arrive(4, 5, a.as_ref(), 4), Some(4), "nothing of it is under way any more");
}
