use serde_json::json;

use super::*;
use crate::{
    End, Queue, Rest,
    testing::{self, EXECUTION, Run},
};

/// Doctors a good run, and expects exactly this kind of violation, with this evidence somewhere.
#[track_caller]
fn bites(kind: Kind, evidence: &str, doctor: impl FnOnce(&mut Run)) {
    let mut run = Run::good();
    doctor(&mut run);
    let verdict = judge(&run.asked, &run.hub, &run.ledger);
    let found = &verdict.violations;
    assert!(found.iter().any(|found| found.kind == kind && found.evidence.contains(evidence)), "{found:#?}");
    assert!(verdict.count(kind) > 0);
}

#[test]
fn a_good_run_is_well() {
    let run = Run::good();
    let verdict = judge(&run.asked, &run.hub, &run.ledger);
    assert_eq!(verdict.violations, []);
    assert_eq!((verdict.instances, verdict.completed, verdict.tasks, verdict.signals), (1, 1, 1, 1));
}

#[test]
fn an_instance_that_is_not_there_is_lost() {
    bites(Kind::Lost, "no instance", |run| run.hub.instances.retain(|row| row.id != "i1"));
}

#[test]
fn an_instance_that_has_not_ended_is_lost() {
    bites(Kind::Lost, "is Running", |run| run.hub.instances[0].status = "Running".into());
}

#[test]
fn two_instances_for_one_message_are_a_duplicate() {
    bites(Kind::Duplicated, "2 instances", |run| {
        let other = InstanceRow { id: "i2".into(), ..run.hub.instances[0].clone() };
        run.hub.instances.push(other);
    });
}

#[test]
fn answers_that_name_two_instances_for_one_message_are_a_duplicate() {
    bites(Kind::Duplicated, "was answered with instance i9", |run| run.asked.answered[0].instance = "i9".into());
}

#[test]
fn answers_that_name_two_executions_of_what_has_one_are_a_duplicate() {
    let other = || Some(EXECUTION.replace('0', "f"));
    bites(Kind::Duplicated, "was answered with execution", |run| run.asked.answered[0].execution = other());
    let mut run = Run::good();
    run.asked.answered[0].execution = other();
    run.asked.cases[0].continues = true;
    assert_eq!(judge(&run.asked, &run.hub, &run.ledger).violations, []);
}

#[test]
fn another_result_than_the_input_asks_for_is_wrong() {
    bites(Kind::Wrong, "returned 42", |run| run.asked.cases[0].end = End::Returns(41));
}

#[test]
fn another_end_than_was_asked_for_is_wrong() {
    bites(Kind::Wrong, "must be Failed", |run| run.asked.cases[0].end = End::Fails);
    bites(Kind::Wrong, "must be Terminated", |run| run.asked.cases[0].end = End::Terminated);
}

#[test]
fn a_child_that_outlives_its_parent_is_lost() {
    bites(Kind::Lost, "is a child, and still Running", |run| run.hub.instances[1].status = "Running".into());
}

#[test]
fn fewer_runs_than_steps_are_wrong() {
    bites(Kind::Wrong, "rests on 1 runs", |run| run.asked.cases[0].steps = 2);
}

#[test]
fn a_task_that_completes_twice_in_a_history_is_a_duplicate() {
    let completed = r#"{"TaskCompleted":{"id":2,"result":{"run":7,"value":40}}}"#;
    bites(Kind::Duplicated, "Task 2 ended twice", |run| {
        run.doctor(1, completed, &format!("{completed},{completed}"));
    });
}

