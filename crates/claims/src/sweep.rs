//! Drops payloads behind the acknowledgements, so that these need not wait for it.

use tokio::sync::mpsc;
use uuid::Uuid;
use warren_model::Partition;
use warren_store::Payloads;

/// Most payloads that one statement drops.
const BATCH_MAX: usize = 1_000;

/// Takes what may be dropped. Its channel is unbounded and stays small: ids of messages that a prefetch has bounded.
pub(crate) type Spent = mpsc::UnboundedSender<Uuid>;

/// Returns where to send what may be dropped from a partition's payloads; the task behind it ends with the last sender.
///
/// Nobody waits for it: what a process leaves behind when it ends is forgotten after the duplicate window.
pub(crate) fn sweeper<P: Payloads>(payloads: P, partition: Partition) -> Spent {
    let (spent, mut incoming) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut ids = Vec::new();
        while incoming.recv_many(&mut ids, BATCH_MAX).await > 0 {
            let count = ids.len();
            if let Err(error) = payloads.drop_payloads(partition, std::mem::take(&mut ids)).await {
                tracing::warn!(%partition, count, %error, "payloads can't be dropped, they will expire");
            }
        }
    });
    spent
}
