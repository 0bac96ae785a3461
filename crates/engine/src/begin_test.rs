use warren_model::{Event, InboxMessage, TaskEnded};

use super::*;
use crate::testing::*;

/// A running instance that waits for task 1, timer 2 and child 3.
fn waiting() -> Instance {
    let mut instance = instance();
    for action in [task(1, "charge"), timer(2, 60), child(3, "parcel-1")] {
        instance.note(&action.into_event().unwrap());
    }
    instance.begun = true;
    instance.record.status = Status::Running;
    instance.record.turn = 1;
    instance
}

fn check(instance: &Instance, pending: &[InboxMessage], fresh: &[InboxMessage], expect: &[Verdict], told: &[&str]) {
    let request = begin(instance, pending, fresh, at(9));
    assert_eq!(request.verdicts, expect);
    assert_eq!(request.inputs.iter().map(Event::name).collect::<Vec<_>>(), told);
}

use Verdict::{Held, Ignored, Taken};

#[test]
fn a_start_begins_the_execution_once() {
    let dup = Ignored("the execution has begun already");
    check(&instance(), &[], &[start(), start()], &[Taken, dup], &["OrchestratorStarted", "ExecutionStarted"]);
    check(&waiting(), &[], &[start()], &[dup], &[]);
}

#[test]
fn h1_a_completion_counts_once_even_within_a_batch() {
    let nobody = Ignored("nobody waits for it");
    let fresh = [done(1, "5"), done(1, "6"), fired(2), fired(2)];
    let told = ["OrchestratorStarted", "TaskCompleted", "TimerFired"];
    check(&waiting(), &[], &fresh, &[Taken, nobody, Taken, nobody], &told);
}

#[test]
fn h8_only_the_open_attempt_of_the_open_task_counts() {
    let attempt = |attempt| {
        let ended = TaskEnded { execution: execution(), task: ActionId(1), attempt, outcome: Ok(json("1")) };
        InboxMessage::Task(ended)
    };
    let nobody = Ignored("nobody waits for it");
    check(&waiting(), &[], &[attempt(2), done(3, "1"), done(9, "1"), fired(1)], &[nobody; 4], &[]);
    check(&waiting(), &[], &[attempt(1)], &[Taken], &["OrchestratorStarted", "TaskCompleted"]);
}

#[test]
fn h12_h19_what_belongs_to_another_execution_does_not_count() {
    let mut other = waiting();
    other.record.execution = execution_id_of("another");
    let foreign = Ignored("it belongs to another execution");
    check(&other, &[], &[done(1, "1"), fired(2)], &[foreign; 2], &[]);
}

fn execution_id_of(text: &str) -> ExecutionId {
    warren_model::execution_id(&id(), text)
}

#[test]
fn a_suspended_instance_holds_what_arrives_and_runs_it_in_order_when_it_resumes() {
    let mut suspended = waiting();
    suspended.record.status = Status::Suspended;
    check(&suspended, &[raise("a")], &[done(1, "1"), raise("b")], &[Held; 3], &[]);
    let request = begin(&suspended, &[raise("a")], &[raise("b"), resume(), raise("c")], at(9));
    assert_eq!(request.verdicts, [Taken; 4]);
    let raised: Vec<&str> = request
        .inputs
        .iter()
        .filter_map(|e| if let Event::EventRaised(raised) = e { Some(raised.name.as_str()) } else { None })
        .collect();
    assert_eq!(raised, ["a", "b", "c"]);
}

#[test]
fn h20_a_suspend_stops_what_comes_after_it_in_the_same_batch() {
    let told = ["OrchestratorStarted", "TaskCompleted"];
    check(&waiting(), &[], &[done(1, "1"), suspend(), fired(2)], &[Taken, Taken, Held], &told);
    let again = [Taken, Ignored("the instance is suspended already")];
    check(&waiting(), &[], &[suspend(), suspend()], &again, &[]);
    check(&waiting(), &[], &[resume()], &[Ignored("the instance is not suspended")], &[]);
}

#[test]
fn h20_a_terminate_ends_everything_at_once() {
    let ended = Ignored("the instance has ended");
    check(&waiting(), &[], &[done(1, "1"), terminate(), fired(2), suspend()], &[Taken, Taken, ended, ended], &[]);
    let mut parked = waiting();
    parked.park(warren_model::ConditionKind::Blocked, "changed".into());
    check(&parked, &[raise("a")], &[done(1, "1"), terminate()], &[ended, ended, Taken], &[]);
}

#[test]
fn h17_a_parked_instance_holds_what_arrives() {
    let mut parked = waiting();
    parked.park(warren_model::ConditionKind::Blocked, "changed".into());
    check(&parked, &[raise("a")], &[done(1, "1")], &[Held; 2], &[]);
}

#[test]
fn h11_the_clock_of_an_instance_never_goes_back() {
    let mut instance = waiting();
    instance.record.updated_at = at(100);
    let request = begin(&instance, &[], &[fired(2)], at(9));
    let Event::OrchestratorStarted(started) = &request.inputs[0] else { panic!("{request:?}") };
    assert_eq!(started.at, at(100));
}

#[test]
fn a_turn_takes_no_more_than_a_row_can_hold_and_the_rest_in_order_later() {
    let many: Vec<InboxMessage> = (0..12_000).map(|n| raise(&n.to_string())).collect();
    let request = begin(&waiting(), &many[..11_000], &many[11_000..], at(9));
    assert_eq!(request.verdicts.iter().filter(|verdict| **verdict == Taken).count(), TURN_INPUTS_MAX);
    assert!(request.verdicts[..TURN_INPUTS_MAX].iter().all(|verdict| *verdict == Taken), "in the order of arrival");
    let large = || {
        let input = json(&format!("\"{}\"", "x".repeat(TURN_INPUT_BYTES_MAX / 4)));
        InboxMessage::Raise(warren_model::EventRaised { name: "a".into(), input })
    };
    let fresh: Vec<InboxMessage> = (0..6).map(|_| large()).collect();
    let request = begin(&waiting(), &[], &fresh, at(9));
    assert_eq!(request.verdicts, [Taken, Taken, Taken, Taken, Held, Held]);
    let request = begin(&waiting(), &[], &[fresh, vec![terminate()]].concat(), at(9));
    assert_eq!(request.status, Status::Terminated, "a terminate waits for nothing");
}
