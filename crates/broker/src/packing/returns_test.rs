use super::*;
use crate::Message;

const SLOTS: usize = 2;

/// A delivery of work items with these ids; of one: no pack.
fn delivery(tag: u64, ids: &[&str], redelivered: bool) -> Delivery {
    let item = |id: &&str| Message { message_id: Some((*id).into()), ..Message::default() };
    let mut items: Vec<Message> = ids.iter().map(item).collect();
    let message = if items.len() == 1 { items.remove(0) } else { pack::pack(None, &items) };
    Delivery { tag, redelivered, routing_key: "h.work.q".into(), message }
}

/// A tally to which these came, one after the other.
fn tally(deliveries: &[&[&str]]) -> Tally {
    let mut tally = Tally::of_work(SLOTS);
    tally.add((1..).zip(deliveries).map(|(tag, ids)| delivery(tag, ids, false)));
    tally
}

fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().filter_map(|it| it.message.message_id.as_deref()).collect()
}

fn take(tally: &mut Tally) -> Vec<Delivery> {
    tally.take(100, SLOTS, false)
}

fn ack(tag: u64) -> Word {
    Word::Ack { tag, multiple: false }
}

fn all_back(tally: &mut Tally, parts: Vec<Delivery>) -> Vec<Word> {
    parts.into_iter().flat_map(|part| tally.went_back(part, true)).collect()
}

#[test]
fn h21_what_waits_while_no_slot_becomes_free_goes_back_and_counts_as_done_with() {
    let mut tally = tally(&[&["slow", "slower", "1", "2"]]);
    assert_eq!(ids(&take(&mut tally)), ["slow", "slower"]);
    assert!(tally.overdue(Duration::ZERO).is_empty());
    assert_eq!(tally.look_at(), Some(PATIENCE));
    assert!(tally.overdue(PATIENCE - Duration::from_millis(1)).is_empty());
    let back = tally.overdue(PATIENCE);
    assert_eq!(ids(&back), ["1", "2"]);
    assert!(tally.overdue(2 * PATIENCE).is_empty() && take(&mut tally).is_empty(), "on their way");
    assert_eq!(all_back(&mut tally, back), []);
    assert_eq!(tally.ack(1, false), []);
    assert_eq!((tally.ack(2, false), tally.held()), (vec![ack(1)], 0));
}

#[test]
fn what_waits_for_slots_that_turn_over_stays() {
    let mut tally = tally(&[&["1", "2", "3", "4", "5", "6", "7"]]);
    take(&mut tally);
    tally.overdue(Duration::ZERO);
    tally.ack(2, true);
    assert_eq!(take(&mut tally).len(), 2);
    assert!(tally.overdue(PATIENCE).is_empty(), "as many as there are slots");
    tally.ack(3, false);
    assert_eq!(ids(&take(&mut tally)), ["5"]);
    let back = tally.overdue(2 * PATIENCE);
    assert_eq!(ids(&back), ["7"], "one was begun, so one has a chance");
    assert_eq!(all_back(&mut tally, back), []);
    tally.ack(5, true);
    assert_eq!(ids(&take(&mut tally)), ["6"]);
    assert!(tally.overdue(4 * PATIENCE).is_empty() && tally.look_at().is_none(), "nothing waits");
    assert_eq!(tally.ack(6, false), [ack(1)]);
}

/// Else the broker would hand it right back, again and again.
#[test]
fn h21_a_delivery_that_came_in_vain_is_acknowledged_when_a_slot_is_free_for_the_next() {
    let mut tally = tally(&[&["slow", "slower"], &["1", "2"]]);
    take(&mut tally);
    tally.overdue(Duration::ZERO);
    let back = tally.overdue(PATIENCE);
    assert_eq!(ids(&back), ["1", "2"]);
    assert_eq!(all_back(&mut tally, back), [], "two deliveries for two slots: the broker hands over no third");
    assert_eq!(tally.ack(1, false), [ack(2)]);
    assert_eq!(tally.ack(2, false), [ack(1)]);
}

#[test]
fn h5_what_did_not_go_back_waits_here_as_before() {
    let mut tally = tally(&[&["slow", "slower", "1", "2"]]);
    take(&mut tally);
    tally.overdue(Duration::ZERO);
    let back = tally.overdue(PATIENCE);
    for part in back.into_iter().rev() {
        assert_eq!(tally.went_back(part, false), []);
    }
    assert_eq!(tally.ack(2, true), []);
    assert_eq!(ids(&take(&mut tally)), ["1", "2"]);
    assert_eq!(tally.ack(4, true), [ack(1)]);
}

/// Whoever acknowledges many knows only what was handed on.
#[test]
fn h5_an_acknowledgement_of_many_does_not_reach_what_is_on_its_way_back() {
    let mut tally = tally(&[&["slow", "1", "2", "3"]]);
    assert_eq!(ids(&tally.take(100, 1, false)), ["slow"]);
    tally.overdue(Duration::ZERO);
    let mut back = tally.overdue(PATIENCE);
    tally.add([delivery(2, &["4"], false)]);
    assert_eq!(ids(&tally.take(100, 2, false)), ["4"]);
    assert_eq!(tally.ack(5, true), [ack(2)], "the first too, and its pack has more");
    assert_eq!(tally.handed_on(), 0);
    let refused = back.pop().unwrap();
    assert_eq!(all_back(&mut tally, back), []);
    tally.went_back(refused, false);
    tally.add([delivery(3, &["5"], false)]);
    tally.ack(5, true);
    assert_eq!(ids(&take(&mut tally)), ["3", "5"], "it is still here");
    assert_eq!(tally.ack(4, false), [ack(1)]);
}

