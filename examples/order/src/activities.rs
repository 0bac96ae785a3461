//! The steps that run on workers.
//!
//! Each is a function of its input and the attempt, and derives every reference from the order: run twice, as may happen
//! when a worker is lost, it gives the same again and does no more. Against real systems the same holds if that reference
//! is the key under which they act.

use std::collections::BTreeMap;

use serde_json::json;
use warren::{ActivityContext, Failure};

use crate::{
    Tax, catalogue,
    contract::{
        Charge, Parcel, Payment, Refund, Released, Reservation, ReservationRequest, Shipment, TaxRequest, code,
    },
    gateway::{self, Refusal},
    parcel, vat,
};

pub(crate) async fn reserve_stock(_: ActivityContext, request: ReservationRequest) -> Result<Reservation, Failure> {
    for (sku, &asked) in &request.pieces {
        let available = catalogue::available(sku);
        if asked > available {
            let message = format!("{asked} of {sku:?} asked for, {available} available");
            let details = json!({ "sku": sku, "asked": asked, "available": available });
            return Err(Failure::permanent(code::OUT_OF_STOCK, message).with_details(&details));
        }
    }
    Ok(Reservation { reference: format!("res_{}", request.order), pieces: request.pieces })
}

pub(crate) async fn release_stock(_: ActivityContext, reservation: Reservation) -> Result<Released, Failure> {
    Ok(Released { pieces: count(&reservation.pieces), reference: reservation.reference })
}

pub(crate) async fn calculate_tax(_: ActivityContext, request: TaxRequest) -> Result<Vec<Tax>, Failure> {
    Ok(vat::taxes(request.country, &request.net_cents))
}

pub(crate) async fn charge_payment(ctx: ActivityContext, charge: Charge) -> Result<Payment, Failure> {
    match gateway::charge(&charge.order, &charge.card, ctx.attempt()) {
        Ok(reference) => Ok(Payment { reference, amount_cents: charge.amount_cents }),
        Err(Refusal::Declined(why)) => Err(Failure::permanent(code::DECLINED, why)),
        Err(Refusal::Unreachable) => {
            let message = format!("payment gateway not reached at attempt {}", ctx.attempt());
            Err(Failure::new(code::PAYMENT_UNAVAILABLE, message))
        }
    }
}

pub(crate) async fn refund_payment(_: ActivityContext, payment: Payment) -> Result<Refund, Failure> {
    Ok(Refund { reference: payment.reference, amount_cents: payment.amount_cents })
}

pub(crate) async fn ship_parcel(_: ActivityContext, shipment: Shipment) -> Result<Parcel, Failure> {
    let pieces = count(&shipment.reservation.pieces);
    Ok(Parcel { number: parcel::number(&shipment.order), country: shipment.country, pieces })
}

fn count(pieces: &BTreeMap<String, u32>) -> u32 {
    pieces.values().fold(0, |sum, pieces| sum.saturating_add(*pieces))
}
