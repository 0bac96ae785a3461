//! What a batch adds or replaces.

use std::{collections::HashSet, hash::Hash};

use warren_model::{InstanceRecord, Partition};

use super::{
    Groups,
    statement::{Column, Present, Statement},
};
use crate::{
    CommandRow, Commit, Result,
    postgres::columns::{bigint, json, micros, micros_not_before, uuid},
};

/// Adds everything that the batch names.
pub(super) fn all<'c>(into: &mut Statement<'c>, commit: &'c Commit, groups: &Groups) -> Result<()> {
    instances(into, commit)?;
    turns(into, commit);
    outbox(into, commit)?;
    if groups.timers {
        timers(into, commit);
    }
    if groups.waiting {
        pending(into, commit)?;
        commands(into, &commit.commands.iter().collect::<Vec<_>>(), Present::Refused)?;
        commands(into, &last_of_each(&commit.tombstones, |row| &row.id), Present::Replaced(1))?;
    }
    if groups.partitions {
        watermarks(into, "sent", "target", &commit.sent)?;
        watermarks(into, "received", "source", &commit.received)?;
        aside(into, commit)?;
    }
    if groups.suspects {
        suspects(into, commit);
        suspect_tasks(into, commit)?;
    }
    Ok(())
}

fn instances<'c>(into: &mut Statement<'c>, commit: &'c Commit) -> Result<()> {
    let rows = last_of_each(&commit.instances, |row| row.id.as_str());
    let rows = || rows.iter().copied();
    let number =
        |of: fn(&InstanceRecord) -> u64| rows().map(move |row| bigint(of(row), || format!("instance {}", row.id)));
    let columns = vec![
        Column::new("id", "text", rows().map(|row| row.id.as_str())),
        Column::new("execution", "uuid", rows().map(|row| uuid(row.execution))),
        Column::new("name", "text", rows().map(|row| row.name.as_str())),
        Column::new("version", "text", rows().map(|row| row.version.as_deref())),
        Column::new("status", "text", rows().map(|row| row.status.as_str())),
        Column::tried("condition", "text", rows().map(|row| row.condition.as_ref().map(json).transpose()))?,
        Column::new("turn", "bigint", rows().map(|row| i64::from(row.turn))),
        Column::new("created_at", "timestamptz", rows().map(|row| micros(row.created_at))),
        Column::new("updated_at", "timestamptz", rows().map(|row| micros(row.updated_at))),
        Column::new(
            "custom_status",
            "text",
            rows().map(|row| row.custom_status.as_ref().map(|status| status.as_str())),
        ),
        Column::tried("parent", "text", rows().map(|row| row.parent.as_ref().map(json).transpose()))?,
        Column::tried("answer_to", "text", rows().map(|row| row.answer_to.as_ref().map(json).transpose()))?,
        Column::new("start_id", "text", rows().map(|row| row.start_id.as_str())),
        Column::tried("tags", "text", rows().map(|row| json(&row.tags)))?,
        Column::tried("history_events", "bigint", number(|row| row.history_events))?,
        Column::tried("history_bytes", "bigint", number(|row| row.history_bytes))?,
    ];
    into.add("instance", columns, Present::Replaced(1));
    Ok(())
}

fn turns<'c>(into: &mut Statement<'c>, commit: &'c Commit) {
    let rows = &commit.turns;
    let columns = vec![
        Column::new("instance", "text", rows.iter().map(|row| row.key.instance.as_str())),
        Column::new("execution", "uuid", rows.iter().map(|row| uuid(row.key.execution))),
        Column::new("turn", "bigint", rows.iter().map(|row| i64::from(row.key.turn))),
        Column::new("body", "text", rows.iter().map(|row| row.body.as_str())),
    ];
    into.add("history", columns, Present::Refused);
}

fn outbox<'c>(into: &mut Statement<'c>, commit: &'c Commit) -> Result<()> {
    let rows = last_of_each(&commit.outbox, |row| row.number);
    let name = |number| move || format!("outbox of commit {number}");
    let columns = vec![
        Column::tried("number", "bigint", rows.iter().map(|row| bigint(row.number, name(row.number))))?,
        Column::tried("entries", "text", rows.iter().map(|row| json(&row.entries)))?,
    ];
    into.add("outbox", columns, Present::Replaced(1));
    Ok(())
}

