use warren_model::{Action, ConditionKind, Event};

use super::*;
use crate::{Verdict, testing::*};

#[test]
fn a_history_that_can_t_be_read_holds_everything_even_when_it_is_resumed() {
    let mut story = Story::begun(chain);
    let record = story.live.instance.record.clone();
    story.live = Live::corrupt(record, "turn 0 is missing".into());
    assert!(story.live.is_spent());
    let turn = story.turn_with(&[done(1, "1")], &[raise("a"), resume()]);
    let ignored = Verdict::Ignored("the instance is not suspended");
    assert_eq!(turn.verdicts, [Verdict::Held, Verdict::Held, ignored], "what arrives is not judged and not lost");
    assert_eq!(story.live.instance.record.condition.as_ref().unwrap().kind, ConditionKind::Corrupt);
    story.evict();
    story.turn_with(&[done(1, "1"), raise("a")], &[]);
    assert_eq!(names_of_last(&story), ["OrchestratorStarted", "TaskCompleted", "EventRaised", "TaskScheduled"]);
}

#[test]
fn h18_a_history_over_its_limit_stays_parked_when_it_is_loaded_until_it_is_resumed_or_the_limit_is_raised() {
    let parked = || {
        let mut story = Story::of(chain);
        story.limits.history_events = 2;
        story.turn(&[start()]);
        story.evict();
        story
    };
    let mut story = parked();
    assert_eq!(story.turn(&[done(1, "1")]).verdicts, [Verdict::Held]);
    story.limits.history_events = 100;
    story.evict();
    assert_eq!(story.turn_with(&[done(1, "1")], &[]).verdicts, [Verdict::Taken]);

    let mut story = parked();
    let record = story.live.instance.record.clone();
    story.live = Live::load(record, &story.history, &story.known, &story.limits, true);
    assert_eq!(story.turn(&[done(1, "1")]).verdicts, [Verdict::Taken], "a resume lets it go on by one turn");
    assert!(story.live.instance.record.condition.is_some());
}

#[test]
fn h17_the_version_is_pinned_by_the_turn_that_begins_and_not_by_one_that_did_not_happen() {
    let mut story = Story::of(|_| (vec![], Progress::Panicked { message: "no".into() }));
    story.turn(&[start()]);
    assert_eq!(story.live.instance.record.version, None);
    story.known = Known(chain);
    story.turn_with(&[start()], &[resume()]);
    assert_eq!(story.live.instance.record.version.as_deref(), Some("2"));

    let mut story = Story::of(chain);
    story.turn(&[suspend(), start()]);
    assert_eq!(story.live.instance.record.version, None, "suspended before it began");
    let turn = story.turn_with(&[start()], &[resume()]);
    let events = turn.recorded.unwrap().events;
    assert!(events.iter().any(|e| matches!(e, Event::ExecutionStarted(s) if s.version.as_deref() == Some("2"))));
}

#[test]
fn a_program_whose_turn_did_not_happen_is_not_used_again() {
    fn code(told: &[Event]) -> (Vec<Action>, Progress) {
        match told.len() {
            1 => (vec![task(1, "charge")], Progress::Waiting),
            _ => (vec![task(1, "charge"), task(2, "ship")], Progress::Stuck { message: "waits for a lock".into() }),
        }
    }
    let mut story = Story::begun(code);
    let turn = story.turn(&[raise("a")]);
    assert!(turn.is_undone && story.live.is_spent());
    assert_eq!(story.turn_with(&[raise("a")], &[resume()]).verdicts[0], Verdict::Held, "it must be loaded first");
}

fn names_of_last(story: &Story) -> Vec<&'static str> {
    story.history.last().unwrap().events.iter().map(Event::name).collect()
}
