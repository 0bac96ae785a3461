use super::*;

fn check(left: serde_json::Value, right: serde_json::Value, expect: Option<(&str, &str, &str)>) {
    let found = first_difference(&left, &right);
    let found = found.as_ref().map(|d| (d.field.as_str(), d.left.as_str(), d.right.as_str()));
    assert_eq!(found, expect);
}

#[test]
fn the_first_field_that_differs_is_named_with_both_values() {
    use serde_json::json;
    check(json!({"a": 1, "b": [1, {"c": 2}]}), json!({"a": 1, "b": [1, {"c": 3}]}), Some(("b[1].c", "2", "3")));
    check(json!({"a": 1}), json!({"a": 1, "b": null}), Some(("b", "nothing", "null")));
    check(json!([1, 2]), json!([1]), Some(("[1]", "2", "nothing")));
    check(json!("x"), json!(1), Some(("", "\"x\"", "1")));
    check(json!({"a": 1}), json!({"a": 1}), None);
}

#[test]
fn a_long_value_is_cut_at_a_character() {
    let found = first_difference(&"ä".repeat(500), &"b".to_owned()).unwrap();
    assert_eq!(found.left.chars().count(), EXCERPT_MAX + 1);
}
