//! Value-added tax: rates by country and kind of goods, and how a tax is computed.
//!
//! The rates are those in force on 1 September 2025, from general knowledge: they illustrate a real table and are **no
//! tax advice**. A country may tax goods of one kind at several rates (Hungarian bread and Hungarian coffee, say); the
//! table then takes the rate of most goods in this example's catalogue. `hotel` is a night, paid in advance.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Country, Eur, Kind};

/// A rate of tax in hundredths of a percent; in JSON it reads `"5.5%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Rate(u16);

/// The tax on everything in an order that bears one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// The rate.
    pub rate: Rate,
    /// What is taxed.
    pub net_cents: Eur,
    /// The tax on it.
    pub tax_cents: Eur,
}

/// Returns the rate for goods of `kind` that are sold to `country`.
pub const fn rate(country: Country, kind: Kind) -> Rate {
    let [standard, food, book, medicine, hotel] = rates(country);
    Rate(match kind {
        Kind::Standard => standard,
        Kind::Food => food,
        Kind::Book => book,
        Kind::Medicine => medicine,
        Kind::Hotel => hotel,
    })
}

/// Returns the taxes on an order, one for each rate, the lowest rate first.
///
/// Rounding: the net amounts that bear one rate are added up first, and their tax is rounded once, half a cent up. So a
/// reader can check each tax line of a receipt with a pocket calculator, and a hundred lines of one cent err no more than
/// one line of a euro (rounding line by line would do both worse).
pub fn taxes(country: Country, net_by_kind: &BTreeMap<Kind, Eur>) -> Vec<Tax> {
    let mut net_by_rate = BTreeMap::<Rate, Eur>::new();
    for (kind, net) in net_by_kind {
        let sum = net_by_rate.entry(rate(country, *kind)).or_default();
        *sum = *sum + *net;
    }
    let tax = |(rate, net): (Rate, Eur)| Tax { rate, net_cents: net, tax_cents: net.share(rate.0) };
    net_by_rate.into_iter().map(tax).collect()
}

/// Returns a country's rates in hundredths of a percent (`20_00` is 20.00 %): standard goods, food, books, medicine, hotel nights.
#[rustfmt::skip] // a table
const fn rates(country: Country) -> [u16; 5] {
    match country {
        //           standard   food   book medicine hotel
        Country::AT => [20_00, 10_00, 10_00, 10_00, 10_00],
        Country::BE => [21_00,  6_00,  6_00,  6_00,  6_00],
        Country::BG => [20_00, 20_00,  9_00, 20_00,  9_00],
        Country::CY => [19_00,  5_00,  3_00,  5_00,  9_00],
        Country::CZ => [21_00, 12_00,     0, 12_00, 12_00],
        Country::DE => [19_00,  7_00,  7_00, 19_00,  7_00],
        Country::DK => [25_00, 25_00, 25_00, 25_00, 25_00],
        Country::EE => [24_00, 24_00,  9_00,  9_00, 13_00],
        Country::ES => [21_00, 10_00,  4_00,  4_00, 10_00],
        Country::FI => [25_50, 14_00, 14_00, 14_00, 14_00],
        Country::FR => [20_00,  5_50,  5_50,  2_10, 10_00],
        Country::GR => [24_00, 13_00,  6_00,  6_00, 13_00],
        Country::HR => [25_00,  5_00,  5_00,  5_00, 13_00],
        Country::HU => [27_00, 27_00,  5_00,  5_00,  5_00],
        Country::IE => [23_00,     0,     0,     0, 13_50],
        Country::IT => [22_00, 10_00,  4_00, 10_00, 10_00],
        Country::LT => [21_00, 21_00,  9_00,  5_00,  9_00],
        Country::LU => [17_00,  3_00,  3_00,  3_00,  3_00],
        Country::LV => [21_00, 21_00,  5_00, 12_00, 12_00],
        Country::MT => [18_00,     0,  5_00,     0,  7_00],
        Country::NL => [21_00,  9_00,  9_00,  9_00,  9_00],
        Country::PL => [23_00,  5_00,  5_00,  8_00,  8_00],
        Country::PT => [23_00,  6_00,  6_00,  6_00,  6_00],
        Country::RO => [21_00, 11_00, 11_00, 11_00, 11_00],
        Country::SE => [25_00, 12_00,  6_00,     0, 12_00],
        Country::SI => [22_00,  9_50,  5_00,  9_50,  9_50],
        Country::SK => [23_00, 19_00,  5_00,  5_00,  5_00],
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        let text = match (hundredths / 10, hundredths % 10) {
            (0, 0) => format!("{whole}%"),
            (tenths, 0) => format!("{whole}.{tenths}%"),
            _ => format!("{whole}.{hundredths:02}%"),
        };
        f.pad(&text)
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl TryFrom<String> for Rate {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("rate {text:?} is not a percentage such as \"5.5%\"");
        let number = text.strip_suffix('%').ok_or_else(wrong)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if fraction.len() > 2 || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        let whole: u16 = whole.parse().map_err(|_| wrong())?;
        let hundredths: u16 = format!("{fraction:0<2}").parse().map_err(|_| wrong())?;
        whole.checked_mul(100).and_then(|rate| rate.checked_add(hundredths)).map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
#[path = "vat_test.rs"]
mod test;
