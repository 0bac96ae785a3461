//! What the side that calls and the side that serves share: names, which are for ever, and what travels under them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use warren::{Activity, Event, Orchestrator};

use crate::{Country, Eur, Item, Kind, Order, Tax};

/// Takes an order and gives its receipt, or fails with one of the codes in [`code`].
pub const ORDER: Orchestrator<Order, Receipt> = Orchestrator::new("order");
/// What a person says to an order above [`APPROVAL_LIMIT`].
pub const APPROVAL: Event<Approval> = Event::new("approval");

/// Puts an order's goods aside.
pub const RESERVE_STOCK: Activity<ReservationRequest, Reservation> = Activity::new("reserve_stock");
/// Puts them back.
pub const RELEASE_STOCK: Activity<Reservation, Released> = Activity::new("release_stock");
/// Computes the taxes, one for each rate.
pub const CALCULATE_TAX: Activity<TaxRequest, Vec<Tax>> = Activity::new("calculate_tax");
/// Charges the customer's card.
pub const CHARGE_PAYMENT: Activity<Charge, Payment> = Activity::new("charge_payment");
/// Gives the money back.
pub const REFUND_PAYMENT: Activity<Payment, Refund> = Activity::new("refund_payment");
/// Hands the goods to the post.
pub const SHIP_PARCEL: Activity<Shipment, Parcel> = Activity::new("ship_parcel");

/// An order of more than this, taxes included, waits for a person's approval.
pub const APPROVAL_LIMIT: Eur = Eur::euros(10_000);
/// For so many days; then it is cancelled.
pub const APPROVAL_DAYS: u64 = 3;

/// The codes that an order fails with. (One that can't be read fails with Warren's own `invalid_input`.)
pub mod code {
    /// A field breaks a rule; details: `{"field": "items[0].quantity"}`.
    pub const INVALID_ORDER: &str = "invalid_order";
    /// The warehouse lacks something; details: `{"sku": …, "asked": …, "available": …}`.
    pub const OUT_OF_STOCK: &str = "out_of_stock";
    /// A person said no, or nobody said anything in time.
    pub const NOT_APPROVED: &str = "not_approved";
    /// The card won't pay.
    pub const DECLINED: &str = "declined";
    /// The payment gateway could not be reached, however often it was tried.
    pub const PAYMENT_UNAVAILABLE: &str = "payment_unavailable";
}

/// A person's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Yes or no.
    pub approved: bool,
    /// Whose answer it is.
    pub by: String,
}

/// The goods to put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRequest {
    /// For which order.
    pub order: String,
    /// How many pieces by SKU.
    pub pieces: BTreeMap<String, u32>,
}

/// Goods put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The warehouse's reference; the same for the same order.
    pub reference: String,
    /// How many pieces by SKU.
    pub pieces: BTreeMap<String, u32>,
}

/// Goods put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The reservation that is no more.
    pub reference: String,
    /// How many pieces in all.
    pub pieces: u32,
}

/// What is to be taxed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRequest {
    /// Where the goods go.
    pub country: Country,
    /// The price of the goods of each kind, without tax.
    pub net_cents: BTreeMap<Kind, Eur>,
}

/// What is to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// For which order.
    pub order: String,
    /// The token of the card that pays.
    pub card: String,
    /// How much.
    pub amount_cents: Eur,
}

/// What was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The gateway's reference; the same for the same order.
    pub reference: String,
    /// How much.
    pub amount_cents: Eur,
}

/// What was paid back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The payment that is no more.
    pub reference: String,
    /// How much.
    pub amount_cents: Eur,
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// For which order.
    pub order: String,
    /// Where to.
    pub country: Country,
    /// The goods.
    pub reservation: Reservation,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The post's number; the same for the same order.
    pub number: String,
    /// Where to.
    pub country: Country,
    /// How many pieces are in it.
    pub pieces: u32,
}

/// How an order ended well. `net_cents` and the taxes add up to `gross_cents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// For which order.
    pub order: String,
    /// Who bought.
    pub customer: String,
    /// What was bought.
    pub lines: Vec<Item>,
    /// The price of the whole, without tax.
    pub net_cents: Eur,
    /// The taxes, one for each rate.
    pub taxes: Vec<Tax>,
    /// What was paid.
    pub gross_cents: Eur,
    /// The payment's reference.
    pub payment: String,
    /// What was sent.
    pub parcel: Parcel,
}

/// How far an order is: its custom status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The warehouse puts its goods aside.
    ReservingStock,
    /// A person is to send [`APPROVAL`].
    AwaitingApproval {
        /// What the order comes to.
        gross_cents: Eur,
    },
    /// The card is being charged.
    ChargingPayment,
    /// The parcel is on its way to the post.
    Shipping,
    /// It came to nothing; its goods go back.
    Cancelling,
}
