//! Publishing: confirms, returns, and what arrives.

use futures_util::future::join_all;

use super::{
    Backend,
    backend::{bodies, take, to, within},
};
use crate::{Acker, Broker, Consumer, HeaderValue, Message, Publication, Published, Publisher};

pub(crate) async fn a_batch_is_confirmed_and_arrives_in_order(backend: &impl Backend) {
    let queue = backend.queue().await;
    let publisher = backend.broker().publisher().await.unwrap();
    assert_eq!(publisher.publish(Vec::new()).await, []);
    let sent: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let batches = sent.chunks(50).map(|chunk| chunk.iter().map(|body| to(&queue.name, body)).collect());
    // All begun before the first is awaited: the order is that of the calls.
    let published = within(join_all(batches.map(|batch| publisher.publish(batch)))).await;
    assert_eq!(published.concat(), vec![Published::Confirmed; 200]);
    let taken = take(&mut backend.consume(&queue, 500).await, 200).await;
    assert_eq!(bodies(&taken), sent);
    assert_eq!(taken.iter().map(|delivery| delivery.tag).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
    assert!(taken.iter().all(|delivery| !delivery.redelivered && delivery.routing_key == queue.name));
}

pub(crate) async fn h6_a_mandatory_message_without_a_queue_returns_and_arrives_after_a_declare(backend: &impl Backend) {
    let (queue, missing) = (backend.queue().await, backend.topology().work("missing").unwrap());
    let publisher = backend.broker().publisher().await.unwrap();
    let batch = vec![to(&missing.name, "a"), to(&queue.name, "b"), to(&missing.name, "c"), to(&queue.name, "d")];
    let published = within(publisher.publish(batch.clone())).await;
    let (yes, no) = (Published::Confirmed, Published::Returned);
    assert_eq!(published, [no.clone(), yes.clone(), no, yes.clone()]);
    backend.broker().declare(&missing).await.unwrap();
    let again = vec![batch[0].clone(), batch[2].clone()];
    assert_eq!(within(publisher.publish(again)).await, [yes.clone(), yes]);
    assert_eq!(bodies(&take(&mut backend.consume(&missing, 10).await, 2).await), ["a", "c"]);
    assert_eq!(bodies(&take(&mut backend.consume(&queue, 10).await, 2).await), ["b", "d"]);
}

pub(crate) async fn h6_returns_find_their_publication_among_many(backend: &impl Backend) {
    let (queue, missing) = (backend.queue().await, backend.topology().work("missing").unwrap());
    let publisher = backend.broker().publisher().await.unwrap();
    let is_missing = |caller: usize, n: usize| (n * 7 + caller).is_multiple_of(3);
    let batches = (0..8).map(|caller| {
        let publication = |n| to(if is_missing(caller, n) { &missing.name } else { &queue.name }, "x");
        publisher.publish((0..50).map(publication).collect())
    });
    for (caller, published) in within(join_all(batches)).await.into_iter().enumerate() {
        for (n, published) in published.into_iter().enumerate() {
            let expected = if is_missing(caller, n) { Published::Returned } else { Published::Confirmed };
            assert_eq!(published, expected, "publication {n} of caller {caller}");
        }
    }
}

pub(crate) async fn a_message_that_is_not_mandatory_may_vanish(backend: &impl Backend) {
    let missing = backend.topology().work("missing").unwrap();
    let publication = Publication { mandatory: false, ..to(&missing.name, "x") };
    let publisher = backend.broker().publisher().await.unwrap();
    assert_eq!(within(publisher.publish(vec![publication])).await, [Published::Confirmed]);
}

pub(crate) async fn any_bytes_and_a_megabyte_arrive_intact(backend: &impl Backend) {
    let queue = backend.queue().await;
    let publisher = backend.broker().publisher().await.unwrap();
    let every_byte: Vec<u8> = (0..=255).collect();
    let megabyte: Vec<u8> = (0..1_048_576_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let sent = [every_byte, megabyte, Vec::new()];
    let publication = |body: &Vec<u8>| {
        let mut publication = to(&queue.name, "");
        publication.message.body = body.clone().into();
        publication
    };
    let published = within(publisher.publish(sent.iter().map(publication).collect())).await;
    assert_eq!(published, vec![Published::Confirmed; 3]);
    let taken = take(&mut backend.consume(&queue, 10).await, 3).await;
    for (delivery, body) in taken.iter().zip(&sent) {
        assert!(*delivery.message.body == body[..], "a body of {} bytes changed", body.len());
    }
}

pub(crate) async fn properties_and_headers_arrive_intact(backend: &impl Backend) {
    let queue = backend.queue().await;
    let publisher = backend.broker().publisher().await.unwrap();
    let text = |text: &str| HeaderValue::Text(text.into());
    let headers = [
        ("text", text("grüße 🦀")),
        ("empty", text("")),
        ("long", text(&"x".repeat(60_000))),
        ("number", HeaderValue::Number(i64::MAX)),
        ("negative", HeaderValue::Number(i64::MIN)),
        ("yes", HeaderValue::Bool(true)),
        ("no", HeaderValue::Bool(false)),
    ];
    let full = Message {
        kind: Some("start".into()),
        correlation_id: Some("c".repeat(255).into()),
        reply_to: Some("my.queue".into()),
        message_id: Some("m-1".into()),
        content_type: Some("application/json".into()),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: b"1".as_slice().into(),
    };
    let plain = Message { message_id: Some("m-2".into()), ..Message::default() };
    let sent = [full, plain];
    let publication = |message: &Message| Publication { message: message.clone(), ..to(&queue.name, "") };
    within(publisher.publish(sent.iter().map(publication).collect())).await;
    let mut consumer = backend.consume(&queue, 10).await;
    let taken: Vec<Message> = take(&mut consumer, 2).await.into_iter().map(|delivery| delivery.message).collect();
    assert_eq!(taken, sent);
    consumer.acker().ack(2, true).await.unwrap();
}
