//! Which instances have a condition, so that whoever watches over the hub need not ask the store.
//!
//! A session tries every parked instance once more when it begins, so it knows of all of them once it has.

use std::collections::BTreeMap;

use warren_model::{ConditionKind, InstanceId, InstanceRecord};

/// Instances that can't go on by themselves.
#[derive(Debug, Default)]
pub(super) struct Parked {
    instances: BTreeMap<InstanceId, &'static str>,
    counts: BTreeMap<&'static str, u64>,
}

impl Parked {
    /// Notes how an instance stands.
    pub(super) fn note(&mut self, record: &InstanceRecord) {
        let condition = record.condition.as_ref().filter(|_| !record.status.is_terminal());
        let before = match condition {
            Some(condition) => self.instances.insert(record.id.clone(), word(condition.kind)),
            None => self.instances.remove(&record.id),
        };
        if let Some(count) = before.and_then(|before| self.counts.get_mut(before)) {
            *count -= 1;
        }
        if let Some(condition) = condition {
            *self.counts.entry(word(condition.kind)).or_default() += 1;
        }
    }

    /// Returns how many there are of each condition that there was.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().map(|(condition, count)| (*condition, *count))
    }
}

fn word(kind: ConditionKind) -> &'static str {
    match kind {
        ConditionKind::Blocked => "blocked",
        ConditionKind::Stuck => "stuck",
        ConditionKind::Panicked => "panicked",
        ConditionKind::UnknownOrchestrator => "unknown_orchestrator",
        ConditionKind::HistoryLimit => "history_limit",
        ConditionKind::Corrupt => "corrupt",
        ConditionKind::Quarantined => "quarantined",
    }
}
