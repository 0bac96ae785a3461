use warren_broker::{Address, HeaderValue, codec::time_told};
use warren_model::{Failure, Outcome, Payload, code};

use super::super::fixture::{A, B, PAYLOAD_BYTES, TOOK, bench, delivery, publication, short, task, work};
use warren_broker::{Message, Publication};

/// Returns the reply to task 1 that ended so.
fn reply_to(outcome: Outcome) -> Publication {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    publication(&bench.finish_with(1, outcome))
}

fn failure(message: &Message) -> Failure {
    assert_eq!(message.kind.as_deref(), Some("failure"));
    serde_json::from_slice(&message.body).unwrap()
}

#[test]
fn a_reply_carries_the_result_the_token_and_the_worker() {
    let reply = reply_to(Ok(Payload::of("done").unwrap()));
    assert_eq!((reply.to, reply.mandatory), (Address::Queue("h.control.03".into()), true));
    assert_eq!(&*reply.message.body, br#""done""#);
    assert_eq!(reply.message.correlation_id, work(1).correlation_id);
    assert_eq!(reply.message.headers["worker"], HeaderValue::Text("worker-1".into()));
}

#[test]
fn an_owner_that_asks_is_told_how_long_an_activity_took_and_of_which_queue() {
    let mut bench = bench(3);
    let mut timed = work(2);
    timed.headers.insert("timed", HeaderValue::Bool(true));
    bench.deliver(A, [task(1), delivery(2, timed.clone())]);
    timed.correlation_id = work(3).correlation_id;
    bench.deliver(B, [delivery(1, timed)]);
    assert_eq!(time_told(&publication(&bench.finish(1)).message), None);
    assert_eq!(time_told(&publication(&bench.finish(2)).message), Some(("a", TOOK)));
    assert_eq!(time_told(&publication(&bench.finish(3)).message), Some(("b", TOOK)));
}

#[test]
fn a_failure_is_a_reply_of_type_failure() {
    let sent = Failure::new("declined", "no funds");
    assert_eq!(failure(&reply_to(Err(sent.clone())).message), sent);
}

#[test]
fn a_result_of_the_largest_size_is_sent() {
    let text = "x".repeat(PAYLOAD_BYTES - 2);
    assert_eq!(reply_to(Ok(Payload::of(&text).unwrap())).message.body.len(), PAYLOAD_BYTES);
}

#[test]
fn a_result_over_the_limit_is_a_permanent_failure() {
    let text = "x".repeat(PAYLOAD_BYTES - 1);
    let failure = failure(&reply_to(Ok(Payload::of(&text).unwrap())).message);
    assert_eq!((failure.code.as_str(), failure.retryable), (code::PAYLOAD_TOO_LARGE, false));
    assert!(failure.message.contains("501 bytes, at most 500"), "{failure}");
}

/// Too many words about a failure must not make a retryable one permanent.
#[test]
fn a_failure_over_the_limit_is_shortened() {
    let long = Failure::new("declined", "x".repeat(5000)).with_details(&"y".repeat(5000));
    let failure = failure(&reply_to(Err(long)).message);
    assert_eq!((failure.code.as_str(), failure.retryable, failure.details), ("declined", true, None));
    assert!(failure.message.starts_with("xxx") && failure.message.len() < 1100);
}

#[test]
fn an_answer_to_a_caller_outside_the_hub_is_not_insisted_on() {
    let mut bench = bench(1);
    let mut message = work(1);
    message.reply_to = Some("caller".into());
    bench.deliver(A, [delivery(1, message)]);
    assert!(!publication(&bench.finish(1)).mandatory);
}

#[test]
fn the_end_of_an_unknown_item_is_ignored() {
    let mut bench = bench(1);
    assert_eq!(short(&bench.finish(1)), [""; 0]);
    bench.deliver(A, [task(1)]);
    bench.finish(1);
    assert_eq!(short(&bench.finish(1)), [""; 0], "it has ended already");
    assert_eq!(bench.worker.running(), 0);
}
