//! What happens when the broker is away, refuses, falls silent or is in an alarm: with a real one behind a proxy.

use std::time::Duration;

use lapin::{options::QueueDeclareOptions, types::FieldTable};
use uuid::Uuid;
use warren_testing::{Script, amqp_url};

use super::*;
use crate::{
    Acker, Consumer, Error, Published, Publisher, QueueKind, QueueSpec, Requester,
    amqp::proxy::{Mode, Proxy},
    conformance::{
        Backend, Rabbit,
        backend::{bodies, take, to, within},
    },
};

/// A configuration that does not try anybody's patience.
fn config(url: &str, rabbit: &Rabbit) -> AmqpConfig {
    AmqpConfig {
        heartbeat: Duration::from_secs(1),
        answer_timeout: Duration::from_secs(5),
        confirm_timeout: Duration::from_secs(5),
        retry_min: Duration::from_millis(20),
        retry_max: Duration::from_millis(50),
        retry_refused: Duration::from_millis(50),
        ..AmqpConfig::new(url, "warren tests", rabbit.topology().clone())
    }
}

/// A hub on a real broker, and a broker that reaches it through a proxy.
async fn proxied(mode: Mode) -> (Rabbit, Proxy, Amqp) {
    let rabbit = Rabbit::quorum().await;
    let proxy = Proxy::start(amqp_url(), mode).await;
    let broker = Amqp::connect_lazily(config(proxy.url(), &rabbit)).unwrap();
    (rabbit, proxy, broker)
}

async fn until_health(broker: &Amqp, expected: impl Fn(&Health) -> bool) -> Health {
    within(async {
        while !expected(&broker.health()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        broker.health()
    })
    .await
}

fn is_down(health: &Health) -> bool {
    matches!(health, Health::Down(_))
}

#[tokio::test]
async fn nothing_connects_before_it_is_used() {
    let rabbit = Rabbit::quorum().await;
    let broker = Amqp::connect_lazily(config("amqp://u:secret@127.0.0.1:1/v", &rabbit)).unwrap();
    assert_eq!(broker.health(), Health::Down("not connected to amqp://u@127.0.0.1:1/v yet".into()));
    rabbit.close().await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_named_and_found_once_it_is_back() {
    let (rabbit, proxy, broker) = proxied(Mode::Refuse).await;
    for _ in 0..3 {
        let error = within(broker.publisher()).await.unwrap_err();
        assert!(matches!(&error, Error::Unavailable { address, .. } if address == broker.address()), "{error}");
    }
    let Health::Down(why) = broker.health() else { panic!("{:?}", broker.health()) };
    assert!(why.starts_with(&format!("cannot reach the broker at {}: ", broker.address())), "{why}");
    proxy.set(Mode::Pass);
    // Nobody asks meanwhile: a service that is not ready gets no work that would make it ask.
    until_health(&broker, |health| *health == Health::Up).await;
    within(broker.publisher()).await.unwrap();
    rabbit.close().await;
}

/// Publishes a message on a channel of its own.
async fn publish(broker: &Amqp, queue: &str) -> Result<()> {
    let published = broker.publisher().await?.publish(vec![to(queue, "1")]).await;
    let lost = |_| Error::Unavailable { address: broker.address().into(), why: format!("{published:?}") };
    (published == [Published::Confirmed]).then_some(()).ok_or(()).map_err(lost)
}

#[tokio::test]
async fn h6_of_several_nodes_the_next_is_tried_when_one_is_lost_or_away() {
    let rabbit = Rabbit::quorum().await;
    let queue = rabbit.queue().await;
    let (one, two) = (Proxy::start(amqp_url(), Mode::Pass).await, Proxy::start(amqp_url(), Mode::Refuse).await);
    let nodes = format!("amqp://u:secret@127.0.0.1:1/v,{},{}", one.url(), two.url());
    let broker = Amqp::connect_lazily(config(&nodes, &rabbit)).unwrap();
    assert!(!broker.address().contains("secret") && broker.address().matches("amqp://").count() == 3);
    for (up, down) in [(&one, &two), (&two, &one), (&one, &two)] {
        up.set(Mode::Pass);
        down.set(Mode::Refuse);
        // Both connections: what is asked of a lost one fails until the loss is noticed.
        within(async { while publish(&broker, &queue.name).await.is_err() {} }).await;
        within(async { while broker.declare(&queue).await.is_err() {} }).await;
    }
    for proxy in [&one, &two] {
        proxy.set(Mode::Refuse);
    }
    until_health(&broker, is_down).await;
    let error = within(broker.publisher()).await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable { .. }), "only after every node was tried: {error}");
    rabbit.close().await;
}

