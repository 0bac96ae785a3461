use super::*;

const ONE: HeaderValue = HeaderValue::Number(1);
const TWO: HeaderValue = HeaderValue::Number(2);

#[test]
fn they_stand_in_the_order_of_their_names_whatever_came_first() {
    let expected = Headers::from([("a", ONE), ("b", TWO), ("c", ONE)]);
    let given: Headers = [("c", ONE), ("a", ONE), ("b", TWO)].into_iter().collect();
    assert_eq!(given, expected);
    assert_eq!(given.keys().map(|name| &name[..]).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!((given.len(), given.is_empty(), Headers::default().is_empty()), (3, false, true));
}

#[test]
fn a_name_has_one_value_the_last() {
    let mut headers = Headers::from([("a", ONE), ("b", ONE), ("a", TWO)]);
    assert_eq!((headers.len(), &headers["a"], &headers["b"]), (2, &TWO, &ONE));
    assert_eq!(headers.insert("b", TWO), Some(ONE));
    assert_eq!(headers.remove("a"), Some(TWO));
    assert_eq!((headers.remove("a"), headers.get("a"), headers.contains_key("b")), (None, None, true));
}

#[test]
fn what_is_not_kept_is_gone() {
    let mut headers = Headers::from([("a", ONE), ("b", TWO), ("c", ONE)]);
    headers.retain(|name, value| name == "a" || *value == TWO);
    assert_eq!(headers, Headers::from([("a", ONE), ("b", TWO)]));
    headers.clear();
    assert_eq!(headers, Headers::default());
}

#[test]
#[should_panic(expected = "there is no header x")]
fn to_ask_for_one_that_is_not_there_by_index_is_a_mistake() {
    let _ = &Headers::default()["x"];
}
