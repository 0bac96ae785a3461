use tokio::time::timeout;
use warren::{Activity, ActivityContext, Failure, Registry};
use warren_broker::memory::Memory;
use warren_service::settings::QueueSettings;

use super::super::fixture::{broker, settings, start as start_worker, until};
use super::*;

const QUEUE: ServedId = ServedId(3);
const NAME: &str = "h.limit.send";

fn start(broker: &Memory) -> Batons {
    let spec = QueueSpec { name: NAME.into(), kind: warren_broker::QueueKind::Baton };
    Batons::start(broker, std::iter::once((QUEUE, spec)))
}

async fn is_held(batons: &mut Batons) -> bool {
    match timeout(Duration::from_secs(20), batons.next()).await.expect("a report in time") {
        BatonReport::Held(queue) => queue == QUEUE,
        BatonReport::Left(_) => false,
        BatonReport::Failed(error) => panic!("{error}"),
    }
}

/// How many batons there are, in the queue or held.
fn count(broker: &Memory) -> usize {
    broker.ready(NAME).len() + broker.unacknowledged(NAME)
}

#[tokio::test]
async fn one_of_those_that_ask_holds_it_and_when_that_one_leaves_the_next() {
    let broker = broker().await;
    let mut first = start(&broker);
    assert!(is_held(&mut first).await);
    let mut second = start(&broker);
    until("the second has asked", || second.trouble().is_none()).await;
    until("one baton is left", || count(&broker) == 1).await;
    first.want(QUEUE, false);
    assert!(!is_held(&mut first).await);
    assert!(is_held(&mut second).await);
    first.want(QUEUE, true);
    until("one baton is left", || count(&broker) == 1).await;
    second.close().await;
    assert!(is_held(&mut first).await);
    first.close().await;
    assert_eq!((broker.ready(NAME).len(), broker.unacknowledged(NAME)), (1, 0), "for the next one");
}

#[tokio::test]
async fn who_loses_it_says_so_and_asks_again() {
    let broker = broker().await;
    let mut batons = start(&broker);
    assert!(is_held(&mut batons).await);
    for lose in [Memory::break_connections as fn(&Memory), |broker| broker.delete_queue(NAME)] {
        lose(&broker);
        assert!(!is_held(&mut batons).await);
        assert!(is_held(&mut batons).await);
    }
    batons.close().await;
}

#[tokio::test]
async fn who_asks_no_longer_says_so_and_gets_nothing() {
    let broker = broker().await;
    let mut first = start(&broker);
    assert!(is_held(&mut first).await);
    let mut second = start(&broker);
    until("the second has asked", || second.trouble().is_none()).await;
    second.want(QUEUE, false);
    assert!(!is_held(&mut second).await);
    first.close().await;
    until("nobody has it", || broker.unacknowledged(NAME) == 0 && !broker.ready(NAME).is_empty()).await;
    second.close().await;
}

#[tokio::test]
async fn a_worker_that_stands_by_is_ready_and_consumes_nothing_until_the_other_has_gone() {
    let broker = broker().await;
    let mut settings = settings(4);
    settings.queues.insert("send".into(), QueueSettings { lanes: 2, limit: 3, ..QueueSettings::default() });
    let send = Activity::<u32, u32>::new("send");
    let registry =
        || Registry::new().activity(send, |_: ActivityContext, number| async move { Ok::<_, Failure>(number) });
    let first = start_worker(&broker, registry(), settings.clone());
    until("the first is ready", || first.health.is_ready()).await;
    until("the first consumes", || broker.consumers("h.work.send~2") == 1).await;
    let second = start_worker(&broker, registry(), settings);
    until("the second is ready", || second.health.is_ready()).await;
    assert_eq!((broker.consumers(NAME), broker.consumers("h.work.send~2")), (2, 1));
    first.stopped().await;
    until("the second consumes", || broker.consumers("h.work.send~2") == 1).await;
    second.stopped().await;
}
