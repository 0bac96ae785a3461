use warren_model::{Action, ConditionKind, Event, Priority, Status};

use super::*;
use crate::testing::*;

/// Runs the chain up to its second task, then brings it back with other code, and returns what it is blocked by.
fn check(code: fn(&[Event]) -> (Vec<Action>, Progress), expect: &[&str]) -> Story {
    let mut story = Story::begun(chain);
    story.turn(&[done(1, "1")]);
    story.known = Known(code);
    story.evict();
    let condition = story.live.instance.record.condition.clone().expect("the instance is blocked");
    assert_eq!(condition.kind, ConditionKind::Blocked);
    for part in expect {
        assert!(condition.message.contains(part), "{part:?} is missing: {}", condition.message);
    }
    assert!(condition.details.is_some());
    story
}

#[test]
fn the_same_code_replays_and_goes_on() {
    let mut story = Story::begun(chain);
    for task in [1, 2] {
        story.evict();
        assert_eq!(story.live.instance.record.condition, None);
        assert_eq!(story.live.instance.open_actions(), 1);
        story.turn(&[done(task, "1")]);
    }
    assert_eq!(story.live.instance.record.status, Status::Completed);
}

#[test]
fn h17_another_name_is_found_and_named() {
    fn code(told: &[Event]) -> (Vec<Action>, Progress) {
        (vec![task(1, "charge"), task(2, "pack")][..told.len().min(2)].to_vec(), Progress::Waiting)
    }
    check(code, &["turn 1", "TaskScheduled \"ship\"", "TaskScheduled \"pack\"", "name: \"ship\" ≠ \"pack\""]);
}

#[test]
fn h17_another_priority_is_found() {
    fn urgent(mut task: Action) -> Action {
        let Action::ScheduleTask(scheduled) = &mut task else { unreachable!() };
        scheduled.priority = Priority::High;
        task
    }
    fn code(told: &[Event]) -> (Vec<Action>, Progress) {
        (vec![task(1, "charge"), urgent(task(2, "ship"))][..told.len().min(2)].to_vec(), Progress::Waiting)
    }
    check(code, &["priority: nothing ≠ \"High\""]);
}

#[test]
fn h17_another_kind_of_action_is_found() {
    fn code(told: &[Event]) -> (Vec<Action>, Progress) {
        (vec![task(1, "charge"), timer(2, 60)][..told.len().min(2)].to_vec(), Progress::Waiting)
    }
    check(code, &["event: TaskScheduled ≠ TimerCreated"]);
}

#[test]
fn h17_a_missing_and_an_extra_action_are_found() {
    check(
        |_| (vec![task(1, "charge")], Progress::Waiting),
        &["recorded TaskScheduled \"ship\"", "asked for nothing further"],
    );
    fn extra(told: &[Event]) -> (Vec<Action>, Progress) {
        (
            vec![task(1, "charge"), task(2, "ship"), task(3, "more")][..told.len() + told.len() / 2].to_vec(),
            Progress::Waiting,
        )
    }
    check(extra, &["recorded nothing further", "asked for TaskScheduled \"more\""]);
}

#[test]
fn h17_code_that_returns_early_is_found() {
    fn code(_: &[Event]) -> (Vec<Action>, Progress) {
        (vec![task(1, "charge")], Progress::Ended(Ok(Payload::null())))
    }
    check(code, &["history goes on, the code returned a result"]);
}

#[test]
fn h17_a_blocked_instance_holds_everything_and_goes_on_when_the_code_is_back() {
    fn code(_: &[Event]) -> (Vec<Action>, Progress) {
        (vec![task(1, "pay")], Progress::Waiting)
    }
    let mut story = check(code, &["name: \"charge\" ≠ \"pay\""]);
    assert_eq!(story.turn(&[done(2, "1")]).verdicts, [crate::Verdict::Held]);
    story.known = Known(chain);
    story.evict();
    assert_eq!(story.live.instance.record.condition, None);
    story.turn_with(&[done(2, "1")], &[]);
    assert_eq!(story.live.instance.record.status, Status::Completed);
}

#[test]
fn a_terminate_reaches_a_blocked_instance() {
    let mut story = check(|_| (vec![], Progress::Waiting), &["asked for nothing further"]);
    story.turn(&[terminate()]);
    assert_eq!(story.live.instance.record.status, Status::Terminated);
}
