//! Tasks that are quarantined.

use serde::Serialize;
use warren_store::TaskNote;

/// A task that no worker begins any more, since it took too many workers down.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuarantinedTask {
    instance_id: String,
    /// The id of its `TaskScheduled`.
    task_id: u32,
    activity: String,
    /// How often it was begun since it first came again.
    begins: u32,
    /// What happened, and what to do.
    reason: String,
}

impl From<TaskNote> for QuarantinedTask {
    fn from(task: TaskNote) -> Self {
        Self {
            instance_id: task.instance.into(),
            task_id: task.id.0,
            activity: task.activity,
            begins: task.count,
            reason: task.quarantine.unwrap_or_default(),
        }
    }
}
