//! When a publication is tried again.

use std::time::Duration;

/// The first delay: a control queue that its owner is just declaring is there by then.
const FIRST: Duration = Duration::from_millis(100);
/// The longest: after an outage every reply is out within this time.
const LONGEST: Duration = Duration::from_secs(5);
/// 2^64 divided by the golden ratio: its multiples spread evenly.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Doubling is done with by then.
const DOUBLINGS_MAX: u32 = 6;

/// Returns how long to wait after so many failures in a row: doubling, and spread by up to a half so that what failed
/// together is not tried together again (H22). The same arguments give the same delay: the simulation can repeat it.
pub(super) fn delay(failures: u32, salt: u64) -> Duration {
    let doubled = FIRST * 2u32.pow(failures.saturating_sub(1).min(DOUBLINGS_MAX));
    let longest = doubled.min(LONGEST);
    longest / 2 + longest.mul_f64(fraction(salt.wrapping_add(u64::from(failures)))) / 2
}

/// Returns a number that differs between workers of different names.
pub(super) fn salt(name: &str) -> u64 {
    name.bytes().fold(0, |salt, byte| (salt ^ u64::from(byte)).wrapping_mul(SPREAD))
}

/// Spreads numbers over 0..1.
fn fraction(number: u64) -> f64 {
    let spread = number.wrapping_mul(SPREAD) >> 32;
    spread as f64 / f64::from(u32::MAX)
}

#[cfg(test)]
#[path = "retry_test.rs"]
mod test;
