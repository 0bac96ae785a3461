//! The sandbox of an imaginary payment gateway: a token says how its card behaves, as sandboxes of real gateways do.
//!
//! | token | behaviour |
//! |---|---|
//! | `tok_declined` | the bank declines |
//! | `tok_expired` | the card has expired |
//! | `tok_unsteady_3` | the gateway can't be reached at the first 3 attempts |
//! | any other `tok_…` | pays |

/// Why a charge did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It never will.
    Declined(&'static str),
    /// Another attempt may.
    Unreachable,
}

/// Returns whether this is a token of the gateway.
pub fn is_token(card: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    card.strip_prefix("tok_").is_some_and(is_name)
}

/// Charges a card and returns the payment's reference. `attempt` counts from 1.
///
/// The reference derives from `key`: who charges twice with one key has charged once.
pub fn charge(key: &str, card: &str, attempt: u32) -> Result<String, Refusal> {
    match card {
        "tok_declined" => Err(Refusal::Declined("the bank declines")),
        "tok_expired" => Err(Refusal::Declined("the card has expired")),
        _ if attempt <= unsteady_attempts(card) => Err(Refusal::Unreachable),
        _ => Ok(format!("pay_{key}")),
    }
}

fn unsteady_attempts(card: &str) -> u32 {
    card.strip_prefix("tok_unsteady_").and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
#[path = "gateway_test.rs"]
mod test;
