use std::collections::BTreeMap;

use serde_json::json;

use super::{Outcome, Series, Shown};
use crate::growth::{sample::Sample, table};

/// Returns a series of which each size has samples of these costs, a quarter of them the database's.
fn series(points: &[(u32, &[f64])]) -> Series {
    let cost = &["orchestrator", "database"];
    let mut series = Series::new(Shown {
        name: "history",
        title: "an event",
        x: "events",
        unit: "us",
        cost,
        from: Some(100),
        is_limited: true,
    });
    for (x, costs) in points {
        for cost in *costs {
            let figures = BTreeMap::from([("orchestrator", cost * 0.75), ("database", cost * 0.25), ("wall", 7.0)]);
            series.add(*x, Sample { figures, others: 0.125 });
        }
    }
    series
}

#[test]
fn growth_is_that_of_medians_from_the_small_size_to_the_largest() {
    let grown = series(&[(10, &[900.0]), (100, &[80.0, 200.0, 100.0]), (1_000, &[130.0, 130.0, 10.0])]);
    assert_eq!(grown.growth(), Some(1.3));
    assert!(grown.is_flat(1.3) && !grown.is_flat(1.2));
    assert!(series(&[(10, &[1.0]), (1_000, &[9.0])]).is_flat(1.2), "what was not measured is not compared");
    let mut free = grown;
    free.shown.is_limited = false;
    assert!(free.is_flat(1.2));
}

#[test]
fn the_file_has_every_size_with_its_spread_and_every_process() {
    let mut outcome = Outcome::new([("cores".to_owned(), "2".to_owned())]);
    outcome.series.push(series(&[(100, &[80.0, 200.0, 100.0]), (1_000, &[130.0])]));
    let json = outcome.json();
    assert_eq!(json["settings"]["cores"], "2");
    let point = &json["history"]["points"][0];
    assert_eq!((&point["cost"], &point["cost_min"], &point["cost_max"]), (&json!(100.0), &json!(80.0), &json!(200.0)));
    assert_eq!(point["figures"], json!({"orchestrator": 75.0, "database": 25.0, "wall": 7.0}));
    assert_eq!((&json["history"]["growth"], &json["history"]["growth_from"]), (&json!(1.3), &json!(100)));
}

#[test]
fn a_table_says_what_grows_too_much() {
    let mut outcome = Outcome::new([]);
    outcome.series.push(series(&[(100, &[100.0]), (1_000, &[130.0])]));
    let text = table::show(&outcome, 1.2);
    assert!(text.contains("130.0 (130.0 to 130.0)") && text.contains("12 %"), "{text}");
    assert!(text.contains("1.30 times as much as at 100, and 1.2 is allowed"), "{text}");
    assert!(table::show(&outcome, 1.5).contains("1.30 times as much as at 100: flat"));
}
