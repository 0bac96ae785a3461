//! Payloads that are too large for a message, and those that are gone.

use warren::Registry;
use warren_broker::{Address, Bodies, ClientReply, HeaderValue};
use warren_model::{
    AnswerTo, AnswerWhen, Command, EventRaised, MessageId, Outgoing, PartitionMessage, RefusalCode, Status, code,
};

use super::{
    super::*,
    registry,
    world::{World, client, id, json, start},
};

/// A claim for a payload that is not in the store, as whoever fetches it leaves it.
const CLAIM: &str = "00000000-0000-0000-0000-000000000001:5000";

fn bodies() -> Bodies {
    Bodies { bytes_max: 1_000, inline_bytes_max: 500, ..Bodies::default() }
}

fn text(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes))
}

/// Takes the payload of the last message in the queue away.
fn lose_payload(world: &mut World) {
    let (message, _) = world.queue.back_mut().unwrap();
    message.headers.insert("claim", HeaderValue::Text(CLAIM.into()));
    if message.kind.as_deref() != Some("partition") {
        message.body = b""[..].into();
    }
}

fn dead(world: &World) -> Vec<String> {
    let dead = world.published.iter().filter(|p| p.to == Address::Queue("t.dead".into()));
    dead.map(|p| format!("{:?}", p.message.headers["warren-reason"])).collect()
}

#[test]
fn a_task_too_large_for_its_workers_messages_fails_before_anything_is_published() {
    let mut world = World::bounded(registry(), bodies());
    world.start("a", "echo", &text(2_000));
    world.settle();
    assert_eq!(world.outcome("a").as_ref().unwrap_err().code, code::PAYLOAD_TOO_LARGE);
    assert_eq!(world.work_items("echo"), 0);
}

#[test]
fn h4_what_was_too_large_is_not_published_by_the_next_owner_either() {
    let mut world = World::bounded(registry(), bodies());
    world.has_workers = false;
    world.start("a", "echo", &text(2_000));
    world.start("b", "echo", "\"small\"");
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Load(_))));
    assert!(world.act_on(|effect| matches!(effect, Effect::Commit(_))));
    world.crash();
    world.settle();
    assert_eq!(world.work_items("echo"), 1);
    assert_eq!(world.outcome("a").as_ref().unwrap_err().code, code::PAYLOAD_TOO_LARGE);
}

#[test]
fn a_client_that_reads_the_store_is_told_of_a_large_outcome_and_others_get_it_up_to_the_limit() {
    let mut world = World::bounded(Registry::new().orchestrator(warren::Orchestrator::new("same"), same), bodies());
    world.start("a", "same", &text(800));
    world.start("b", "same", &text(2_000));
    world.settle();
    assert!(world.outcome("a").is_ok());
    assert_eq!(world.outcome("b").as_ref().unwrap_err().code, code::PAYLOAD_TOO_LARGE, "it can't travel");
    assert_eq!(world.record("b").status, Status::Completed);
    let to = AnswerTo { stored: true, ..client("w") };
    for instance in ["a", "b"] {
        let (id, instance, command) = (MessageId::new("w").unwrap(), id(instance), Command::Wait);
        let (answer_to, when) = (Some(to.clone()), AnswerWhen::Outcome);
        let wait = warren_broker::Envelope { id, instance, command, answer_to, when, is_fresh: false };
        world.queue.push_back((world.codec.command(&wait).message, false));
    }
    world.settle();
    assert!(matches!(world.told("w")[..], [ClientReply::Stored { .. }, ClientReply::Stored { .. }]));
}

async fn same(_: warren::Context, text: String) -> Result<String, warren::Failure> {
    Ok(text)
}

#[test]
fn a_start_whose_payload_is_gone_is_refused_and_kept_in_the_dead_queue() {
    let mut world = World::new(registry());
    world.send("a", "s", start("twice", "3"));
    lose_payload(&mut world);
    world.settle();
    let [ClientReply::Refused(refusal)] = &world.told("s")[..] else { panic!("{:?}", world.told("s")) };
    assert_eq!(refusal.code, RefusalCode::Invalid);
    assert!(refusal.message.contains("not in the payload store"), "{refusal}");
    assert!(dead(&world)[0].contains("not in the payload store"));
    assert!(!world.shelf.instances.contains_key(&id("a")));
    // Its sender may send it again.
    world.send("a", "s", start("twice", "3"));
    world.settle();
    assert!(matches!(world.told("s")[1], ClientReply::Answer(_)));
}

