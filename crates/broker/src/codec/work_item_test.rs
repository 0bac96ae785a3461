use super::*;
use crate::codec::{
    Inbound,
    fixture::{codec, delivered, delivery, execution, instance, refused, text, token},
};
use warren_model::{ActionId, Failure, Outgoing, Partition, TaskEnded, TaskScheduled};

fn sent() -> Delivery {
    let input = Payload::from_bytes(br#"{"a":  1}"#).unwrap();
    let task = TaskScheduled::new(ActionId(2), "charge", input);
    let traceparent = Some("00-1".to_owned());
    let item = Outgoing::WorkItem { instance: instance("order-1"), execution: execution(), task, traceparent };
    delivered(codec().outgoing(&item, Partition(1), None).unwrap())
}

#[test]
fn a_work_item_survives_the_wire() {
    let item = decode_work_item(&sent()).unwrap();
    assert_eq!(
        item,
        WorkItem {
            token: token(),
            activity: "charge".into(),
            input: Payload::from_bytes(br#"{"a":  1}"#).unwrap(),
            attempt: 1,
            reply_to: "h.control.01".into(),
            traceparent: Some("00-1".into()),
            idempotency_key: "00000000000000000000000000000abc:0002".into(),
            timeouts: Timeouts::default(),
            progress: None,
            claimed: None,
            missing: None,
            is_timed: false,
        }
    );
}

#[test]
fn a_reply_reaches_the_task() {
    let item = decode_work_item(&sent()).unwrap();
    for outcome in [Ok(Payload::from_bytes(b"[1,  2]").unwrap()), Err(Failure::permanent("x", "y"))] {
        let publication = reply(&item, &outcome, "w-1");
        assert!(publication.mandatory);
        assert_eq!(publication.message.headers["worker"], text("w-1"));
        let ended = TaskEnded { execution: execution(), task: ActionId(2), attempt: 1, outcome };
        let read = codec().decode_control(&delivered(publication)).unwrap();
        assert_eq!(read, Inbound::Reply { instance: instance("order-1"), ended });
    }
}

#[test]
fn a_reply_tells_how_long_its_activity_took_and_is_read_as_ever() {
    let item = decode_work_item(&sent()).unwrap();
    let plain = reply(&item, &Ok(Payload::null()), "w-1");
    assert_eq!(time_told(&plain.message), None);
    let timed = timed(plain.clone(), "charge", Duration::from_micros(1_500));
    assert_eq!(time_told(&timed.message), Some(("charge", Duration::from_micros(1_500))));
    let read = |publication| codec().decode_control(&delivered(publication)).unwrap();
    assert_eq!(read(timed), read(plain));
}

/// A request as any RPC client writes it.
fn plain() -> Delivery {
    let mut message = delivery("h.work.charge", "charge", &[], b"1");
    message.message.correlation_id = Some("c".repeat(255).into());
    message.message.reply_to = Some("amq.rabbitmq.reply-to.x".into());
    message
}

#[test]
fn an_rpc_client_may_call_an_activity() {
    let item = decode_work_item(&plain()).unwrap();
    assert_eq!((item.attempt, item.idempotency_key.len()), (1, 255));
    let publication = reply(&item, &Ok(Payload::null()), "w-1");
    assert!(!publication.mandatory, "the broker returns mandatory messages to direct reply-to");
    assert!(publication.message.message_id.unwrap().len() <= 255);
}

#[test]
fn a_work_item_that_makes_no_sense_is_refused_with_a_sentence() {
    let with = |change: fn(&mut Message)| {
        let mut message = plain();
        change(&mut message.message);
        message
    };
    refused(
        decode_work_item,
        [
            (with(|m| m.kind = None), "property type is missing: expected the name of the activity"),
            (with(|m| m.correlation_id = None), "property correlation_id is missing: expected a token for the reply"),
            (with(|m| m.reply_to = None), "property reply_to is missing: expected a queue for the reply"),
            (with(|m| m.body = b"x"[..].into()), "the body is not JSON in UTF-8: expected value at line 1 column 1"),
            (
                with(|m| drop(m.headers.insert("attempt", text("two")))),
                "header `attempt` is \"two\": expected a whole number in its range",
            ),
        ],
    );
}
