//! The ways in which people get orders wrong.

use example_order::contract::code::INVALID_ORDER;
use serde_json::Value;
use warren::Payload;

/// One of them.
pub(crate) struct Flaw {
    /// The code that the order fails with.
    pub(crate) code: &'static str,
    /// The field that the failure names.
    pub(crate) field: &'static str,
    /// The field to change, and the JSON to put there; no JSON: take the field out.
    change: (&'static str, &'static str),
}

impl Flaw {
    /// Returns the order with the flaw.
    pub(crate) fn spoiled(&self, order: &Payload) -> Payload {
        let mut order: Value = order.parse().expect("an order is JSON");
        let (field, json) = self.change;
        let path = format!("/{}", field.replace("].", "/").replace(['.', '['], "/"));
        if json.is_empty() {
            let (parent, name) = path.rsplit_once('/').expect("a path begins with a slash");
            let parent = order.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.expect("orders and items are objects").remove(name);
        } else {
            let place = order.pointer_mut(&path).expect("every order has the fields that flaws change");
            *place = serde_json::from_str(json).expect("the table below holds JSON");
        }
        Payload::of(&order).expect("a JSON value is JSON")
    }
}

/// Can't even be read: types say no.
const UNREADABLE: &str = "invalid_input";

const SAME_TWICE: &str = r#"[
    {"sku": "bo-501", "name": "Alice", "kind": "book", "quantity": 1, "unit_price_cents": 2490},
    {"sku": "bo-501", "name": "Alice", "kind": "book", "quantity": 2, "unit_price_cents": 2490}
]"#;

pub(crate) const FLAWS: [Flaw; 16] = [
    flaw(UNREADABLE, "items[0].quantity", r#""two""#),
    flaw(UNREADABLE, "items[0].quantity", "-3"),
    flaw(UNREADABLE, "items[0].quantity", "10000000000"),
    flaw(UNREADABLE, "items[0].unit_price_cents", "12.5"),
    flaw(UNREADABLE, "items[0].unit_price_cents", ""),
    flaw(UNREADABLE, "items[0].kind", r#""furniture""#),
    flaw(UNREADABLE, "items", "{}"),
    flaw(UNREADABLE, "country", r#""XX""#),
    flaw(UNREADABLE, "country", ""),
    flaw(INVALID_ORDER, "items", "[]"),
    flaw(INVALID_ORDER, "items[0].quantity", "0"),
    flaw(INVALID_ORDER, "items[0].quantity", "1000000"),
    flaw(INVALID_ORDER, "items[0].unit_price_cents", "0"),
    flaw(INVALID_ORDER, "customer", r#"" ""#),
    flaw(INVALID_ORDER, "card", r#""4111 1111 1111 1111""#),
    Flaw { code: INVALID_ORDER, field: "items[1].sku", change: ("items", SAME_TWICE) },
];

const fn flaw(code: &'static str, field: &'static str, json: &'static str) -> Flaw {
    Flaw { code, field, change: (field, json) }
}
