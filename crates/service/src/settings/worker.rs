//! `[worker]`: activity-worker.

use serde::{Deserialize, Serialize};

use crate::Problems;

/// How a worker works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSettings {
    /// Names this worker in replies and logs; empty: host and process id.
    pub name: String,
    /// How many activities run at a time.
    pub concurrency: u16,
    /// How many threads activities share; 0: one for each processor.
    pub threads: u16,
    /// The work-item queues it serves, without the hub's name; none: one for each registered activity.
    pub queues: Vec<String>,
    /// How many seconds running activities may take to end when the worker is stopped.
    pub drain_seconds: u16,
    /// For how many seconds it may be silent about an activity that runs, before others begin it.
    pub lease_seconds: u16,
    /// After how many seconds the work item of an activity that still runs is acknowledged.
    pub hold_seconds: u16,
}

impl Default for WorkerSettings {
    /// Drains for 25 s: Kubernetes kills after 30.
    fn default() -> Self {
        Self {
            name: String::new(),
            concurrency: 32,
            threads: 0,
            queues: Vec::new(),
            drain_seconds: 25,
            lease_seconds: 20,
            hold_seconds: 1_500,
        }
    }
}

impl WorkerSettings {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.range("worker.concurrency", self.concurrency, 1, 10_000);
        problems.range("worker.threads", self.threads, 0, 256);
        problems.range("worker.drain_seconds", self.drain_seconds, 0, 3_600);
        problems.range("worker.lease_seconds", self.lease_seconds, 3, 3_600);
        problems.range("worker.hold_seconds", self.hold_seconds, 1, 43_200);
        if let Some(queue) = self.queues.iter().find(|queue| queue.trim().is_empty()) {
            problems.add("worker.queues", format!("worker.queues names {queue:?}, must be names of queues"));
        }
    }
}
