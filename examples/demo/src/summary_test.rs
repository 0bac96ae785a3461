use std::time::Duration;

use super::*;
use crate::drive::DrivenOrder;

fn entry(expect: &str) -> Entry {
    Entry {
        id: "order-0001".into(),
        order: warren_model::Payload::null(),
        approve: None,
        expect: expect.into(),
        field: None,
    }
}

fn failed(code: &str) -> End {
    End::Failed { code: code.into(), message: "says so".into(), field: None }
}

fn summary(expected: &[&str], ends: Vec<End>) -> (bool, String) {
    let entries: Vec<_> = expected.iter().map(|expect| entry(expect)).collect();
    let orders = ends
        .into_iter()
        .enumerate()
        .map(|(n, end)| DrivenOrder { instance: format!("run-{n}"), end, took: Duration::from_secs(n as u64) })
        .collect();
    let mut out = Vec::new();
    let is_good = write(&mut out, &entries, &Driven { orders, took: Duration::from_secs(2) }).unwrap();
    (is_good, String::from_utf8(out).unwrap())
}

#[test]
fn ends_are_counted_by_kind_and_code() {
    let codes = ["declined", "not_approved", "declined", "out_of_stock"];
    let (is_good, text) = summary(&codes, codes.map(failed).into());
    assert!(is_good, "{text}");
    assert!(text.starts_with("\n4 orders in 2.0 s, 2 per second; half of them within 2.00 s, nine of ten within 3.00 s, the slowest in 3.00 s\n"), "{text}");
    assert!(text.contains("rejected       1"), "{text}");
    assert!(text.contains("failed         3  declined 2, out_of_stock 1"), "{text}");
    assert!(!text.contains("lost"), "{text}");
}

#[test]
fn what_differs_or_did_not_end_is_listed() {
    let (is_good, text) = summary(&["declined", "completed"], vec![failed("out_of_stock"), End::Lost("gone".into())]);
    assert!(!is_good);
    assert!(text.contains("2 of 2 orders did not end as expected:"), "{text}");
    assert!(text.contains("  run-0: expected declined, but it is out_of_stock (says so)\n"), "{text}");
    assert!(text.contains("  run-1: expected completed, but it is lost (gone)\n"), "{text}");
}

#[test]
fn a_long_list_is_cut() {
    let (_, text) = summary(&["declined"; 25], vec![failed("x"); 25]);
    assert!(text.ends_with("  … and 5 more\n"), "{text}");
}
