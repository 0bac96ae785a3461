//! What a batch adds or replaces.

use std::collections::HashSet;

use warren_model::{InstanceRecord, Partition};

use super::{
    Groups,
    rows::{Column, Rows},
    statement::{Present, Statement},
};
use crate::{
    CommandRow, Commit, Progress, Result,
    postgres::{
        columns::{bigint, json, micros, micros_not_before, uuid},
        lease::key,
    },
};

/// Adds everything that the batches name.
pub(super) fn all<'c>(into: &mut Statement<'c>, commits: &'c [Commit], groups: &Groups) -> Result<()> {
    let fresh: HashSet<(i32, &str)> = commits.iter().flat_map(fresh).collect();
    let is_fresh = |partition: i32, row: &InstanceRecord| fresh.contains(&(partition, row.id.as_str()));
    let rows = Rows::last_of_each(commits, |commit| &commit.instances, |row| row.id.as_str());
    let (fresh_rows, rows) = rows.split(is_fresh);
    if !fresh.is_empty() {
        instances(into, &fresh_rows, Present::Refused)?;
    }
    instances(into, &rows, Present::Replaced(1))?;
    turns(into, commits)?;
    outbox(into, commits)?;
    if groups.timers {
        timers(into, commits);
    }
    if groups.waiting {
        pending(into, commits)?;
        commands(into, &Rows::of(commits, |commit| &commit.commands), Present::Refused)?;
        let tombstones = Rows::last_of_each(commits, |commit| &commit.tombstones, |row| &row.id);
        commands(into, &tombstones, Present::Replaced(1))?;
    }
    if groups.partitions {
        watermarks(into, "sent", "target", commits, |commit| &commit.sent)?;
        watermarks(into, "received", "source", commits, |commit| &commit.received)?;
        aside(into, commits)?;
    }
    if groups.suspects {
        suspects(into, commits);
        task_notes(into, commits)?;
    }
    Ok(())
}

fn fresh(commit: &Commit) -> impl Iterator<Item = (i32, &str)> {
    let partition = key(commit.partition);
    commit.fresh.iter().map(move |(instance, _)| (partition, instance.as_str()))
}

fn instances<'c>(into: &mut Statement<'c>, rows: &Rows<'c, InstanceRecord>, present: Present) -> Result<()> {
    let number =
        |of: fn(&InstanceRecord) -> u64| rows.iter().map(move |row| bigint(of(row), || format!("instance {}", row.id)));
    let columns = vec![
        rows.partitions(),
        Column::new("id", "text", rows.iter().map(|row| row.id.as_str())),
        Column::new("execution", "uuid", rows.iter().map(|row| uuid(row.execution))),
        Column::new("name", "text", rows.iter().map(|row| row.name.as_str())),
        Column::new("version", "text", rows.iter().map(|row| row.version.as_deref())),
        Column::new("status", "text", rows.iter().map(|row| row.status.as_str())),
        Column::tried("condition", "text", rows.iter().map(|row| row.condition.as_ref().map(json).transpose()))?,
        Column::new("turn", "bigint", rows.iter().map(|row| i64::from(row.turn))),
        Column::new("created_at", "timestamptz", rows.iter().map(|row| micros(row.created_at))),
        Column::new("updated_at", "timestamptz", rows.iter().map(|row| micros(row.updated_at))),
        Column::new(
            "custom_status",
            "text",
            rows.iter().map(|row| row.custom_status.as_ref().map(|status| status.as_str())),
        ),
        Column::tried("parent", "text", rows.iter().map(|row| row.parent.as_ref().map(json).transpose()))?,
        Column::tried("answer_to", "text", rows.iter().map(|row| row.answer_to.as_ref().map(json).transpose()))?,
        Column::new("start_id", "text", rows.iter().map(|row| row.start_id.as_str())),
        Column::tried("tags", "text", rows.iter().map(|row| json(&row.tags)))?,
        Column::tried("history_events", "bigint", number(|row| row.history_events))?,
        Column::tried("history_bytes", "bigint", number(|row| row.history_bytes))?,
    ];
    into.add("instance", columns, present);
    Ok(())
}

fn turns<'c>(into: &mut Statement<'c>, commits: &'c [Commit]) -> Result<()> {
    let rows = Rows::of(commits, |commit| &commit.turns);
    let number =
        |of: fn(&Progress) -> u64| rows.iter().map(move |row| bigint(of(&row.progress), || row.key.to_string()));
    let columns = vec![
        rows.partitions(),
        Column::new("instance", "text", rows.iter().map(|row| row.key.instance.as_str())),
        Column::new("execution", "uuid", rows.iter().map(|row| uuid(row.key.execution))),
        Column::new("turn", "bigint", rows.iter().map(|row| i64::from(row.key.turn))),
        Column::new("updated_at", "timestamptz", rows.iter().map(|row| micros(row.progress.updated_at))),
        Column::tried("history_events", "bigint", number(|progress| progress.history_events))?,
        Column::tried("history_bytes", "bigint", number(|progress| progress.history_bytes))?,
        Column::new("body", "text", rows.iter().map(|row| row.body.as_str())),
    ];
    into.add("history", columns, Present::Refused);
    Ok(())
}

