use super::*;

#[test]
fn h7_a_baton_is_published_anew_once_it_was_held_for_long_and_when_there_is_progress() {
    let since = Instant::now();
    let held = Held { tag: 1, place: Place::Next(7), since };
    assert_eq!(held.due(Place::Next(7), since), None);
    assert_eq!(held.due(Place::Next(9), since), Some(Place::Next(9)));
    assert_eq!(held.due(Place::Next(7), since + RENEW), Some(Place::Next(7)));
    assert_eq!(held.due(Place::Next(5), since), None, "another process was further");
    assert_eq!(held.due(Place::Next(5), since + RENEW), Some(Place::Next(7)));
}