#[tokio::test]
async fn a_wrong_password_or_virtual_host_is_a_refusal_that_shows_no_password() {
    let rabbit = Rabbit::quorum().await;
    let (good, nowhere) = (amqp_url(), format!("nowhere-{}", Uuid::new_v4()));
    let mut bad: lapin::uri::AMQPUri = good.parse().unwrap();
    bad.authority.userinfo.password = "not-the-secret".into();
    let mut lost: lapin::uri::AMQPUri = good.parse().unwrap();
    lost.vhost.clone_from(&nowhere);
    for (uri, hint) in [(bad, "ACCESS_REFUSED"), (lost, nowhere.as_str())] {
        let broker = Amqp::connect_lazily(config(&uri.to_string(), &rabbit)).unwrap();
        for _ in 0..2 {
            let error = within(broker.consume("q", 1)).await.expect_err("the broker refuses");
            let Error::Refused { address, why } = &error else { panic!("{error}") };
            assert!(address == broker.address() && why.contains(hint), "{error}");
            assert!(!error.to_string().contains("not-the-secret"), "{error}");
        }
        let health = broker.health();
        assert!(
            matches!(&health, Health::Down(why) if why.starts_with("cannot be let in by the broker at ")),
            "{health:?}"
        );
    }
    rabbit.close().await;
}

