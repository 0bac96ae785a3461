//! Requests whose answers come back on the same channel: RabbitMQ's direct reply-to.

use futures_util::StreamExt;
use lapin::{options::BasicConsumeOptions, types::FieldTable};
use tokio::sync::Mutex;

use super::{
    AmqpConfig, AmqpPublisher,
    convert::from_delivery,
    driver::{self, Driver},
    link::Link,
};
use crate::{Delivery, Publication, Published, Requester, Result};

/// What `reply_to` says; the broker makes it the name of this channel.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Sends requests and receives their answers.
#[derive(Debug)]
pub struct AmqpRequester {
    publisher: AmqpPublisher,
    /// `None` once it has ended: lapin's stream would wait for ever.
    answers: Mutex<Option<lapin::Consumer>>,
}

impl AmqpRequester {
    pub(super) async fn open(link: &Link, config: &AmqpConfig) -> Result<Self> {
        let channel = driver::open(link).await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consuming = channel.basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default());
        let answers = Mutex::new(Some(link.asker().ask(consuming).await?));
        // Answers come back on this channel alone: whoever asks needs to know when it is another.
        Ok(Self { publisher: AmqpPublisher::new(Driver::start(channel, None, link.full().clone(), config)), answers })
    }
}

impl Requester for AmqpRequester {
    async fn send(&self, mut request: Publication) -> Published {
        request.message.reply_to = Some(REPLY_TO.into());
        match self.publisher.submit(vec![request]).await {
            Ok(published) => published.into_iter().next().expect("one publication has one result"),
            Err(why) => Published::Refused(why),
        }
    }

    async fn next(&self) -> Option<Delivery> {
        let mut answers = self.answers.lock().await;
        match answers.as_mut()?.next().await {
            Some(Ok(delivery)) => Some(from_delivery(delivery)),
            Some(Err(_)) | None => {
                *answers = None;
                None
            }
        }
    }
}
