use axum::{body::to_bytes, response::IntoResponse};
use futures_util::FutureExt;

use super::*;

fn params(pairs: &[(&str, &str)]) -> Params {
    Params(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

#[track_caller]
fn told(problem: Problem) -> String {
    let body = to_bytes(problem.into_response().into_body(), usize::MAX).now_or_never().unwrap().unwrap();
    serde_json::from_slice::<serde_json::Value>(&body).unwrap()["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn names_and_truth_values_are_taken_in_any_case() {
    let params = params(&[("SHOWINPUT", "False"), ("showHistory", "")]);
    assert!(!params.flag("showInput", true).unwrap());
    assert!(!params.flag("showHistory", false).unwrap(), "an empty value is none");
    assert!(params.flag("other", true).unwrap());
}

#[test]
fn a_wrong_value_is_named_with_what_was_expected() {
    let params = params(&[("f", "yes"), ("n", "-1"), ("s", "-1"), ("s2", "NaN"), ("t", "yesterday"), ("r", "Runing")]);
    assert_eq!(told(params.flag("f", true).unwrap_err()), "query parameter f is \"yes\": expected true or false");
    assert_eq!(told(params.number::<usize>("n").unwrap_err()), "query parameter n is \"-1\": expected a whole number");
    for name in ["s", "s2"] {
        assert!(told(params.seconds(name, Duration::MAX).unwrap_err()).ends_with("expected a number of seconds"));
    }
    assert!(told(params.time("t").unwrap_err()).contains("expected a time such as 2025-03-01T12:00:00Z"));
    assert_eq!(
        told(params.statuses("r").unwrap_err()),
        "query parameter r is \"Runing\": expected some of Pending, Running, Suspended, Completed, Failed, Terminated"
    );
}

#[test]
fn seconds_are_bounded() {
    let params = params(&[("a", "0.5"), ("b", "1e300")]);
    let max = Duration::from_secs(60);
    assert_eq!(params.seconds("a", max).unwrap(), Some(Duration::from_millis(500)));
    assert_eq!(params.seconds("b", max).unwrap(), Some(max));
}

#[test]
fn times_without_an_offset_are_utc() {
    for text in ["2025-03-01T00:00:00Z", "2025-03-01T00:00:00", "2025-03-01", "2025-03-01T01:00:00+01:00"] {
        let time = params(&[("t", text)]).time("t").unwrap().unwrap();
        assert_eq!(time.to_string(), "2025-03-01T00:00:00Z", "{text}");
    }
}

#[test]
fn statuses_come_as_a_list_or_repeated() {
    let params = params(&[("r", "running, Completed"), ("R", "Failed"), ("c", "Canceled,ContinuedAsNew")]);
    let expected = vec![Status::Running, Status::Completed, Status::Failed];
    assert_eq!(params.statuses("r").unwrap(), Some(expected));
    assert_eq!(params.statuses("c").unwrap(), Some(vec![]), "known elsewhere, but no instance here has them");
    assert_eq!(params.statuses("none").unwrap(), None);
}