fn outbox<'c>(into: &mut Statement<'c>, commits: &'c [Commit]) -> Result<()> {
    let rows = Rows::last_of_each(commits, |commit| &commit.outbox, |row| row.number);
    let name = |number| move || format!("outbox of commit {number}");
    let columns = vec![
        rows.partitions(),
        Column::tried("number", "bigint", rows.iter().map(|row| bigint(row.number, name(row.number))))?,
        Column::tried("entries", "text", rows.iter().map(|row| json(&row.entries)))?,
    ];
    into.add("outbox", columns, Present::Replaced(1));
    Ok(())
}

fn timers<'c>(into: &mut Statement<'c>, commits: &'c [Commit]) {
    let rows = Rows::of(commits, |commit| &commit.timers);
    let columns = vec![
        rows.partitions(),
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::new("id", "bigint", rows.iter().map(|row| i64::from(row.id.0))),
        Column::new("execution", "uuid", rows.iter().map(|row| uuid(row.execution))),
        Column::new("fire_at", "timestamptz", rows.iter().map(|row| micros_not_before(row.fire_at))),
    ];
    into.add("timer", columns, Present::Refused);
}

fn pending<'c>(into: &mut Statement<'c>, commits: &'c [Commit]) -> Result<()> {
    let rows = Rows::of(commits, |commit| &commit.pending);
    let position =
        rows.iter().map(|row| bigint(row.position, || format!("pending message of instance {}", row.instance)));
    let columns = vec![
        rows.partitions(),
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::tried("position", "bigint", position)?,
        Column::tried("message", "text", rows.iter().map(|row| json(&row.message)))?,
        Column::new("expires_at", "timestamptz", rows.iter().map(|row| row.expires_at.map(micros))),
    ];
    into.add("pending", columns, Present::Refused);
    Ok(())
}

fn commands<'c>(into: &mut Statement<'c>, rows: &Rows<'c, CommandRow>, present: Present) -> Result<()> {
    let columns = vec![
        rows.partitions(),
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
    commits: &'c [Commit],
    of: fn(&'c Commit) -> &'c [(Partition, u64)],
) -> Result<()> {
    let rows = Rows::last_of_each(commits, of, |row| row.0);
    let sequence = rows.iter().map(|row| bigint(row.1, || format!("sequence of partition {}", row.0)));
    let columns = vec![
        rows.partitions(),
        Column::new(other, "integer", rows.iter().map(|row| i32::from(row.0.0))),
        Column::tried("sequence", "bigint", sequence)?,
    ];
    into.add(table, columns, Present::Replaced(1));
    Ok(())
}

fn suspects<'c>(into: &mut Statement<'c>, commits: &'c [Commit]) {
    let rows = Rows::last_of_each(commits, |commit| &commit.suspects, |row| row.instance.as_str());
    let columns = vec![
        rows.partitions(),
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::new("count", "bigint", rows.iter().map(|row| i64::from(row.count))),
        Column::new("reason", "text", rows.iter().map(|row| row.reason.as_str())),
    ];
    into.add("suspect", columns, Present::Replaced(1));
}

fn task_notes<'c>(into: &mut Statement<'c>, commits: &'c [Commit]) -> Result<()> {
    let rows = Rows::last_of_each(commits, |commit| &commit.task_notes, |row| (row.instance.as_str(), row.id));
    let columns = vec![
        rows.partitions(),
        Column::new("instance", "text", rows.iter().map(|row| row.instance.as_str())),
        Column::new("id", "bigint", rows.iter().map(|row| i64::from(row.id.0))),
        Column::new("quarantined", "boolean", rows.iter().map(|row| row.quarantine.is_some())),
        Column::tried("mark", "text", rows.iter().map(json))?,
    ];
    into.add("task_note", columns, Present::Replaced(2));
    Ok(())
}

fn aside<'c>(into: &mut Statement<'c>, commits: &'c [Commit]) -> Result<()> {
    let rows = Rows::of(commits, |commit| &commit.aside);
    let sequence = rows.iter().map(|row| bigint(row.sequence, || format!("message from partition {}", row.source)));
    let columns = vec![
        rows.partitions(),
        Column::new("source", "integer", rows.iter().map(|row| i32::from(row.source.0))),
        Column::tried("sequence", "bigint", sequence)?,
        Column::tried("message", "text", rows.iter().map(|row| json(&row.message)))?,
    ];
    into.add("aside", columns, Present::Refused);
    Ok(())
}
