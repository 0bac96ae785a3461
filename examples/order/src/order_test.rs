use warren::{
    Failure, Registry, days, hours,
    test::{Handle, Hub, block_on},
};

use crate::{
    Country, Eur, Item, Kind, Order,
    contract::{
        APPROVAL, APPROVAL_LIMIT, Approval, CALCULATE_TAX, CHARGE_PAYMENT, ORDER, REFUND_PAYMENT, RELEASE_STOCK,
        RESERVE_STOCK, Receipt, SHIP_PARCEL, Stage, code,
    },
    register,
};

fn hub() -> Hub {
    Hub::new(register(Registry::new()))
}

/// A laptop and two books for Germany: 1449.00 at 19 % and 49.80 at 7 %.
fn order() -> Order {
    let item = |sku: &str, kind, quantity, cents| Item {
        sku: sku.to_owned(),
        name: format!("goods {sku}"),
        kind,
        quantity,
        unit_price_cents: Eur::cents(cents),
    };
    Order {
        id: "order-7".to_owned(),
        customer: "customer-7".to_owned(),
        country: Country::DE,
        items: vec![item("el-101", Kind::Standard, 1, 144_900), item("bo-501", Kind::Book, 2, 2_490)],
        card: "tok_visa".to_owned(),
    }
}

fn paid_with(card: &str) -> Order {
    Order { card: card.to_owned(), ..order() }
}

/// Five laptops in Denmark, where everything bears 25 %, priced to come to this with tax.
fn coming_to(gross: Eur) -> Order {
    let mut order = Order { country: Country::DK, ..order() };
    order.items.truncate(1);
    order.items[0].quantity = 5;
    while order.net() + order.net().share(2_500) < gross {
        order.items[0].unit_price_cents = order.items[0].unit_price_cents + Eur::cents(1);
    }
    order
}

/// Starts an order that needs approval and lets it get that far.
fn awaiting(hub: &Hub) -> Handle<Receipt> {
    let order = hub.start(ORDER, coming_to(Eur::euros(12_000)));
    block_on(hub.settle()).unwrap();
    assert_eq!(order.custom_status(), Some(Stage::AwaitingApproval { gross_cents: Eur::euros(12_000) }));
    order
}

fn answer(approved: bool) -> Approval {
    Approval { approved, by: "the head of sales".to_owned() }
}

/// Asserts that all that was reserved was released, once, and that nothing was sent.
#[track_caller]
fn stock_went_back(hub: &Hub) {
    let reserved: Vec<_> = hub.calls(RESERVE_STOCK).into_iter().map(|request| request.pieces).collect();
    let released: Vec<_> = hub.calls(RELEASE_STOCK).into_iter().map(|reservation| reservation.pieces).collect();
    assert_eq!(released, reserved);
    assert_eq!(released.len(), 1);
}

#[test]
fn an_order_ends_with_its_receipt() {
    let hub = hub();
    let receipt = hub.run_blocking(ORDER, order()).unwrap();
    assert_eq!(receipt.net_cents, Eur::cents(149_880));
    let taxes: Vec<_> = receipt.taxes.iter().map(|tax| (tax.rate.to_string(), tax.net_cents, tax.tax_cents)).collect();
    assert_eq!(taxes[0], ("7%".to_owned(), Eur::cents(4_980), Eur::cents(349))); // 348.6 cents
    assert_eq!(taxes[1], ("19%".to_owned(), Eur::cents(144_900), Eur::cents(27_531)));
    assert_eq!((taxes.len(), receipt.gross_cents), (2, Eur::cents(149_880 + 349 + 27_531)));
    assert_eq!((receipt.order.as_str(), receipt.payment.as_str()), ("order-7", "pay_order-7"));
    assert_eq!((receipt.parcel.country, receipt.parcel.pieces), (Country::DE, 3));
    assert!(hub.calls(RELEASE_STOCK).is_empty() && hub.calls(REFUND_PAYMENT).is_empty());
}

