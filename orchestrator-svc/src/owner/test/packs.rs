//! Replies in one message, as the transport hands them on.

use warren_broker::{
    Address, Message,
    codec::pack,
    packing::{Tally, Word},
};

use super::{
    super::*,
    registry,
    world::{World, answer},
};

const COUNT: usize = 5;

/// A world where `COUNT` instances wait for their activity, and the replies to all of them.
fn waiting() -> (World, Vec<Message>) {
    let mut world = World::new(registry());
    world.has_workers = false;
    (0..COUNT).for_each(|n| world.start(&n.to_string(), "wide", "1"));
    world.settle();
    let items = world.published.iter().filter(|it| it.message.kind.as_deref() == Some("double"));
    let replies = items.map(|it| {
        let message = it.message.clone();
        answer(&Delivery { tag: 1, redelivered: false, routing_key: "t.work.double".into(), message })
    });
    let replies: Vec<Message> = replies.collect();
    assert_eq!(replies.len(), COUNT);
    (world, replies)
}

/// Delivers a pack, does all there is to do, and returns what the broker is told of it at the end.
fn deliver(world: &mut World, tally: &mut Tally, pack: &Message, redelivered: bool) -> Vec<Word> {
    let routing_key = "t.control.00".to_owned();
    let parts =
        tally.take_apart(Delivery { tag: 1, redelivered, routing_key: routing_key.into(), message: pack.clone() });
    world.input(Input::Delivered(parts));
    let mut words = Vec::new();
    while let Some(effect) = world.effects.pop_front() {
        if let Effect::Ack(tag) = effect {
            words.extend(tally.ack(tag, true));
        } else if let Some(input) = world.carry_out(effect) {
            world.input(input);
        }
    }
    words
}

fn completed(world: &World) -> usize {
    (0..COUNT).filter(|n| world.told(&format!("start-{n}")).len() == 1 && world.outcome(&n.to_string()).is_ok()).count()
}

#[test]
fn each_reply_of_a_pack_ends_its_task_and_the_pack_is_acknowledged_once() {
    let (mut world, replies) = waiting();
    let words = deliver(&mut world, &mut Tally::default(), &pack::pack(None, &replies), false);
    assert_eq!((completed(&world), words), (COUNT, vec![Word::Ack { tag: 1, multiple: false }]));
}

#[test]
fn what_makes_no_sense_in_a_pack_goes_to_the_dead_queue_alone_with_its_reason() {
    let (mut world, mut replies) = waiting();
    replies.insert(2, Message { correlation_id: Some("no token".into()), ..replies[0].clone() });
    let mut message = pack::pack(None, &replies);
    message.body = [&message.body[..], &[0, 0, 0, 1, 99, 0]].concat().into();
    let words = deliver(&mut world, &mut Tally::default(), &message, false);
    assert_eq!((completed(&world), words), (COUNT, vec![Word::Ack { tag: 1, multiple: false }]));
    let dead = world.published.iter().filter(|it| it.to == Address::Queue("t.dead".into()));
    let reasons: Vec<String> = dead.map(|it| format!("{:?}", it.message.headers["warren-reason"])).collect();
    let expected = ["is no token", "has a field 99", "the pack ends within a message"];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    assert!(reasons.iter().zip(expected).all(|(reason, part)| reason.contains(part)), "{reasons:?}");
}

/// The pack's acknowledgement waits for the copies in the dead queue, as that of a single message does.
#[test]
fn h6_a_pack_is_not_acknowledged_before_its_bad_parts_are_safe() {
    let (mut world, mut replies) = waiting();
    replies.push(Message { correlation_id: Some("no token".into()), ..replies[0].clone() });
    world.broker_says.push_back(Published::Refused("full".into()));
    let mut tally = Tally::default();
    assert_eq!(deliver(&mut world, &mut tally, &pack::pack(None, &replies), false), []);
    assert_eq!(tally.held(), COUNT + 1);
}

#[test]
fn h1_a_pack_that_comes_again_changes_nothing() {
    let (mut world, replies) = waiting();
    let message = pack::pack(None, &replies);
    deliver(&mut world, &mut Tally::default(), &message, false);
    let turns = world.shelf.turns.len();
    let words = deliver(&mut world, &mut Tally::default(), &message, true);
    assert_eq!(words, [Word::Ack { tag: 1, multiple: false }]);
    assert_eq!((completed(&world), world.shelf.turns.len()), (COUNT, turns));
}
