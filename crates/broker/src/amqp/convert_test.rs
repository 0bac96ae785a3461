use lapin::types::{DecimalValue, FieldArray};

use super::*;

fn message() -> Message {
    Message {
        kind: Some("start".into()),
        correlation_id: Some("c".into()),
        reply_to: Some("r".into()),
        message_id: Some("m".into()),
        content_type: Some("application/json".into()),
        headers: [
            ("text".to_owned(), HeaderValue::Text("ä".into())),
            ("number".to_owned(), HeaderValue::Number(i64::MIN)),
            ("truth".to_owned(), HeaderValue::Bool(true)),
        ]
        .into(),
        body: b"\x00\xff"[..].into(),
    }
}

#[test]
fn a_message_survives_lapins_types_and_is_persistent() {
    let properties = to_properties(&message());
    assert_eq!(properties.delivery_mode(), &Some(2));
    assert_eq!(from_parts(&properties, b"\x00\xff".to_vec()), message());
    assert_eq!(from_parts(&to_properties(&Message::default()), Vec::new()), Message::default());
}

#[test]
fn headers_of_other_libraries_are_read_or_left_out() {
    let number = |n| Some(HeaderValue::Number(n));
    let text = |text: &str| Some(HeaderValue::Text(text.into()));
    for (value, expected) in [
        (AMQPValue::ShortShortInt(-1), number(-1)),
        (AMQPValue::ShortShortUInt(200), number(200)),
        (AMQPValue::ShortInt(-2), number(-2)),
        (AMQPValue::ShortUInt(60_000), number(60_000)),
        (AMQPValue::LongInt(-3), number(-3)),
        (AMQPValue::LongUInt(4_000_000_000), number(4_000_000_000)),
        (AMQPValue::Timestamp(7), number(7)),
        (AMQPValue::Timestamp(u64::MAX), None),
        (AMQPValue::ShortString("s".into()), text("s")),
        (AMQPValue::ByteArray(b"bytes".to_vec().into()), text("bytes")),
        (AMQPValue::LongString(b"\xff".to_vec().into()), text("\u{fffd}")),
        (AMQPValue::Double(1.5), None),
        (AMQPValue::Float(1.5), None),
        (AMQPValue::DecimalValue(DecimalValue { scale: 1, value: 2 }), None),
        (AMQPValue::FieldArray(FieldArray::default()), None),
        (AMQPValue::FieldTable(FieldTable::default()), None),
        (AMQPValue::Void, None),
    ] {
        assert_eq!(from_value(&value), expected, "{value:?}");
    }
}

#[test]
fn what_amqp_can_t_carry_is_named() {
    let check = |change: fn(&mut Message)| {
        let mut message = message();
        change(&mut message);
        check(&Address::Queue("q".into()), &message, 10)
    };
    assert_eq!(check(|_| {}), Ok(()));
    for (change, expected) in [
        (
            (|m| m.correlation_id = Some("x".repeat(256).into())) as fn(&mut Message),
            "the correlation_id has 256 bytes, AMQP allows 255",
        ),
        (|m| m.body = vec![0; 11].into(), "the body has 11 bytes, at most 10 are allowed"),
        (
            |m| drop(m.headers.insert("x".repeat(256), HeaderValue::Bool(true))),
            "the name of a header has 256 bytes, AMQP allows 255",
        ),
        (
            |m| drop(m.headers.insert("x", HeaderValue::Text("x".repeat(130_000).into()))),
            "the headers take 130043 bytes, at most 122880 are allowed",
        ),
    ] {
        assert_eq!(check(change).unwrap_err(), expected);
    }
    let to = Address::Exchange { exchange: "e".into(), key: "k".repeat(256).into() };
    assert_eq!(super::check(&to, &message(), 10).unwrap_err(), "the routing key has 256 bytes, AMQP allows 255");
}
