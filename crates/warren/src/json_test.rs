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
    assert_eq!(wrong, Failure::permanent("invalid_input", message));
}

#[test]
fn a_wrong_root_names_no_field() {
    assert_eq!(failure("7").message, "invalid type: integer `7`, expected struct Order");
}

#[test]
fn a_missing_field_is_named() {
    assert_eq!(failure(r#"{"items":[{}]}"#).message, "items[0]: missing field `quantity`");
}

#[test]
fn what_is_no_json_is_a_failure() {
    let keys = BTreeMap::from([(vec![1], 1)]);
    let failure = write(&keys, code::INVALID_RESULT).unwrap_err();
    assert_eq!(failure, Failure::permanent("invalid_result", "not writable as json: key must be a string"));
}