#[test]
fn h21_at_the_end_all_that_has_no_slot_goes_back_and_nothing_that_is_done_comes_again() {
    let mut tally = tally(&[&["done", "1", "2", "3"], &["4"], &["5", "6"]]);
    assert_eq!(ids(&take(&mut tally)), ["done", "1"]);
    tally.ack(1, false);
    assert_eq!(ids(&take(&mut tally)), ["2"]);
    assert_eq!(tally.drain(), []);
    let back = tally.overdue(Duration::ZERO);
    assert_eq!(ids(&back), ["3", "4", "5", "6"]);
    assert_eq!(all_back(&mut tally, back), [ack(2), ack(3)]);
    // What was handed on and not begun.
    for tag in [2, 3] {
        let part = tally.give_back(tag).unwrap();
        assert_eq!(ids(std::slice::from_ref(&part)), [["1", "2"][usize::try_from(tag).unwrap() - 2]]);
        assert_eq!(tally.went_back(part, true), if tag == 3 { vec![ack(1)] } else { vec![] });
    }
    assert_eq!(tally.held(), 0);
}

#[test]
fn a_single_item_is_requeued_by_the_broker_and_so_is_a_pack_that_can_t_be_parted() {
    let mut tally = tally(&[&["1"], &["2", "3"]]);
    tally.take(100, 3, false);
    assert!(tally.give_back(1).is_none());
    assert_eq!(tally.requeue(1), [Word::Requeue(1)]);
    tally.drain();
    let part = tally.give_back(2).unwrap();
    assert_eq!(tally.went_back(part, false), []);
    assert_eq!(tally.ack(3, false), [Word::Requeue(2)]);
}

/// The broker takes it for a new message.
#[test]
fn h18_an_item_that_had_come_again_still_has_when_it_went_back() {
    let mut tally = Tally::of_work(1);
    tally.add([delivery(1, &["slow", "1"], true)]);
    assert!(tally.take(100, 1, false)[0].redelivered);
    tally.overdue(Duration::ZERO);
    let back = crate::codec::given_back(tally.overdue(PATIENCE).remove(0));
    assert!(!back.packs && back.mandatory);
    let mut next = Tally::of_work(1);
    next.add([Delivery { tag: 1, redelivered: false, routing_key: "h.work.q".into(), message: back.message }]);
    assert!(next.take(100, 1, false)[0].redelivered);
}

/// Whatever order things happen in: each item is answered or back in its queue before its delivery is acknowledged, no
/// delivery is told of twice, and the broker never hands over more than the prefetch.
#[test]
fn h5_h21_no_item_is_lost_whatever_happens() {
    let mut seed = 11_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..300 {
        let sizes: Vec<usize> = (0..12).map(|_| 1 + random(5)).collect();
        let mut tally = Tally::of_work(SLOTS);
        let (mut now, mut next) = (Duration::ZERO, 0);
        let (mut out, mut under_way): (Vec<Delivery>, Vec<Delivery>) = (Vec::new(), Vec::new());
        let (mut safe, mut told) = (BTreeSet::new(), BTreeSet::new());
        let mut drains = false;
        while told.len() < sizes.len() {
            while next < sizes.len() && next - told.len() < SLOTS {
                let names: Vec<String> = (0..sizes[next]).map(|part| format!("{next}.{part}")).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                next += 1;
                tally.add([delivery(next as u64, &names, false)]);
            }
            now += Duration::from_millis(100);
            let mut words = Vec::new();
            match random(8) {
                0 if !under_way.is_empty() => {
                    let part = under_way.remove(random(under_way.len()));
                    let is_confirmed = random(3) > 0;
                    if is_confirmed || drains {
                        safe.extend(part.message.message_id.clone());
                    }
                    words = tally.went_back(part, is_confirmed);
                }
                1 if !out.is_empty() => {
                    let item = out.remove(random(out.len()));
                    safe.extend(item.message.message_id.clone());
                    words = tally.ack(item.tag, false);
                }
                2 if out.len() > 1 => {
                    out.sort_by_key(|item| item.tag);
                    let last = out.last().unwrap().tag;
                    safe.extend(out.drain(..).filter_map(|item| item.message.message_id));
                    words = tally.ack(last, true);
                }
                3 => under_way.extend(tally.overdue(now)),
                4 if next == sizes.len() && random(5) == 0 => {
                    drains = true;
                    words = tally.drain();
                }
                _ => out.extend(take(&mut tally)),
            }
            assert!(out.len() <= SLOTS);
            for word in words {
                let gone: Vec<u64> = match word {
                    Word::Ack { tag, multiple: true } => (1..=tag).filter(|tag| !told.contains(tag)).collect(),
                    Word::Ack { tag, multiple: false } | Word::Requeue(tag) => vec![tag],
                };
                for tag in gone {
                    assert!(told.insert(tag), "delivery {tag} is told of twice");
                    let at = usize::try_from(tag).unwrap() - 1;
                    let all: BTreeSet<crate::Text> = (0..sizes[at]).map(|part| format!("{at}.{part}").into()).collect();
                    assert!(all.is_subset(&safe), "delivery {tag} is told of and not all of it is safe");
                }
            }
        }
        assert_eq!((tally.held(), tally.handed_on()), (0, 0));
    }
}
