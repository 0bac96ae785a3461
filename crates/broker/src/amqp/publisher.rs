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
        Ok(Self::new(Driver::start(driver::open(link).await?, Some(link.clone()), link.full().clone(), config)))
    }

    pub(super) fn new(handle: Handle) -> Self {
        Self(handle)
    }

    /// Publishes, unless the channel has ended: then nothing was sent, and this is why.
    pub(super) async fn submit(&self, batch: Vec<Publication>) -> Result<Vec<Published>, String> {
        let count = batch.len();
        let (reply, results) = oneshot::channel();
        if self.0.jobs.send(Job { batch, reply }).await.is_err() {
            return Err(self.why());
        }
        Ok(results.await.unwrap_or_else(|_| vec![Published::Lost(self.why()); count]))
    }

    fn why(&self) -> String {
        self.0.end.get().map_or("the channel is lost", String::as_str).into()
    }
}

impl Publisher for AmqpPublisher {
    async fn publish(&self, batch: Vec<Publication>) -> Vec<Published> {
        let count = batch.len();
        if count == 0 {
            return Vec::new();
        }
        self.submit(batch).await.unwrap_or_else(|why| vec![Published::Lost(why); count])
    }
}
