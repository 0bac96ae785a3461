use super::*;
use crate::{
    HeaderValue,
    codec::fixture::{codec, codec_with, delivery, execution, instance, text, token},
};
use warren_model::ActionId;

fn from_worker(kind: &str, body: &[u8]) -> Delivery {
    let mut delivery = delivery("", kind, &[("worker", text("w-1"))], body);
    delivery.message.correlation_id = Some(token());
    delivery
}

fn outcome(kind: &str, body: &[u8]) -> Outcome {
    let read = codec().decode_control(&from_worker(kind, body)).unwrap();
    let Inbound::Reply { instance: id, ended } = &read else { panic!("{read:?}") };
    assert_eq!(id, &instance("order-1"));
    assert_eq!((ended.execution, ended.task, ended.attempt), (execution(), ActionId(2), 1));
    ended.outcome.clone()
}

#[test]
fn the_plainest_reply_is_a_result() {
    for kind in ["", "result"] {
        assert_eq!(outcome(kind, br#"{"tax": 7}"#).unwrap().as_str(), r#"{"tax": 7}"#);
    }
    assert!(outcome("", b"").unwrap().is_null());
}

#[test]
fn a_failure_object_is_read() {
    let failure =
        outcome("failure", br#"{"code":"not_found","message":"no such order","retryable":false}"#).unwrap_err();
    assert_eq!(failure, Failure::permanent("not_found", "no such order"));
}

#[test]
fn a_result_that_is_no_json_fails_the_task_and_names_the_position() {
    let failure = outcome("", b"{\"a\":1,}").unwrap_err();
    assert_eq!(failure.code, code::INVALID_RESULT);
    assert_eq!(failure.message, "the result is not JSON in UTF-8: key must be a string at line 1 column 8");
    let failure = outcome("result", b"\"\xff\"").unwrap_err();
    assert_eq!(failure.code, code::INVALID_RESULT);
}

#[test]
fn a_failure_that_is_no_failure_object_fails_the_task_with_its_text() {
    let failure = outcome("failure", b"out of paper").unwrap_err();
    assert_eq!(failure.code, code::ERROR);
    assert_eq!(
        failure.message,
        "out of paper (sent as a failure, but no failure object: expected value at line 1 column 1)"
    );
    assert!(outcome("failure", &vec![b'x'; 100_000]).unwrap_err().message.len() < 1200);
    assert!(outcome("failure", b"\xff\xfe").is_err());
}

#[test]
fn a_reply_without_a_token_of_the_hub_is_refused() {
    let mut reply = from_worker("", b"1");
    assert!(codec_with([1; 16]).decode_control(&reply).is_err());
    reply.message.correlation_id = None;
    assert_eq!(
        codec().decode_control(&reply).unwrap_err().reason,
        "property correlation_id is missing: expected that of the work item, unchanged"
    );
    reply.message.correlation_id = Some("17".into());
    assert_eq!(
        codec().decode_control(&reply).unwrap_err().reason,
        r#"correlation_id "17" is no token: expected that of the work item, unchanged"#
    );
}

#[test]
fn an_outcome_never_completes_a_task() {
    let mut reply = from_worker("result", b"1");
    reply.message.headers.insert("status", text("Completed"));
    assert!(codec().decode_control(&reply).is_ok(), "a worker's own header");
    reply.message.headers.insert("warren", HeaderValue::Number(1));
    assert_eq!(
        codec().decode_control(&reply).unwrap_err().reason,
        "the message is the outcome of an orchestration: expected a worker's reply"
    );
}

#[test]
fn a_reply_that_came_to_another_partition_is_refused() {
    let mut reply = from_worker("", b"1");
    reply.routing_key = "h.control.01".into();
    assert!(codec().decode_control(&reply).is_ok());
    reply.routing_key = "h.control.00".into();
    assert!(codec().decode_control(&reply).is_err());
}