#[test]
fn a_task_that_never_completes_is_lost() {
    bites(Kind::Lost, "Task 9 was asked for", |run| {
        run.doctor(0, r#"{"TaskScheduled":"#, r#"{"TaskScheduled":{"id":9}},{"TaskScheduled":"#);
    });
}

#[test]
fn a_completion_that_nobody_asked_for_is_wrong() {
    bites(Kind::Wrong, "nobody asked for it", |run| run.doctor(1, r#"{"id":2,"#, r#"{"id":8,"#));
}

#[test]
fn a_timer_that_fires_early_is_wrong() {
    bites(Kind::Wrong, "timer 1 fired at", |run| run.doctor(1, "12:00:05Z", "12:00:04Z"));
}

#[test]
fn a_timer_that_fires_twice_is_a_duplicate() {
    let fired = r#"{"TimerFired":{"id":1}}"#;
    bites(Kind::Duplicated, "Timer 1 ended twice", |run| run.doctor(1, fired, &format!("{fired},{fired}")));
}

#[test]
fn time_that_goes_back_is_wrong() {
    bites(Kind::Wrong, "time went back", |run| run.doctor(2, "12:00:06Z", "11:00:06Z"));
}

#[test]
fn an_event_that_is_taken_twice_is_a_duplicate() {
    bites(Kind::Duplicated, "took event 0 twice", |run| run.doctor(2, r#""signals":[0]"#, r#""signals":[0,0]"#));
}

#[test]
fn an_event_that_stands_in_history_twice_is_a_duplicate() {
    bites(Kind::Duplicated, "stands in history twice", |run| {
        let raised = r#"{"EventRaised":{"input":{"number":2,"serial":0},"name":"signal"}}"#;
        run.doctor(1, raised, &format!("{raised},{raised}"));
    });
}

#[test]
fn an_event_that_is_never_taken_is_lost() {
    bites(Kind::Lost, "never took event 0", |run| run.doctor(2, r#""signals":[0]"#, r#""signals":[]"#));
}

#[test]
fn a_result_that_no_activity_says_it_gave_is_wrong() {
    bites(Kind::Wrong, "task 2 gave", |run| run.ledger.clear());
    bites(Kind::Wrong, "step 0 rests on run 7", |run| run.ledger[0].case = "m2".into());
    bites(Kind::Wrong, "task 2 gave", |run| run.ledger[0].task = 3);
    bites(Kind::Wrong, "40 by the activity", |run| run.doctor(1, r#""value":40"#, r#""value":39"#));
}

#[test]
fn a_run_that_only_began_proves_nothing() {
    bites(Kind::Wrong, "no activity says so", |run| run.ledger[0].what = What::Began);
}

#[test]
fn an_outcome_that_was_told_otherwise_is_a_duplicate() {
    bites(Kind::Duplicated, "a client was told", |run| {
        run.asked.told[0].body = json!({"value": 42, "runs": [8], "signals": [0]});
    });
    bites(Kind::Duplicated, "a client was told", |run| run.asked.told[0].status = "Failed".into());
}

#[test]
fn a_child_whose_parent_was_told_otherwise_is_a_duplicate() {
    bites(Kind::Duplicated, "was told that child c1", |run| run.doctor(3, r#""value":1"#, r#""value":2"#));
}

#[test]
fn a_child_that_is_not_there_is_named() {
    bites(Kind::Duplicated, "was told that child c1", |run| run.hub.instances.retain(|row| row.id != "c1"));
}

#[test]
fn an_instance_that_nobody_asked_for_is_wrong() {
    bites(Kind::Wrong, "nobody asked for it", |run| run.hub.instances[1].id = "c2".into());
}

#[test]
fn a_turn_that_is_missing_is_lost() {
    bites(Kind::Lost, "has turns [0, 2]", |run| {
        run.hub.turns.remove(1);
    });
}

#[test]
fn a_history_that_ends_twice_is_a_duplicate() {
    bites(Kind::Duplicated, "ended more than once", |run| {
        let other = run.hub.turns[2].clone();
        run.hub.turns.insert(3, other);
    });
}

#[test]
fn a_history_that_goes_on_after_its_end_is_wrong() {
    bites(Kind::Wrong, "its history ends with", |run| {
        let body = r#"{"format":1,"events":[]}"#.into();
        let more = crate::TurnRow { turn: 3, body, ..run.hub.turns[2].clone() };
        run.hub.turns.insert(3, more);
        run.hub.instances[0].turn = 4;
    });
}

#[test]
fn turns_of_an_execution_that_is_over_are_left_over() {
    bites(Kind::Leftover, "former execution", |run| {
        let old = crate::TurnRow { execution: EXECUTION.replace('0', "f"), ..run.hub.turns[0].clone() };
        run.hub.turns.push(old);
    });
}

#[test]
fn rows_and_messages_that_rest_are_left_over() {
    for table in ["timer", "pending", "suspect", "outbox", "aside"] {
        bites(Kind::Leftover, table, |run| {
            run.hub.rest.push(Rest { table, of: "i1".into(), what: "something".into() });
        });
    }
    bites(Kind::Leftover, "3 messages rest in it", |run| {
        run.hub.queues.push(Queue { name: "chaos.dead".into(), messages: 3, samples: vec![] });
    });
}

#[test]
fn what_runs_on_although_nobody_waits_is_left_over_and_what_was_told_is_counted() {
    let run_of = |what| Entry { what, run: 8, ..testing::entry("m1", 1, 8) };
    bites(Kind::Leftover, "run 8 of task 2 went on", |run| run.ledger.push(run_of(What::Interrupted)));
    let mut run = Run::good();
    run.ledger.push(run_of(What::Stopped));
    let verdict = judge(&run.asked, &run.hub, &run.ledger);
    assert_eq!((verdict.stopped, verdict.violations), (1, vec![]));
}

#[test]
fn a_turn_that_can_t_be_read_is_named() {
    bites(Kind::Wrong, "that this reader does not know: Novelty", |run| run.doctor(1, "TimerFired", "Novelty"));
    bites(Kind::Wrong, "has format", |run| run.doctor(0, r#""format":1"#, r#""format":2"#));
}
