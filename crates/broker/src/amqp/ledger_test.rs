use std::time::Duration;

use super::*;

fn key(id: &str) -> ReturnKey {
    ReturnKey { message_id: id.into(), exchange: Text::new(), routing_key: "q".into() }
}

/// A ledger with one batch of mandatory publications of these ids.
struct Case {
    ledger: Ledger,
    sequences: Vec<Sequence>,
    answer: oneshot::Receiver<Vec<Published>>,
}

fn ledger() -> Ledger {
    Ledger::new(Refusals::new(Duration::from_secs(2)), Full::default())
}

fn sent(ids: &[&str]) -> Case {
    let mut ledger = ledger();
    let (reply, answer) = oneshot::channel();
    let batch = ledger.begin(ids.len(), reply);
    let now = Instant::now();
    let sequences = ids.iter().enumerate().map(|(index, id)| ledger.sent(batch, index, Some(key(id)), now)).collect();
    Case { ledger, sequences, answer }
}

impl Case {
    /// Confirms each publication in this order, with the returned message that hangs on it.
    fn confirm(&mut self, confirms: &[(usize, Option<&str>)]) {
        for (index, returned) in confirms {
            self.ledger.confirmed(self.sequences[*index], true, returned.map(key));
            self.ledger.settle();
        }
    }
}

#[test]
fn results_come_in_the_order_of_the_batch_when_all_are_known() {
    let mut case = sent(&["a", "b"]);
    case.confirm(&[(1, None)]);
    assert!(case.answer.try_recv().is_err());
    case.confirm(&[(0, None)]);
    assert_eq!(case.answer.try_recv().unwrap(), [Published::Confirmed, Published::Confirmed]);
}

#[test]
fn h6_a_return_that_hangs_on_another_confirm_finds_its_publication() {
    // b is returned; lapin hangs the returned message on the confirm of a, c or b itself.
    for confirms in [
        [(0, Some("b")), (1, None), (2, None)],
        [(2, Some("b")), (1, None), (0, None)],
        [(1, Some("b")), (0, None), (2, None)],
        [(2, Some("b")), (0, None), (1, None)],
    ] {
        let mut case = sent(&["a", "b", "c"]);
        case.confirm(&confirms);
        assert_eq!(
            case.answer.try_recv().unwrap(),
            [Published::Confirmed, Published::Returned, Published::Confirmed],
            "{confirms:?}"
        );
    }
}

#[test]
fn h6_returns_of_several_publications_may_be_mixed_up() {
    let mut case = sent(&["a", "b", "c"]);
    case.confirm(&[(0, Some("c")), (1, Some("a"))]);
    assert!(case.ledger.is_draining());
    case.confirm(&[(2, None)]);
    assert_eq!(case.answer.try_recv().unwrap(), [Published::Returned, Published::Confirmed, Published::Returned]);
    assert!(!case.ledger.is_draining());
}

#[test]
fn a_return_does_not_outlive_its_time() {
    let mut case = sent(&["a"]);
    case.confirm(&[(0, Some("a"))]);
    assert_eq!(case.answer.try_recv().unwrap(), [Published::Returned]);
    let (reply, mut answer) = oneshot::channel();
    let batch = case.ledger.begin(1, reply);
    let sequence = case.ledger.sent(batch, 0, Some(key("a")), Instant::now());
    case.ledger.confirmed(sequence, true, None);
    case.ledger.settle();
    assert_eq!(answer.try_recv().unwrap(), [Published::Confirmed]);
}

#[test]
fn a_nack_is_a_refusal_and_a_publication_that_was_not_mandatory_never_returns() {
    let mut ledger = ledger();
    let (reply, mut answer) = oneshot::channel();
    let batch = ledger.begin(2, reply);
    let sequence = ledger.sent(batch, 0, None, Instant::now());
    ledger.decided(batch, 1, Published::Refused("too large".into()));
    ledger.confirmed(sequence, false, None);
    ledger.settle();
    let results = answer.try_recv().unwrap();
    assert!(matches!(&results[..], [Published::Refused(_), Published::Refused(why)] if why == "too large"));
}

#[test]
fn h6_what_has_no_confirm_is_lost_and_what_has_one_is_not() {
    let mut case = sent(&["a", "b", "c", "d"]);
    case.ledger.confirmed(case.sequences[0], true, Some(key("a")));
    case.ledger.confirmed(case.sequences[1], true, None);
    case.ledger.lost(case.sequences[2], "reset");
    case.ledger.settle();
    assert_eq!(case.ledger.open(), 1);
    assert!(case.ledger.oldest().is_some());
    case.ledger.lose_all("closed");
    assert_eq!(
        case.answer.try_recv().unwrap(),
        [Published::Returned, Published::Confirmed, Published::Lost("reset".into()), Published::Lost("closed".into())]
    );
    assert_eq!((case.ledger.open(), case.ledger.oldest()), (0, None));
}

#[test]
fn h6_a_confirm_that_a_later_one_of_its_queue_overtakes_is_missed() {
    let mut case = sent(&["a", "b", "c"]);
    case.confirm(&[(0, None), (2, None)]);
    assert_eq!(case.ledger.overtaken(), None, "confirms that come together may come in any order");

    let mut case = sent(&["a", "b", "c"]);
    case.ledger.suspect(Instant::now());
    case.confirm(&[(2, None), (1, None), (0, None)]);
    assert_eq!(case.ledger.overtaken(), None, "what was overdue together may too");

    let mut case = sent(&["a"]);
    case.ledger.suspect(Instant::now());
    let (reply, _answer) = oneshot::channel();
    let batch = case.ledger.begin(2, reply);
    let other = ReturnKey { routing_key: "other".into(), ..key("b") };
    let [other, same] = [other, key("c")].map(|key| case.ledger.sent(batch, 0, Some(key), Instant::now()));
    case.ledger.confirmed(other, true, None);
    assert_eq!(case.ledger.overtaken(), None, "queues do not wait for each other");
    case.ledger.confirmed(same, true, None);
    assert_eq!(case.ledger.overtaken(), Some("q"));
}
