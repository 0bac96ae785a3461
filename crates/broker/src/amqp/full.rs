//! Which queues take no messages at the moment: for readiness and logs, over all channels of a connection.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a refusal is told after nobody has tried again. Whoever was refused tries again every few seconds.
const TOLD: Duration = Duration::from_secs(30);

/// The queues whose last message was refused, and when. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Full(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Full {
    /// Notes that the broker has taken a message for a queue.
    pub(super) fn taken(&self, queue: &str) {
        if self.lock().remove(queue).is_some() {
            tracing::info!(queue, "queue takes messages again");
        }
    }

    /// Notes that the broker has refused a message for a queue.
    pub(super) fn refused(&self, queue: &str, now: Instant) {
        if self.lock().insert(queue.into(), now).is_none() {
            tracing::warn!(queue, "queue takes no messages: it may be full, or have no leader");
        }
    }

    /// Returns a queue that takes no messages.
    pub(super) fn which(&self, now: Instant) -> Option<String> {
        let mut queues = self.lock();
        queues.retain(|_, refused| now.saturating_duration_since(*refused) < TOLD);
        queues.first_key_value().map(|(queue, _)| queue.clone())
    }

    /// What is inside is never half written.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "full_test.rs"]
mod test;
