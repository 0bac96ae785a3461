use warren_model::{AnswerTo, Event, EventSent, InstanceId, Outgoing, Parent, PartitionMessage};

use super::*;
use crate::{Live, testing::*};

/// Runs a first turn in which the code does this, and returns it with the instance.
fn check(code: fn(&[Event]) -> (Vec<Action>, Progress), events: &[&str]) -> (Turn, Story) {
    let mut story = Story::of(code);
    let turn = story.turn(&[start()]);
    assert_eq!(names(&turn), events);
    (turn, story)
}

#[test]
fn a_turn_records_inputs_then_actions_and_sends_what_it_recorded() {
    let (turn, story) = check(chain, &["OrchestratorStarted", "ExecutionStarted", "TaskScheduled"]);
    let [Outgoing::WorkItem { task, execution: sent, .. }] = &turn.messages[..] else { panic!("{turn:?}") };
    assert_eq!((task.name.as_str(), *sent), ("charge", execution()));
    let record = &story.live.instance.record;
    assert_eq!((record.status, record.turn, record.history_events), (Status::Running, 1, 3));
    assert_eq!(record.version.as_deref(), Some("2"), "the version is pinned by the first turn");
    let sender = Sender::of(record, execution(), None);
    assert_eq!(messages(&sender, &story.history[0].events, usize::MAX), turn.messages, "h4: rebuilt from history");
}

#[test]
fn an_orchestration_ends_with_its_result_and_tells_who_waits() {
    let mut story = Story::of(chain);
    story.live.instance.record.answer_to =
        Some(AnswerTo { reply_to: "q".into(), correlation_id: None, stored: false, packs: false });
    let parent = Parent { instance: id(), execution: execution(), task: ActionId(4), attempt: 1 };
    story.live.instance.record.parent = Some(parent.clone());
    story.turn(&[start()]);
    story.turn(&[done(1, "1")]);
    let turn = story.turn(&[done(2, "1")]);
    assert_eq!(names(&turn), ["OrchestratorStarted", "TaskCompleted", "ExecutionCompleted"]);
    let outcome = Ok(json("\"shipped\""));
    let told = Outgoing::ToPartition(PartitionMessage::ChildEnded { parent, outcome: outcome.clone() });
    assert_eq!(turn.messages[0], told);
    assert!(
        matches!(&turn.messages[1], Outgoing::Outcome { status: Status::Completed, outcome: o, .. } if *o == outcome)
    );
    assert!(!turn.timers_clear, "it had no timers");
    assert_eq!(story.live.instance.record.status, Status::Completed);
    assert_eq!(story.turn(&[done(2, "1"), raise("late")]).recorded, None, "h10, h12: what comes later changes nothing");
}

#[test]
fn h13_a_parent_that_ends_takes_its_children_along_but_those_that_it_abandons() {
    fn code(told: &[Event]) -> (Vec<Action>, Progress) {
        let mut alone = child(2, "alone");
        if let Action::StartChild(child) = &mut alone {
            child.close = ClosePolicy::Abandon;
        }
        let ended = told.iter().any(|e| matches!(e, Event::EventRaised(_)));
        let progress = if ended { Progress::Ended(Ok(Payload::null())) } else { Progress::Waiting };
        (vec![child(1, "along"), alone], progress)
    }
    for last in [raise("end"), terminate()] {
        let mut story = Story::begun(code);
        let turn = story.turn(&[last]);
        let ended: Vec<&InstanceId> = turn.messages.iter().filter_map(child_told_to_end).collect();
        assert_eq!(ended, [&InstanceId::new("along").unwrap()]);
    }
    let mut story = Story::begun(code);
    let turn = story.turn(&[InboxMessage::Terminate { reason: None, recursive: false }]);
    assert_eq!(turn.messages, [], "a terminate that is not recursive leaves the children alone");
}

#[test]
fn a_long_reason_is_cut_for_the_children() {
    let mut story = Story::begun(|_| (vec![child(1, "along")], Progress::Waiting));
    let reason = Some("x".repeat(100_000));
    let turn = story.turn(&[InboxMessage::Terminate { reason: reason.clone(), recursive: true }]);
    assert!(turn.recorded.unwrap().body.len() < 102_000, "there may be very many children");
}

