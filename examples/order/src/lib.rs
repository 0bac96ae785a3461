//! An order from the shop to the post: stock is reserved, taxes are added, a person approves what is dear, the card is
//! charged, the parcel goes out. What fails on the way undoes what was done before.
//!
//! Read [`contract`] first, then `orchestrator.rs` (the story), then `activities.rs` (the steps).

mod activities;
pub mod catalogue;
pub mod contract;
mod country;
pub mod gateway;
mod money;
mod orchestrator;
mod order;
mod parcel;
pub mod sample;
pub mod validate;
pub mod vat;

pub use country::Country;
pub use money::Eur;
pub use order::{Item, Kind, Order};
pub use vat::{Rate, Tax};

use contract::{CALCULATE_TAX, CHARGE_PAYMENT, ORDER, REFUND_PAYMENT, RELEASE_STOCK, RESERVE_STOCK, SHIP_PARCEL};
use warren::Registry;

/// Adds the orchestrator and its activities to a registry.
pub fn register(registry: Registry) -> Registry {
    registry
        .orchestrator(ORDER, orchestrator::order)
        .activity(RESERVE_STOCK, activities::reserve_stock)
        .activity(RELEASE_STOCK, activities::release_stock)
        .activity(CALCULATE_TAX, activities::calculate_tax)
        .activity(CHARGE_PAYMENT, activities::charge_payment)
        .activity(REFUND_PAYMENT, activities::refund_payment)
        .activity(SHIP_PARCEL, activities::ship_parcel)
}

#[cfg(test)]
#[path = "order_test.rs"]
mod test;
