//! What a batch removes. What is not there is no error, for a batch may be computed from a cache.

use super::{
    Groups,
    statement::{Column, Statement},
};
use crate::{
    Commit, Result,
    postgres::columns::{bigint, uuid},
};

/// Removes everything that the batch names.
pub(super) fn all<'c>(from: &mut Statement<'c>, commit: &'c Commit, groups: &Groups) -> Result<()> {
    let name = || "outbox of a commit".to_owned();
    let number = commit.outbox_done.iter().map(|number| bigint(*number, name));
    from.remove("outbox", vec![Column::tried("number", "bigint", number)?]);
    if groups.timers {
        histories_and_timers(from, commit);
    }
    if groups.waiting {
        pending(from, commit)?;
        let purged = || commit.purged.iter().map(|instance| instance.as_str());
        from.remove("instance", vec![Column::new("id", "text", purged())]);
        from.remove("pending", vec![Column::new("instance", "text", purged())]);
    }
    if groups.partitions {
        aside(from, commit)?;
    }
    if groups.suspects {
        let done = commit.suspects_done.iter().map(|instance| instance.as_str());
        from.remove("suspect", vec![Column::new("instance", "text", done)]);
        let done = || commit.suspect_tasks_done.iter();
        let columns = vec![
            Column::new("instance", "text", done().map(|(instance, _)| instance.as_str())),
            Column::new("id", "bigint", done().map(|(_, id)| i64::from(id.0))),
        ];
        from.remove("suspect_task", columns);
    }
    Ok(())
}

fn histories_and_timers<'c>(from: &mut Statement<'c>, commit: &'c Commit) {
    let Commit { forget, timers_done, timers_clear, .. } = commit;
    let columns = vec![
        Column::new("instance", "text", forget.iter().map(|(instance, _)| instance.as_str())),
        Column::new("execution", "uuid", forget.iter().map(|(_, execution)| uuid(*execution))),
    ];
    from.remove("history", columns);
    let columns = vec![
        Column::new("instance", "text", forget.iter().map(|(instance, _)| instance.as_str())),
        Column::new("execution", "uuid", forget.iter().map(|(_, execution)| uuid(*execution))),
    ];
    from.remove("payload", columns);
    let columns = vec![
        Column::new("instance", "text", timers_done.iter().map(|(instance, _)| instance.as_str())),
        Column::new("id", "bigint", timers_done.iter().map(|(_, id)| i64::from(id.0))),
    ];
    from.remove("timer", columns);
    from.remove("timer", vec![Column::new("instance", "text", timers_clear.iter().map(|instance| instance.as_str()))]);
}

fn pending<'c>(from: &mut Statement<'c>, commit: &'c Commit) -> Result<()> {
    let done = &commit.pending_done;
    let position =
        |(instance, position): &(_, u64)| bigint(*position, || format!("pending message of instance {instance}"));
    let columns = vec![
        Column::new("instance", "text", done.iter().map(|(instance, _)| instance.as_str())),
        Column::tried("position", "bigint", done.iter().map(position))?,
    ];
    from.remove("pending", columns);
    Ok(())
}

fn aside<'c>(from: &mut Statement<'c>, commit: &'c Commit) -> Result<()> {
    let done = &commit.aside_done;
    let sequence =
        done.iter().map(|(source, sequence)| bigint(*sequence, || format!("message from partition {source}")));
    let columns = vec![
        Column::new("source", "integer", done.iter().map(|(source, _)| i32::from(source.0))),
        Column::tried("sequence", "bigint", sequence)?,
    ];
    from.remove("aside", columns);
    Ok(())
}
