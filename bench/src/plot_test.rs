use serde_json::json;

use super::{Bar, bars, draw};
use crate::shape::Shape;

fn figures() -> serde_json::Value {
    let runs = |median: f64| json!({"rate": {"min": median / 2.0, "median": median, "max": median * 2.0}});
    json!({
        "w1": {"runs": {"limit": runs(400.0), "ours": runs(200.0)}},
        "rows": {"sqlite": {"w1": {"runs": {"ours": runs(100.0), "limit": runs(400.0)}}}},
    })
}

#[test]
fn ours_come_first_and_every_fleet_has_a_bar() {
    let labels: Vec<_> = bars(&figures(), Shape::W1).into_iter().map(|bar| bar.label).collect();
    assert_eq!(labels, ["warren, postgres", "warren, sqlite", "limit"]);
    assert_eq!(bars(&figures(), Shape::W2), Vec::<Bar>::new());
}

#[test]
fn bars_are_as_long_as_their_medians() {
    let picture = draw(&figures()).unwrap();
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
    // The longest whisker, 800, takes all of the room: 430.
    for width in ["107.5", "53.8", "215.0"] {
        assert!(picture.contains(&format!("width=\"{width}\"")), "{width} in {picture}");
    }
    assert!(!picture.contains("W2"), "what was not measured is not drawn");
}

#[test]
fn nothing_can_not_be_drawn() {
    assert!(draw(&json!({})).unwrap_err().to_string().contains("run make bench"));
}
