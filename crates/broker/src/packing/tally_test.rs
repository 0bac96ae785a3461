use super::*;

/// A delivery of this many parts; of one: no pack.
fn delivery(tag: u64, parts: usize) -> Delivery {
    let messages = vec![Message::default(); parts];
    let message = if parts == 1 { Message::default() } else { pack::pack(None, &messages) };
    Delivery { tag, redelivered: tag == 3, routing_key: "q".into(), message }
}

/// Deliveries with tags from 1, of these many parts.
fn tally(parts: &[usize]) -> Tally {
    let mut tally = Tally::default();
    for (tag, parts) in (1..).zip(parts) {
        tally.take_apart(delivery(tag, *parts));
    }
    tally
}

fn ack(tag: u64, multiple: bool) -> Word {
    Word::Ack { tag, multiple }
}

#[test]
fn parts_are_deliveries_with_tags_in_a_row() {
    let mut tally = Tally::default();
    let mut seen = Vec::new();
    for (tag, parts) in [(1, 1), (2, 3), (3, 2), (4, 1)] {
        let parts = tally.take_apart(delivery(tag, parts));
        seen.extend(parts.into_iter().map(|part| (part.tag, part.redelivered, part.routing_key)));
    }
    let expected = (1..=7).map(|tag| (tag, tag == 5 || tag == 6, "q".into()));
    assert!(seen.iter().cloned().eq(expected), "{seen:?}");
    assert_eq!(tally.held(), 7);
}

#[test]
fn a_pack_is_acknowledged_with_its_last_part_in_any_order() {
    let mut tally = tally(&[3, 1]);
    assert_eq!(tally.ack(3, false), []);
    assert_eq!(tally.ack(1, false), []);
    assert_eq!(tally.ack(1, false), [], "twice counts once");
    assert_eq!(tally.ack(4, false), [ack(2, false)]);
    assert_eq!((tally.ack(2, false), tally.held()), (vec![ack(1, false)], 0));
    assert_eq!(tally.ack(9, false), [], "nobody was given that");
}

#[test]
fn a_multiple_ack_reaches_to_the_last_pack_that_is_whole() {
    let mut tally = tally(&[1, 1, 3, 2]);
    assert_eq!((tally.ack(1, true), tally.held()), (vec![ack(1, false)], 6));
    assert_eq!((tally.ack(4, true), tally.held()), (vec![ack(2, false)], 3));
    assert_eq!(tally.ack(4, true), []);
    assert_eq!((tally.ack(6, true), tally.held()), (vec![ack(3, false)], 1));
    assert_eq!((tally.ack(7, true), tally.held()), (vec![ack(4, false)], 0));
    assert_eq!(tally.ack(7, true), []);
}

#[test]
fn many_are_acknowledged_in_one_go_and_none_twice() {
    let mut tally = tally(&[2, 1, 2, 1, 2]);
    assert_eq!(tally.ack(6, false), [ack(4, false)], "out of turn");
    assert_eq!(tally.ack(1, false), []);
    assert_eq!(tally.ack(7, true), [ack(3, true)], "the broker knows no 4 any more");
    assert_eq!(tally.ack(8, true), [ack(5, false)]);
}

#[test]
fn a_pack_of_which_a_part_is_given_back_comes_again_as_a_whole_once_all_of_it_is_done_with() {
    let mut tally = tally(&[2, 3, 1]);
    assert_eq!(tally.requeue(4), []);
    assert_eq!(tally.ack(3, false), []);
    assert_eq!(tally.requeue(6), [Word::Requeue(3)]);
    // The acknowledgement does not reach the one that is given back.
    assert_eq!(tally.ack(6, true), [Word::Requeue(2), ack(1, false)]);
    assert_eq!(tally.held(), 0);

    let mut tally = self::tally(&[2]);
    assert_eq!(tally.requeue(1), []);
    assert_eq!(tally.ack(2, false), [Word::Requeue(1)]);
}

/// Whatever order they come in: each delivery is told of once, and an acknowledgement of many never reaches one that is
/// still held or is to come again.
#[test]
fn h5_nothing_is_acknowledged_that_is_held() {
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..300 {
        let sizes: Vec<usize> = (0..8).map(|_| 1 + random(4)).collect();
        let mut tally = tally(&sizes);
        let owner: Vec<u64> = (1..).zip(&sizes).flat_map(|(tag, parts)| vec![tag; *parts]).collect();
        let (mut open, mut told): (BTreeSet<u64>, BTreeSet<u64>) =
            ((1..=owner.len() as u64).collect(), BTreeSet::new());
        let mut returned = BTreeSet::new();
        while let Some(last) = open.last().copied() {
            let tag = 1 + random(usize::try_from(last).unwrap()) as u64;
            let words = match random(4) {
                0 => {
                    if open.remove(&tag) {
                        returned.insert(owner[usize::try_from(tag).unwrap() - 1]);
                    }
                    tally.requeue(tag)
                }
                1 => {
                    open = open.split_off(&(tag + 1));
                    tally.ack(tag, true)
                }
                _ => {
                    open.remove(&tag);
                    tally.ack(tag, false)
                }
            };
            let held: BTreeSet<u64> = open.iter().map(|tag| owner[usize::try_from(*tag).unwrap() - 1]).collect();
            for word in words {
                let (gone, returns): (Vec<u64>, bool) = match word {
                    Word::Ack { tag, multiple: true } => ((1..=tag).filter(|tag| !told.contains(tag)).collect(), false),
                    Word::Ack { tag, multiple: false } => (vec![tag], false),
                    Word::Requeue(tag) => (vec![tag], true),
                };
                for tag in gone {
                    assert!(told.insert(tag), "delivery {tag} is told of twice");
                    assert!(!held.contains(&tag), "delivery {tag} is held");
                    assert_eq!(returned.contains(&tag), returns, "delivery {tag}");
                }
            }
            assert_eq!(tally.held(), open.len());
        }
        assert_eq!(told.len(), sizes.len());
    }
}