fn timers<'c>(into: &mut Statement<'c>, commit: &'c Commit) {
    let rows = &commit.timers;
    let columns = vec![
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::new("id", "bigint", rows.iter().map(|row| i64::from(row.id.0))),
        Column::new("execution", "uuid", rows.iter().map(|row| uuid(row.execution))),
        Column::new("fire_at", "timestamptz", rows.iter().map(|row| micros_not_before(row.fire_at))),
    ];
    into.add("timer", columns, Present::Refused);
}

fn pending<'c>(into: &mut Statement<'c>, commit: &'c Commit) -> Result<()> {
    let rows = &commit.pending;
    let position =
        rows.iter().map(|row| bigint(row.position, || format!("pending message of instance {}", row.instance)));
    let columns = vec![
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::tried("position", "bigint", position)?,
        Column::tried("message", "text", rows.iter().map(|row| json(&row.message)))?,
        Column::new("expires_at", "timestamptz", rows.iter().map(|row| row.expires_at.map(micros))),
    ];
    into.add("pending", columns, Present::Refused);
    Ok(())
}

fn commands<'c>(into: &mut Statement<'c>, rows: &[&'c CommandRow], present: Present) -> Result<()> {
    let columns = vec![
        Column::new("id", "text", rows.iter().map(|row| row.id.as_str())),
        Column::tried("answer", "text", rows.iter().map(|row| json(&row.answer)))?,
        Column::new("at", "timestamptz", rows.iter().map(|row| micros(row.at))),
    ];
    into.add("command", columns, present);
    Ok(())
}

fn watermarks<'c>(
    into: &mut Statement<'c>,
    table: &str,
    other: &'static str,
    rows: &'c [(Partition, u64)],
) -> Result<()> {
    let rows = last_of_each(rows, |row| row.0);
    let sequence = rows.iter().map(|row| bigint(row.1, || format!("sequence of partition {}", row.0)));
    let columns = vec![
        Column::new(other, "integer", rows.iter().map(|row| i32::from(row.0.0))),
        Column::tried("sequence", "bigint", sequence)?,
    ];
    into.add(table, columns, Present::Replaced(1));
    Ok(())
}

fn suspects<'c>(into: &mut Statement<'c>, commit: &'c Commit) {
    let rows = last_of_each(&commit.suspects, |row| row.instance.as_str());
    let columns = vec![
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::new("count", "bigint", rows.iter().map(|row| i64::from(row.count))),
        Column::new("reason", "text", rows.iter().map(|row| row.reason.as_str())),
    ];
    into.add("suspect", columns, Present::Replaced(1));
}

fn suspect_tasks<'c>(into: &mut Statement<'c>, commit: &'c Commit) -> Result<()> {
    let rows = last_of_each(&commit.suspect_tasks, |row| (row.instance.as_str(), row.id));
    let columns = vec![
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::new("id", "bigint", rows.iter().map(|row| i64::from(row.id.0))),
        Column::new("quarantined", "boolean", rows.iter().map(|row| row.quarantine.is_some())),
        Column::tried("mark", "text", rows.iter().map(json))?,
    ];
    into.add("suspect_task", columns, Present::Replaced(2));
    Ok(())
}

fn aside<'c>(into: &mut Statement<'c>, commit: &'c Commit) -> Result<()> {
    let rows = &commit.aside;
    let sequence = rows.iter().map(|row| bigint(row.sequence, || format!("message from partition {}", row.source)));
    let columns = vec![
        Column::new("source", "integer", rows.iter().map(|row| i32::from(row.source.0))),
        Column::tried("sequence", "bigint", sequence)?,
        Column::tried("message", "text", rows.iter().map(|row| json(&row.message)))?,
    ];
    into.add("aside", columns, Present::Refused);
    Ok(())
}

/// Returns the last row of each key: one statement replaces a row once.
fn last_of_each<'r, T, K: Eq + Hash>(rows: &'r [T], key: impl Fn(&'r T) -> K) -> Vec<&'r T> {
    let mut seen = HashSet::with_capacity(rows.len());
    let mut last: Vec<&T> = rows.iter().rev().filter(|row| seen.insert(key(row))).collect();
    last.reverse();
    last
}
