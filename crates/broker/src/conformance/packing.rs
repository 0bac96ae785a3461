//! Packs, on a broker with [`Packing`](crate::packing::Packing) around it.

use std::time::Duration;

use futures_util::future::join_all;
use warren_model::Partition;

use super::{
    Backend,
    backend::{bodies, take, to, within},
};
use crate::{
    Acker, Address, Broker, Consumer, HeaderValue, Message, Publication, Published, Publisher, QueueSpec, Requester,
    codec::{pack, timed},
};

fn packed(queue: &str, body: &str) -> Publication {
    Publication { packs: true, ..to(queue, body) }
}

async fn control(backend: &impl Backend) -> QueueSpec {
    let queue = backend.topology().control(Partition(0));
    backend.broker().declare(&queue).await.unwrap();
    queue
}

/// Publishes two messages, the second and the third and so on in one.
async fn send(backend: &impl Backend, queue: &QueueSpec, all: &[&str]) {
    let publisher = backend.broker().publisher().await.unwrap();
    let batch = all.iter().map(|body| packed(&queue.name, body)).collect();
    assert_eq!(within(publisher.publish(batch)).await, vec![Published::Confirmed; all.len()]);
}

pub(crate) async fn a_batch_is_one_message_and_arrives_as_many(backend: &impl Backend) {
    let queue = backend.queue().await;
    send(backend, &queue, &["1", "2", "3"]).await;
    backend.until_ready(&queue, 1).await;
    let mut consumer = backend.consume(&queue, 10).await;
    let taken = take(&mut consumer, 3).await;
    assert_eq!(bodies(&taken), ["1", "2", "3"]);
    assert_eq!(taken.iter().map(|delivery| delivery.tag).collect::<Vec<_>>(), [1, 2, 3]);
    consumer.acker().ack(3, true).await.unwrap();
    drop(consumer);
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
}

pub(crate) async fn a_lone_message_is_as_it_always_was(backend: &impl Backend) {
    let queue = backend.queue().await;
    let message = Message {
        kind: Some("result".into()),
        correlation_id: Some("c".into()),
        reply_to: Some("r".into()),
        message_id: Some("m".into()),
        content_type: Some("application/json".into()),
        headers: [("warren".to_owned(), HeaderValue::Number(1))].into(),
        body: b"1".as_slice().into(),
    };
    let publisher = backend.broker().publisher().await.unwrap();
    let lone = Publication { message: message.clone(), ..packed(&queue.name, "") };
    assert_eq!(within(publisher.publish(vec![lone.clone()])).await, [Published::Confirmed]);
    within(publisher.publish(vec![lone; 2])).await;
    let taken = take(&mut backend.consume(&queue, 10).await, 3).await;
    assert_eq!(taken.into_iter().map(|delivery| delivery.message).collect::<Vec<_>>(), vec![message; 3]);
}

pub(crate) async fn h1_a_pack_that_was_not_acknowledged_as_a_whole_comes_again_as_a_whole(backend: &impl Backend) {
    let queue = control(backend).await;
    send(backend, &queue, &["1", "2", "3"]).await;
    send(backend, &queue, &["4"]).await;
    let mut lost = backend.consume(&queue, 10).await;
    take(&mut lost, 4).await;
    lost.acker().ack(1, false).await.unwrap();
    lost.acker().ack(3, false).await.unwrap();
    lost.acker().ack(4, false).await.unwrap();
    drop(lost);
    backend.until_ready(&queue, 1).await;
    let mut next = backend.consume(&queue, 10).await;
    let taken = take(&mut next, 3).await;
    assert_eq!(bodies(&taken), ["1", "2", "3"]);
    assert!(taken.iter().all(|delivery| delivery.redelivered));
    next.acker().requeue(1).await.unwrap();
    next.acker().ack(3, true).await.unwrap();
    assert_eq!(bodies(&take(&mut next, 3).await), ["1", "2", "3"], "one of them was given back");
}

pub(crate) async fn the_prefetch_bounds_parts(backend: &impl Backend) {
    let queue = backend.queue().await;
    send(backend, &queue, &["1", "2", "3", "4", "5"]).await;
    let mut consumer = backend.consume(&queue, 2).await;
    let acker = consumer.acker();
    for (tag, expected) in [(2, ["1", "2"]), (4, ["3", "4"])] {
        assert_eq!(bodies(&within(consumer.next(10)).await.unwrap()), expected);
        let early = tokio::time::timeout(Duration::from_millis(20), consumer.next(10)).await;
        assert!(early.is_err(), "{early:?}");
        acker.ack(tag, true).await.unwrap();
    }
    assert_eq!(bodies(&within(consumer.next(10)).await.unwrap()), ["5"]);
}

