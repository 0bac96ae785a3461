use std::{sync::Arc, time::Duration};

use super::*;
use crate::{Topology, codec};

fn pace() -> Pace {
    Pace::new(Arc::new(Topology::new("h").unwrap()))
}

fn to(queue: &str, id: &str) -> Publication {
    let message = Message { message_id: Some(id.into()), ..Message::default() };
    Publication { to: Address::Queue(queue.into()), mandatory: true, packs: true, message }
}

fn large(queue: &str, id: &str, bytes: usize) -> Publication {
    let publication = to(queue, id);
    let message = Message { body: vec![b'x'; bytes].into(), ..publication.message };
    Publication { message, ..publication }
}

/// What leaves now: of each departure its messages, packs as lists of ids.
fn leaving(lanes: &mut Lanes<&'static str>) -> Vec<(u64, Vec<String>)> {
    let show = |publication: Publication| {
        let Address::Queue(queue) = &publication.to else { panic!("{publication:?}") };
        let ids =
            |messages: Vec<Message>| -> Vec<Text> { messages.into_iter().filter_map(|it| it.message_id).collect() };
        match pack::is_pack(&publication.message) {
            true => format!("{queue}: [{}]", ids(pack::parts(&publication.message)).join(" ")),
            false => format!("{queue}: {}", ids(vec![publication.message]).join(" ")),
        }
    };
    let mut pace = pace();
    std::iter::from_fn(|| lanes.depart(&mut pace))
        .map(|it| (it.id, it.messages.into_iter().map(show).collect()))
        .collect()
}

