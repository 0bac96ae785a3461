//! The sending end.

use super::Memory;
use crate::{Publication, Published, Publisher};

/// Publishes to any queue or exchange.
#[derive(Clone, Debug)]
pub struct MemoryPublisher {
    broker: Memory,
    generation: u64,
}

impl MemoryPublisher {
    pub(super) fn new(broker: Memory, generation: u64) -> Self {
        Self { broker, generation }
    }

    pub(super) fn broker(&self) -> &Memory {
        &self.broker
    }

    /// Publishes what is left of the batch; gives it back if publishing is blocked.
    fn attempt(&self, batch: Vec<Publication>) -> Result<Vec<Published>, Vec<Publication>> {
        let mut state = self.broker.state();
        if state.generation != self.generation {
            return Ok(batch.iter().map(|_| Published::Lost("the connection is lost".into())).collect());
        }
        if state.faults.blocked.is_some() {
            return Err(batch);
        }
        Ok(batch.into_iter().map(|publication| state.publish(publication)).collect())
    }
}

impl Publisher for MemoryPublisher {
    async fn publish(&self, mut batch: Vec<Publication>) -> Vec<Published> {
        loop {
            // Registered before the look, so that an end of the blockade in between is not missed.
            let unblocked = self.broker.0.unblocked.notified();
            match self.attempt(batch) {
                Ok(published) => return published,
                Err(blocked) => batch = blocked,
            }
            unblocked.await;
        }
    }
}
