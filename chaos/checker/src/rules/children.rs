//! Every instance was asked for, by a client or by a parent's history; and a child ended as its parent was told.

use std::collections::HashSet;

use crate::{
    Kind, Verdict,
    history::Event,
    hub::is_over,
    judge::{Turn, World},
};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    let mut asked: HashSet<&str> = HashSet::new();
    for ((parent, _), turns) in &world.histories {
        for (id, child) in children(turns) {
            asked.insert(child);
            ended_as_told(world, parent, turns, (id, child), verdict);
        }
    }
    let started: HashSet<&str> = world.asked.cases.iter().map(|case| case.message.as_str()).collect();
    for row in &world.hub.instances {
        let is_asked = match &row.parent {
            Some(_) => asked.contains(row.id.as_str()),
            None => started.contains(row.start_id.as_str()),
        };
        if !is_asked {
            verdict.add(Kind::Wrong, &row.id, format!("nobody asked for it (start {})", row.start_id));
        }
        if row.parent.is_some() && !is_over(&row.status) {
            verdict.add(Kind::Lost, &row.id, format!("is a child, and still {}", row.status));
        }
        if row.condition.is_some() && is_over(&row.status) {
            verdict.add(Kind::Wrong, &row.id, "has ended and still has a condition");
        }
    }
}

fn children(turns: &[Turn]) -> impl Iterator<Item = (u64, &str)> {
    turns.iter().flat_map(|turn| &turn.events).filter_map(|event| {
        if let Event::ChildCreated { id, instance } = event { Some((*id, instance.as_str())) } else { None }
    })
}

fn ended_as_told(world: &World<'_>, parent: &str, turns: &[Turn], child: (u64, &str), verdict: &mut Verdict) {
    let (task, child) = child;
    let told = turns.iter().flat_map(|turn| &turn.events).find_map(|event| {
        if let Event::ChildEnded { id, result } = event { (*id == task).then_some(result) } else { None }
    });
    let row = world.by_id.get(child);
    let held = row.and_then(|row| world.outcome(row));
    match (told, held) {
        (None, _) => {} // the rule of tasks that never ended names it
        (Some(Some(told)), Some(Ok(held))) if told == held => {}
        (Some(None), Some(Err(_))) => {}
        (Some(told), held) => {
            let evidence = format!("was told that child {child} gave {told:?}, the child's history holds {held:?}");
            verdict.add(Kind::Duplicated, parent, evidence);
        }
    }
}
