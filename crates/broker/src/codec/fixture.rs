//! What the codec's tests share: a hub, and messages written by hand as a foreign client would.

use std::num::NonZeroU16;

use bytes::Bytes;
use warren_model::{ActionId, ExecutionId, InstanceId, PartitionCount};

use super::Codec;
use crate::{Address, Delivery, HeaderValue, Message, Publication, Text, Topology};

pub(super) fn codec() -> Codec {
    codec_with([7; 16])
}

pub(super) fn codec_with(secret: [u8; 16]) -> Codec {
    Codec::new(Topology::new("h").unwrap(), PartitionCount(NonZeroU16::new(4).unwrap()), secret)
}

pub(super) fn instance(id: &str) -> InstanceId {
    InstanceId::new(id).unwrap()
}

pub(super) fn execution() -> ExecutionId {
    ExecutionId::from_u128(0xabc)
}

/// Token of task 2, first attempt, of the execution of `order-1`.
pub(super) fn token() -> Text {
    codec().token(&instance("order-1"), execution(), ActionId(2), 1).text().into()
}

pub(super) fn text(value: &str) -> HeaderValue {
    HeaderValue::Text(value.into())
}

/// A delivery with this routing key, `type` (empty: none), headers and body.
pub(super) fn delivery(key: &str, kind: &str, headers: &[(&str, HeaderValue)], body: &[u8]) -> Delivery {
    let message = Message {
        kind: (!kind.is_empty()).then(|| kind.into()),
        message_id: Some("m-1".into()),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: Bytes::copy_from_slice(body),
        ..Message::default()
    };
    Delivery { tag: 1, redelivered: false, routing_key: key.into(), message }
}

/// The delivery of what was published to a queue.
pub(super) fn delivered(publication: Publication) -> Delivery {
    let Address::Queue(queue) = publication.to else { panic!("{publication:?} is not for a queue") };
    Delivery { tag: 1, redelivered: false, routing_key: queue, message: publication.message }
}

/// Asserts that each delivery is refused with its sentence.
pub(super) fn refused<T: std::fmt::Debug>(
    decode: impl Fn(&Delivery) -> Result<T, super::Malformed>,
    cases: impl IntoIterator<Item = (Delivery, &'static str)>,
) {
    for (delivery, expected) in cases {
        assert_eq!(decode(&delivery).expect_err(expected).reason, expected);
    }
}
