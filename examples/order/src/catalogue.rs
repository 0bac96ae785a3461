//! What the shop sells, and how many pieces of each it gives to one order.
//!
//! Real stock is shared and moves. Here a limit per order stands in for it, so that workers share nothing and an order
//! ends the same way every time.

use crate::{Eur, Kind};

/// One kind of goods.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// The warehouse's name for it.
    pub sku: &'static str,
    /// The customer's name for it.
    pub name: &'static str,
    /// What it is to the tax office.
    pub kind: Kind,
    /// The price of one, without tax.
    pub unit_price_cents: Eur,
    /// Most pieces that one order gets; 0: no longer sold.
    pub order_max: u32,
}

/// Returns how many pieces of these goods one order can have.
pub fn available(sku: &str) -> u32 {
    CATALOGUE.iter().find(|product| product.sku == sku).map_or(0, |product| product.order_max)
}

/// Everything the shop sells or sold.
#[rustfmt::skip] // a table
#[expect(clippy::inconsistent_digit_grouping, reason = "1_449_00 reads as 1,449.00")]
pub const CATALOGUE: [Product; 48] = [
    standard("el-101", "Laptop, 14 inch, 32 GB",                 1_449_00, 12),
    standard("el-102", "Monitor, 27 inch, 4K",                     329_00, 20),
    standard("el-103", "Mechanical keyboard, ISO layout",          119_50, 40),
    standard("el-104", "Wireless mouse",                            39_95, 80),
    standard("el-105", "Noise-cancelling headphones",              279_00, 25),
    standard("el-106", "USB-C charger, 65 W",                       34_90, 100),
    standard("el-107", "Portable SSD, 2 TB",                       139_99, 30),
    standard("el-108", "E-reader, 7 inch",                         159_00, 20),
    standard("el-109", "Film camera, 35 mm, refurbished",          219_00, 0),
    standard("ho-201", "Espresso machine, two groups",           2_890_00, 4),
    standard("ho-202", "Cast-iron casserole, 26 cm",               189_00, 15),
    standard("ho-203", "Chef's knife, 21 cm",                       84_50, 30),
    standard("ho-204", "Linen bed set",                            142_00, 20),
    standard("ho-205", "Wool blanket",                              98_75, 25),
    standard("ho-206", "Oak dining table",                         899_00, 5),
    standard("ho-207", "Reading lamp",                              64_30, 40),
    standard("sp-301", "Cargo bicycle, electric",                4_350_00, 6),
    standard("sp-302", "Touring tent for two",                     389_00, 10),
    standard("sp-303", "Hiking boots",                             174_90, 30),
    standard("sp-304", "Rain jacket",                              129_00, 40),
    standard("sp-305", "Yoga mat",                                  29_99, 60),
    standard("sp-306", "Bicycle helmet",                            69_00, 50),
    food(    "fo-401", "Olive oil, extra virgin, 1 l",              13_45, 120),
    food(    "fo-402", "Filter coffee, 1 kg",                       17_80, 150),
    food(    "fo-403", "Forest honey, 500 g",                        8_25, 150),
    food(    "fo-404", "Durum wheat pasta, 500 g",                   1_89, 600),
    food(    "fo-405", "Mountain cheese, 1 kg",                     22_40, 60),
    food(    "fo-406", "Dark chocolate, 70 %, 100 g",                2_95, 500),
    food(    "fo-407", "Oat flakes, 1 kg",                           2_19, 400),
    food(    "fo-408", "Smoked paprika, 75 g",                       3_35, 200),
    food(    "fo-409", "Sea salt, 250 g",                            2_60, 300),
    food(    "fo-410", "Peeled tomatoes, 400 g",                     1_35, 800),
    book(    "bo-501", "Alice's Adventures in Wonderland, illustrated", 24_90, 100),
    book(    "bo-502", "Around the World in Eighty Days",           14_95, 100),
    book(    "bo-503", "Pride and Prejudice, cloth bound",          19_50, 100),
    book(    "bo-504", "Don Quixote, two volumes",                  48_00, 40),
    book(    "bo-505", "Atlas of Europe",                           79_00, 30),
    book(    "bo-506", "Cooking with the seasons",                  32_70, 60),
    book(    "bo-507", "First edition, numbered",                  640_00, 0),
    medicine("me-601", "Ibuprofen 400 mg, 50 tablets",               7_65, 20),
    medicine("me-602", "Allergy tablets, 20 pieces",                 9_10, 20),
    medicine("me-603", "Nasal spray, 10 ml",                         4_85, 30),
    medicine("me-604", "Wound ointment, 50 g",                       6_40, 30),
    medicine("me-605", "Vitamin D 1000 IU, 90 tablets",             11_20, 40),
    hotel(   "st-701", "Hotel night, single room",                  84_00, 30),
    hotel(   "st-702", "Hotel night, double room",                 118_00, 30),
    hotel(   "st-703", "Hotel night, family room",                 164_50, 21),
    hotel(   "st-704", "Hotel night, suite",                       390_00, 14),
];

const fn standard(sku: &'static str, name: &'static str, cents: u64, order_max: u32) -> Product {
    Product { sku, name, kind: Kind::Standard, unit_price_cents: Eur::cents(cents), order_max }
}
const fn food(sku: &'static str, name: &'static str, cents: u64, order_max: u32) -> Product {
    Product { kind: Kind::Food, ..standard(sku, name, cents, order_max) }
}
const fn book(sku: &'static str, name: &'static str, cents: u64, order_max: u32) -> Product {
    Product { kind: Kind::Book, ..standard(sku, name, cents, order_max) }
}
const fn medicine(sku: &'static str, name: &'static str, cents: u64, order_max: u32) -> Product {
    Product { kind: Kind::Medicine, ..standard(sku, name, cents, order_max) }
}
const fn hotel(sku: &'static str, name: &'static str, cents: u64, order_max: u32) -> Product {
    Product { kind: Kind::Hotel, ..standard(sku, name, cents, order_max) }
}
