use super::*;
use crate::{
    HeaderValue,
    codec::{
        decode_work_item,
        fixture::{codec, delivered, execution, instance, text, token},
    },
};
use warren_model::{EventRaised, Failure, Payload};

fn task(name: &str, queue: Option<&str>) -> Outgoing {
    let input = Payload::from_bytes(br#"{"a":  1}"#).unwrap();
    let task = TaskScheduled { queue: queue.map(Into::into), ..TaskScheduled::new(ActionId(2), name, input) };
    Outgoing::WorkItem { instance: instance("order-1"), execution: execution(), task, traceparent: Some("00-1".into()) }
}

#[test]
fn a_work_item_is_the_input_with_all_else_in_properties() {
    let publication = codec().outgoing(&task("charge", None), Partition(1), None).unwrap();
    assert_eq!(publication.to, Address::Queue("h.work.charge".into()));
    assert!(publication.mandatory);
    let expected = Message {
        kind: Some("charge".into()),
        correlation_id: Some(token()),
        reply_to: Some("h.control.01".into()),
        message_id: Some(token()),
        content_type: Some("application/json".into()),
        headers: [
            ("warren".to_owned(), HeaderValue::Number(1)),
            ("attempt".to_owned(), HeaderValue::Number(1)),
            ("idempotency-key".to_owned(), text("00000000000000000000000000000abc:0002")),
            ("traceparent".to_owned(), text("00-1")),
        ]
        .into(),
        body: br#"{"a":  1}"#[..].into(),
    };
    assert_eq!(publication.message, expected);
}

#[test]
fn h8_a_further_attempt_has_the_idempotency_key_of_the_first() {
    let Outgoing::WorkItem { mut task, instance, execution, traceparent } = task("charge", None) else {
        unreachable!()
    };
    (task.id, task.attempt, task.retry_of) = (ActionId(9), 2, Some(ActionId(2)));
    let outgoing = Outgoing::WorkItem { instance, execution, task, traceparent };
    let message = codec().outgoing(&outgoing, Partition(1), None).unwrap().message;
    assert_eq!(message.headers["idempotency-key"], text("00000000000000000000000000000abc:0002"));
    assert_eq!(message.headers["attempt"], HeaderValue::Number(2));
    assert_ne!(message.correlation_id, Some(token()), "yet its token is its own");
}

#[test]
fn only_work_items_of_packed_queues_share_messages_and_are_timed() {
    let packed = |queues: &[&str]| {
        let topology = codec().topology().clone();
        let queues = queues.iter().map(|queue| (*queue).to_owned()).collect();
        Codec::new(topology.with_packed_queues(queues), codec().partitions(), [7; 16])
    };
    let cases = [(&[][..], false, false), (&["fleet"], false, true), (&["charge"], true, false), (&["*"], true, true)];
    for (queues, charge, fleet) in cases {
        let codec = packed(queues);
        for (queue, expected) in [(None, charge), (Some("fleet"), fleet)] {
            let publication = codec.outgoing(&task("charge", queue), Partition(1), None).unwrap();
            assert_eq!(publication.packs, expected, "{queues:?}, {queue:?}");
            let flag = publication.message.headers.get("timed").cloned();
            assert_eq!(flag, expected.then_some(HeaderValue::Bool(true)));
            assert_eq!(decode_work_item(&delivered(publication)).unwrap().is_timed, expected);
        }
    }
}

#[test]
fn a_contract_may_name_another_queue() {
    let publication = codec().outgoing(&task("charge", Some("fleet")), Partition(1), None).unwrap();
    assert_eq!(publication.to, Address::Queue("h.work.fleet".into()));
    assert_eq!(publication.message.kind.as_deref(), Some("charge"));
}

#[test]
fn h4_the_same_turn_published_again_is_the_same_message() {
    let again = || codec().outgoing(&task("charge", None), Partition(1), None).unwrap();
    assert_eq!(again(), again());
}

#[test]
fn what_amqp_can_t_carry_is_refused() {
    let refused = |outgoing| codec().outgoing(&outgoing, Partition(1), None).unwrap_err().reason;
    assert_eq!(refused(task("", Some("q"))), "the activity's name is empty");
    assert_eq!(refused(task("", None)), "activity \"\" has no queue that AMQP can carry: work-item queue is empty");
    assert!(refused(task(&"x".repeat(300), None)).ends_with("has 300 bytes, at most 248 are allowed"));
    assert!(refused(task(&"x".repeat(300), Some("q"))).ends_with("has 300 bytes: at most 255 are allowed"));
}

#[test]
fn word_to_a_partition_needs_a_sequence_and_has_a_stable_id() {
    let event = EventRaised { name: "e".into(), input: Payload::null() };
    let word = Outgoing::ToPartition(PartitionMessage::Raise { instance: instance("order-1"), event });
    let publication = codec().outgoing(&word, Partition(3), Some((Partition(3), 9))).unwrap();
    assert_eq!(publication.to, Address::Queue("h.control.01".into()));
    assert_eq!(publication.message.message_id.as_deref(), Some("03:01:9"));
    assert!(codec().outgoing(&word, Partition(3), None).is_err());
}

#[test]
fn an_outcome_is_the_result_alone_and_nobody_has_to_be_there() {
    let outcome = |outcome, status| Outgoing::Outcome {
        to: AnswerTo { reply_to: "mine".into(), correlation_id: Some("c".into()), stored: false, packs: false },
        instance: instance("order-1"),
        execution: execution(),
        status,
        outcome,
    };
    let good = outcome(Ok(Payload::from_bytes(b"[1, 2]").unwrap()), warren_model::Status::Completed);
    let publication = codec().outgoing(&good, Partition(1), None).unwrap();
    assert_eq!((publication.to, publication.mandatory), (Address::Queue("mine".into()), false));
    let message = publication.message;
    assert_eq!((message.kind.as_deref(), &*message.body), (Some("result"), &b"[1, 2]"[..]));
    assert_eq!(message.correlation_id.as_deref(), Some("c"));
    assert_eq!((&message.headers["instance-id"], &message.headers["status"]), (&text("order-1"), &text("Completed")));

    let bad = outcome(Err(Failure::new("x", "y")), warren_model::Status::Failed);
    let message = codec().outgoing(&bad, Partition(1), None).unwrap().message;
    assert_eq!((message.kind.as_deref(), &*message.body), (Some("failure"), &br#"{"code":"x","message":"y"}"#[..]));
}
