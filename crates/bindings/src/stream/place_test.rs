use super::*;

#[test]
fn a_baton_is_read_as_it_was_written_and_what_is_none_is_not() {
    for place in [Place::Next(0), Place::Next(7), Place::Unread(Reverse(1_700_000_000))] {
        assert_eq!(Place::read(&place.message()), Some(place));
    }
    assert_eq!(Place::read(&Message::default()), None);
    for value in [HeaderValue::Text("7".into()), HeaderValue::Number(-1)] {
        assert_eq!(Place::read(&Message { headers: [(NEXT, value)].into(), ..Message::default() }), None);
    }
}

#[test]
fn the_further_place_is_the_greater_and_of_two_that_have_read_nothing_the_earlier() {
    assert!(Place::Next(8) > Place::Next(7));
    assert!(Place::Next(0) > Place::Unread(Reverse(1)));
    assert!(Place::Unread(Reverse(1)) > Place::Unread(Reverse(2)));
}

#[test]
fn where_to_begin_is_a_word_or_a_time() {
    assert_eq!(From::parse("first"), Ok(From::First));
    assert_eq!(From::parse("next"), Ok(From::Next));
    assert_eq!(From::parse("2026-01-31T12:00:00Z"), Ok(From::Time(1_769_860_800)));
    for wrong in ["last", "2026-01-31", "1960-01-31T12:00:00Z"] {
        let why = format!("= {wrong:?}, must be first, next, or a time as 2026-01-31T12:00:00Z");
        assert_eq!(From::parse(wrong), Err(why));
    }
}

#[test]
fn settings_say_where_to_begin_until_something_was_read() {
    let unread = Place::Unread(Reverse(5));
    assert_eq!(unread.start(From::First), StreamStart::First);
    assert_eq!(unread.start(From::Next), StreamStart::Time(5));
    assert_eq!(unread.start(From::Time(3)), StreamStart::Time(3));
    for from in [From::First, From::Next, From::Time(3)] {
        assert_eq!(Place::Next(7).start(from), StreamStart::Offset(7));
    }
}
