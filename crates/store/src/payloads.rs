//! Large payloads, on their way between components that share the store.

use std::sync::Arc;

use uuid::Uuid;
use warren_model::{ExecutionId, InstanceId, Partition};

use crate::Result;

/// A payload that travels apart from its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadRow {
    /// The partition of the instance.
    pub partition: Partition,
    /// By which its message refers to it. The same id never stands for another payload.
    pub id: Uuid,
    /// The instance that it belongs to, which may not be there yet.
    pub instance: InstanceId,
    /// The execution whose task it is the input of: it stays as long as that runs, and goes when that is forgotten.
    /// Others are on their way to an owner, who takes them over into its history.
    pub execution: Option<ExecutionId>,
    /// The payload.
    pub body: Arc<[u8]>,
}

/// What those who send and receive large payloads need of a database: owners, clients, and workers that have access.
/// Cheap to clone.
///
/// Nothing here is fenced: a payload is written before the message that refers to it and removed after the commit that
/// took it over, and what is left over goes with its execution or, as all that nobody refers to, with
/// [`Store::expire`](crate::Store::expire).
pub trait Payloads: Clone + Send + Sync + 'static {
    /// Keeps a payload. One whose id is there already is that one, and is left as it is.
    fn keep_payload(&self, row: PayloadRow) -> impl Future<Output = Result<()>> + Send;

    /// Returns a payload, or `None` if it is not there (any more).
    fn payload(&self, partition: Partition, id: Uuid) -> impl Future<Output = Result<Option<Arc<[u8]>>>> + Send;

    /// Fails if nothing can be written at the moment: the database is away, or read-only.
    fn can_write(&self) -> impl Future<Output = Result<()>> + Send;

    /// Removes payloads that nobody needs any more; those that are not there are no trouble.
    fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> impl Future<Output = Result<()>> + Send;
}