#[test]
fn an_invalid_order_fails_with_its_field_before_anything_is_done() {
    let hub = hub();
    let mut order = order();
    order.items[1].quantity = 0;
    let failure = hub.run_blocking(ORDER, order).unwrap_err();
    assert_eq!(failure.to_string(), "invalid_order: items[1].quantity: 0, 1 to 1000 are allowed");
    assert_eq!(failure.details.unwrap().as_str(), r#"{"field":"items[1].quantity"}"#);
    assert!(hub.calls(RESERVE_STOCK).is_empty());
}

#[test]
fn an_order_that_is_out_of_stock_says_of_what() {
    let hub = hub();
    let mut order = order();
    order.items[0].quantity = 13;
    let failure = hub.run_blocking(ORDER, order).unwrap_err();
    assert_eq!(failure.code, code::OUT_OF_STOCK);
    assert_eq!(failure.details.unwrap().as_str(), r#"{"asked":13,"available":12,"sku":"el-101"}"#);
    assert!(hub.calls(CALCULATE_TAX).is_empty() && hub.calls(RELEASE_STOCK).is_empty());
}

#[test]
fn an_order_at_the_limit_needs_no_approval_and_one_above_does() {
    assert_eq!(hub().run_blocking(ORDER, coming_to(APPROVAL_LIMIT)).unwrap().gross_cents, APPROVAL_LIMIT);
    let failure = hub().run_blocking(ORDER, coming_to(APPROVAL_LIMIT + Eur::cents(1))).unwrap_err();
    assert_eq!(failure.code, code::NOT_APPROVED);
}

#[test]
fn approval_in_time_ships() {
    let hub = hub();
    let order = awaiting(&hub);
    block_on(hub.advance(days(3) - hours(1))).unwrap();
    assert!(hub.calls(CHARGE_PAYMENT).is_empty());
    order.raise(APPROVAL, answer(true));
    assert_eq!(block_on(order.wait()).unwrap().gross_cents, Eur::euros(12_000));
    assert_eq!(hub.calls(SHIP_PARCEL).len(), 1);
    assert_eq!(order.custom_status(), Some(Stage::Shipping));
}

#[test]
fn approval_that_comes_before_anybody_waits_counts() {
    let hub = hub();
    let order = hub.start(ORDER, coming_to(Eur::euros(12_000)));
    order.raise(APPROVAL, answer(true)); // H10
    let began = hub.now();
    assert!(block_on(order.wait()).is_ok());
    assert_eq!(hub.now(), began);
}

#[test]
fn three_days_without_an_answer_cancel_and_release_the_stock() {
    let hub = hub();
    let order = awaiting(&hub);
    let began = hub.now();
    let failure = block_on(order.wait()).unwrap_err();
    assert_eq!(failure, Failure::permanent(code::NOT_APPROVED, "nobody answered within 3 days"));
    assert_eq!(hub.now(), began + days(3));
    assert!(hub.calls(CHARGE_PAYMENT).is_empty());
    assert_eq!(order.custom_status(), Some(Stage::Cancelling));
    stock_went_back(&hub);
}

#[test]
fn an_answer_that_comes_too_late_changes_nothing() {
    let hub = hub();
    let order = awaiting(&hub);
    block_on(hub.advance(days(3))).unwrap();
    order.raise(APPROVAL, answer(true));
    assert_eq!(block_on(order.wait()).unwrap_err().code, code::NOT_APPROVED);
    assert!(hub.calls(CHARGE_PAYMENT).is_empty());
}

#[test]
fn a_no_cancels_and_releases_the_stock() {
    let hub = hub();
    let order = awaiting(&hub);
    order.raise(APPROVAL, answer(false));
    let failure = block_on(order.wait()).unwrap_err();
    assert_eq!(failure, Failure::permanent(code::NOT_APPROVED, "the head of sales said no"));
    assert!(hub.calls(CHARGE_PAYMENT).is_empty());
    stock_went_back(&hub);
}

#[test]
fn a_declined_card_is_tried_once_and_the_stock_released() {
    let hub = hub();
    let failure = hub.run_blocking(ORDER, paid_with("tok_declined")).unwrap_err();
    assert_eq!(failure, Failure::permanent(code::DECLINED, "the bank declines"));
    assert_eq!(hub.calls(CHARGE_PAYMENT).len(), 1);
    stock_went_back(&hub);
}

#[test]
fn a_payment_that_fails_for_a_while_is_tried_again_and_succeeds() {
    let hub = hub();
    let receipt = hub.run_blocking(ORDER, paid_with("tok_unsteady_4")).unwrap();
    assert_eq!(receipt.payment, "pay_order-7");
    assert_eq!(hub.calls(CHARGE_PAYMENT).len(), 5);
    assert!(hub.calls(RELEASE_STOCK).is_empty());
}

#[test]
fn a_gateway_that_stays_away_releases_the_stock() {
    let hub = hub();
    let failure = hub.run_blocking(ORDER, paid_with("tok_unsteady_5")).unwrap_err();
    assert_eq!(failure.code, code::PAYMENT_UNAVAILABLE);
    assert_eq!(hub.calls(CHARGE_PAYMENT).len(), 5);
    stock_went_back(&hub);
}

#[test]
fn a_parcel_that_can_not_go_gives_money_and_stock_back() {
    let hub = hub().mock(SHIP_PARCEL, |_| Err(Failure::permanent("lost", "the van has gone")));
    let failure = hub.run_blocking(ORDER, order()).unwrap_err();
    assert_eq!(failure.code, "lost");
    let refunded: Vec<_> = hub.calls(REFUND_PAYMENT).into_iter().map(|payment| payment.amount_cents).collect();
    assert_eq!(refunded, [Eur::cents(177_760)]);
    stock_went_back(&hub);
}

#[test]
fn stock_that_can_not_be_released_is_told_with_the_reason_beneath() {
    let hub = hub().mock(RELEASE_STOCK, |_| Err(Failure::permanent("warehouse_closed", "come back on monday")));
    let failure = hub.run_blocking(ORDER, paid_with("tok_expired")).unwrap_err();
    let text = "warehouse_closed: come back on monday (caused by declined: the card has expired)";
    assert_eq!(failure.to_string(), text);
}