pub(crate) async fn a_cancelled_consumer_hands_on_the_rest_of_its_packs(backend: &impl Backend) {
    let queue = control(backend).await;
    send(backend, &queue, &["1", "2", "3", "4", "5"]).await;
    let mut consumer = backend.consume(&queue, 2).await;
    assert_eq!(take(&mut consumer, 2).await.len(), 2);
    within(consumer.acker().cancel()).await.unwrap();
    assert_eq!(bodies(&take(&mut consumer, 3).await), ["3", "4", "5"]);
    assert_eq!(within(consumer.next(1)).await, None);
    consumer.acker().ack(5, true).await.unwrap();
    drop(consumer);
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
}

pub(crate) async fn h21_a_cancelled_consumer_of_work_items_gives_back_what_has_no_slot(backend: &impl Backend) {
    let queue = backend.queue().await;
    send(backend, &queue, &["1", "2", "3", "4", "5"]).await;
    let mut consumer = backend.consume(&queue, 2).await;
    assert_eq!(bodies(&take(&mut consumer, 2).await), ["1", "2"]);
    let acker = consumer.acker();
    within(acker.cancel()).await.unwrap();
    backend.until_ready(&queue, 3).await;
    assert_eq!(within(consumer.next(1)).await, None);
    within(acker.requeue(2)).await.unwrap();
    backend.until_ready(&queue, 4).await;
    acker.ack(1, false).await.unwrap();
    drop(consumer);
    let mut next = backend.consume(&queue, 10).await;
    let again = take(&mut next, 4).await;
    assert_eq!(bodies(&again), ["3", "4", "5", "2"], "and not the first, which is done");
    assert!(again.iter().all(|item| !item.redelivered && !pack::is_pack(&item.message)));
    next.acker().ack(4, true).await.unwrap();
    drop(next);
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
}

pub(crate) async fn h21_work_items_behind_slow_ones_go_to_another_consumer(backend: &impl Backend) {
    let queue = backend.queue().await;
    send(backend, &queue, &["slow", "slower", "1", "2"]).await;
    let mut busy = backend.consume(&queue, 2).await;
    assert_eq!(bodies(&take(&mut busy, 2).await), ["slow", "slower"]);
    let mut idle = backend.consume(&queue, 10).await;
    {
        let (waits, mut others) = (std::pin::pin!(busy.next(10)), Vec::new());
        let gone = async {
            while others.len() < 2 {
                others.extend(take(&mut idle, 1).await);
            }
        };
        tokio::select! {
            more = waits => panic!("{more:?} came without a slot"),
            () = gone => {}
        }
        // The busy one was perhaps given one of them again, and sent it back again.
        let mut others = bodies(&others);
        others.sort_unstable();
        assert_eq!(others, ["1", "2"]);
    }
    within(busy.acker().cancel()).await.unwrap();
    assert_eq!(within(busy.next(1)).await, None, "all that goes back is confirmed");
    idle.acker().ack(2, true).await.unwrap();
    busy.acker().ack(2, true).await.unwrap();
    drop((busy, idle));
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
}

pub(crate) async fn a_cancelled_consumer_of_packs_consumes_again(backend: &impl Backend) {
    let queue = backend.queue().await;
    send(backend, &queue, &["1", "2", "3"]).await;
    let mut consumer = backend.consume(&queue, 2).await;
    assert_eq!(bodies(&take(&mut consumer, 2).await), ["1", "2"]);
    within(consumer.acker().cancel()).await.unwrap();
    backend.until_ready(&queue, 1).await;
    assert_eq!(within(consumer.next(1)).await, None);
    within(consumer.restart()).await.unwrap();
    consumer.acker().ack(1, false).await.unwrap();
    assert_eq!(bodies(&take(&mut consumer, 1).await), ["3"], "the prefetch bounds what it held before, too");
    consumer.acker().ack(4, true).await.unwrap();
    drop(consumer);
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
}

pub(crate) async fn h6_a_pack_without_a_queue_returns_with_all_its_parts(backend: &impl Backend) {
    let (queue, missing) = (backend.queue().await, backend.topology().work("missing").unwrap());
    let publisher = backend.broker().publisher().await.unwrap();
    let names = [&queue, &missing, &queue, &missing].map(|spec| spec.name.as_str());
    let batch: Vec<Publication> = names.map(|name| packed(name, "x")).into();
    let fates = within(publisher.publish(batch)).await;
    let expected = [Published::Confirmed, Published::Returned, Published::Confirmed, Published::Returned];
    assert_eq!(fates, expected);
}

