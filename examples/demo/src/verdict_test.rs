use serde_json::json;

use super::*;

fn entry(expect: &str, field: Option<&str>) -> Entry {
    Entry {
        id: "order-0001".into(),
        order: warren_model::Payload::null(),
        approve: None,
        expect: expect.into(),
        field: field.map(ToOwned::to_owned),
    }
}

fn status(body: &serde_json::Value) -> End {
    End::of_status(body.to_string().as_bytes())
}

fn receipt(order: &str, gross: u64) -> serde_json::Value {
    json!({
        "order": order, "customer": "c", "lines": [], "net_cents": 1000,
        "taxes": [{"rate": "20%", "net_cents": 1000, "tax_cents": 200}], "gross_cents": gross, "payment": "p",
        "parcel": {"number": "n", "country": "AT", "pieces": 0},
    })
}

#[test]
fn a_receipt_is_checked_as_well() {
    let completed = |receipt| status(&json!({"runtimeStatus": "Completed", "output": receipt}));
    let entry = entry("completed", None);
    assert_eq!(completed(receipt("order-0001", 1200)).difference(&entry), None);
    let told = completed(receipt("order-0002", 1200)).difference(&entry);
    assert_eq!(told.as_deref(), Some("its receipt is that of order-0002"));
    let told = completed(receipt("order-0001", 1300)).difference(&entry);
    assert_eq!(told.as_deref(), Some("its receipt adds up to 12.00 EUR and says 13.00 EUR"));
    assert_eq!(completed(json!("thanks")).name(), "lost");
}

#[test]
fn a_failure_must_have_the_code_and_the_field() {
    let failure = json!({"code": "invalid_order", "message": "items is empty", "details": {"field": "items"}});
    let failed = status(&json!({"runtimeStatus": "Failed", "output": "text", "failure": failure}));
    assert_eq!(failed.difference(&entry("invalid_order", Some("items"))), None);
    let told = failed.difference(&entry("invalid_order", Some("card"))).unwrap();
    assert_eq!(told, "expected the failure to name card, but it says items is empty");
    let told = failed.difference(&entry("completed", None)).unwrap();
    assert_eq!(told, "expected completed, but it is invalid_order (items is empty)");
}

#[test]
fn a_failure_without_details_names_the_field_in_its_message() {
    let failure = json!({"code": "invalid_input", "message": "items[0]: missing field `quantity`"});
    let failed = status(&json!({"runtimeStatus": "Failed", "output": "text", "failure": failure}));
    assert_eq!(failed.difference(&entry("invalid_input", Some("items[0].quantity"))), None);
    assert!(failed.difference(&entry("invalid_input", Some("items[1].quantity"))).is_some());
}

#[test]
fn whatever_else_an_instance_is_it_is_lost() {
    let terminated = status(&json!({"runtimeStatus": "Terminated", "output": "enough"}));
    let told = terminated.difference(&entry("completed", None)).unwrap();
    assert_eq!(told, "expected completed, but it is lost (it is Terminated: \"enough\")");
    assert_eq!(End::of_status(b"<html>").name(), "lost");
}
