//! Histories are whole: turns numbered without a gap, as many as the instance's row says, and nothing after the end.

use crate::{
    InstanceRow, Kind, Verdict,
    hub::is_over,
    judge::{Turn, World},
};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    for row in &world.hub.instances {
        let turns = world.histories.get(&(row.id.as_str(), row.execution.as_str())).map_or(&[][..], Vec::as_slice);
        numbers(row, turns, verdict);
        ending(row, turns, verdict);
    }
    for (instance, execution) in world.histories.keys() {
        match world.by_id.get(instance) {
            None => verdict.add(Kind::Leftover, *instance, format!("has turns of {execution} and no row")),
            Some(row) if row.execution != **execution => {
                verdict.add(Kind::Leftover, *instance, format!("still has turns of its former execution {execution}"));
            }
            Some(_) => {}
        }
    }
}

fn numbers(row: &InstanceRow, turns: &[Turn], verdict: &mut Verdict) {
    let numbers: Vec<i64> = turns.iter().map(|turn| turn.number).collect();
    let expected: Vec<i64> = (0..row.turn).collect();
    if numbers != expected {
        verdict.add(Kind::Lost, &row.id, format!("has turns {numbers:?}, its row says {}", row.turn));
    }
    let events = turns.iter().map(|turn| turn.events.len()).sum::<usize>();
    if i64::try_from(events) != Ok(row.history_events) {
        verdict.add(Kind::Wrong, &row.id, format!("has {events} events, its row says {}", row.history_events));
    }
}

/// The end stands in the last turn, once, and in no other; the status is the one that it gives.
fn ending(row: &InstanceRow, turns: &[Turn], verdict: &mut Verdict) {
    let ends: Vec<(i64, &str)> = turns
        .iter()
        .flat_map(|turn| turn.events.iter().filter_map(|event| Some((turn.number, event.ending()?))))
        .collect();
    match ends.as_slice() {
        [] if !is_over(&row.status) => {}
        [(number, status)] if *status == row.status && number + 1 == row.turn => {}
        [] | [_] => verdict.add(Kind::Wrong, &row.id, format!("is {} and its history ends with {ends:?}", row.status)),
        [_, _, ..] => verdict.add(Kind::Duplicated, &row.id, format!("ended more than once: {ends:?}")),
    }
}