#[tokio::test]
async fn h6_a_cut_connection_ends_its_consumers_and_publishers_and_new_ones_work() {
    let (rabbit, proxy, broker) = proxied(Mode::Pass).await;
    let queue = rabbit.queue().await;
    let mut consumer = broker.consume(&queue.name, 10).await.unwrap();
    let (publisher, requester) = (broker.publisher().await.unwrap(), broker.requester().await.unwrap());
    assert_eq!(within(publisher.publish(vec![to(&queue.name, "1")])).await, [Published::Confirmed]);
    assert_eq!(bodies(&take(&mut consumer, 1).await), ["1"]);
    assert_eq!(broker.health(), Health::Up);

    proxy.set(Mode::Refuse);
    assert_eq!(within(consumer.next(1)).await, None);
    assert_eq!(within(consumer.next(1)).await, None);
    assert_eq!(within(requester.next()).await, None);
    assert_eq!(within(requester.next()).await, None);
    for _ in 0..2 {
        let published = within(publisher.publish(vec![to(&queue.name, "2"), to(&queue.name, "3")])).await;
        assert!(matches!(&published[..], [Published::Lost(_), Published::Lost(_)]), "{published:?}");
    }
    assert!(matches!(within(requester.send(to(&queue.name, "2"))).await, Published::Lost(_)));
    consumer.acker().ack(1, true).await.unwrap();
    until_health(&broker, is_down).await;

    proxy.set(Mode::Pass);
    until_health(&broker, |health| *health == Health::Up).await;
    let mut consumer = within(broker.consume(&queue.name, 10)).await.unwrap();
    let again = take(&mut consumer, 1).await;
    assert_eq!((bodies(&again), again[0].redelivered), (vec!["1"], true), "the ack came too late");
    let publisher = broker.publisher().await.unwrap();
    assert_eq!(within(publisher.publish(vec![to(&queue.name, "4")])).await, [Published::Confirmed]);
    assert_eq!(bodies(&take(&mut consumer, 1).await), ["4"]);
    rabbit.close().await;
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_given_up_by_the_heartbeat() {
    let (rabbit, proxy, broker) = proxied(Mode::Pass).await;
    let queue = rabbit.queue().await;
    let mut consumer = broker.consume(&queue.name, 10).await.unwrap();
    proxy.set(Mode::Hold);
    assert_eq!(within(consumer.next(1)).await, None);
    let down = until_health(&broker, is_down).await;
    assert!(matches!(&down, Health::Down(why) if why.contains("the connection is lost")), "{down:?}");
    rabbit.close().await;
}

#[tokio::test]
async fn h6_a_confirm_that_does_not_come_is_a_loss_after_a_while() {
    let rabbit = Rabbit::quorum().await;
    let proxy = Proxy::start(amqp_url(), Mode::Pass).await;
    let confirm_timeout = Duration::from_millis(200);
    let broker = AmqpConfig { confirm_timeout, ..config(proxy.url(), &rabbit) };
    let broker = Amqp::connect_lazily(AmqpConfig { heartbeat: Duration::from_secs(60), ..broker }).unwrap();
    let queue = rabbit.queue().await;
    let publisher = broker.publisher().await.unwrap();
    proxy.set(Mode::Hold);
    let published = within(publisher.publish(vec![to(&queue.name, "1")])).await;
    assert_eq!(published, [Published::Lost("no confirm within 200ms".into())]);
    let again = within(publisher.publish(vec![to(&queue.name, "1")])).await;
    assert_eq!(again, published, "the publisher says why it ended");
    rabbit.close().await;
}

#[tokio::test]
async fn an_alarm_of_the_broker_shows_and_passes() {
    let (rabbit, proxy, broker) = proxied(Mode::Pass).await;
    let queue = rabbit.queue().await;
    let publisher = broker.publisher().await.unwrap();
    proxy.say_blocked("low on memory");
    let blocked = until_health(&broker, |health| *health != Health::Up).await;
    assert_eq!(blocked, Health::Blocked("low on memory".into()));
    let batch = vec![to(&queue.name, "1")];
    let (published, ()) = tokio::join!(within(publisher.publish(batch)), async {
        proxy.say_unblocked();
    });
    assert_eq!(published, [Published::Confirmed]);
    until_health(&broker, |health| *health == Health::Up).await;
    rabbit.close().await;
}

#[tokio::test]
async fn h6_a_queue_that_takes_nothing_for_long_is_tried_on_another_channel() {
    let rabbit = Rabbit::quorum().await;
    let patience = Duration::from_millis(100);
    let broker = AmqpConfig { refusal_patience: patience, ..config(amqp_url(), &rabbit) };
    let broker = Amqp::connect_lazily(broker).unwrap();
    let (queue, other, channel) = (rabbit.topology().work("full").unwrap(), rabbit.queue().await, rabbit.hand().await);
    let mut full = FieldTable::default();
    full.insert("x-max-length".into(), lapin::types::AMQPValue::LongInt(1));
    full.insert("x-overflow".into(), lapin::types::AMQPValue::LongString("reject-publish".into()));
    channel.queue_declare(queue.name.as_str().into(), QueueDeclareOptions::durable(), full).await.unwrap();

    let (publisher, requester) = (broker.publisher().await.unwrap(), broker.requester().await.unwrap());
    assert_eq!(within(publisher.publish(vec![to(&queue.name, "1")])).await, [Published::Confirmed]);
    let start = std::time::Instant::now();
    while start.elapsed() < patience * 5 {
        let published = within(publisher.publish(vec![to(&queue.name, "2"), to(&other.name, "1")])).await;
        assert!(matches!(&published[..], [Published::Refused(_), Published::Confirmed]), "{published:?}");
    }
    let is_over = |sent| matches!(sent, Published::Refused(why) if why.contains("another channel is needed"));
    within(async { while !is_over(requester.send(to(&queue.name, "2")).await) {} }).await;
    assert_eq!(within(requester.next()).await, None, "its owner asks for another");
    channel.queue_purge(queue.name.as_str().into(), Default::default()).await.unwrap();
    assert_eq!(within(publisher.publish(vec![to(&queue.name, "3")])).await, [Published::Confirmed]);
    rabbit.close().await;
}

#[tokio::test]
async fn h6_what_can_t_be_carried_is_refused_and_spoils_nothing_else() {
    let rabbit = Rabbit::quorum().await;
    let broker = AmqpConfig { body_bytes_max: 10, ..config(amqp_url(), &rabbit) };
    let broker = Amqp::connect_lazily(broker).unwrap();
    let queue = rabbit.queue().await;
    let publisher = broker.publisher().await.unwrap();
    let batch = vec![to(&queue.name, "1"), to(&queue.name, &"x".repeat(11)), to(&queue.name, "2")];
    let refused = Published::Refused("the body has 11 bytes, at most 10 are allowed".into());
    assert_eq!(within(publisher.publish(batch)).await, [Published::Confirmed, refused, Published::Confirmed]);
    rabbit.close().await;
}

#[tokio::test]
async fn headers_as_large_as_allowed_pass() {
    let rabbit = Rabbit::quorum().await;
    let queue = rabbit.queue().await;
    let mut large = to(&queue.name, "1");
    large.message.headers.insert("x", crate::HeaderValue::Text("x".repeat(120 * 1024 - 7).into()));
    let publisher = rabbit.broker().publisher().await.unwrap();
    assert_eq!(within(publisher.publish(vec![large.clone()])).await, [Published::Confirmed]);
    let taken = take(&mut rabbit.consume(&queue, 1).await, 1).await.remove(0);
    assert_eq!(taken.message.headers, large.message.headers);
    rabbit.close().await;
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_used_as_it_is() {
    let rabbit = Rabbit::quorum().await;
    let queue = rabbit.topology().work("other").unwrap();
    let channel = rabbit.hand().await;
    let durable = QueueDeclareOptions::durable();
    channel.queue_declare(queue.name.as_str().into(), durable, FieldTable::default()).await.unwrap();
    rabbit.broker().declare(&queue).await.unwrap();
    rabbit.send(&queue, &["1"]).await;
    assert_eq!(bodies(&take(&mut rabbit.consume(&queue, 1).await, 1).await), ["1"]);
    rabbit.close().await;
}

#[tokio::test]
async fn a_queue_that_may_not_be_declared_is_named() {
    let rabbit = Rabbit::quorum().await;
    // The broker keeps such names for itself.
    let queue = QueueSpec { name: format!("amq.{}", Uuid::new_v4()), kind: QueueKind::Work };
    let error = within(rabbit.broker().declare(&queue)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused { why, .. } if why.contains(&format!("declare queue {}", queue.name))),
        "{error}"
    );
    rabbit.close().await;
}

/// Runs `rabbitmqctl` on the repository's own node.
fn ctl(arguments: &[&str]) {
    Script::rabbitmq().run(&[&["ctl"], arguments].concat());
}

#[tokio::test]
async fn a_service_needs_no_permission_to_declare_what_is_there() {
    // Users are made on the repository's own node, whatever else the tests run on.
    let url = Script::rabbitmq().run(&["ensure"]);
    let rabbit = Rabbit::at(&url).await;
    let user = format!("worker-{}", Uuid::new_v4().simple());
    ctl(&["add_user", &user, "secret"]);
    ctl(&["set_permissions", "-p", "/", &user, "^$", "^amq\\.default$", ".*"]);
    let mut uri: lapin::uri::AMQPUri = url.parse().unwrap();
    uri.authority.userinfo = lapin::uri::AMQPUserInfo { username: user.clone(), password: "secret".into() };
    let broker = Amqp::connect_lazily(config(&uri.to_string(), &rabbit)).unwrap();

    let queue = rabbit.topology().work("charge").unwrap();
    let error = within(broker.declare(&queue)).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { why, .. } if why.contains(&queue.name)), "{error}");
    for queue in [&queue, &rabbit.topology().ingress_queue()] {
        rabbit.broker().declare(queue).await.unwrap();
        within(broker.declare(queue)).await.unwrap();
    }
    let published = broker.publisher().await.unwrap().publish(vec![to(&queue.name, "1")]).await;
    assert_eq!(published, [Published::Confirmed]);
    drop(broker);
    ctl(&["delete_user", &user]);
    rabbit.close().await;
}
