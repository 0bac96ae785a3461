//! An order, as a customer's shop sends it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Country, Eur};

/// What the orchestration starts with.
///
/// What it says about the goods is what shop and customer agreed on; only the shop may start orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's name for it; payment and parcel derive their references from it.
    pub id: String,
    /// Who buys.
    pub customer: String,
    /// Where the goods go, and so which taxes they bear.
    pub country: Country,
    /// What is bought; prices are without tax.
    pub items: Vec<Item>,
    /// The payment gateway's token for the customer's card (see [`crate::gateway`] for those of its sandbox).
    pub card: String,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The warehouse's name for the goods.
    pub sku: String,
    /// The customer's name for them.
    pub name: String,
    /// What they are to the tax office.
    pub kind: Kind,
    /// How many.
    pub quantity: u32,
    /// The price of one, without tax.
    pub unit_price_cents: Eur,
}

/// What goods are to the tax office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Anything without a rate of its own.
    Standard,
    /// Groceries.
    Food,
    /// Printed books.
    Book,
    /// Medicine for people.
    Medicine,
    /// Nights in a hotel.
    Hotel,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Standard, Self::Food, Self::Book, Self::Medicine, Self::Hotel];
}

impl Item {
    /// Returns the price of the line, without tax.
    pub fn net(&self) -> Eur {
        self.unit_price_cents * self.quantity
    }
}

impl Order {
    /// Returns the price of the whole, without tax.
    pub fn net(&self) -> Eur {
        self.items.iter().map(Item::net).sum()
    }

    /// Returns the price of all goods of each kind, without tax.
    pub fn net_by_kind(&self) -> BTreeMap<Kind, Eur> {
        let mut sums = BTreeMap::<Kind, Eur>::new();
        for item in &self.items {
            let sum = sums.entry(item.kind).or_default();
            *sum = *sum + item.net();
        }
        sums
    }
}
