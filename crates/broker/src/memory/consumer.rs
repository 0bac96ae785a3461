//! The receiving end of a queue.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{Memory, broker::unavailable, queue::ChannelId};
use crate::{Acker, Consumer, Delivery, Result};

/// Receives from one queue.
#[derive(Debug)]
pub struct MemoryConsumer {
    acker: MemoryAcker,
    wake: Arc<Notify>,
}

/// Acknowledges the deliveries of one consumer.
#[derive(Clone, Debug)]
pub struct MemoryAcker {
    broker: Memory,
    id: ChannelId,
}

impl MemoryConsumer {
    pub(super) fn new(broker: Memory, id: ChannelId, wake: Arc<Notify>) -> Self {
        Self { acker: MemoryAcker { broker, id }, wake }
    }

    /// Returns what has arrived; empty if nothing has yet.
    fn take(&self, max: usize) -> Option<Vec<Delivery>> {
        self.acker.broker.state().channels.get_mut(&self.acker.id)?.take(max)
    }
}

impl Consumer for MemoryConsumer {
    type Acker = MemoryAcker;

    async fn next(&mut self, max: usize) -> Option<Vec<Delivery>> {
        loop {
            let taken = self.take(max.max(1))?;
            if !taken.is_empty() {
                return Some(taken);
            }
            self.wake.notified().await;
        }
    }

    fn acker(&self) -> MemoryAcker {
        self.acker.clone()
    }

    async fn restart(&mut self) -> Result<()> {
        let has_restarted = self.acker.broker.state().restart(self.acker.id);
        if has_restarted { Ok(()) } else { Err(unavailable("the channel or its queue is gone".into())) }
    }

    fn is_open(&self) -> bool {
        self.acker.broker.state().channels.contains_key(&self.acker.id)
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.acker.broker.state().close(self.acker.id);
    }
}

impl Acker for MemoryAcker {
    async fn ack(&self, tag: u64, multiple: bool) -> Result<()> {
        self.broker.state().ack(self.id, tag, multiple);
        Ok(())
    }

    async fn requeue(&self, tag: u64) -> Result<()> {
        self.broker.state().requeue(self.id, tag);
        Ok(())
    }

    async fn cancel(&self) -> Result<()> {
        self.broker.state().cancel(self.id);
        Ok(())
    }
}
