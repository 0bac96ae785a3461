use super::*;
use crate::{
    HeaderValue,
    codec::fixture::{codec, delivered, delivery, execution, instance, refused},
};
use warren_model::{ActionId, ChildStart, EventRaised, ExecutionStarted, Failure, Outgoing, Parent, Payload};

fn parent() -> Parent {
    Parent { instance: instance("order-1"), execution: execution(), task: ActionId(3), attempt: 2 }
}

fn raise() -> PartitionMessage {
    let input = Payload::from_bytes(br#"[1,  "\u0000"]"#).unwrap();
    PartitionMessage::Raise { instance: instance("order-2"), event: EventRaised { name: "e".into(), input } }
}

fn words() -> Vec<PartitionMessage> {
    let started = ExecutionStarted {
        name: "child".into(),
        version: None,
        input: Payload::from_bytes(br#"{"x" : 1}"#).unwrap(),
        parent: Some(parent()),
        answer_to: None,
        tags: Default::default(),
        traceparent: None,
    };
    vec![
        raise(),
        PartitionMessage::ChildStart(ChildStart { instance: instance("child-1"), started }),
        PartitionMessage::ChildEnded { parent: parent(), outcome: Ok(Payload::from_bytes(b"1.0e0").unwrap()) },
        PartitionMessage::ChildEnded { parent: parent(), outcome: Err(Failure::new("x", "y")) },
        PartitionMessage::Terminate { instance: instance("child-1"), parent: parent(), reason: "ended".into() },
    ]
}

#[test]
fn word_between_partitions_survives_the_wire_byte_for_byte() {
    for word in words() {
        let sent = codec().outgoing(&Outgoing::ToPartition(word.clone()), Partition(0), Some((Partition(3), 17)));
        let sent = sent.unwrap();
        assert!(sent.mandatory);
        let read = codec().decode_control(&delivered(sent)).unwrap();
        assert_eq!(read.instance(), Some(word.target()));
        assert_eq!(read, Inbound::Partition { source: Partition(3), sequence: 17, message: word });
    }
}

#[test]
fn word_that_makes_no_sense_is_refused_with_a_sentence() {
    let body = serde_json::to_vec(&raise()).unwrap();
    let number = HeaderValue::Number;
    let word = |headers: &[(&str, HeaderValue)], body: &[u8]| delivery("", "partition", headers, body);
    refused(
        |delivery| codec().decode_control(delivery),
        [
            (word(&[], &body), "header `source` is missing: expected the sender's partition"),
            (word(&[("source", number(0))], &body), "header `sequence` is missing: expected the message's number"),
            (
                word(&[("source", number(4)), ("sequence", number(1))], &body),
                "header `source` is 04: this hub has 4 partitions",
            ),
            (word(&[("source", number(-1))], &body), "header `source` is -1: expected a whole number in its range"),
            (
                word(&[("source", number(70_000))], &body),
                "header `source` is 70000: expected a whole number in its range",
            ),
            (
                word(&[("source", number(0)), ("sequence", number(-1))], &body),
                "header `sequence` is -1: expected a whole number in its range",
            ),
            (
                word(&[("source", number(0)), ("sequence", number(1))], b"{}"),
                "the body is no message between partitions: expected value at line 1 column 2",
            ),
        ],
    );
}

#[test]
fn what_a_partition_says_it_has_taken_survives_the_wire() {
    let sent = codec().taken(Partition(1), Partition(3), 17);
    assert!(sent.mandatory, "H6: only of such messages is noticed that a channel is refused for ever");
    assert_eq!(sent.to, crate::Address::Queue("h.control.01".into()));
    let read = codec().decode_control(&delivered(sent)).unwrap();
    assert_eq!(read, Inbound::Taken { by: Partition(3), up_to: 17 });
    let nonsense = delivery("", "taken", &[("source", HeaderValue::Number(1))], b"");
    let expected = "header `sequence` is missing: expected the number of the last message that was taken";
    refused(|delivery| codec().decode_control(delivery), [(nonsense, expected)]);
}
