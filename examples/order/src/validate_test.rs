use super::*;
use crate::{Country, Kind};

fn order() -> Order {
    let item = |sku: &str| Item {
        sku: sku.to_owned(),
        name: "a thing".to_owned(),
        kind: Kind::Standard,
        quantity: 1,
        unit_price_cents: Eur::cents(100),
    };
    Order {
        id: "order-1".to_owned(),
        customer: "customer-1".to_owned(),
        country: Country::AT,
        items: vec![item("A"), item("B")],
        card: "tok_visa".to_owned(),
    }
}

/// Spoils an order and asserts which field the failure names.
#[track_caller]
fn check(field: &str, spoil: impl FnOnce(&mut Order)) {
    let mut order = order();
    spoil(&mut order);
    let failure = validate(&order).unwrap_err();
    assert_eq!(failure.code, code::INVALID_ORDER);
    assert!(!failure.retryable);
    assert_eq!(failure.details.unwrap().as_str(), json!({ "field": field }).to_string());
    assert!(failure.message.starts_with(&format!("{field}: ")), "{}", failure.message);
}

#[test]
fn a_sound_order_passes() {
    assert_eq!(validate(&order()), Ok(()));
    let mut largest = order();
    largest.items[0].quantity = QUANTITY_MAX;
    largest.items[0].unit_price_cents = UNIT_PRICE_MAX;
    assert_eq!(validate(&largest), Ok(()));
}

#[test]
fn the_field_that_is_wrong_is_named() {
    check("id", |order| order.id = "  ".to_owned());
    check("customer", |order| order.customer = "x".repeat(TEXT_BYTES_MAX + 1));
    check("items", |order| order.items.clear());
    check("items", |order| order.items = vec![order.items[0].clone(); LINES_MAX + 1]);
    check("items[0].sku", |order| order.items[0].sku.clear());
    check("items[1].name", |order| order.items[1].name.clear());
    check("items[1].quantity", |order| order.items[1].quantity = 0);
    check("items[0].quantity", |order| order.items[0].quantity = QUANTITY_MAX + 1);
    check("items[0].unit_price_cents", |order| order.items[0].unit_price_cents = Eur::default());
    check("items[1].unit_price_cents", |order| order.items[1].unit_price_cents = UNIT_PRICE_MAX + Eur::cents(1));
    check("items[1].sku", |order| order.items[1].sku = "A".to_owned());
    check("card", |order| order.card = "4111 1111 1111 1111".to_owned());
}
