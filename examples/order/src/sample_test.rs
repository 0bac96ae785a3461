use std::collections::{BTreeMap, BTreeSet};

use warren::{
    Failure, Orchestrator, Registry,
    test::{Handle, Hub, block_on},
};

use super::*;
use crate::{
    Country, Eur, Item, Kind, Order,
    contract::{APPROVAL, Approval, ORDER, Receipt, Stage},
    register,
};

/// The orchestrator as somebody sees it who sends what they like.
const UNTYPED: Orchestrator<Payload, Receipt> = Orchestrator::new(ORDER.name());

fn valid() -> Vec<(Entry, Order)> {
    let readable = |entry: Entry| entry.field.is_none().then(|| (entry.order.parse().unwrap(), entry));
    entries().into_iter().filter_map(readable).map(|(order, entry)| (entry, order)).collect()
}

/// Runs an entry, answers if it is asked, and returns its outcome.
fn run(hub: &Hub, entry: &Entry) -> (Handle<Receipt>, Result<Receipt, Failure>) {
    let order = hub.start_as(&entry.id, UNTYPED, entry.order.clone());
    block_on(hub.settle()).unwrap();
    let is_asked = matches!(order.custom_status(), Some(Stage::AwaitingApproval { .. }));
    assert_eq!(is_asked, entry.approve.is_some(), "{}", entry.id);
    if let Some(approved) = entry.approve {
        order.raise(APPROVAL, Approval { approved, by: "a test".to_owned() });
    }
    let outcome = block_on(order.wait());
    (order, outcome)
}

#[test]
fn there_are_600_orders_of_all_kinds() {
    let all = entries();
    assert_eq!(all.len(), 600);
    assert_eq!(all.iter().map(|entry| &entry.id).collect::<BTreeSet<_>>().len(), 600, "each has an id of its own");
    let mut ends = BTreeMap::<&str, usize>::new();
    all.iter().for_each(|entry| *ends.entry(&entry.expect).or_default() += 1);
    for (code, fewest) in [
        ("completed", 400),
        ("declined", 30),
        ("out_of_stock", 20),
        ("not_approved", 20),
        ("payment_unavailable", 5),
        ("invalid_input", 20),
        ("invalid_order", 20),
    ] {
        assert!(ends.remove(code) >= Some(fewest), "too few are {code}");
    }
    assert!(ends.is_empty(), "{ends:?} is no way to end");
    assert!(all.iter().filter(|entry| entry.approve == Some(true)).count() >= 40);
}

#[test]
fn the_orders_go_everywhere_and_hold_everything() {
    let orders = valid();
    for country in Country::ALL {
        assert!(orders.iter().filter(|(_, order)| order.country == country).count() >= 10, "too few go to {country}");
    }
    let items: Vec<&Item> = orders.iter().flat_map(|(_, order)| &order.items).collect();
    for kind in Kind::ALL {
        assert!(items.iter().filter(|item| item.kind == kind).count() >= 100, "too little {kind:?}");
    }
    assert!(items.iter().map(|item| &item.sku).collect::<BTreeSet<_>>().len() >= 40);
    let sizes: BTreeSet<usize> = orders.iter().map(|(_, order)| order.items.len()).collect();
    assert_eq!(sizes, BTreeSet::from_iter(1..=12));
    assert!(orders.iter().filter(|(_, order)| order.card.starts_with("tok_unsteady_")).count() >= 50);
}

#[test]
fn every_order_ends_as_the_file_says() {
    let hub = Hub::new(register(Registry::new()));
    for entry in entries() {
        let (_, outcome) = run(&hub, &entry);
        let end = outcome.as_ref().map_or_else(|failure| failure.code.as_str(), |_| "completed");
        assert_eq!(end, entry.expect, "{}", entry.id);
        match (outcome, &entry.field) {
            (Ok(receipt), None) => check_receipt(&entry, &receipt),
            (Err(failure), Some(field)) => names(&failure, field),
            (Err(_), None) => {}
            (Ok(_), Some(field)) => panic!("{} is sold although {field} is wrong", entry.id),
        }
    }
}

fn check_receipt(entry: &Entry, receipt: &Receipt) {
    let order: Order = entry.order.parse().unwrap();
    assert_eq!((&receipt.order, &receipt.lines), (&order.id, &order.items));
    let taxed: Eur = receipt.taxes.iter().map(|tax| tax.net_cents).sum();
    let taxes: Eur = receipt.taxes.iter().map(|tax| tax.tax_cents).sum();
    assert_eq!((receipt.net_cents, taxed), (order.net(), order.net()), "{}", entry.id);
    assert_eq!(receipt.net_cents + taxes, receipt.gross_cents, "{}", entry.id);
    assert!(receipt.taxes.is_sorted_by(|a, b| a.rate < b.rate), "{}", entry.id);
}

/// A field that is missing can't be pointed at: its failure points at what should hold it, and then names it.
fn names(failure: &Failure, field: &str) {
    assert!(field.split('.').all(|part| failure.message.contains(part)), "{failure} does not name {field}");
}

#[test]
fn replayed_after_every_turn_or_never_each_history_is_the_same() {
    let replayed = Hub::new(register(Registry::new()));
    let kept = Hub::new(register(Registry::new())).keep_alive();
    for entry in entries() {
        let histories = [&replayed, &kept].map(|hub| {
            let (order, outcome) = run(hub, &entry);
            (outcome, order.history())
        });
        assert_eq!(histories[0], histories[1], "{}", entry.id);
    }
}
