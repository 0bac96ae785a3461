//! Writes `orders.json`, the same bytes every time:
//! `cargo run -p example-order --bin generate_orders > examples/order/orders.json`.

mod dice;
mod flaw;

use std::io::{self, Write};

use example_order::{
    Country, Eur, Item, Order,
    catalogue::{CATALOGUE, Product},
    contract::{APPROVAL_LIMIT, code},
    sample::Entry,
    vat,
};
use warren::Payload;

use dice::Dice;
use flaw::{FLAWS, Flaw};

fn main() -> io::Result<()> {
    io::stdout().write_all(generate().as_bytes())
}

/// Returns the text of the file.
fn generate() -> String {
    let mut dice = Dice(2025);
    let mut stories = stories();
    dice.shuffle(&mut stories);
    let lines = stories.into_iter().enumerate().map(|(index, story)| {
        let entry = entry(&mut dice, index, story);
        serde_json::to_string(&entry).expect("an entry is JSON")
    });
    format!("[\n{}\n]\n", lines.collect::<Vec<_>>().join(",\n"))
}

/// What happens to an order.
#[derive(Clone, Copy)]
enum Story {
    Plain,
    Unsteady(u32),
    Declined,
    Unavailable,
    OutOfStock,
    Approved,
    ApprovedButDeclined,
    Rejected,
    Invalid(&'static Flaw),
}

fn stories() -> Vec<Story> {
    let times = |count: usize, story: Story| std::iter::repeat_n(story, count);
    let mut stories = Vec::from_iter(times(360, Story::Plain));
    stories.extend((0..50).map(|index| Story::Unsteady(1 + index % 4)));
    stories.extend(times(35, Story::Declined));
    stories.extend(times(5, Story::Unavailable));
    stories.extend(times(27, Story::OutOfStock));
    stories.extend(times(45, Story::Approved));
    stories.extend(times(5, Story::ApprovedButDeclined));
    stories.extend(times(25, Story::Rejected));
    stories.extend(FLAWS.iter().flat_map(|flaw| times(3, Story::Invalid(flaw))));
    stories
}

fn entry(dice: &mut Dice, index: usize, story: Story) -> Entry {
    let id = format!("order-{:04}", index + 1);
    let mut order = Order {
        id: id.clone(),
        customer: format!("customer-{:03}", dice.roll(180) + 1),
        country: Country::ALL[index % Country::ALL.len()],
        items: Vec::new(),
        card: dice
            .pick(&["tok_visa", "tok_mastercard", "tok_girocard", "tok_bancontact", "tok_multibanco"])
            .to_string(),
    };
    fill(dice, &mut order);
    let done = |order: Order, approve: Option<bool>, expect: &str| {
        let order = Payload::of(&order).expect("an order is JSON");
        Entry { id: id.clone(), order, approve, expect: expect.to_owned(), field: None }
    };
    match story {
        Story::Plain => done(order, None, "completed"),
        Story::Unsteady(attempts) => {
            done(Order { card: format!("tok_unsteady_{attempts}"), ..order }, None, "completed")
        }
        Story::Unavailable => {
            done(Order { card: "tok_unsteady_99".to_owned(), ..order }, None, code::PAYMENT_UNAVAILABLE)
        }
        Story::Declined => done(refused(dice, order), None, code::DECLINED),
        Story::OutOfStock => {
            ask_too_much(dice, &mut order);
            done(order, None, code::OUT_OF_STOCK)
        }
        Story::Approved => done(enlarged(dice, order), Some(true), "completed"),
        Story::Rejected => done(enlarged(dice, order), Some(false), code::NOT_APPROVED),
        Story::ApprovedButDeclined => {
            let order = enlarged(dice, order);
            done(refused(dice, order), Some(true), code::DECLINED)
        }
        Story::Invalid(flaw) => {
            let entry = done(order, None, flaw.code);
            Entry { field: Some(flaw.field.to_owned()), order: flaw.spoiled(&entry.order), ..entry }
        }
    }
}

/// Puts 1 to 12 lines into an order, few more often than many, that nobody needs to approve.
fn fill(dice: &mut Dice, order: &mut Order) {
    let mut goods: Vec<&Product> = CATALOGUE.iter().filter(|product| product.order_max > 0).collect();
    dice.shuffle(&mut goods);
    let lines = 1 + dice.roll(12).min(dice.roll(12));
    order.items = goods.into_iter().take(lines).map(|product| item(product, usual_quantity(dice, product))).collect();
    while gross(order) > APPROVAL_LIMIT {
        order.items.pop();
    }
}

/// People buy a dozen books, but one bicycle.
fn usual_quantity(dice: &mut Dice, product: &Product) -> u32 {
    let most = (1..=12).rev().find(|count| product.unit_price_cents * *count <= Eur::euros(250)).unwrap_or(1);
    1 + dice.below(most.min(product.order_max))
}

fn item(product: &Product, quantity: u32) -> Item {
    Item {
        sku: product.sku.to_owned(),
        name: product.name.to_owned(),
        kind: product.kind,
        quantity,
        unit_price_cents: product.unit_price_cents,
    }
}

fn gross(order: &Order) -> Eur {
    let taxes = vat::taxes(order.country, &order.net_by_kind());
    order.net() + taxes.into_iter().map(|tax| tax.tax_cents).sum()
}

/// Returns the order with enough of something dear for it to need approval.
fn enlarged(dice: &mut Dice, mut order: Order) -> Order {
    let (sku, fewest) = dice.pick(&[("el-101", 7), ("sp-301", 3), ("ho-201", 4)]);
    let product = product(sku);
    order.items.retain(|item| item.sku != sku);
    order.items.truncate(11);
    order.items.push(item(product, fewest + dice.below(product.order_max - fewest + 1)));
    assert!(gross(&order) > APPROVAL_LIMIT, "{} needs no approval", order.id);
    order
}

fn refused(dice: &mut Dice, order: Order) -> Order {
    Order { card: dice.pick(&["tok_declined", "tok_expired"]).to_owned(), ..order }
}

/// Asks for more of one line than one order gets, or for something that is no longer sold.
fn ask_too_much(dice: &mut Dice, order: &mut Order) {
    let line = dice.roll(order.items.len());
    order.items[line] = match dice.roll(3) {
        0 => item(product(dice.pick(&["el-109", "bo-507"])), 1),
        _ => {
            let product = product(&order.items[line].sku);
            item(product, product.order_max + 1 + dice.below(20))
        }
    };
}

fn product(sku: &str) -> &'static Product {
    CATALOGUE.iter().find(|product| product.sku == sku).expect("the catalogue has the goods that stories are about")
}

#[cfg(test)]
mod test {
    use example_order::sample::{self, Entry};

    #[test]
    fn the_committed_file_is_what_the_generator_writes() {
        let written: Vec<Entry> = serde_json::from_str(&super::generate()).unwrap();
        let values = |entries: &[Entry]| serde_json::to_value(entries).unwrap();
        assert!(values(&written) == values(&sample::entries()), "orders.json is stale: run its generator again");
    }
}