#[test]
fn a_timer_that_is_cancelled_in_its_own_turn_never_reaches_the_store() {
    let cancel = |told: &[Event]| {
        let mut actions = vec![timer(1, 60), timer(2, 60), Action::CancelTimer { id: ActionId(1) }];
        if told.len() > 1 {
            actions.push(Action::CancelTimer { id: ActionId(2) });
        }
        (actions, Progress::Waiting)
    };
    let events = ["OrchestratorStarted", "ExecutionStarted", "TimerCreated", "TimerCreated", "TimerCanceled"];
    let (turn, mut story) = check(cancel, &events);
    assert_eq!(turn.timers.iter().map(|t| t.id).collect::<Vec<_>>(), [ActionId(2)]);
    assert_eq!(turn.timers_done, []);
    let turn = story.turn(&[raise("now")]);
    assert_eq!(turn.timers_done, [ActionId(2)]);
    assert_eq!(story.turn(&[fired(2)]).verdicts, [Verdict::Ignored("nobody waits for it")]);
}

#[test]
fn continue_as_new_starts_over_and_carries_what_was_not_consumed() {
    let code = |_: &[Event]| {
        let carried = vec![EventRaised { name: "a".into(), input: json("1") }];
        (vec![timer(1, 60)], Progress::ContinuedAsNew { input: json("7"), carried })
    };
    let (turn, mut story) = check(code, &["OrchestratorStarted", "ExecutionStarted", "TimerCreated", "ContinueAsNew"]);
    let to = execution_id(&id(), &execution().to_string());
    assert_eq!(turn.continued, Some(Continuation { from: execution(), to }));
    assert!(turn.timers.is_empty());
    let [InboxMessage::Start { execution: next, started, .. }, InboxMessage::Raise(carried)] = &turn.follow_up[..]
    else {
        panic!("{turn:?}")
    };
    assert_eq!((*next, &started.input, carried.name.as_str()), (to, &json("7"), "a"));
    let record = &story.live.instance.record;
    assert_eq!((record.execution, record.turn, record.history_events), (to, 0, 0));
    assert_eq!(story.turn(&[fired(1)]).verdicts, [Verdict::Ignored("it belongs to another execution")], "H19");
    let follow_up = turn.follow_up.clone();
    assert_eq!(story.turn_with(&follow_up, &[]).recorded.unwrap().execution, to);
}

#[test]
fn a_stuck_or_panicked_turn_did_not_happen_and_its_inputs_are_held() {
    fn panics(told: &[Event]) -> (Vec<Action>, Progress) {
        match told.len() {
            1 => (vec![task(1, "charge")], Progress::Waiting),
            _ => (vec![task(1, "charge"), task(2, "x")], Progress::Panicked { message: "index out of bounds".into() }),
        }
    }
    let mut story = Story::begun(panics);
    let turn = story.turn(&[done(1, "1"), suspend(), raise("a")]);
    assert_eq!(names(&turn), ["OrchestratorStarted", "ExecutionSuspended"]);
    assert_eq!(turn.verdicts, [Verdict::Held, Verdict::Taken, Verdict::Held]);
    let record = &story.live.instance.record;
    assert_eq!(record.condition.as_ref().unwrap().kind, ConditionKind::Panicked);
    assert_eq!(record.status, Status::Suspended);
    assert_eq!(story.turn(&[raise("b")]).verdicts, [Verdict::Held]);
    assert!(story.live.is_spent());

    story.known = Known(chain); // the fix
    story.evict();
    let turn = story.turn_with(&[done(1, "1"), raise("a"), raise("b")], &[resume()]);
    assert_eq!(turn.verdicts, [Verdict::Taken; 4]);
    assert_eq!(story.live.instance.record.condition, None);
}

#[test]
fn an_unknown_orchestrator_waits_with_everything_that_arrives() {
    let mut story = Story::of(chain);
    story.live.instance.record.name = "chekout".into();
    let turn = story.turn(&[start(), raise("a")]);
    assert_eq!((turn.recorded, turn.verdicts), (None, vec![Verdict::Held; 2]));
    let condition = story.live.instance.record.condition.clone().unwrap();
    assert_eq!(
        (condition.kind, condition.message.as_str()),
        (ConditionKind::UnknownOrchestrator, "unknown orchestrator \"chekout\"")
    );
    assert_eq!(story.live.instance.record.status, Status::Pending);
    story.live.instance.record.name = "checkout".into();
    let turn = story.turn_with(&[start(), raise("a")], &[resume()]);
    assert_eq!(names(&turn), ["OrchestratorStarted", "ExecutionStarted", "EventRaised", "TaskScheduled"]);
}

