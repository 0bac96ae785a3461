//! What clients read.

use warren_model::{InstanceId, InstanceRecord, Outcome, Payload, Status, Timestamp, TurnRecord};

use crate::{Hub, Result, Survey, TaskNote};

/// What clients ask of a database. Reads only, in short transactions. Cheap to clone.
pub trait Queries: Clone + Send + Sync + 'static {
    /// Returns the hub that this store holds.
    fn hub(&self) -> &Hub;

    /// Returns one instance, or `None` if nobody has seen it.
    fn instance(&self, id: &InstanceId) -> impl Future<Output = Result<Option<InstanceView>>> + Send;

    /// Returns the turns of an instance's present execution, in order, from turn `from` on and at most `limit`.
    fn history(&self, id: &InstanceId, from: u32, limit: usize)
    -> impl Future<Output = Result<Vec<TurnRecord>>> + Send;

    /// Returns a page of instances, newest first.
    fn list(&self, filter: &Filter) -> impl Future<Output = Result<Page>> + Send;

    /// Returns how many instances have each status, in the order of [`Status::ALL`].
    fn counts(&self) -> impl Future<Output = Result<Vec<(Status, u64)>>> + Send;

    /// Returns tasks that are quarantined: one instance's, or any; at most `most`, by instance.
    fn quarantined(
        &self,
        instance: Option<&InstanceId>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<TaskNote>>> + Send;

    /// Returns who owns what; also the way to learn whether the store answers.
    fn survey(&self) -> impl Future<Output = Result<Survey>> + Send;
}

/// An instance with what its history says of its beginning and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceView {
    /// Its row.
    pub record: InstanceRecord,
    /// The input of its present execution; `None` until its first turn.
    pub input: Option<Payload>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// Which instances a page holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only ids that begin so.
    pub prefix: Option<String>,
    /// Only these statuses; empty: all.
    pub statuses: Vec<Status>,
    /// Only this orchestrator.
    pub name: Option<String>,
    /// Only created at or after.
    pub created_from: Option<Timestamp>,
    /// Only created before.
    pub created_to: Option<Timestamp>,
    /// At most so many; 0: 100.
    pub top: usize,
    /// Where the page before ended.
    pub after: Option<String>,
}

/// A page of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The instances.
    pub instances: Vec<InstanceRecord>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}
