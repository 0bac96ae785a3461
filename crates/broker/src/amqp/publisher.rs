//! The sending end, on a channel of its own in confirm mode.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{
    AmqpConfig,
    driver::{self, Driver, Handle, Job},
    link::Link,
};
use crate::{Publication, Published, Publisher, Result};

/// Publishes to any queue or exchange. Clones share the channel, which closes with the last of them.
#[derive(Clone, Debug)]
pub struct AmqpPublisher(Handle);

impl AmqpPublisher {
    pub(super) async fn open(link: &Arc<Link>, config: &AmqpConfig) -> Result<Self> {
        Ok(Self::new(Driver::start(driver::open(link).await?, Some(link.clone()), config)))
    }

    pub(super) fn new(handle: Handle) -> Self {
        Self(handle)
    }

    fn lost(&self, count: usize) -> Vec<Published> {
        let why = self.0.end.get().map_or("the channel is lost", String::as_str);
        vec![Published::Lost(why.into()); count]
    }
}

impl Publisher for AmqpPublisher {
    async fn publish(&self, batch: Vec<Publication>) -> Vec<Published> {
        let count = batch.len();
        if count == 0 {
            return Vec::new();
        }
        let (reply, results) = oneshot::channel();
        if self.0.jobs.send(Job { batch, reply }).await.is_err() {
            return self.lost(count);
        }
        results.await.unwrap_or_else(|_| self.lost(count))
    }
}
