//! Receipts as a person reads them.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use example_order::contract::Receipt;

use crate::{drive::Driven, verdict::End};

/// How many receipts are shown.
const SHOWN: usize = 3;
/// Most goods on a receipt that is chosen to be shown: it should fit a screen with two others.
const LINES_MAX: usize = 4;
/// Columns of a receipt.
const WIDTH: usize = 64;

/// Writes three receipts, those with the most tax rates first.
pub(crate) fn write_three(out: &mut impl Write, driven: &Driven) -> io::Result<()> {
    let mut receipts: Vec<&Receipt> = driven
        .orders
        .iter()
        .filter_map(|order| match &order.end {
            End::Completed(receipt) => Some(&**receipt),
            End::Failed { .. } | End::Lost(_) => None,
        })
        .collect();
    receipts.sort_by_key(|receipt| (receipt.lines.len() > LINES_MAX, std::cmp::Reverse(receipt.taxes.len())));
    receipts.truncate(SHOWN);
    receipts.into_iter().try_for_each(|receipt| write(out, receipt))
}

fn write(out: &mut impl Write, receipt: &Receipt) -> io::Result<()> {
    let title = format!("── {} · {} · {} ", receipt.order, receipt.customer, receipt.parcel.country);
    writeln!(out, "\n  {title:─<WIDTH$}")?;
    let mut goods = BTreeMap::new();
    for item in &receipt.lines {
        *goods.entry((&item.sku, &item.name, item.unit_price_cents)).or_insert(0) += item.quantity;
    }
    for ((_, name, price), quantity) in goods {
        row(out, &format!("{quantity:>3} × {name}"), &(price * quantity).to_string())?;
    }
    row(out, "      without tax", &receipt.net_cents.to_string())?;
    for tax in &receipt.taxes {
        row(out, &format!("      tax {} on {}", tax.rate, tax.net_cents), &tax.tax_cents.to_string())?;
    }
    row(out, "      paid", &receipt.gross_cents.to_string())?;
    writeln!(out, "      payment {}, parcel {}", receipt.payment, receipt.parcel.number)
}

fn row(out: &mut impl Write, left: &str, right: &str) -> io::Result<()> {
    let room = WIDTH.saturating_sub(right.chars().count() + 1);
    let left: String = left.chars().take(room).collect();
    writeln!(out, "  {left:<room$} {right}")
}

#[cfg(test)]
#[path = "receipt_test.rs"]
mod test;
