//! Whether a batch adds rows where it removes some.
//!
//! The parts of one statement see the same rows: a row that one part removes is still there for another, and can't be
//! added again. Continue-as-new with timers is the usual case: the old execution's go, and the new one's ids begin anew.

use std::{collections::HashSet, hash::Hash};

use crate::Commit;

/// Returns whether the removals must be carried out before the additions.
pub(super) fn adds_where_it_removes(commit: &Commit) -> bool {
    let forget = commit.forget.iter().map(|(instance, execution)| (instance, *execution));
    let timers_done = commit.timers_done.iter().map(|(instance, id)| (instance, *id));
    let pending_done = commit.pending_done.iter().map(|(instance, position)| (instance, *position));
    let tasks_done = commit.task_notes_done.iter().map(|(instance, id)| (instance, *id));
    meets(forget, commit.turns.iter().map(|row| (&row.key.instance, row.key.execution)))
        || meets(commit.purged.iter(), commit.instances.iter().map(|row| &row.id))
        || meets(commit.purged.iter(), commit.pending.iter().map(|row| &row.instance))
        || meets(timers_done, commit.timers.iter().map(|row| (&row.instance, row.id)))
        || meets(commit.timers_clear.iter(), commit.timers.iter().map(|row| &row.instance))
        || meets(pending_done, commit.pending.iter().map(|row| (&row.instance, row.position)))
        || meets(commit.outbox_done.iter().copied(), commit.outbox.iter().map(|row| row.number))
        || meets(commit.suspects_done.iter(), commit.suspects.iter().map(|row| &row.instance))
        || meets(tasks_done, commit.task_notes.iter().map(|row| (&row.instance, row.id)))
        || meets(commit.aside_done.iter().copied(), commit.aside.iter().map(|row| (row.source, row.sequence)))
}

fn meets<K: Eq + Hash>(removed: impl ExactSizeIterator<Item = K>, mut added: impl ExactSizeIterator<Item = K>) -> bool {
    if removed.len() == 0 || added.len() == 0 {
        return false;
    }
    let removed: HashSet<K> = removed.collect();
    added.any(|key| removed.contains(&key))
}
