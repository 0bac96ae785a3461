use serde_json::json;

use super::*;

#[test]
fn a_receipt_is_a_column_of_amounts() {
    let receipt: Receipt = serde_json::from_value(json!({
        "order": "order-0001", "customer": "customer-016",
        "lines": [{"sku": "bo-1", "name": "Atlas", "kind": "book", "quantity": 2, "unit_price_cents": 4500},
                  {"sku": "el-1", "name": "Lamp", "kind": "standard", "quantity": 1, "unit_price_cents": 1000}],
        "net_cents": 10000, "taxes": [{"rate": "10%", "net_cents": 9000, "tax_cents": 900}], "gross_cents": 10900,
        "payment": "pay-1", "parcel": {"number": "AT-1", "country": "AT", "pieces": 3},
    }))
    .unwrap();
    let mut out = Vec::new();
    write(&mut out, &receipt).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert!(lines[0].starts_with("  ── order-0001 · customer-016 · AT ───"), "{text}");
    assert!(lines[1].starts_with("    2 × Atlas ") && lines[1].ends_with(" 90.00 EUR"), "{text}");
    assert!(lines[4].starts_with("        tax 10% on 90.00 EUR ") && lines[4].ends_with(" 9.00 EUR"), "{text}");
    let widths: std::collections::BTreeSet<_> = lines[..6].iter().map(|line| line.chars().count()).collect();
    assert_eq!(widths, [WIDTH + 2].into(), "{text}");
}
