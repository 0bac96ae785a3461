//! 600 orders to play with: `orders.json`, as `src/bin/generate_orders.rs` wrote it.

use serde::{Deserialize, Serialize};
use warren::Payload;

/// The file's text: a JSON array of [`Entry`], one on each line.
pub const ORDERS: &str = include_str!("../orders.json");

/// An order, what the person says who is asked about it, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The order's id, and a good id for its instance.
    pub id: String,
    /// The input of the orchestration: an order, or what somebody took for one.
    pub order: Payload,
    /// What to answer when it awaits approval; `null` where nobody is asked.
    pub approve: Option<bool>,
    /// `completed`, or the code of the failure.
    pub expect: String,
    /// The field that is wrong, for `invalid_order` and `invalid_input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Reads the file.
pub fn entries() -> Vec<Entry> {
    serde_json::from_str(ORDERS).expect("orders.json is what its generator wrote")
}

#[cfg(test)]
#[path = "sample_test.rs"]
mod test;
