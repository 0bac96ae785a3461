//! Euros, counted in whole cents.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, Mul},
};

use serde::{Deserialize, Serialize};

/// An amount of euros in whole cents, never negative; in JSON it is the number of cents.
///
/// Sums stop at the largest amount instead of wrapping round; an order's limits keep real sums far below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Eur(u64);

impl Eur {
    /// Returns the amount of so many cents.
    pub const fn cents(cents: u64) -> Self {
        Self(cents)
    }

    /// Returns the amount of so many euros.
    pub const fn euros(euros: u64) -> Self {
        Self(euros.saturating_mul(100))
    }

    /// Returns whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns so many ten-thousandths of the amount, half a cent rounded up.
    pub fn share(self, ten_thousandths: u16) -> Self {
        let exact = u128::from(self.0) * u128::from(ten_thousandths);
        Self(u64::try_from((exact + 5_000) / 10_000).unwrap_or(u64::MAX))
    }
}

impl Add for Eur {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul<u32> for Eur {
    type Output = Self;
    fn mul(self, times: u32) -> Self {
        Self(self.0.saturating_mul(u64::from(times)))
    }
}

impl Sum for Eur {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Eur {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02} EUR", self.0 / 100, self.0 % 100))
    }
}

#[cfg(test)]
#[path = "money_test.rs"]
mod test;
