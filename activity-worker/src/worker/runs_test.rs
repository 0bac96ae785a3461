use std::time::Duration;

use warren_broker::{HeaderValue, OwnerWord, Permit, Published};
use warren_model::{Failure, Payload};

use super::super::{
    Effect, Input, ItemId,
    fixture::{
        A, Bench, DRAIN, HOLD, LEASE, again, bench, brief, delivery, limited, publication, question, short, task, work,
    },
};

const SECOND: Duration = Duration::from_secs(1);

fn token(number: u32) -> warren_broker::Text {
    work(number).correlation_id.unwrap()
}

fn held(bench: &mut Bench, number: u32) -> Vec<Effect> {
    bench.step(Input::Told(OwnerWord::Held { token: token(number), id: None }))
}

fn cancel(bench: &mut Bench, number: u32) -> Vec<Effect> {
    bench.step(Input::Told(OwnerWord::Cancel { token: token(number) }))
}

fn beat(bench: &mut Bench, item: u64, progress: &str) -> Vec<Effect> {
    let progress = Payload::from_bytes(progress.as_bytes()).unwrap();
    bench.step(Input::Beat { item: ItemId(item), progress })
}

fn failed() -> Result<Payload, Failure> {
    Err(Failure::new("x", "y"))
}

#[test]
fn what_is_done_within_a_second_costs_no_word() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    assert_eq!(short(&bench.pass(SECOND - Duration::from_millis(1))), [""; 0]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03"]);
}

#[test]
fn h7_what_runs_for_long_is_said_until_it_is_held_and_then_often_enough() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    assert_eq!(short(&bench.pass(SECOND)), ["say 1 workers"]);
    assert_eq!(short(&bench.pass(SECOND)), ["say 1 workers"], "no answer has come");
    held(&mut bench, 1);
    assert_eq!(short(&bench.pass(LEASE / 3 - SECOND)), [""; 0]);
    assert_eq!(short(&bench.pass(SECOND)), ["say 1 workers"]);
}

#[test]
fn what_has_limits_is_said_at_once() {
    let mut bench = bench(1);
    assert_eq!(short(&bench.deliver(A, [delivery(1, limited(1))])), ["run 1", "say 1"]);
}

#[test]
fn h7_a_work_item_is_acknowledged_while_it_runs_once_its_owner_holds_it_and_it_is_old_enough() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1)]);
    bench.pass(SECOND);
    assert_eq!(short(&bench.pass(HOLD)), ["say 1 workers"], "nobody holds it yet");
    held(&mut bench, 1);
    assert_eq!(short(&bench.pass(SECOND)), ["ack a 1"]);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03"]);
    assert_eq!(short(&bench.confirm(1)), [""; 0]);
    assert_eq!(bench.worker.held(), 0);
}

#[test]
fn h7_a_run_whose_channel_is_lost_is_said_at_once_and_no_copy_is_begun() {
    let mut bench = bench(2);
    bench.deliver(A, [task(1)]);
    bench.pass(SECOND);
    held(&mut bench, 1);
    bench.pass(SECOND);
    bench.lose(A);
    assert_eq!(short(&bench.pass(Duration::from_millis(50))), ["say 1 workers"]);
    assert_eq!(short(&bench.deliver(A, [again(1)])), [""; 0]);
}

#[test]
fn progress_is_said_at_once_and_again_until_it_has_arrived() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1)]);
    assert_eq!(short(&beat(&mut bench, 1, "[7]")), ["say 1 [7]"]);
    assert_eq!(short(&bench.pass(SECOND)), ["say 1 workers [7]"]);
    held(&mut bench, 1);
    assert_eq!(short(&bench.pass(LEASE / 3)), ["say 1 workers"]);
    let reply = publication(&bench.finish_with(1, failed()));
    let failure: Failure = serde_json::from_slice(&reply.message.body).unwrap();
    assert_eq!(failure.progress, Payload::from_bytes(b"[7]").ok(), "the next attempt is told");
}

#[test]
fn what_nobody_waits_for_is_ended_and_not_answered() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2)]);
    assert_eq!(short(&cancel(&mut bench, 1)), ["end 1 Cancelled"]);
    assert_eq!(short(&cancel(&mut bench, 1)), [""; 0], "the same word again");
    assert_eq!(short(&cancel(&mut bench, 2)), [""; 0], "it has not begun");
    assert_eq!(short(&bench.finish_with(1, failed())), ["ack a 1", "run 2"]);
}

#[test]
fn what_something_else_completes_is_acknowledged_once_its_owner_knows() {
    let mut bench = bench(1);
    bench.deliver(A, [task(1), task(2)]);
    bench.pass(SECOND);
    assert_eq!(short(&bench.step(Input::HandedOver { item: ItemId(1) })), ["say 1 handed over", "run 2"]);
    assert_eq!(short(&held(&mut bench, 1)), [""; 0], "an answer to the first word");
    assert_eq!(short(&bench.pass(SECOND)), ["say 1 workers handed over", "say 2 workers"]);
    let word = Some("0000000000000000:1".to_owned());
    assert_eq!(short(&bench.step(Input::Told(OwnerWord::Held { token: token(1), id: word }))), ["ack a 1"]);
}

#[test]
fn an_owner_that_is_not_sure_is_asked_again() {
    let mut bench = bench(1);
    bench.deliver(A, [again(1)]);
    assert_eq!(short(&bench.answer(1, false, Permit::Wait)), [""; 0]);
    assert_eq!(short(&bench.pass(4 * SECOND)), [format!("ask h.control.03 {}", question(1, false))]);
    assert_eq!(short(&bench.answer(1, false, Permit::Drop)), ["ack a 1"]);
}

/// H8: nobody is blamed for a deployment.
#[test]
fn what_still_runs_at_the_end_of_a_drain_is_told_to_end_and_handed_back() {
    let mut bench = bench(3);
    bench.deliver(A, [task(1), task(2), task(3)]);
    bench.step(Input::Drain);
    let ends = ["end 1 WorkerStops", "end 2 WorkerStops", "end 3 WorkerStops"];
    assert_eq!(brief(&bench.pass(DRAIN - 3 * SECOND)), ends);
    assert_eq!(short(&bench.finish(1)), ["publish 1 to h.control.03"], "it has come to its end");
    let word = publication(&bench.finish_with(2, failed()));
    assert_eq!(word.message.kind.as_deref(), Some("hand-back"), "to be told to stop is no failure");
    assert_eq!(short(&bench.confirm(2)), ["requeue a 2"]);
    let last = bench.pass(3 * SECOND);
    assert_eq!(short(&last), ["say 3 workers", "publish 3 to h.control.03"]);
    assert_eq!(short(&bench.published(3, Published::Confirmed)), ["requeue a 3"]);
    assert_eq!(short(&bench.confirm(1)), ["ack a 1", "stopped, 2 running, 0 replying"]);
}

/// H5: with its channel it has lost what it could give back, and what the broker delivered again was dropped, as it lived.
#[test]
fn h5_its_owner_is_asked_to_send_again_what_can_t_be_given_back() {
    for is_lost in [false, true] {
        let mut bench = bench(1);
        bench.deliver(A, [task(1)]);
        bench.pass(SECOND);
        held(&mut bench, 1);
        if is_lost {
            bench.lose(A);
        }
        bench.step(Input::Drain);
        bench.pass(DRAIN - 3 * SECOND);
        let word = publication(&bench.finish_with(1, failed()));
        assert_eq!(word.message.kind.as_deref(), Some("hand-back"));
        assert_eq!(word.message.headers.get("resend"), Some(&HeaderValue::Bool(is_lost)));
    }
}
