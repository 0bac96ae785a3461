//! `kind = "publish"`: publishes a message to an exchange, and is done once the broker has it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use warren::{Failure, Payload, code};
use warren_broker::{
    Address, Broker, HeaderValue, Headers, Message, Publication, Published, Publisher,
    amqp::{Amqp, AmqpPublisher},
};
use warren_service::{
    Settings, hub,
    settings::{PublishSettings, split_header},
    template::Template,
};

use crate::{
    Error, Result,
    task::{self, Kind, Task},
};

/// No queue takes the message.
const UNROUTABLE: &str = "publish_unroutable";
/// The broker does not take the message: the exchange is missing, the user may not, a queue is full.
const REFUSED: &str = "publish_refused";
/// The broker can't be reached, or has not confirmed in time.
const UNREACHABLE: &str = "publish_unreachable";

/// How long to wait before a message is sent again on another channel.
const PAUSE: Duration = Duration::from_millis(200);

/// What an answer of the broker begins with that closes a channel because of what was published.
const DENIALS: [&str; 2] = ["NOT_FOUND", "ACCESS_REFUSED"];

/// The brokers that activities publish to: those with the same address share its connection.
#[derive(Debug, Default)]
pub(crate) struct Brokers(BTreeMap<String, Amqp>);

/// An activity that publishes a message.
#[derive(Debug)]
pub(crate) struct Publish {
    broker: Amqp,
    /// Opened at the first message, and again after a loss.
    publisher: Mutex<Option<AmqpPublisher>>,
    exchange: String,
    routing_key: Template,
    headers: Vec<(String, Template)>,
    /// `None`: nothing is sent.
    body: Option<String>,
    within: Duration,
}

impl Kind for Publish {
    async fn run(&self, task: &Task) -> Result<Payload, Failure> {
        let publication = self.publication(task)?;
        let mut trouble = "no answer yet".to_owned();
        match timeout(self.within, self.send(publication, &mut trouble)).await {
            Ok(sent) => sent.map(|()| Payload::null()),
            Err(_) => {
                let message = format!("the broker has not confirmed within {} s: {trouble}", self.within.as_secs());
                Err(Failure::new(UNREACHABLE, message))
            }
        }
    }
}

impl Publish {
    /// Returns the activity of this name. It connects when it is first called.
    pub(crate) fn new(
        name: &str,
        settings: &PublishSettings,
        process: &Settings,
        brokers: &mut Brokers,
    ) -> Result<Self> {
        let wrong = |setting, why: &str| Error::Setting { name: name.into(), setting, why: why.into() };
        let headers = settings.headers.iter().map(|header| {
            let (header, value) = split_header(header).ok_or_else(|| wrong("headers", "must be \"name: value\""))?;
            Ok((header.to_owned(), task::template(name, "headers", value)?))
        });
        let url = match settings.url.as_str() {
            "" => process.broker.url.as_str().to_owned(),
            url => task::secret(name, "url", url)?,
        };
        Ok(Self {
            broker: brokers.at(&url, process).map_err(|why| wrong("url", &format!("is wrong: {why}")))?,
            publisher: Mutex::new(None),
            exchange: settings.exchange.clone(),
            routing_key: task::template(name, "routing_key", &settings.routing_key)?,
            headers: headers.collect::<Result<_>>()?,
            body: (settings.body != "none").then(|| settings.body.clone()),
            within: Duration::from_secs(settings.timeout_seconds.into()),
        })
    }

    fn publication(&self, task: &Task) -> Result<Publication, Failure> {
        let key = task.render("routing_key", &self.routing_key)?;
        if key.len() > 255 {
            let message = format!("routing_key: it has {} bytes, AMQP allows 255", key.len());
            return Err(Failure::permanent(code::INVALID_INPUT, message));
        }
        let mut headers = Headers::default();
        if let Some(traceparent) = task.ctx.traceparent() {
            headers.insert("traceparent", HeaderValue::Text(traceparent.into()));
        }
        for (name, value) in &self.headers {
            headers.insert(name.as_str(), HeaderValue::Text(task.render("headers", value)?.into()));
        }
        let body = self.body.as_ref().map(|pointer| task.part("body", pointer)).transpose()?;
        Ok(Publication {
            to: Address::Exchange { exchange: self.exchange.as_str().into(), key: key.into() },
            mandatory: true,
            packs: false,
            message: Message {
                message_id: Some(task.ctx.idempotency_key().into()),
                content_type: Some("application/json".into()),
                headers,
                body: body.map(|body| body.as_str().to_owned().into()).unwrap_or_default(),
                ..Message::default()
            },
        })
    }

    /// Sends the message until the broker has said what becomes of it; again, with the same id, after a lost channel.
    async fn send(&self, publication: Publication, trouble: &mut String) -> Result<(), Failure> {
        loop {
            let published = match self.publisher().await {
                Ok(publisher) => publisher.publish(vec![publication.clone()]).await.pop(),
                Err(error) => Some(Published::Lost(error.to_string())),
            };
            match published {
                Some(Published::Confirmed) => return Ok(()),
                Some(Published::Returned) => {
                    let message = format!("no queue takes what exchange {:?} is given under this key", self.exchange);
                    return Err(Failure::new(UNROUTABLE, message));
                }
                Some(Published::Refused(why)) => return Err(Failure::new(REFUSED, why)),
                Some(Published::Lost(why)) => {
                    self.publisher.lock().await.take();
                    if DENIALS.iter().any(|denial| why.starts_with(denial)) {
                        return Err(Failure::new(REFUSED, why));
                    }
                    *trouble = why;
                }
                None => unreachable!("a publisher gives one result for each message"),
            }
            sleep(PAUSE).await;
        }
    }

    async fn publisher(&self) -> warren_broker::Result<AmqpPublisher> {
        let mut publisher = self.publisher.lock().await;
        match &*publisher {
            Some(open) => Ok(open.clone()),
            None => Ok(publisher.insert(self.broker.publisher().await?).clone()),
        }
    }
}

impl Brokers {
    fn at(&mut self, url: &str, process: &Settings) -> Result<Amqp, String> {
        match self.0.entry(url.to_owned()) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(place) => {
                let mut settings = process.clone();
                settings.broker.url = url.into();
                let name = format!("activities {}", hub::process_name(&process.worker.name));
                let broker = hub::amqp(&settings, &name).map_err(|error| error.to_string())?;
                Ok(place.insert(broker).clone())
            }
        }
    }
}

#[cfg(test)]
#[path = "publish_test.rs"]
mod test;