#[test]
fn suspended_before_its_first_turn_it_begins_when_it_resumes() {
    let mut story = Story::of(chain);
    assert_eq!(names(&story.turn(&[suspend(), start()])), ["OrchestratorStarted", "ExecutionSuspended"]);
    story.evict();
    let turn = story.turn_with(&[start()], &[resume()]);
    let expect = ["OrchestratorStarted", "ExecutionResumed", "ExecutionStarted", "TaskScheduled"];
    assert_eq!(names(&turn), expect);
}

#[test]
fn a_payload_over_its_limit_fails_what_carries_it() {
    fn big(told: &[Event]) -> (Vec<Action>, Progress) {
        let mut action = task(1, "charge");
        if let Action::ScheduleTask(task) = &mut action {
            task.input = json(&format!("\"{}\"", "x".repeat(100)));
        }
        match told.len() {
            1 => (vec![action], Progress::Waiting),
            _ => (vec![action], Progress::Ended(Ok(json(&format!("\"{}\"", "y".repeat(100)))))),
        }
    }
    let mut story = Story::of(big);
    story.limits.payload_bytes = 50;
    let turn = story.turn(&[start()]);
    assert_eq!(turn.messages, [], "nothing is sent");
    let [InboxMessage::Task(TaskEnded { outcome: Err(failure), .. })] = &turn.follow_up[..] else { panic!("{turn:?}") };
    assert_eq!((failure.code.as_str(), failure.retryable), ("payload_too_large", false));
    let follow_up = turn.follow_up.clone();
    let turn = story.turn_with(&follow_up, &[]);
    let events = &turn.recorded.unwrap().events;
    let Some(Event::ExecutionCompleted(completed)) = events.last() else { panic!("{events:?}") };
    assert_eq!(completed.outcome.as_ref().unwrap_err().code, "payload_too_large");
    assert_eq!(story.live.instance.record.status, Status::Failed);
}

#[test]
fn h18_a_history_over_its_limit_parks_the_instance_and_never_ends_it() {
    let mut story = Story::of(chain);
    story.limits.history_events = 4;
    story.turn(&[start()]);
    assert_eq!(story.live.instance.record.condition, None);
    story.turn(&[done(1, "1")]);
    let condition = story.live.instance.record.condition.clone().unwrap();
    assert_eq!(condition.kind, ConditionKind::HistoryLimit);
    assert!(condition.message.contains("history_events_max"), "{}", condition.message);
    assert_eq!(story.turn(&[done(2, "1")]).verdicts, [Verdict::Held]);
    story.limits.history_events = 100;
    let turn = story.turn_with(&[done(2, "1")], &[resume()]);
    assert_eq!(names(&turn).last(), Some(&"ExecutionCompleted"));
}

#[test]
fn an_event_for_another_instance_is_recorded_and_sent() {
    let code = |_: &[Event]| {
        let (instance, name) = (InstanceId::new("other").unwrap(), "paid".into());
        (vec![Action::SendEvent(EventSent { id: ActionId(1), instance, name, input: json("1") })], Progress::Waiting)
    };
    let (turn, _) = check(code, &["OrchestratorStarted", "ExecutionStarted", "EventSent"]);
    assert!(matches!(&turn.messages[..], [Outgoing::ToPartition(PartitionMessage::Raise { .. })]));
}

#[test]
fn a_custom_status_is_kept_with_the_row_alone() {
    let code = |_: &[Event]| (vec![Action::SetCustomStatus(json("\"half\"")), task(1, "x")], Progress::Waiting);
    let (_, story) = check(code, &["OrchestratorStarted", "ExecutionStarted", "TaskScheduled"]);
    assert_eq!(story.live.instance.record.custom_status, Some(json("\"half\"")));
}

fn child_told_to_end(message: &Outgoing) -> Option<&InstanceId> {
    if let Outgoing::ToPartition(PartitionMessage::Terminate { instance, .. }) = message {
        Some(instance)
    } else {
        None
    }
}

/// Waits for an event, then does what `last` says.
fn ends_with(told: &[Event], last: Progress) -> (Vec<Action>, Progress) {
    let is_told = told.iter().any(|event| matches!(event, Event::EventRaised(_)));
    (vec![task(1, "charge")], if is_told { last } else { Progress::Waiting })
}

