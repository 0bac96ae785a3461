//! The rules an order must keep beyond its shape.
//!
//! They are plain code and give the same answer for ever, so the orchestrator applies them itself: an activity would only
//! add a trip to a worker. (Types did the first half: a negative quantity or an unknown country can't even be read, and
//! fails as `invalid_input`.)

use std::collections::BTreeSet;

use serde_json::json;
use warren::Failure;

use crate::{Eur, Item, Order, contract::code, gateway};

/// Most lines in an order: what the warehouse packs into one parcel.
pub const LINES_MAX: usize = 100;
/// Most pieces of one kind of goods; more is a slip of the finger.
pub const QUANTITY_MAX: u32 = 1_000;
/// Highest price of one piece, likewise. With the other limits it keeps every sum far from overflowing.
pub const UNIT_PRICE_MAX: Eur = Eur::euros(100_000);
/// Longest id, customer, SKU or name, in bytes: receipts print them in one line.
pub const TEXT_BYTES_MAX: usize = 100;

/// Checks an order; a failure's details name the first field that is wrong.
pub fn validate(order: &Order) -> Result<(), Failure> {
    text("id", &order.id)?;
    text("customer", &order.customer)?;
    if order.items.is_empty() || order.items.len() > LINES_MAX {
        return Err(invalid("items", &format!("{} lines, 1 to {LINES_MAX} are allowed", order.items.len())));
    }
    let mut seen = BTreeSet::new();
    for (index, item) in order.items.iter().enumerate() {
        let field = |name: &str| format!("items[{index}].{name}");
        check_item(item, field)?;
        if !seen.insert(&item.sku) {
            return Err(invalid(&field("sku"), &format!("{:?} is in an earlier line already", item.sku)));
        }
    }
    if !gateway::is_token(&order.card) {
        return Err(invalid("card", "no token of the payment gateway; never send a card's number"));
    }
    Ok(())
}

fn check_item(item: &Item, field: impl Fn(&str) -> String) -> Result<(), Failure> {
    text(&field("sku"), &item.sku)?;
    text(&field("name"), &item.name)?;
    if !(1..=QUANTITY_MAX).contains(&item.quantity) {
        return Err(invalid(&field("quantity"), &format!("{}, 1 to {QUANTITY_MAX} are allowed", item.quantity)));
    }
    let price = item.unit_price_cents;
    if price.is_zero() || price > UNIT_PRICE_MAX {
        return Err(invalid(&field("unit_price_cents"), &format!("{price}, 0.01 to {UNIT_PRICE_MAX} are allowed")));
    }
    Ok(())
}

fn text(field: &str, text: &str) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(invalid(field, "blank"));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(invalid(field, &format!("{} bytes, at most {TEXT_BYTES_MAX} are allowed", text.len())));
    }
    Ok(())
}

fn invalid(field: &str, problem: &str) -> Failure {
    Failure::permanent(code::INVALID_ORDER, format!("{field}: {problem}")).with_details(&json!({ "field": field }))
}

#[cfg(test)]
#[path = "validate_test.rs"]
mod test;
