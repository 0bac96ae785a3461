//! Runs a few orders in this process: `cargo run -p example-order`.
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use example_order::{
    Country, Eur, Item, Kind, Order,
    contract::{APPROVAL, Approval, ORDER, Receipt, Stage},
    register,
};
use warren::{
    Failure, Registry, days,
    test::{Hub, block_on},
};

fn main() -> Result<(), Failure> {
    let hub = Hub::new(register(Registry::new()));

    println!("— books and chocolate for Vienna, while the payment gateway is unsteady:\n");
    show(hub.run_blocking(ORDER, order("order-1", Country::AT, "tok_unsteady_2", 0)));

    println!("\n— six laptops for Lisbon, which a person approves:\n");
    let laptops = hub.start(ORDER, order("order-2", Country::PT, "tok_visa", 6));
    block_on(hub.advance(days(1)))?;
    let stage: Option<Stage> = laptops.custom_status();
    println!("after a day its custom status is {}\n", serde_json::to_string(&stage)?);
    laptops.raise(APPROVAL, Approval { approved: true, by: "the head of sales".to_owned() });
    show(block_on(laptops.wait()));

    println!("\n— the same again, but nobody answers:\n");
    show(hub.run_blocking(ORDER, order("order-3", Country::PT, "tok_visa", 6)));

    println!("\n— a card that its bank declines:\n");
    show(hub.run_blocking(ORDER, order("order-4", Country::IE, "tok_declined", 1)));

    println!("\n— more laptops than there are:\n");
    show(hub.run_blocking(ORDER, order("order-5", Country::FI, "tok_visa", 40)));
    Ok(())
}

fn order(id: &str, country: Country, card: &str, laptops: u32) -> Order {
    let item = |sku: &str, name: &str, kind, quantity, cents| Item {
        sku: sku.to_owned(),
        name: name.to_owned(),
        kind,
        quantity,
        unit_price_cents: Eur::cents(cents),
    };
    let mut items = vec![
        item("bo-501", "Alice's Adventures in Wonderland", Kind::Book, 2, 2_490),
        item("fo-406", "Dark chocolate, 70 %, 100 g", Kind::Food, 5, 295),
    ];
    if laptops > 0 {
        items.push(item("el-101", "Laptop, 14 inch, 32 GB", Kind::Standard, laptops, 144_900));
    }
    Order { id: id.to_owned(), customer: "the White Rabbit".to_owned(), country, items, card: card.to_owned() }
}

fn show(outcome: Result<Receipt, Failure>) {
    let receipt = match outcome {
        Ok(receipt) => receipt,
        Err(failure) => return println!("no receipt: {failure}"),
    };
    for line in &receipt.lines {
        println!("{:>3} × {:<34}{:>14}", line.quantity, line.name, line.net());
    }
    for tax in &receipt.taxes {
        println!("      VAT {:>5} on {:<21}{:>14}", tax.rate, tax.net_cents.to_string(), tax.tax_cents);
    }
    println!("      paid by {:<26}{:>14}", receipt.payment, receipt.gross_cents);
    println!("      parcel {} to {}", receipt.parcel.number, receipt.parcel.country);
}