#[test]
fn h12_what_comes_behind_a_suspend_is_not_kept_for_an_instance_that_ends_in_the_same_batch() {
    let mut story = Story::begun(|told| ends_with(told, Progress::Ended(Ok(json("1")))));
    let turn = story.turn(&[raise("end"), suspend(), done(1, "1"), raise("late")]);
    assert_eq!(story.live.instance.record.status, Status::Completed);
    assert_eq!(turn.verdicts, [Verdict::Taken, Verdict::Taken, Verdict::ENDED, Verdict::ENDED]);
}

#[test]
fn h10_what_comes_behind_a_suspend_follows_what_a_continue_as_new_carries() {
    let carry = |told: &[Event]| {
        let carried = vec![EventRaised { name: "first".into(), input: json("0") }];
        ends_with(told, Progress::ContinuedAsNew { input: json("7"), carried })
    };
    let mut story = Story::begun(carry);
    let turn = story.turn(&[raise("go"), suspend(), done(1, "1"), raise("second")]);
    assert_eq!(turn.verdicts, [Verdict::Taken, Verdict::Taken, Verdict::ELSEWHERE, Verdict::Taken]);
    let [InboxMessage::Start { .. }, first, second] = &turn.follow_up[..] else { panic!("{turn:?}") };
    assert_eq!((first, second), (&raise("first"), &raise("second")));
    assert_eq!(story.live.instance.record.status, Status::Suspended);
}

fn big() -> Payload {
    json(&format!("\"{}\"", "x".repeat(2_000)))
}

#[test]
fn nothing_is_kept_for_an_instance_that_ends_in_the_turn_of_a_task_that_is_too_large() {
    let mut story = Story::of(|_| {
        let mut action = task(1, "charge");
        if let Action::ScheduleTask(task) = &mut action {
            task.input = big();
        }
        (vec![action], Progress::Ended(Ok(json("1"))))
    });
    story.limits.payload_bytes = 1_000;
    let turn = story.turn(&[start()]);
    assert_eq!((turn.follow_up, turn.messages), (vec![], vec![]));
    assert_eq!(story.live.instance.record.status, Status::Completed);
}

#[test]
fn h6_a_child_whose_input_is_too_large_fails_and_is_never_sent() {
    let mut story = Story::of(|_| {
        let mut action = child(1, "parcel-1");
        if let Action::StartChild(child) = &mut action {
            child.input = big();
        }
        (vec![action], Progress::Waiting)
    });
    story.limits.payload_bytes = 1_000;
    let turn = story.turn(&[start()]);
    assert_eq!(turn.messages, [], "what the broker never takes would hold up all that comes behind it");
    let [InboxMessage::Child(ChildEnded { outcome: Err(failure), .. })] = &turn.follow_up[..] else {
        panic!("{turn:?}")
    };
    assert_eq!((failure.code.as_str(), failure.retryable), ("payload_too_large", false));
    let turn = story.turn_with(&turn.follow_up, &[]);
    assert_eq!(names(&turn), ["OrchestratorStarted", "SubOrchestrationInstanceFailed"]);
}

#[test]
fn h6_an_event_that_is_too_large_to_send_ends_its_sender() {
    let mut story = Story::of(|_| {
        let (instance, name) = (InstanceId::new("other").unwrap(), "paid".into());
        (vec![Action::SendEvent(EventSent { id: ActionId(1), instance, name, input: big() })], Progress::Waiting)
    });
    story.limits.payload_bytes = 1_000;
    let turn = story.turn(&[start()]);
    assert_eq!(turn.messages, []);
    let Some(Event::ExecutionCompleted(ExecutionCompleted { outcome: Err(failure) })) =
        turn.recorded.as_ref().and_then(|recorded| recorded.events.last())
    else {
        panic!("{turn:?}")
    };
    assert!(failure.message.contains("\"paid\" for other"), "{failure}");
    assert_eq!(story.live.instance.record.status, Status::Failed);
}

