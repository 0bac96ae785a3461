use super::*;

#[test]
fn a_token_keeps_its_place() {
    for id in ["order.1", ".", "a b~"] {
        let created_at = Timestamp::from_microsecond(-1_700_000_000_123_456).unwrap();
        let place = Place { created_at, id: InstanceId::new(id).unwrap() };
        assert_eq!(Place::parse(&place.token()).unwrap(), place);
    }
}

#[test]
fn other_text_is_refused_by_name() {
    for token in ["", "x", "1.", ".a", "99999999999999999999.a", "1.@entity"] {
        let error = Place::parse(token).unwrap_err();
        assert!(matches!(&error, Error::Refused(why) if why.contains(&format!("{token:?}"))), "{error}");
    }
}

#[test]
fn a_page_has_a_size_and_a_limit() {
    assert_eq!((size(0), size(7), size(1_000_000)), (100, 7, 1000));
}
