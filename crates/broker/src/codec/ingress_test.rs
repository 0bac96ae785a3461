use super::*;
use crate::codec::fixture::{codec, delivered, delivery, instance, refused, text};
use warren_model::{AnswerTo, AnswerWhen, IfExists};

#[test]
fn a_start_needs_a_routing_key_and_a_body_only() {
    let mut message = delivery("start.process.order", "their-own-type", &[], br#"{"n":1}"#);
    message.message.message_id = None;
    let first = codec().decode_ingress(&message).unwrap();
    assert!(first.has_random_id);
    assert_eq!(first.envelope.instance, instance_id_for(&first.envelope.id));
    let Command::Start(start) = &first.envelope.command else { panic!("{first:?}") };
    assert_eq!((start.name.as_str(), start.input.as_str()), ("process.order", r#"{"n":1}"#));
    assert_eq!((first.envelope.answer_to, first.envelope.when), (None, AnswerWhen::Outcome));
    assert_ne!(codec().decode_ingress(&message).unwrap().envelope.id, first.envelope.id);
}

#[test]
fn h1_a_redelivered_start_names_the_same_instance() {
    let message = delivery("start.p", "", &[], b"1");
    let first = codec().decode_ingress(&message).unwrap();
    assert!(!first.has_random_id);
    assert_eq!(first.envelope.id.as_str(), "m-1");
    assert_eq!(codec().decode_ingress(&message).unwrap(), first);
}

#[test]
fn a_start_may_say_more() {
    let headers = [
        ("instance-id", text("order-1")),
        ("version", text("3")),
        ("tag-customer", text("c")),
        ("traceparent", text("00-1-2-01")),
        ("answer", text("accepted")),
        ("if-exists", text("replace-ended")),
    ];
    let mut message = delivery("start.p", "", &headers, b"1");
    message.message.reply_to = Some("mine".into());
    message.message.correlation_id = Some("c-1".into());
    let envelope = codec().decode_ingress(&message).unwrap().envelope;
    assert_eq!(envelope.instance, instance("order-1"));
    let correlation_id = Some("c-1".to_owned());
    assert_eq!(
        envelope.answer_to,
        Some(AnswerTo { reply_to: "mine".into(), correlation_id, stored: false, packs: false })
    );
    assert_eq!(envelope.when, AnswerWhen::Accepted);
    let Command::Start(start) = &envelope.command else { panic!("{envelope:?}") };
    assert_eq!((start.version.as_deref(), start.traceparent.as_deref()), (Some("3"), Some("00-1-2-01")));
    assert_eq!((start.tags["customer"].as_str(), start.if_exists), ("c", IfExists::ReplaceEnded));
    // What the forwarder sends on says the same.
    let forwarded = codec().decode_control(&delivered(codec().command(&envelope))).unwrap();
    assert_eq!(forwarded, crate::codec::Inbound::Command(envelope));
}

#[test]
fn an_event_waits_for_its_instance() {
    let message = delivery("raise.approval", "", &[("instance-id", text("order-1"))], b"true");
    let envelope = codec().decode_ingress(&message).unwrap().envelope;
    let Command::Raise { event, input, keep_unseen } = &envelope.command else { panic!("{envelope:?}") };
    assert_eq!((event.as_str(), input.as_str(), *keep_unseen), ("approval", "true", true));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    let with_reply_to = |queue: &str| {
        let mut message = delivery("start.p", "", &[], b"1");
        message.message.reply_to = Some(queue.into());
        message
    };
    refused(
        |delivery| codec().decode_ingress(delivery),
        [
            (
                delivery("", "", &[], b"1"),
                "the routing key is \"\": expected `start.<orchestrator>` or `raise.<event>`",
            ),
            (
                delivery("stop.p", "", &[], b"1"),
                "the routing key is \"stop.p\": expected `start.<orchestrator>` or `raise.<event>`",
            ),
            (
                delivery("start", "", &[], b"1"),
                "the routing key is \"start\": expected `start.<orchestrator>` or `raise.<event>`",
            ),
            (delivery("start.", "", &[], b"1"), "the orchestrator in the routing key is empty"),
            (delivery("raise.", "", &[], b"1"), "the event in the routing key is empty"),
            (
                delivery("raise.e", "", &[], b"1"),
                "header `instance-id` is missing: expected the id of the instance that the message is for",
            ),
            (
                delivery("start.p", "", &[], b"hello"),
                "the body is not JSON in UTF-8: expected value at line 1 column 1",
            ),
            (
                delivery("start.p", "", &[("instance-id", text("a\tb"))], b"1"),
                "header `instance-id`: instance id has '\\t' at byte 1, only printable ASCII is allowed",
            ),
            (delivery("start.p", "", &[("instance-id", text(""))], b"1"), "header `instance-id`: instance id is empty"),
            (
                delivery("start.p", "", &[("start-at", text("2030-01-01T00:00:00Z"))], b"1"),
                "header `start-at` is not supported: wait for a timer in the orchestrator",
            ),
            (
                with_reply_to("h.ingress"),
                "property reply_to names \"h.ingress\", a queue of this hub: expected a queue of the sender's own",
            ),
            (
                with_reply_to("h.work.charge"),
                "property reply_to names \"h.work.charge\", a queue of this hub: expected a queue of the sender's own",
            ),
        ],
    );
}

#[test]
fn h6_a_start_whose_headers_could_not_be_forwarded_is_refused_or_does_without_them() {
    let large = "x".repeat(100_000);
    let tags = delivery("start.p", "", &[("tag-a", text(&large))], b"1");
    let refusal = codec().decode_ingress(&tags).unwrap_err().reason;
    assert_eq!(refusal, "the tags take 100001 bytes: at most 16384 are allowed");
    let traced = delivery("start.p", "", &[("traceparent", text(&large))], b"1");
    let Command::Start(start) = codec().decode_ingress(&traced).unwrap().envelope.command else { panic!() };
    assert_eq!(start.traceparent, None);
}

#[test]
fn an_unknown_choice_for_an_id_that_ran_before_is_refused() {
    let message = delivery("start.p", "", &[("if-exists", text("overwrite"))], b"1");
    let expected = "header `if-exists` is \"overwrite\": expected `fail`, `replace-ended` or `use-existing`";
    assert_eq!(codec().decode_ingress(&message).unwrap_err().reason, expected);
}