/// H1: the first took the payload along, so its duplicates find none.
#[test]
fn h1_a_duplicate_whose_payload_is_gone_gets_the_first_answer() {
    let mut world = World::new(registry());
    for _ in 0..2 {
        world.send("a", "s", start("adder", "0"));
        world.settle();
        world.send("a", "r", Command::Raise { event: "go".into(), input: json("5"), keep_unseen: false });
        world.settle();
    }
    for command in [start("adder", "0"), Command::Raise { event: "go".into(), input: json("5"), keep_unseen: false }] {
        world.send("a", if matches!(command, Command::Start(_)) { "s" } else { "r" }, command);
        lose_payload(&mut world);
        world.settle();
    }
    for message in ["s", "r"] {
        let told = world.told(message);
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|reply| matches!(reply, ClientReply::Answer(_))), "{told:?}");
    }
    assert!(dead(&world).is_empty());
    assert_eq!(world.record("a").status, Status::Running, "one event was raised");
}

#[test]
fn a_reply_whose_payload_is_gone_fails_its_task_if_that_is_open() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.deliver();
    while world.queue.is_empty() {
        assert!(world.act());
    }
    let (first, _) = world.queue.back().unwrap().clone();
    lose_payload(&mut world);
    world.queue.push_front((first, false)); // the same reply, that has its payload, comes first: the other is late
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("12")));

    world.start("b", "twice", "3");
    world.deliver();
    while world.queue.is_empty() {
        assert!(world.act());
    }
    lose_payload(&mut world);
    world.settle();
    let failure = world.outcome("b").as_ref().unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), (code::PAYLOAD_MISSING, true));
}

#[test]
fn words_between_partitions_that_lost_their_payload_leave_nobody_waiting() {
    let mut world = World::new(registry());
    world.start("p", "parent", "3");
    world.deliver();
    let is_child = |message: &warren_broker::Message| message.kind.as_deref() == Some("partition");
    while !world.queue.back().is_some_and(|(message, _)| is_child(message)) {
        assert!(world.act());
    }
    lose_payload(&mut world);
    world.settle();
    assert_eq!(world.outcome("p").as_ref().unwrap_err().code, code::PAYLOAD_MISSING);
    assert!(!world.shelf.instances.contains_key(&id("child-3")));

    let event = EventRaised { name: "go".into(), input: json("1") };
    let word = Outgoing::ToPartition(PartitionMessage::Raise { instance: id("p"), event });
    let sequence = world.shelf.state().sent[&Partition(0)] + 1;
    let message = world.codec.outgoing(&word, Partition(0), Some((Partition(0), sequence))).unwrap().message;
    world.queue.push_back((message, false));
    lose_payload(&mut world);
    world.settle();
    assert!(dead(&world).last().unwrap().contains("not in the payload store"));
}

#[test]
fn a_garbage_claim_goes_to_the_dead_queue() {
    let mut world = World::new(registry());
    world.send("a", "s", start("twice", "3"));
    let (message, _) = world.queue.back_mut().unwrap();
    message.headers.insert("claim", HeaderValue::Text("over there".into()));
    world.settle();
    assert!(dead(&world)[0].contains("expected a UUID"), "{:?}", dead(&world));
    assert!(matches!(&world.told("s")[..], [ClientReply::Refused(r)] if r.code == RefusalCode::Invalid));
}

#[test]
fn a_batch_holds_no_more_bytes_than_one_transaction_should() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.settings.limits.payload_bytes = 64 << 20;
    world.crash();
    for instance in ["a", "b", "c"] {
        world.send(instance, instance, start("echo", &text(20 << 20)));
    }
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Load(_))));
    let turns = world
        .effects
        .iter()
        .find_map(|effect| if let Effect::Commit(commit) = effect { Some(commit.turns.len()) } else { None });
    assert_eq!(turns, Some(2), "the second fills it");
    world.settle();
    assert_eq!(world.shelf.instances.len(), 3);
}
