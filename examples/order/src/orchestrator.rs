//! The story of an order: check, reserve, tax, approve, charge, ship; and what was done is undone when it fails.

use warren::{Context, Failure, RetryPolicy, days, seconds};

use crate::{
    Eur, Order, Tax,
    contract::{
        APPROVAL, APPROVAL_DAYS, APPROVAL_LIMIT, CALCULATE_TAX, CHARGE_PAYMENT, Charge, Parcel, Payment,
        REFUND_PAYMENT, RELEASE_STOCK, RESERVE_STOCK, Receipt, Reservation, ReservationRequest, SHIP_PARCEL, Shipment,
        Stage, TaxRequest, code,
    },
    validate::validate,
};

pub(crate) async fn order(ctx: Context, order: Order) -> Result<Receipt, Failure> {
    validate(&order)?;
    ctx.set_custom_status(&Stage::ReservingStock)?;
    let reservation = ctx.call(RESERVE_STOCK, reservation_request(&order)).await?;
    match sell(&ctx, &order, &reservation).await {
        Ok(receipt) => Ok(receipt),
        Err(reason) => {
            ctx.set_custom_status(&Stage::Cancelling)?;
            let released = ctx.activity(RELEASE_STOCK).retry(steadfast()).call(reservation).await;
            Err(after_undoing(released, reason))
        }
    }
}

/// What happens while the goods are put aside; whoever calls it puts them back if it fails.
async fn sell(ctx: &Context, order: &Order, reservation: &Reservation) -> Result<Receipt, Failure> {
    let request = TaxRequest { country: order.country, net_cents: order.net_by_kind() };
    let taxes = ctx.call(CALCULATE_TAX, request).await?;
    let gross = order.net() + taxes.iter().map(|tax| tax.tax_cents).sum();
    if gross > APPROVAL_LIMIT {
        await_approval(ctx, gross).await?;
    }

    ctx.set_custom_status(&Stage::ChargingPayment)?;
    let charge = Charge { order: order.id.clone(), card: order.card.clone(), amount_cents: gross };
    let payment = ctx.activity(CHARGE_PAYMENT).retry(steadfast()).call(charge).await?;

    ctx.set_custom_status(&Stage::Shipping)?;
    let shipment = Shipment { order: order.id.clone(), country: order.country, reservation: reservation.clone() };
    match ctx.activity(SHIP_PARCEL).retry(steadfast()).call(shipment).await {
        Ok(parcel) => Ok(receipt(order, taxes, payment, parcel)),
        Err(reason) => {
            let refunded = ctx.activity(REFUND_PAYMENT).retry(steadfast()).call(payment).await;
            Err(after_undoing(refunded, reason))
        }
    }
}

/// Waits for a person's yes. The days pass in the store, not in a process: restarts don't matter.
async fn await_approval(ctx: &Context, gross: Eur) -> Result<(), Failure> {
    ctx.set_custom_status(&Stage::AwaitingApproval { gross_cents: gross })?;
    let refusal = match ctx.event(APPROVAL).within(days(APPROVAL_DAYS)).await? {
        Some(answer) if answer.approved => return Ok(()),
        Some(answer) => format!("{} said no", answer.by),
        None => format!("nobody answered within {APPROVAL_DAYS} days"),
    };
    Err(Failure::permanent(code::NOT_APPROVED, refusal))
}

/// Five attempts, some eight seconds in all.
fn steadfast() -> RetryPolicy {
    RetryPolicy::times(5).first_delay(seconds(1)).coefficient(1.5)
}

/// Returns why the order failed; if what was done could not be undone either, a person must know that first.
fn after_undoing<T>(undone: Result<T, Failure>, reason: Failure) -> Failure {
    match undone {
        Ok(_) => reason,
        Err(failure) => failure.caused_by(reason),
    }
}

fn reservation_request(order: &Order) -> ReservationRequest {
    let pieces = order.items.iter().map(|item| (item.sku.clone(), item.quantity)).collect();
    ReservationRequest { order: order.id.clone(), pieces }
}

fn receipt(order: &Order, taxes: Vec<Tax>, payment: Payment, parcel: Parcel) -> Receipt {
    Receipt {
        order: order.id.clone(),
        customer: order.customer.clone(),
        lines: order.items.clone(),
        net_cents: order.net(),
        taxes,
        gross_cents: payment.amount_cents,
        payment: payment.reference,
        parcel,
    }
}
