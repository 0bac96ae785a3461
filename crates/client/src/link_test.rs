//! The client on the memory broker, with an owner that does what a test says. Time is paused: it jumps to the next
//! deadline when nothing else is left to do.

use std::time::Duration;

use tokio::{spawn, task::JoinHandle};
use warren_broker::{Broker, Envelope, codec::pack, memory::Memory};
use warren_model::{Answer, AnswerWhen, Command, InstanceId, MessageId, Payload, Refusal, RefusalCode, Status};

use crate::{
    About, Client, Error, Options,
    testing::{MemoryQueries, ScriptedOwner, answer, partitions, topology},
};

const SECOND: Duration = Duration::from_secs(1);

async fn hub() -> (Memory, ScriptedOwner, Client<MemoryQueries>) {
    let broker = Memory::new(topology());
    let owner = ScriptedOwner::start(&broker).await;
    let client = client(&broker);
    (broker, owner, client)
}

fn client(broker: &Memory) -> Client<MemoryQueries> {
    Client::connect(broker.clone(), MemoryQueries::default(), topology(), Options::default()).unwrap()
}

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

fn start(client: &Client<MemoryQueries>, name: &str) -> JoinHandle<crate::Result<Answer>> {
    let (client, name) = (client.clone(), id(name));
    spawn(async move { client.start("order", Payload::null()).id(name).send().await })
}

#[tokio::test(start_paused = true)]
async fn a_start_is_answered_after_its_commit() {
    let (_broker, mut owner, client) = hub().await;
    let started = start(&client, "order-7");
    let command = owner.next().await;
    assert_eq!((command.instance.as_str(), command.when), ("order-7", AnswerWhen::Accepted));
    let Command::Start(request) = &command.command else { panic!("{command:?}") };
    assert_eq!(request.name, "order");
    owner.accept(&command, Status::Pending).await;
    assert_eq!(started.await.unwrap().unwrap(), answer(&id("order-7"), Status::Pending));
}

/// How many messages the control queues hold, and how many commands those carry.
fn waiting(broker: &Memory) -> (usize, usize) {
    let queues = partitions().all().map(|partition| broker.ready(&topology().control(partition).name));
    let messages: Vec<_> = queues.flatten().collect();
    let count = |message| if pack::is_pack(message) { pack::parts(message).len() } else { 1 };
    (messages.len(), messages.iter().map(count).sum())
}

