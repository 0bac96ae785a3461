//! What history says, the same for every backend: rows that must follow each other, and what the first and the last
//! of them tell a client.

use serde::Deserialize;
use warren_model::{Event, ExecutionId, Failure, InstanceRecord, Outcome, Payload, Status, TurnRecord, code};

use crate::{Error, TurnKey};

/// Returns the turns of the record's present execution if `rows` are exactly those; else names the first that is not.
pub(crate) fn read(record: &InstanceRecord, rows: &[(u32, String)]) -> Result<Vec<TurnRecord>, String> {
    let mut turns = Vec::with_capacity(rows.len());
    for (expected, (turn, body)) in (0..).zip(rows) {
        if *turn != expected {
            return Err(format!("{}: is missing", name(record, expected)));
        }
        turns.push(parse(&key(record, *turn), body)?);
    }
    let found = u32::try_from(turns.len()).unwrap_or(u32::MAX);
    if found < record.turn {
        return Err(format!("{}: is missing", name(record, found)));
    }
    Ok(turns)
}

/// Returns the turn that `body` holds, or the name of the row and why it can't be read.
pub(crate) fn parse(key: &TurnKey, body: &str) -> Result<TurnRecord, String> {
    let newer = |format: u32| {
        format!("{key}: format {format} is newer than {}: run the Warren that wrote it", TurnRecord::FORMAT)
    };
    match serde_json::from_str::<TurnRecord>(body) {
        Ok(turn) if turn.format > TurnRecord::FORMAT => Err(newer(turn.format.into())),
        Ok(turn) => Ok(turn),
        // A newer format may have events that this code can't even parse: say that rather than where the parser stopped.
        Err(error) => match serde_json::from_str::<Head>(body) {
            Ok(head) if head.format > u32::from(TurnRecord::FORMAT) => Err(newer(head.format)),
            Ok(_) | Err(_) => Err(format!("{key}: {error}")),
        },
    }
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// Returns the input with which an execution began, by its first turn.
pub(crate) fn input(first: &TurnRecord) -> Option<Payload> {
    first
        .events
        .iter()
        .find_map(|event| if let Event::ExecutionStarted(e) = event { Some(e.input.clone()) } else { None })
}

/// Returns how an instance ended, by its last turn (`None` if it has no turn: it was ended before it began).
pub(crate) fn outcome(record: &InstanceRecord, last: Option<&TurnRecord>) -> Result<Option<Outcome>, String> {
    let events = last.map_or(&[][..], |turn| &turn.events);
    match record.status {
        Status::Pending | Status::Running | Status::Suspended => Ok(None),
        Status::Terminated => {
            let reason = events
                .iter()
                .rev()
                .find_map(|event| if let Event::ExecutionTerminated(e) = event { e.reason.clone() } else { None });
            let message = reason.unwrap_or_else(|| "the instance was terminated".into());
            Ok(Some(Err(Failure::permanent(code::TERMINATED, message))))
        }
        Status::Completed | Status::Failed => events
            .iter()
            .rev()
            .find_map(|event| if let Event::ExecutionCompleted(e) = event { Some(e.outcome.clone()) } else { None })
            .map(Some)
            .ok_or_else(|| {
                let last = record.turn.saturating_sub(1);
                format!("{}: has no ExecutionCompleted although the instance is {}", name(record, last), record.status)
            }),
    }
}

/// Returns the error that `row: why`, as this module says it, is to a client.
pub(crate) fn corrupt(text: String) -> Error {
    let (what, why) = text.split_once(": ").unwrap_or((&text, "can't be read"));
    Error::Corrupt { what: what.into(), why: why.into() }
}

/// Returns the key of a turn of the record's present execution.
pub(crate) fn key(record: &InstanceRecord, turn: u32) -> TurnKey {
    TurnKey { instance: record.id.clone(), execution: record.execution, turn }
}

fn name(record: &InstanceRecord, turn: u32) -> String {
    key(record, turn).to_string()
}

impl std::fmt::Display for TurnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { instance, execution, turn } = self;
        let execution: &ExecutionId = execution;
        write!(f, "history of instance {instance}, execution {execution}, turn {turn}")
    }
}

#[cfg(test)]
#[path = "turns_test.rs"]
mod test;
