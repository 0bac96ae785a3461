//! What an observer has seen who sees everything: every committed turn, every event, every outcome. The invariants
//! compare the cluster with it; the cluster never does.

mod execution;
mod raised;

use std::collections::{BTreeMap, BTreeSet};

use warren_broker::{Publication, Text, Topology};
use warren_model::{ExecutionId, InstanceId, Outcome, Partition, Status};
use warren_store::Epoch;

pub(crate) use self::{
    execution::{Execution, Open},
    raised::Raised,
};
use crate::{
    client::{Ask, Request},
    time::Time,
    workload::Expect,
};

/// Everything that was ever seen.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) executions: BTreeMap<(InstanceId, ExecutionId), Execution>,
    /// Events from clients, by the number that each of them carries.
    pub(crate) raised: BTreeMap<i64, Raised>,
    /// When each instance was first committed.
    pub(crate) born: BTreeMap<InstanceId, Time>,
    /// How each instance ended, by its history.
    pub(crate) ended: BTreeMap<InstanceId, (ExecutionId, Status, Outcome)>,
    /// Instances that were purged.
    pub(crate) purged: BTreeSet<InstanceId>,
    /// How each instance ended, by what clients were told.
    pub(crate) told: BTreeMap<InstanceId, (Status, Outcome)>,
    /// Tokens of work items that were purged from their queue and not sent again since, and when they were.
    pub(crate) lost: BTreeMap<Text, Time>,
    /// Tokens whose reply has reached a control queue, or whose work item has reached the dead queue.
    pub(crate) replied: BTreeSet<Text>,
    /// Tokens whose work item an owner has told a worker to drop, or need not have acknowledged: it holds the run.
    pub(crate) dropped: BTreeSet<Text>,
    /// Tokens whose work item a worker has put back into its queue.
    pub(crate) given_back: BTreeSet<Text>,
    /// Instances of which somebody has mended what takes workers down.
    pub(crate) mended: BTreeSet<InstanceId>,
    /// Message ids that have reached a control queue or the dead queue.
    pub(crate) forwarded: BTreeSet<Text>,
    /// Message ids of nonsense that the broker has taken, …
    pub(crate) nonsense: BTreeSet<Text>,
    /// … and of everything that has reached the dead queue.
    pub(crate) dead: BTreeSet<Text>,
    /// The newest epoch of each partition.
    pub(crate) epochs: BTreeMap<Partition, Epoch>,
    /// Events that instances have sent to others: to whom, and what.
    pub(crate) sent: BTreeMap<i64, InstanceId>,
    /// How each instance of the workload may end.
    pub(crate) expected: Vec<(InstanceId, Expect)>,
    /// The custom status that an instance shows if it completes.
    pub(crate) shown: Vec<(InstanceId, String)>,
}

impl Ledger {
    /// Notes what a client asks for.
    pub(crate) fn asked(&mut self, ask: &Ask) {
        if let Ask::Raise { instance, value, .. } = ask {
            self.raised.entry(*value).or_insert_with(|| Raised::new(instance.clone()));
        }
    }

    /// Notes that an event's sender was told that it is accepted.
    pub(crate) fn accepted(&mut self, value: i64) {
        if let Some(raised) = self.raised.get_mut(&value) {
            raised.is_accepted = true;
        }
    }

    /// Notes that the broker has taken a message whose sender wants no answer: nobody may lose it from now on.
    pub(crate) fn confirmed(&mut self, request: &Request) {
        match &request.ask {
            Ask::Raise { value, .. } => self.accepted(*value),
            Ask::Nonsense { .. } => self.nonsense.extend(request.publication.message.message_id.clone()),
            Ask::Start { .. }
            | Ask::Suspend { .. }
            | Ask::Resume { .. }
            | Ask::Terminate { .. }
            | Ask::Purge { .. }
            | Ask::Wait { .. }
            | Ask::Redispatch { .. } => {}
        }
    }

    /// Notes what has reached a queue of the hub.
    pub(crate) fn published(&mut self, queue: &str, publication: &Publication, topology: &Topology) {
        let message = &publication.message;
        let (is_dead, is_control) = (queue == topology.dead().name, topology.partition_of_control(queue).is_some());
        if is_dead || is_control {
            self.forwarded.extend(message.message_id.clone());
            let is_no_reply = matches!(message.kind.as_deref(), Some("begin" | "heartbeat" | "hand-back"));
            self.replied.extend(message.correlation_id.clone().filter(|_| !is_no_reply));
        }
        if is_dead {
            self.dead.extend(message.message_id.clone());
        }
        if is_dead && let Some(raised) = number(&message.body).and_then(|value| self.raised.get_mut(&value)) {
            raised.is_dead = true;
        }
    }
}

/// Returns the number that a body holds.
pub(crate) fn number(body: &[u8]) -> Option<i64> {
    std::str::from_utf8(body).ok()?.trim().parse().ok()
}
