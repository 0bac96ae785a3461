use std::time::Duration;

use warren_broker::{Address, HeaderValue, Published};
use warren_model::{ActionId, ExecutionId, Failure, code};

use super::super::{
    Effect,
    fixture::{A, B, bench, delivery, publication, short, task, work},
};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_work_item_runs_with_its_input_and_context() {
    let mut delivery = task(5);
    delivery.message.headers.insert("traceparent", HeaderValue::Text(TRACE.into()));
    let effects = bench(1).deliver(A, [delivery]);
    let [Effect::Run { activity, context, input, .. }] = &effects[..] else { panic!("{:?}", short(&effects)) };
    assert_eq!((&activity[..], input.as_str()), ("a", "5"));
    assert_eq!(context.instance().as_str(), "order-7");
    assert_eq!((context.execution(), context.task()), (ExecutionId::from_u128(9), ActionId(5)));
    assert_eq!((context.attempt(), context.queue()), (1, "a"));
    assert_eq!(context.idempotency_key(), "00000000000000000000000000000009:0005");
    assert_eq!(context.traceparent(), Some(TRACE));
}

#[test]
fn what_finds_no_slot_waits_in_order_of_arrival() {
    let mut bench = bench(2);
    assert_eq!(short(&bench.deliver(A, [task(1), task(2), task(3), task(4)])), ["run 1", "run 2"]);
    assert_eq!(short(&bench.finish(2)), ["publish 2 to h.control.03", "run 3"]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03", "run 4"]);
    assert_eq!(bench.worker.running(), 2);
}

/// The limit holds over all queues, and a full queue does not keep the other waiting.
#[test]
fn queues_take_turns() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2), task(3)]);
    assert_eq!(short(&bench.deliver(B, [task(11), task(12)])), [""; 0]);
    let mut order = Vec::new();
    for item in [1, 4, 2, 5] {
        order.push(short(&bench.finish(item))[1].clone());
        bench.confirm(item);
    }
    assert_eq!(order, ["run 4", "run 2", "run 5", "run 3"]);
}

/// H1, H8: the owner may publish an attempt twice, and the broker may deliver it twice.
#[test]
fn the_same_attempt_runs_once_at_a_time_and_both_deliveries_are_acknowledged() {
    let mut bench = bench(4);
    assert_eq!(short(&bench.deliver(A, [task(1), delivery(2, work(1))])), ["run 1"]);
    bench.finish(1);
    assert_eq!(short(&bench.deliver(A, [delivery(3, work(1))])), [""; 0], "its reply is on the way");
    assert_eq!(short(&bench.confirm(1)), ["ack a ..3"]);
    assert_eq!(short(&bench.deliver(A, [delivery(4, work(1))])), ["run 2"], "nothing is known of it any more");
}

#[test]
fn a_duplicate_that_waits_takes_no_second_slot() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2), delivery(3, work(2))]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03", "run 2"]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
    assert_eq!(short(&bench.finish(2)), ["publish 2 to h.control.03"]);
    assert_eq!(short(&bench.confirm(2)), ["ack a ..3"]);
}

#[test]
fn what_makes_no_sense_goes_to_the_dead_queue_and_its_sender_is_told() {
    let mut bench = bench(1);
    let mut broken = work(1);
    broken.body = b"{".as_slice().into();
    let effects = bench.deliver(A, [delivery(1, broken.clone())]);
    assert_eq!(short(&effects), ["publish 1 to h.dead"]);
    let dead = publication(&effects).message;
    assert_eq!(dead.body, broken.body);
    let text = |name: &str| match &dead.headers[name] {
        HeaderValue::Text(text) => text.clone(),
        other @ (HeaderValue::Number(_) | HeaderValue::Bool(_)) => panic!("{other:?}"),
    };
    assert!(text("warren-reason").contains("not JSON"), "{}", text("warren-reason"));
    assert_eq!(text("warren-queue"), "h.work.a");

    let told = bench.confirm(1);
    assert_eq!(short(&told), ["publish 1 to h.control.03"]);
    let told = publication(&told).message;
    assert_eq!((told.kind.as_deref(), told.correlation_id), (Some("failure"), broken.correlation_id));
    let failure: Failure = serde_json::from_slice(&told.body).unwrap();
    assert_eq!((failure.code.as_str(), failure.retryable), (code::INVALID_INPUT, false));
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
    assert_eq!(bench.worker.held(), 0);
}

#[test]
fn a_message_without_a_token_goes_to_the_dead_queue_and_takes_no_slot() {
    let mut bench = bench(1);
    let mut foreign = work(1);
    foreign.correlation_id = Some("42".into());
    foreign.reply_to = Some("caller".into());
    assert_eq!(short(&bench.deliver(A, [delivery(1, foreign), task(2)])), ["publish 1 to h.dead", "run 2"]);
    let told = bench.confirm(1);
    assert_eq!(publication(&told).to, Address::Queue("caller".into()));
    assert!(!publication(&told).mandatory, "a caller that is gone must not hold the message for ever");
}

/// A reply there would be taken for a work item.
#[test]
fn a_reply_never_goes_to_a_work_queue() {
    let mut bench = bench(1);
    let mut astray = work(1);
    astray.reply_to = Some("h.work.b".into());
    assert_eq!(short(&bench.deliver(A, [delivery(1, astray)])), ["publish 1 to h.dead"]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"], "nobody is told");
}

#[test]
fn a_dead_letter_that_the_broker_did_not_take_is_tried_again() {
    let mut bench = bench(1);
    let mut broken = work(1);
    broken.reply_to = None;
    bench.deliver(A, [delivery(1, broken)]);
    assert_eq!(short(&bench.published(1, Published::Returned)), ["declare h.dead"]);
    assert_eq!(short(&bench.pass(Duration::from_millis(100))), ["publish 1 to h.dead"]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
}

#[test]
fn a_work_item_whose_input_is_gone_is_answered_with_the_remedy_and_does_not_run() {
    let mut bench = bench(1);
    let mut message = work(1);
    message.headers.insert("claim", HeaderValue::Text("00000000-0000-0000-0000-000000000001:5000".into()));
    message.body = b""[..].into();
    let effects = bench.deliver(A, [delivery(1, message)]);
    assert_eq!(short(&effects), ["publish 1 to h.control.03"]);
    let failure: Failure = serde_json::from_slice(&publication(&effects).message.body).unwrap();
    assert_eq!((failure.code.as_str(), failure.retryable), (code::PAYLOAD_MISSING, true));
    assert!(failure.message.contains("payloads.store"), "{failure}");
    assert_eq!(short(&bench.published(1, Published::Lost("x".into()))), [""; 0]);
    assert_eq!(short(&bench.pass(Duration::from_secs(1))), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1"]);
}
