//! In a history each task, child and timer that was asked for ended at most once, and nothing ended unasked.

use std::collections::HashMap;

use crate::{
    Kind, Verdict,
    history::Event,
    judge::{Turn, World},
};

/// What an action is, as its end must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Task,
    Child,
    Timer,
}

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    for ((instance, _), turns) in &world.histories {
        check_history(instance, turns, verdict);
    }
}

fn check_history(instance: &str, turns: &[Turn], verdict: &mut Verdict) {
    let mut open: HashMap<u64, (What, bool)> = HashMap::new();
    let mut raised: Vec<(&str, &serde_json::Value)> = Vec::new();
    for event in turns.iter().flat_map(|turn| &turn.events) {
        match event {
            Event::TaskScheduled { id } => begin(&mut open, *id, What::Task, instance, verdict),
            Event::ChildCreated { id, .. } => begin(&mut open, *id, What::Child, instance, verdict),
            Event::TimerCreated { id, .. } => begin(&mut open, *id, What::Timer, instance, verdict),
            Event::TaskEnded { id, .. } => end(&mut open, *id, What::Task, instance, verdict),
            Event::TaskCanceled { id } => end(&mut open, *id, What::Task, instance, verdict),
            Event::ChildEnded { id, .. } => end(&mut open, *id, What::Child, instance, verdict),
            Event::TimerFired { id } | Event::TimerCanceled { id } => {
                end(&mut open, *id, What::Timer, instance, verdict);
            }
            // The storm's events have a serial each: the same again is the same event.
            Event::Raised { name, input } if raised.contains(&(name, input)) => {
                verdict.add(Kind::Duplicated, instance, format!("event {name} {input} stands in history twice"));
            }
            Event::Raised { name, input } => raised.push((name, input)),
            Event::TurnBegan(_)
            | Event::Started(_)
            | Event::Completed(_)
            | Event::Continued
            | Event::Terminated
            | Event::Other => {}
        }
    }
    for (id, (what, is_over)) in open {
        // A continued execution is judged by its next; a task nobody waited for any more would be the workload's flaw.
        if !is_over && what != What::Timer && ended_by_itself(turns) {
            verdict.add(Kind::Lost, instance, format!("{what:?} {id} was asked for and never ended"));
        }
    }
}

fn ended_by_itself(turns: &[Turn]) -> bool {
    turns.iter().flat_map(|turn| &turn.events).any(|event| matches!(event, Event::Completed(Ok(_))))
}

fn begin(open: &mut HashMap<u64, (What, bool)>, id: u64, what: What, instance: &str, verdict: &mut Verdict) {
    if open.insert(id, (what, false)).is_some() {
        verdict.add(Kind::Duplicated, instance, format!("action {id} was asked for twice"));
    }
}

fn end(open: &mut HashMap<u64, (What, bool)>, id: u64, what: What, instance: &str, verdict: &mut Verdict) {
    match open.get_mut(&id) {
        Some((asked, is_over)) if *asked == what => {
            if std::mem::replace(is_over, true) {
                verdict.add(Kind::Duplicated, instance, format!("{what:?} {id} ended twice"));
            }
        }
        Some((asked, _)) => verdict.add(Kind::Wrong, instance, format!("{asked:?} {id} ended as a {what:?}")),
        None => verdict.add(Kind::Wrong, instance, format!("{what:?} {id} ended, and nobody asked for it")),
    }
}