pub(crate) async fn what_many_publish_at_once_arrives_once_each_in_few_messages(backend: &impl Backend) {
    let queue = control(backend).await;
    let publisher = backend.broker().publisher().await.unwrap();
    let sends = (0..200).map(|n| publisher.publish(vec![packed(&queue.name, &n.to_string())]));
    let fates = within(join_all(sends)).await;
    assert!(fates.iter().all(|fates| fates == &[Published::Confirmed]));
    let messages = backend.ready(&queue.name).await;
    assert!(messages < 20, "{messages} messages");
    let mut consumer = backend.consume(&queue, 500).await;
    let taken = take(&mut consumer, 200).await;
    let arrived = bodies(&taken).into_iter().map(|body| body.parse::<usize>().unwrap());
    assert!(arrived.eq(0..200), "in order");
}

/// H21: one worker gets a pack as a whole.
pub(crate) async fn h21_work_items_share_messages_as_the_replies_of_their_queue_say(backend: &impl Backend) {
    let (queue, control) = (backend.queue().await, control(backend).await);
    let name = backend.topology().queue_of_work(&queue.name).unwrap();
    let items: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    send(backend, &queue, &items).await;
    backend.until_ready(&queue, 3).await; // 8, 8 and 4: nothing is known yet
    let mut replies = backend.consume(&control, 10).await;
    let reply = timed(packed(&control.name, "null"), name, Duration::from_millis(25));
    within(backend.broker().publisher().await.unwrap().publish(vec![reply])).await;
    take(&mut replies, 1).await;
    send(backend, &queue, &items).await;
    backend.until_ready(&queue, 13).await;
    let mut consumer = backend.consume(&queue, 100).await;
    assert_eq!(bodies(&take(&mut consumer, 40).await), [&items[..], &items[..]].concat());
}

pub(crate) async fn what_makes_no_sense_in_a_pack_stays_by_itself(backend: &impl Backend) {
    let queue = backend.queue().await;
    let parts = ["1", "2"].map(|body| to(&queue.name, body).message);
    let mut pack = pack::pack(None, &parts);
    pack.body = [&pack.body[..], &[0, 0, 0, 1, 99], &pack.body[..], &[0, 0]].concat().into();
    let to = Address::Queue(queue.name.as_str().into());
    let publication = Publication { to, mandatory: true, packs: false, message: pack };
    within(backend.broker().publisher().await.unwrap().publish(vec![publication])).await;
    let mut consumer = backend.consume(&queue, 10).await;
    let taken = take(&mut consumer, 6).await;
    let is_pack: Vec<bool> = taken.iter().map(|delivery| pack::is_pack(&delivery.message)).collect();
    assert_eq!(is_pack, [false, false, true, false, false, true]);
    consumer.acker().ack(6, true).await.unwrap();
    drop(consumer);
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
}

pub(crate) async fn requests_and_answers_travel_together(backend: &impl Backend) {
    let queue = backend.queue().await;
    let requester = backend.broker().requester().await.unwrap();
    let ask = |n: usize| requester.send(packed(&queue.name, &n.to_string()));
    let asked = async { within(join_all((0..50).map(ask))).await };
    let answered = async {
        let mut consumer = backend.consume(&queue, 100).await;
        let questions = take(&mut consumer, 50).await;
        let answer = |question: &crate::Delivery| {
            let reply_to = question.message.reply_to.clone().expect("parts have the pack's");
            let message = Message { body: question.message.body.clone(), ..Message::default() };
            Publication { to: Address::Queue(reply_to), mandatory: false, packs: true, message }
        };
        within(backend.broker().publisher().await.unwrap().publish(questions.iter().map(answer).collect())).await
    };
    let (asked, answered) = tokio::join!(asked, answered);
    assert_eq!((asked, answered), (vec![Published::Confirmed; 50], vec![Published::Confirmed; 50]));
    for n in 0..50 {
        let answer = within(requester.next()).await.expect("an answer");
        assert_eq!(*answer.message.body, *n.to_string().as_bytes());
    }
}

pub(crate) async fn nobody_takes_a_pack_from_other_systems(backend: &impl Backend) {
    let queue = backend.topology().ingress_queue();
    backend.broker().declare(&queue).await.unwrap();
    send(backend, &queue, &["1", "2"]).await;
    let taken = take(&mut backend.consume(&queue, 10).await, 1).await;
    assert!(pack::is_pack(&taken[0].message));
}