#[test]
fn h6_a_failure_over_the_limit_keeps_its_code_and_the_beginning_of_its_message() {
    let mut story = Story::of(|_| {
        let failure = Failure::permanent("broken", "wheel ".repeat(10_000)).with_details(&big());
        (vec![], Progress::Ended(Err(failure)))
    });
    story.limits.payload_bytes = 5_000;
    let parent = Parent { instance: id(), execution: execution(), task: ActionId(4), attempt: 1 };
    story.live.instance.record.parent = Some(parent);
    let turn = story.turn(&[start()]);
    let [Outgoing::ToPartition(PartitionMessage::ChildEnded { outcome: Err(failure), .. })] = &turn.messages[..] else {
        panic!("{turn:?}")
    };
    assert_eq!((failure.code.as_str(), failure.retryable), ("broken", false));
    assert!(failure.message.starts_with("wheel wheel") && failure.message.contains("62"), "{failure}");
    assert!(turn.recorded.unwrap().body.len() < 5_000);
}

#[test]
fn h15_a_failure_with_the_code_of_a_terminate_is_a_failure() {
    let mut story = Story::of(|_| (vec![], Progress::Ended(Err(Failure::permanent("terminated", "the child was")))));
    story.live.instance.record.answer_to =
        Some(AnswerTo { reply_to: "q".into(), correlation_id: None, stored: false, packs: false });
    let turn = story.turn(&[start()]);
    assert!(matches!(&turn.messages[..], [Outgoing::Outcome { status: Status::Failed, .. }]), "{turn:?}");
    assert_eq!(story.live.instance.record.status, Status::Failed);
}

#[test]
fn an_instance_that_has_ended_has_no_condition() {
    let mut story = Story::of(chain);
    story.live.instance.record.name = "chekout".into();
    story.turn(&[start()]);
    assert!(story.live.instance.record.condition.is_some());
    story.turn_with(&[start()], &[terminate()]);
    assert_eq!(story.live.instance.record.condition, None);
}

#[test]
fn a_turn_that_no_row_can_hold_does_not_happen() {
    let text = json(&format!("\"{}\"", "x".repeat(1 << 20)));
    let actions = (1..=300).map(|id| {
        let (name, input) = ("charge", text.clone());
        Action::ScheduleTask(warren_model::TaskScheduled::new(ActionId(id), name, input))
    });
    let mut live = crate::Live::new(instance());
    let request = crate::begin(&live.instance, &[], &[start()], at(1));
    let reaction = Reaction { actions: actions.collect(), progress: Progress::Waiting };
    let turn = finish(&mut live.instance, request, Some(reaction), &Limits::default());
    assert_eq!((turn.recorded, turn.messages, turn.verdicts), (None, vec![], vec![Verdict::Held]));
    assert!(turn.is_undone && live.instance.open_actions() == 0);
    assert_eq!(live.instance.record.condition.as_ref().unwrap().kind, ConditionKind::HistoryLimit);
}

#[test]
fn a_hundred_thousand_timers_that_are_cancelled_at_once_cost_no_more_than_each_alone() {
    let story = check(
        |_| {
            let ids = 1..=100_000;
            let created = ids.clone().map(|id| timer(id, 60));
            (created.chain(ids.map(|id| Action::CancelTimer { id: ActionId(id) })).collect(), Progress::Waiting)
        },
        &[
            ["OrchestratorStarted", "ExecutionStarted"].as_slice(),
            &["TimerCreated"; 100_000],
            &["TimerCanceled"; 100_000],
        ]
        .concat(),
    );
    assert_eq!(story.0.timers, []);
}

#[test]
fn h11_the_end_of_an_instance_clears_the_timers_that_it_may_have_and_looks_for_none_otherwise() {
    let waits = |told: &[Event]| {
        let ended = told.iter().any(|event| matches!(event, Event::EventRaised(_)));
        let progress = if ended { Progress::Ended(Ok(Payload::null())) } else { Progress::Waiting };
        (vec![timer(1, 60)], progress)
    };
    for end in [raise("end"), terminate()] {
        for is_evicted in [false, true] {
            let mut story = Story::begun(waits);
            if is_evicted {
                story.evict();
            }
            assert!(story.turn(std::slice::from_ref(&end)).timers_clear);
        }
    }
    let mut story = Story::begun(chain);
    assert!(!story.turn(&[terminate()]).timers_clear);
    // Nobody knows what a history that can't be read has left.
    let mut story = Story::begun(chain);
    story.live = Live::corrupt(story.live.instance.record.clone(), "torn".into());
    assert!(story.turn(&[terminate()]).timers_clear);
}
