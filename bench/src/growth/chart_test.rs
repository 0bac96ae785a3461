use serde_json::json;

use super::{draw, lines, short};

fn figures() -> serde_json::Value {
    let point = |x: u32, cost: f64| json!({"x": x, "cost": cost, "figures": {"orchestrator": cost / 2.0, "broker": 1.0, "wall": 900.0}});
    json!({
        "fan-out": {
            "title": "an activity", "x": "activities", "unit": "us", "cost_of": ["orchestrator", "database"],
            "points": [point(10, 40.0), point(100, 80.0), point(1_000, 20.0)],
        },
        "memory": {
            "title": "memory", "x": "instances", "unit": "bytes", "cost_of": ["cached"],
            "points": [{"x": 10_000, "cost": 9_000.0, "figures": {"cached": 9_000.0, "waiting": 30.0}}],
        },
    })
}

#[test]
fn sizes_are_spread_by_their_logarithm_and_costs_from_zero() {
    let picture = draw(&figures()).unwrap();
    // From 58 to 366 along, from 190 (nothing) up to 50 (80).
    assert!(picture.contains("points=\"58.0,120.0 212.0,50.0 366.0,155.0\""), "{picture}");
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
    assert!(!picture.contains("history"), "what was not measured is not drawn");
}

#[test]
fn beside_the_cost_stand_its_parts_or_what_is_not_compared() {
    let names = |name: &str| lines(&figures()[name]).into_iter().map(|line| line.name).collect::<Vec<_>>();
    assert_eq!(names("fan-out"), ["orchestrator + database", "orchestrator", "database"]);
    assert_eq!(names("memory"), ["cached", "waiting"]);
}

#[test]
fn names_do_not_cover_each_other() {
    let mut figures = figures();
    figures["fan-out"]["points"][2]["figures"]["database"] = json!(10.0);
    let picture = draw(&figures).unwrap();
    let place = |name: &str| {
        let (before, _) = picture.split_once(&format!(">{name}</text>")).unwrap();
        before.rsplit_once(" y=\"").unwrap().1.split_once('"').unwrap().0.parse::<f64>().unwrap()
    };
    assert_eq!((place("orchestrator") - place("database")).abs(), 10.0, "both are 10 us");
}

#[test]
fn large_numbers_are_short() {
    assert_eq!([10.0, 1e3, 5e4, 1e6].map(short), ["10", "1k", "50k", "1M"]);
}

#[test]
fn nothing_can_not_be_drawn() {
    assert!(draw(&json!({"settings": {}})).unwrap_err().to_string().contains("run make bench-growth"));
}
