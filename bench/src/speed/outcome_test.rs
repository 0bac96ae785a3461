use serde_json::json;

use crate::speed::fixture::outcome;

#[test]
fn the_main_fleet_stands_at_the_top_and_its_ratio_is_that_of_runs_beside_each_other() {
    let json = outcome().json();
    let w1 = &json["w1"];
    assert_eq!((&w1["ours"], &w1["limit"], &w1["ratio"]), (&json!(5.0), &json!(10.0), &json!(0.25)));
    assert_eq!(w1["ratio_runs"], json!({"min": 0.25, "median": 0.25, "max": 1.0}));
    assert_eq!((&w1["packed"], &w1["packed_ratio"]), (&json!(null), &json!(null)), "not measured is not nothing");
    assert_eq!(w1["cpu_us"], json!({"broker": 100.0, "client": 2.0}), "medians per instance");
    assert_eq!(w1["per_activity"]["messages"], 4.0);
    assert_eq!(w1["runs"]["ours"]["rate"], json!({"min": 2.5, "median": 5.0, "max": 10.0}));
    assert_eq!((&w1["runs"]["ours"]["runs"], &w1["runs"]["ours"]["runs_on_an_idle_machine"]), (&json!(3), &json!(1)));
    assert_eq!(json["settings"]["cores"], "2");
}

#[test]
fn what_is_measured_in_milliseconds_is_compared_in_milliseconds() {
    let l1 = &outcome().json()["l1"];
    assert_eq!((&l1["p50_ms"], &l1["p99_ms"], &l1["limit_p50_ms"]), (&json!(20.0), &json!(40.0), &json!(10.0)));
    assert_eq!(l1["ratio"], 4.0);
    assert_eq!(l1["ours"], json!(null));
}

#[test]
fn other_fleets_stand_below_with_activities_of_a_fan_out() {
    let json = outcome().json();
    assert_eq!(json["w3"], json!(null));
    assert_eq!(json["rows"]["sqlite"]["w3"]["ours"], 5_000.0, "ten instances of a thousand in two seconds");
}