#[tokio::test(start_paused = true)]
async fn starts_that_are_ready_together_travel_together_unless_the_client_says_otherwise() {
    for (packs, most) in [(true, 6), (false, 100)] {
        let broker = Memory::new(topology());
        for partition in partitions().all() {
            broker.declare(&topology().control(partition)).await.unwrap();
        }
        let options = Options { packs, ..Options::default() };
        let client = Client::connect(broker.clone(), MemoryQueries::default(), topology(), options).unwrap();
        let starts: Vec<_> = (0..100).map(|n| start(&client, &format!("order-{n}"))).collect();
        while waiting(&broker).1 < 100 {
            tokio::task::yield_now().await;
        }
        let (messages, commands) = waiting(&broker);
        assert_eq!(commands, 100);
        assert!(messages <= most && (packs || messages == 100), "{messages} messages");
        let mut owner = ScriptedOwner::start(&broker).await;
        for _ in 0..100 {
            let command = owner.next().await;
            assert_eq!(command.answer_to.as_ref().map(|to| to.packs), Some(packs));
            owner.accept(&command, Status::Pending).await;
        }
        for started in starts {
            started.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_a_start_says_arrives() {
    let (_broker, mut owner, client) = hub().await;
    let asking = spawn(async move {
        let start = client.start("order", Payload::of(&[1, 2]).unwrap()).version("2").tag("shop", "berlin");
        start.traceparent("00-01-02-03").message(MessageId::new("key-1").unwrap()).send().await
    });
    let command = owner.next().await;
    assert_eq!(command.id.as_str(), "key-1");
    assert_eq!(command.instance, warren_model::instance_id_for(&command.id), "derived, so that a retry means the same");
    let Command::Start(request) = &command.command else { panic!("{command:?}") };
    assert_eq!((request.input.as_str(), request.version.as_deref()), ("[1,2]", Some("2")));
    assert_eq!(request.tags, [("shop".to_owned(), "berlin".to_owned())].into());
    assert_eq!(request.traceparent.as_deref(), Some("00-01-02-03"));
    owner.accept(&command, Status::Pending).await;
    asking.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_reaches_the_caller() {
    let (_broker, mut owner, client) = hub().await;
    let started = start(&client, "order-7");
    let refusal = Refusal { code: RefusalCode::Exists, message: "instance order-7 is Running".into() };
    let command = owner.next().await;
    owner.answer(&command, Err(refusal.clone())).await;
    let Err(Error::Refused(told)) = started.await.unwrap() else { panic!("expected a refusal") };
    assert_eq!(told, refusal);
}

/// H1: only then may the owner begin without a look.
#[tokio::test(start_paused = true)]
async fn a_start_is_said_to_be_fresh_if_its_ids_are_and_only_once() {
    let (_broker, mut owner, client) = hub().await;
    let starting = client.clone();
    let started = spawn(async move { starting.start("checkout", Payload::null()).send().await });
    let first = owner.next().await;
    let again = owner.next().await;
    assert!(first.is_fresh && !again.is_fresh);
    assert_eq!(Envelope { is_fresh: true, ..again }, first);
    owner.accept(&first, Status::Running).await;
    started.await.unwrap().unwrap();
    let (starting, message) = (client.clone(), MessageId::new("m-1").unwrap());
    let _started = spawn(async move { starting.start("checkout", Payload::null()).message(message).send().await });
    assert!(!owner.next().await.is_fresh, "the caller may have sent it before");
}

/// H1, H5: the answer is lost, the command is asked again with the same id, and is answered the same.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_with_the_same_ids() {
    let (_broker, mut owner, client) = hub().await;
    let started = start(&client, "order-7");
    let first = owner.next().await;
    let second = owner.next().await;
    assert_eq!(first, second);
    assert!(!first.is_fresh, "the caller has chosen the instance's id");
    owner.accept(&second, Status::Running).await;
    owner.accept(&first, Status::Running).await;
    assert_eq!(started.await.unwrap().unwrap().status, Status::Running);
    // The duplicate of the answer troubles nobody.
    let other = start(&client, "order-8");
    owner.accept_next(Status::Pending).await;
    assert_eq!(other.await.unwrap().unwrap().instance.as_str(), "order-8");
}

#[tokio::test(start_paused = true)]
async fn answers_in_any_order_find_their_callers() {
    let (_broker, mut owner, client) = hub().await;
    let asked: Vec<_> = (0..50).map(|n| (n, start(&client, &format!("order-{n}")))).collect();
    let mut commands = Vec::new();
    while commands.len() < 50 {
        commands.push(owner.next().await);
    }
    for command in commands.iter().rev() {
        owner.accept(command, Status::Pending).await;
    }
    for (n, started) in asked {
        assert_eq!(started.await.unwrap().unwrap().instance.as_str(), format!("order-{n}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_nobody_has_created_is_named() {
    let broker = Memory::new(topology());
    let error = client(&broker).start("order", Payload::null()).id(id("order-7")).send().await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable { hub, .. } if hub == "test"), "{error:?}");
    assert!(error.to_string().contains("no orchestrator-svc has created the hub"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_means_unavailable_and_nothing_is_sent_later() {
    let (broker, mut owner, client) = hub().await;
    broker.set_down(Some("connection refused"));
    let error = start(&client, "order-7").await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Unavailable { why, .. } if why == "connection refused"), "{error:?}");
    broker.set_down(None);
    owner.reconnect(&broker).await;
    let other = start(&client, "order-8");
    let command = owner.next().await;
    assert_eq!(command.instance.as_str(), "order-8", "what was given up is not sent");
    owner.accept(&command, Status::Pending).await;
    other.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_comes_back_soon_is_not_noticed() {
    let (broker, mut owner, client) = hub().await;
    broker.set_down(Some("connection refused"));
    let started = start(&client, "order-7");
    tokio::time::advance(SECOND).await;
    broker.set_down(None);
    owner.reconnect(&broker).await;
    owner.accept_next(Status::Pending).await;
    started.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_alarm_of_the_broker_means_unavailable_and_nothing_is_sent_later() {
    let (broker, mut owner, client) = hub().await;
    // One command first, so that the channel is open.
    let first = start(&client, "order-6");
    owner.accept_next(Status::Pending).await;
    first.await.unwrap().unwrap();
    broker.set_blocked(Some("low on memory"));
    let error = start(&client, "order-7").await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::Unavailable { why, .. } if why == "low on memory"), "{error:?}");
    broker.set_blocked(None);
    let other = start(&client, "order-8");
    assert_eq!(owner.next().await.instance.as_str(), "order-8");
    drop(other);
}

/// H6: a confirm that never came means nothing; the command is sent again with the same id.
#[tokio::test(start_paused = true)]
async fn a_command_is_sent_again_after_a_lost_confirm() {
    let (broker, mut owner, client) = hub().await;
    broker.set_losing_confirms(true);
    let started = start(&client, "order-7");
    let first = owner.next().await;
    let second = owner.next().await;
    assert_eq!(first.id, second.id);
    broker.set_losing_confirms(false);
    owner.accept(&first, Status::Pending).await;
    started.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_command_is_sent_again_until_the_broker_takes_it() {
    let (broker, mut owner, client) = hub().await;
    broker.set_refusing(Some("the queue is full"));
    let started = start(&client, "order-7");
    tokio::time::advance(SECOND).await;
    assert!(owner.try_next().is_none());
    broker.set_refusing(None);
    owner.accept_next(Status::Pending).await;
    started.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_a_reconnect_open_commands_are_asked_again_on_the_new_channel() {
    let (broker, mut owner, client) = hub().await;
    let started = start(&client, "order-7");
    let before = owner.next().await;
    broker.break_connections();
    owner.reconnect(&broker).await;
    let after = owner.next().await;
    assert_eq!(before.id, after.id);
    assert_ne!(before.answer_to, after.answer_to, "the answer goes to the new channel");
    owner.accept(&before, Status::Running).await;
    owner.accept(&after, Status::Running).await;
    started.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_never_answers_is_a_timeout_with_the_id_to_ask_again() {
    let (_broker, mut owner, client) = hub().await;
    let started = start(&client, "order-7");
    let command = owner.next().await;
    let Err(Error::Timeout { about, message, .. }) = started.await.unwrap() else { panic!("expected a timeout") };
    assert_eq!((about, message), (About::Instance(command.instance), command.id));
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_answered_at_the_end() {
    let (_broker, mut owner, client) = hub().await;
    let waiting = spawn(async move { client.wait(&id("order-7"), 60 * SECOND).await });
    let command = owner.next().await;
    assert_eq!((&command.command, command.when), (&Command::Wait, AnswerWhen::Outcome));
    owner.end(&command, Status::Completed, Ok(Payload::of("done").unwrap())).await;
    let ended = waiting.await.unwrap().unwrap().expect("it has ended");
    assert_eq!((ended.status, ended.outcome.unwrap().as_str()), (Status::Completed, "\"done\""));
}

/// A new owner does not know who waits.
#[tokio::test(start_paused = true)]
async fn a_wait_is_asked_again_and_ends_with_its_time() {
    let (_broker, mut owner, client) = hub().await;
    let waiting = spawn(async move { client.wait(&id("order-7"), 20 * SECOND).await });
    let first = owner.next().await;
    let again = owner.next().await;
    assert_eq!(first, again);
    assert_eq!(waiting.await.unwrap().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_run_is_answered_by_its_end_alone() {
    let (_broker, mut owner, client) = hub().await;
    let running = spawn(async move { client.start("order", Payload::null()).id(id("order-7")).run().await });
    let command = owner.next().await;
    assert_eq!(command.when, AnswerWhen::Outcome);
    owner.end(&command, Status::Completed, Ok(Payload::of(&7).unwrap())).await;
    let ended = running.await.unwrap().unwrap();
    assert_eq!((ended.status, ended.outcome), (Status::Completed, Ok(Payload::of(&7).unwrap())));
    assert!(owner.try_next().is_none(), "no wait follows");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_run_and_refused_says_so() {
    let (_broker, mut owner, client) = hub().await;
    let running = spawn(async move { client.start("order", Payload::null()).id(id("order-7")).run().await });
    let command = owner.next().await;
    let refusal = Refusal { code: RefusalCode::Exists, message: "it is there".into() };
    owner.answer(&command, Err(refusal.clone())).await;
    let Err(Error::Refused(told)) = running.await.unwrap() else { panic!("expected a refusal") };
    assert_eq!(told, refusal);
}

#[tokio::test(start_paused = true)]
async fn start_and_wait_gives_both() {
    let (_broker, mut owner, client) = hub().await;
    let asking =
        spawn(async move { client.start("order", Payload::null()).id(id("order-7")).send_and_wait(60 * SECOND).await });
    owner.accept_next(Status::Pending).await;
    let failure = warren_model::Failure::permanent("declined", "no money");
    let wait = owner.next().await;
    owner.end(&wait, Status::Failed, Err(failure.clone())).await;
    let (answer, ended) = asking.await.unwrap().unwrap();
    assert_eq!(answer.status, Status::Pending);
    assert_eq!(ended.unwrap().outcome.unwrap_err(), failure);
}

#[tokio::test(start_paused = true)]
async fn every_other_command_says_what_it_was_given() {
    let (_broker, mut owner, client) = hub().await;
    let why = || Some("why".to_owned());
    let id = id("order-7");
    let asks = [
        client.raise(&id, "approval", Payload::null()),
        client.terminate(&id, why(), true),
        client.suspend(&id, why()),
        client.resume(&id, None),
    ];
    let expected = [
        Command::Raise { event: "approval".into(), input: Payload::null(), keep_unseen: false },
        Command::Terminate { reason: why(), recursive: true },
        Command::Suspend { reason: why() },
        Command::Resume { reason: None },
    ];
    for (ask, expected) in asks.into_iter().zip(expected) {
        let serve = async {
            let command = owner.next().await;
            assert_eq!(command.command, expected);
            owner.accept(&command, Status::Running).await;
        };
        let (answered, ()) = tokio::join!(ask.send(), serve);
        answered.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_owner_takes_is_not_sent() {
    let (_broker, mut owner, client) = hub().await;
    let error = client.raise(&id("order-7"), "", Payload::null()).send().await.unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.code == RefusalCode::Invalid), "{error:?}");
    assert!(owner.try_next().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_link_ends_with_the_last_client() {
    let broker = Memory::new(topology());
    let queries = MemoryQueries::default();
    let (client, link) = Client::new(broker.clone(), queries.clone(), topology(), Options::default()).unwrap();
    let running = spawn(link.run());
    let clone = client.clone();
    drop(client);
    tokio::task::yield_now().await;
    assert!(!running.is_finished());
    drop(clone);
    running.await.unwrap();

    broker.set_down(Some("connection refused"));
    let (client, link) = Client::new(broker, queries, topology(), Options::default()).unwrap();
    drop(client);
    link.run().await;
}

#[test]
fn another_hub_than_configured_is_refused() {
    let other = warren_broker::Topology::new("other").unwrap();
    let made = Client::new(Memory::new(other.clone()), MemoryQueries::default(), other, Options::default());
    assert_eq!(made.unwrap_err().to_string(), "use hub other: the store holds hub test");
}
