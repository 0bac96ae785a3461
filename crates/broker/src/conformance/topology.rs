//! Declaring queues and exchanges.

use super::{
    Backend,
    backend::{bodies, take, to, within},
};
use crate::{Address, Broker, Error, Publication, Published, Publisher};

pub(crate) async fn to_declare_twice_is_harmless(backend: &impl Backend) {
    let queues = [backend.topology().ingress_queue(), backend.topology().dead(), backend.queue().await];
    for queue in &queues {
        backend.broker().declare(queue).await.unwrap();
        backend.send(queue, &["1"]).await;
    }
    for queue in &queues {
        backend.broker().declare(queue).await.unwrap();
        assert_eq!(bodies(&take(&mut backend.consume(queue, 1).await, 1).await), ["1"]);
    }
}

pub(crate) async fn the_ingress_takes_every_routing_key(backend: &impl Backend) {
    let queue = backend.topology().ingress_queue();
    backend.broker().declare(&queue).await.unwrap();
    let keys = ["start.order", "raise.approval", "start.a.b.c", "nonsense", ""];
    let publication = |key: &&str| {
        let exchange = backend.topology().ingress_exchange();
        Publication { to: Address::Exchange { exchange: exchange.into(), key: (*key).into() }, ..to("", key) }
    };
    let publisher = backend.broker().publisher().await.unwrap();
    let published = within(publisher.publish(keys.iter().map(publication).collect())).await;
    assert_eq!(published, vec![Published::Confirmed; keys.len()]);
    let taken = take(&mut backend.consume(&queue, 10).await, keys.len()).await;
    assert_eq!(bodies(&taken), keys);
    assert_eq!(taken.iter().map(|delivery| &delivery.routing_key[..]).collect::<Vec<_>>(), keys);
}

pub(crate) async fn a_missing_queue_can_t_be_consumed(backend: &impl Backend) {
    let missing = backend.topology().work("missing").unwrap();
    let error = within(backend.broker().consume(&missing.name, 1)).await.err().expect("there is no such queue");
    assert!(matches!(&error, Error::Unavailable { why, .. } if why.contains(&missing.name)), "{error}");
    backend.broker().declare(&missing).await.unwrap();
    backend.consume(&missing, 1).await;
}