fn one(lanes: &mut Lanes<&'static str>) -> (u64, Vec<String>) {
    let mut all = leaving(lanes);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_lone_message_leaves_at_once_as_it_is_and_what_gathers_meanwhile_leaves_together() {
    let mut lanes = Lanes::default();
    lanes.add("first", vec![to("q", "1")]);
    let (first, messages) = one(&mut lanes);
    assert_eq!(messages, ["q: 1"]);
    lanes.add("second", vec![to("q", "2"), to("q", "3")]);
    lanes.add("third", vec![to("q", "4")]);
    assert!(leaving(&mut lanes).is_empty());
    assert_eq!(lanes.landed(first, &[Published::Confirmed]), [("first", vec![Published::Confirmed])]);
    let (next, messages) = one(&mut lanes);
    assert_eq!(messages, ["q: [2 3 4]"]);
    let done = lanes.landed(next, &[Published::Confirmed]);
    assert_eq!(done, [("second", vec![Published::Confirmed; 2]), ("third", vec![Published::Confirmed])]);
    assert!(leaving(&mut lanes).is_empty() && lanes.lanes.is_empty() && lanes.batches.is_empty());
}

#[test]
fn a_batch_leaves_in_one_message_for_each_destination() {
    let mut lanes = Lanes::default();
    let unmandatory = Publication { mandatory: false, ..to("a", "5") };
    let mut answered = to("a", "6");
    answered.message.reply_to = Some("me".into());
    let alone = Publication { packs: false, ..to("a", "7") };
    let batch = vec![to("a", "1"), to("b", "2"), to("a", "3"), to("b", "4"), unmandatory, answered, alone];
    lanes.add("batch", batch);
    let all: Vec<Vec<String>> = leaving(&mut lanes).into_iter().map(|(_, messages)| messages).collect();
    assert_eq!(all, [["a: 7"], ["a: [1 3]"], ["b: [2 4]"], ["a: 5"], ["a: 6"]]);
}

#[test]
fn what_a_pack_met_each_of_its_parts_has_met() {
    let mut lanes = Lanes::default();
    lanes.add("batch", vec![to("a", "1"), to("b", "2"), to("a", "3"), Publication { packs: false, ..to("a", "4") }]);
    let [(alone, _), (a, _), (b, _)] = leaving(&mut lanes)[..] else { panic!() };
    let refused = Published::Refused("full".into());
    assert_eq!(lanes.landed(a, std::slice::from_ref(&refused)), []);
    assert_eq!(lanes.landed(b, &[Published::Returned]), []);
    let done = lanes.landed(alone, &[Published::Lost("gone".into())]);
    let results = vec![refused.clone(), Published::Returned, refused, Published::Lost("gone".into())];
    assert_eq!(done, [("batch", results)]);
}

#[test]
fn packs_are_bounded_in_count_and_in_bytes_and_keep_their_order() {
    let mut lanes = Lanes::default();
    lanes.add("many", (0..600).map(|n| to("q", &n.to_string())).collect());
    let departure = lanes.depart(&mut pace()).unwrap();
    let sizes: Vec<usize> = departure.messages.iter().map(|it| pack::parts(&it.message).len()).collect();
    assert_eq!(sizes, [256, 256, 88]);
    let ids = departure.messages.iter().flat_map(|it| pack::parts(&it.message)).filter_map(|part| part.message_id);
    assert!(ids.eq((0..600).map(|n| n.to_string())));

    let mut lanes = Lanes::default();
    let (third, more) = (PACK_BYTES_MAX / 3, PACK_BYTES_MAX + 1);
    let batch = [("1", third), ("2", third), ("3", third), ("4", 10), ("5", more), ("6", 10), ("7", 10)];
    lanes.add("large", batch.map(|(id, bytes)| large("q", id, bytes)).into());
    let (id, messages) = one(&mut lanes);
    assert_eq!(messages, ["q: [1 2]", "q: [3 4]", "q: 5", "q: [6 7]"]);
    let results = [Published::Confirmed, Published::Returned, Published::Confirmed, Published::Returned];
    let of_each = [0, 0, 1, 1, 2, 3, 3].map(|at: usize| results[at].clone());
    assert_eq!(lanes.landed(id, &results), [("large", of_each.to_vec())]);
}

#[test]
fn destinations_do_not_wait_for_each_other() {
    let mut lanes = Lanes::default();
    lanes.add("a", vec![to("a", "1")]);
    leaving(&mut lanes);
    lanes.add("b", vec![to("b", "2"), to("a", "3")]);
    assert_eq!(one(&mut lanes).1, ["b: 2"]);
}

#[test]
fn what_amqp_could_not_carry_goes_alone_so_that_it_is_refused_alone() {
    let mut lanes = Lanes::default();
    lanes.add("batch", vec![to("q", "1"), to("q", &"x".repeat(256)), to("q", "2")]);
    let all = leaving(&mut lanes);
    assert_eq!((all[0].1.len(), &all[1].1[..]), (1, &["q: [1 2]".to_owned()][..]));
}

/// H21: one worker gets a pack as a whole.
#[test]
fn h21_packs_of_work_items_hold_as_many_as_their_pace_says() {
    let (mut lanes, mut pace) = (Lanes::default(), pace());
    let sizes = |lanes: &mut Lanes<&'static str>, pace: &mut Pace, count: usize| -> Vec<usize> {
        lanes.add("batch", (0..count).map(|n| to("h.work.q", &n.to_string())).collect());
        let Departure { id, messages } = lanes.depart(pace).unwrap();
        assert_eq!(lanes.landed(id, &vec![Published::Confirmed; messages.len()]).len(), 1);
        messages.into_iter().map(|it| pack::unpack(it.message).len()).collect()
    };
    assert_eq!(sizes(&mut lanes, &mut pace, 20), [8, 8, 4], "nothing is known of them");
    let told = |took| codec::timed(to("h.control.01", "reply"), "q", took).message;
    pace.note(&told(Duration::from_millis(10)));
    assert_eq!(sizes(&mut lanes, &mut pace, 12), [5, 5, 2]);
    pace.note(&told(Duration::from_secs(10)));
    assert_eq!(sizes(&mut lanes, &mut pace, 3), [1, 1, 1]);
}
