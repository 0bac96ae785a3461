//! `[orchestrator]`: orchestrator-svc.

use serde::{Deserialize, Serialize};

use super::health::check_address;
use crate::Problems;

/// How an owner works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrchestratorSettings {
    /// Names this replica in leases and logs; empty: host and process id.
    pub name: String,
    /// Most messages that one commit takes in.
    pub batch: u16,
    /// Most messages that the broker hands over before they are committed, per partition.
    pub prefetch: u16,
    /// How many threads run turns, each those of its share of the partitions.
    pub threads: u16,
    /// Most instances whose live state is kept in memory.
    pub cache_instances: u32,
    /// Most memory for that, in MiB, as estimated.
    pub cache_megabytes: u32,
    /// After how many seconds without a sign of life a replica's partitions are taken over.
    pub lease_seconds: u16,
    /// Most events in the history of one execution; then the instance is parked until the limit is raised.
    pub history_events_max: u64,
    /// Most MiB in the history of one execution; then the same.
    pub history_megabytes_max: u32,
    /// How many days a command is remembered, so that a duplicate gets the first answer.
    pub duplicate_window_days: u16,
    /// How many minutes an event waits for an instance that nobody has started yet.
    pub unseen_event_minutes: u32,
    /// How many days an instance is kept once it has ended; 0: until somebody purges it.
    pub purge_after_days: u16,
    /// After how many milliseconds a turn that still runs is reported.
    pub turn_warn_ms: u32,
    /// After how many seconds a turn that still runs is given up: its instance is suspected, and the process ends.
    pub turn_limit_seconds: u32,
    /// How often workers may begin a work item that came again and was not answered; then its task is quarantined.
    pub task_begins_max: u32,
    /// Whether a task fails then, instead of waiting until its instance is resumed.
    pub fail_quarantined_tasks: bool,
    /// The work-item queues, without the hub's name, whose work items may share messages, as all of their workers take
    /// packs; `*`: every queue.
    pub packed_queues: Vec<String>,
    /// Whether it takes the messages of `[bindings]` with queues and streams, as client-api does.
    pub take_bindings: bool,
    /// Address and port of the paths in `[bindings]`; empty: they are left to client-api.
    pub listen: String,
}

impl Default for OrchestratorSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            batch: 500,
            prefetch: 2_000,
            threads: 1,
            cache_instances: 10_000,
            cache_megabytes: 256,
            lease_seconds: 4,
            history_events_max: 500_000,
            history_megabytes_max: 256,
            duplicate_window_days: 7,
            unseen_event_minutes: 60,
            purge_after_days: 0,
            turn_warn_ms: 1_000,
            turn_limit_seconds: 30,
            task_begins_max: 5,
            fail_quarantined_tasks: false,
            packed_queues: Vec::new(),
            take_bindings: true,
            listen: String::new(),
        }
    }
}

impl OrchestratorSettings {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.range("orchestrator.batch", self.batch, 1, 10_000);
        problems.range("orchestrator.prefetch", self.prefetch, 1, u16::MAX.into());
        problems.range("orchestrator.threads", self.threads, 1, 64);
        problems.range("orchestrator.cache_instances", self.cache_instances, 1, 10_000_000);
        problems.range("orchestrator.cache_megabytes", self.cache_megabytes, 1, 1_048_576);
        problems.range("orchestrator.lease_seconds", self.lease_seconds, 3, 300);
        problems.range("orchestrator.history_events_max", self.history_events_max, 100, 100_000_000);
        problems.range("orchestrator.history_megabytes_max", self.history_megabytes_max, 1, 65_536);
        problems.range("orchestrator.duplicate_window_days", self.duplicate_window_days, 1, 3_650);
        problems.range("orchestrator.unseen_event_minutes", self.unseen_event_minutes, 1, 525_600);
        problems.range("orchestrator.purge_after_days", self.purge_after_days, 0, 36_500);
        problems.range("orchestrator.turn_warn_ms", self.turn_warn_ms, 1, 600_000);
        problems.range("orchestrator.turn_limit_seconds", self.turn_limit_seconds, 1, 3_600);
        problems.range("orchestrator.task_begins_max", self.task_begins_max, 1, 1_000);
        if !self.listen.is_empty() {
            check_address("orchestrator.listen", &self.listen, problems);
        }
        self.check_pairs(problems);
    }

    /// A name that no queue has would only never pack anything, and nobody would notice.
    pub(super) fn check_packed_queues(&self, hub: &str, problems: &mut Problems) {
        let (key, prefix) = ("orchestrator.packed_queues", format!("{hub}.work."));
        let is_wrong = |queue: &&String| {
            let is_pattern = queue.contains('*') && *queue != "*";
            queue.trim().is_empty() || queue.starts_with(&prefix) || is_pattern
        };
        if let Some(queue) = self.packed_queues.iter().find(is_wrong) {
            let rule =
                format!("must be names of queues without {prefix:?}, or * for every queue; there are no patterns");
            problems.add(key, format!("{key} names {queue:?}, {rule}"));
        }
    }

    fn check_pairs(&self, problems: &mut Problems) {
        let Self { batch, prefetch, .. } = self;
        if prefetch < batch {
            // Else a batch could never fill.
            let message = format!("orchestrator.prefetch = {prefetch}, must be at least orchestrator.batch = {batch}");
            problems.add("orchestrator.prefetch", message);
        }
    }
}
