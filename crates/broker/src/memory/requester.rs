//! Requests whose answers come back to the same handle.

use std::sync::Arc;

use tokio::sync::Notify;

use super::MemoryPublisher;
use crate::{Delivery, Publication, Published, Publisher, Requester};

/// Sends requests and receives their answers.
#[derive(Debug)]
pub struct MemoryRequester {
    publisher: MemoryPublisher,
    reply_to: String,
    wake: Arc<Notify>,
}

impl MemoryRequester {
    pub(super) fn new(publisher: MemoryPublisher, reply_to: String, wake: Arc<Notify>) -> Self {
        Self { publisher, reply_to, wake }
    }
}

impl Requester for MemoryRequester {
    async fn send(&self, mut request: Publication) -> Published {
        request.message.reply_to = Some(self.reply_to.as_str().into());
        let published = self.publisher.publish(vec![request]).await;
        published.into_iter().next().expect("one publication has one result")
    }

    async fn next(&self) -> Option<Delivery> {
        loop {
            if let Some(answer) = self.publisher.broker().state().inboxes.get_mut(&self.reply_to)?.answers.pop_front() {
                return Some(answer);
            }
            self.wake.notified().await;
        }
    }
}

impl Drop for MemoryRequester {
    fn drop(&mut self) {
        self.publisher.broker().state().inboxes.remove(&self.reply_to);
    }
}
