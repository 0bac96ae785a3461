//! What a batch removes. What is not there is no error, for a batch may be computed from a cache.

use warren_model::{ActionId, InstanceId};

use super::{
    Groups,
    rows::{Column, Rows},
    statement::Statement,
};
use crate::{
    Commit, Result,
    postgres::columns::{bigint, uuid},
};

/// Removes everything that the batch names.
pub(super) fn all<'c>(from: &mut Statement<'c>, commits: &'c [Commit], groups: &Groups) -> Result<()> {
    let name = || "outbox of a commit".to_owned();
    let done = Rows::of(commits, |commit| &commit.outbox_done);
    let number = done.iter().map(|number| bigint(*number, name));
    from.remove("outbox", vec![done.partitions(), Column::tried("number", "bigint", number)?]);
    if groups.timers {
        histories_and_timers(from, commits);
    }
    if groups.waiting {
        pending(from, commits)?;
        let purged = Rows::of(commits, |commit| &commit.purged);
        from.remove("instance", vec![purged.partitions(), instances("id", &purged)]);
        from.remove("pending", vec![purged.partitions(), instances("instance", &purged)]);
    }
    if groups.partitions {
        aside(from, commits)?;
    }
    if groups.suspects {
        let done = Rows::of(commits, |commit| &commit.suspects_done);
        from.remove("suspect", vec![done.partitions(), instances("instance", &done)]);
        from.remove("task_note", actions(&Rows::of(commits, |commit| &commit.task_notes_done)));
    }
    Ok(())
}

fn instances<'c>(name: &'static str, rows: &Rows<'c, InstanceId>) -> Column<'c> {
    Column::new(name, "text", rows.iter().map(InstanceId::as_str))
}

fn actions<'c>(rows: &Rows<'c, (InstanceId, ActionId)>) -> Vec<Column<'c>> {
    vec![
        rows.partitions(),
        Column::new("instance", "text", rows.iter().map(|(instance, _)| instance.as_str())),
        Column::new("id", "bigint", rows.iter().map(|(_, id)| i64::from(id.0))),
    ]
}

fn histories_and_timers<'c>(from: &mut Statement<'c>, commits: &'c [Commit]) {
    let forget = Rows::of(commits, |commit| &commit.forget);
    for table in ["history", "payload"] {
        let columns = vec![
            forget.partitions(),
            Column::new("instance", "text", forget.iter().map(|(instance, _)| instance.as_str())),
            Column::new("execution", "uuid", forget.iter().map(|(_, execution)| uuid(*execution))),
        ];
        from.remove(table, columns);
    }
    from.remove("timer", actions(&Rows::of(commits, |commit| &commit.timers_done)));
    let clear = Rows::of(commits, |commit| &commit.timers_clear);
    from.remove("timer", vec![clear.partitions(), instances("instance", &clear)]);
}

fn pending<'c>(from: &mut Statement<'c>, commits: &'c [Commit]) -> Result<()> {
    let done = Rows::of(commits, |commit| &commit.pending_done);
    let position =
        |(instance, position): &(_, u64)| bigint(*position, || format!("pending message of instance {instance}"));
    let columns = vec![
        done.partitions(),
        Column::new("instance", "text", done.iter().map(|(instance, _)| instance.as_str())),
        Column::tried("position", "bigint", done.iter().map(position))?,
    ];
    from.remove("pending", columns);
    Ok(())
}

fn aside<'c>(from: &mut Statement<'c>, commits: &'c [Commit]) -> Result<()> {
    let done = Rows::of(commits, |commit| &commit.aside_done);
    let sequence =
        done.iter().map(|(source, sequence)| bigint(*sequence, || format!("message from partition {source}")));
    let columns = vec![
        done.partitions(),
        Column::new("source", "integer", done.iter().map(|(source, _)| i32::from(source.0))),
        Column::tried("sequence", "bigint", sequence)?,
    ];
    from.remove("aside", columns);
    Ok(())
}
