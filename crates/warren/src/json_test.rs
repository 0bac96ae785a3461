use std::collections::BTreeMap;

use serde::Deserialize;
use warren_model::code;

use super::*;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Order {
    items: Vec<Item>,
}
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Item {
    quantity: u32,
}

fn failure(json: &str) -> Failure {
    read::<Order>(&Payload::from_bytes(json.as_bytes()).unwrap(), code::INVALID_INPUT).unwrap_err()
}

#[test]
fn a_wrong_shape_names_the_field() {
    let wrong = failure(r#"{"items":[{"quantity":"two"}]}"#);
    let message = r#"items[0].quantity: invalid type: string "two", expected u32"#;
    let details = json!({"field": "items[0].quantity"});
    assert_eq!(wrong, Failure::permanent("invalid_input", message).with_details(&details));
}

#[test]
fn a_wrong_root_names_no_field() {
    let wrong = failure("7");
    assert_eq!(wrong, Failure::permanent("invalid_input", "invalid type: integer `7`, expected struct Order"));
}

#[test]
fn a_missing_field_is_named() {
    let missing = failure(r#"{"items":[{}]}"#);
    assert_eq!(missing.message, "items[0]: missing field `quantity`");
    assert_eq!(missing.details.unwrap().as_str(), r#"{"field":"items[0].quantity"}"#);
    assert_eq!(failure("{}").details.unwrap().as_str(), r#"{"field":"items"}"#);
}

#[test]
fn what_is_no_json_is_a_failure() {
    let keys = BTreeMap::from([(vec![1], 1)]);
    let failure = write(&keys, code::INVALID_RESULT).unwrap_err();
    assert_eq!(failure, Failure::permanent("invalid_result", "not writable as json: key must be a string"));
}
