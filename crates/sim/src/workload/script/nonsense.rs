//! Messages that make no sense. None of them may vanish, and none may hold up what comes behind it.

use warren_broker::{Address, HeaderValue, Message, Text, codec::pack::CONTENT_TYPE};

use super::Builder;
use crate::client::Ask;

/// JSON over the limit.
const TOO_LARGE: &[u8] = &[b'1'; super::PAYLOAD_BYTES_MAX + 1];

/// To the ingress, in one of many ways wrong.
pub(super) fn by_ingress(builder: &mut Builder<'_>) {
    let id = builder.instance("nonsense");
    let instance = ("instance-id", HeaderValue::Text(id.as_str().into()));
    let exchange = "h.ingress".into();
    let (key, body, headers): (&str, &'static [u8], Vec<_>) = match builder.random.below(6) {
        0 => ("start.chain", b"{", vec![instance]),
        1 => ("raise.go", b"1", vec![]),
        2 => ("stop.chain", b"1", vec![instance]),
        3 => ("start.chain", TOO_LARGE, vec![instance]),
        4 => ("start.chain", b"1", vec![instance, ("answer", HeaderValue::Text("never".into()))]),
        _ => ("start.chain", b"1", vec![instance, ("start-at", HeaderValue::Text("tomorrow".into()))]),
    };
    let message = Message { body: body.into(), headers: headers.into_iter().collect(), ..Message::default() };
    send(builder, Address::Exchange { exchange, key: key.into() }, message);
}

/// To a control queue: a reply that nobody asked for, a command that is none, a word between partitions that is none, a
/// pack that is none.
pub(super) fn to_an_owner(builder: &mut Builder<'_>) {
    let text = |text: &'static str| Some(Text::from_static(text));
    let token = "chain-1.00000000000000000000000000000001.1.1.0000000000000001";
    let message = match builder.random.below(7) {
        0 => Message { correlation_id: text(token), body: b"1"[..].into(), ..Message::default() },
        1 => Message { kind: text("result"), body: b"1"[..].into(), ..Message::default() },
        2 => Message { kind: text("partition"), body: b"1"[..].into(), ..Message::default() },
        3 => Message { kind: text("dance"), ..Message::default() },
        4 => pack(&[0, 0]),
        5 => pack(&[0, 0, 0, 1, 99]),
        _ => Message { kind: text("start"), reply_to: text("h.control.00"), ..Message::default() },
    };
    send(builder, Address::Queue("h.control.00".into()), message);
}

/// To a work-item queue.
pub(super) fn to_a_worker(builder: &mut Builder<'_>) {
    let text = |text: &'static str| Some(Text::from_static(text));
    let message = match builder.random.below(4) {
        0 => Message::default(),
        1 => pack(b"none"),
        2 => Message {
            kind: text("double"),
            correlation_id: text("x"),
            reply_to: text("stranger"),
            ..Message::default()
        },
        _ => {
            Message { kind: text("double"), correlation_id: text("x"), reply_to: text("h.dead"), ..Message::default() }
        }
    };
    send(builder, Address::Queue("h.work.double".into()), message);
}

fn pack(body: &'static [u8]) -> Message {
    Message { content_type: Some(CONTENT_TYPE.into()), body: body.into(), ..Message::default() }
}

fn send(builder: &mut Builder<'_>, to: Address, message: Message) {
    let at = builder.moment();
    builder.ask(at, Ask::Nonsense { to, message: Box::new(message) });
}
