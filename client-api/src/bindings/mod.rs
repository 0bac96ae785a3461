//! Ways in for other systems, by settings alone: what they send as they like begins orchestrations and raises events.
//!
//! ```text
//! request ──Gatekeeper──▶ Arrival ──Mapping──▶ Order ──client──▶ the instance's owner
//! message ───────────────────┘
//! ```
//!
//! A binding decides nothing about instances: it turns what arrived into a command, whose answer is the owner's.

mod authentication;
mod http;
mod mapping;
mod queue;
mod source;
mod standing;
mod stream;
#[cfg(test)]
mod system;

use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use tokio_util::sync::CancellationToken;
use warren_broker::amqp::Amqp;
use warren_client::Client;
use warren_service::{
    Settings,
    health::Health,
    hub,
    settings::{BINDING_HOLES, BindingSettings, SECRET_HOLES},
    template::Template,
};
use warren_store::Queries;

use self::{
    http::HttpBinding,
    queue::QueueBinding,
    standing::{Standing, Standings},
    stream::StreamBinding,
};
use crate::{api::Api, traces::Traces};

/// Why a binding can't be served.
#[derive(Debug, thiserror::Error)]
#[error("serve bindings.{name}: its setting {setting} {why}")]
pub struct BindingError {
    name: String,
    setting: &'static str,
    why: String,
}

/// The ways in that the settings name.
#[derive(Debug, Default)]
pub struct Bindings {
    http: Vec<Arc<HttpBinding>>,
    consumers: Vec<Consumer>,
}

/// What takes messages of another system.
#[derive(Debug)]
enum Consumer {
    Queue(QueueBinding),
    Stream(StreamBinding),
}

impl Bindings {
    /// Returns those of the settings, or what a person must mend.
    pub fn new(settings: &Settings) -> Result<Self, BindingError> {
        let (mut bindings, mut brokers) = (Self::default(), Brokers::default());
        for (name, binding) in &settings.bindings {
            match binding {
                BindingSettings::Http(http) => bindings.http.push(Arc::new(HttpBinding::new(name, http)?)),
                BindingSettings::Queue(queue) => {
                    let broker = brokers.at(Maker(name), queue.url.as_str(), settings)?;
                    bindings.consumers.push(Consumer::Queue(QueueBinding::new(name, queue, broker)?));
                }
                BindingSettings::Stream(stream) => {
                    let broker = brokers.at(Maker(name), stream.source.url.as_str(), settings)?;
                    let hub = brokers.at(Maker(name), "", settings)?;
                    let topology =
                        hub::topology(settings).map_err(|error| Maker(name).wrong("kind", error.to_string()))?;
                    let stream = StreamBinding::new(name, stream, broker, (hub, topology.baton(name)))?;
                    bindings.consumers.push(Consumer::Stream(stream));
                }
            }
        }
        Ok(bindings)
    }

    /// Returns the routes of those that are served by HTTP.
    pub(crate) fn routes<Q: Queries>(&self, traces: &Traces) -> Router<Api<Q>> {
        http::routes(&self.http, traces)
    }

    /// Returns what takes messages of queues and streams until `stopping`, to be run as tasks.
    pub(crate) fn consumers<Q: Queries>(
        self,
        client: &Client<Q>,
        stopping: &CancellationToken,
        health: &Health,
    ) -> impl Iterator<Item = impl Future<Output = ()> + Send + 'static> {
        let standings = Standings::new(health.clone());
        self.consumers.into_iter().map(move |consumer| {
            let (client, stopping, standing) = (client.clone(), stopping.clone(), standings.of(consumer.name()));
            async move { consumer.run(client, stopping, standing).await }
        })
    }
}

impl Consumer {
    fn name(&self) -> &str {
        match self {
            Self::Queue(queue) => queue.name(),
            Self::Stream(stream) => stream.name(),
        }
    }

    async fn run<Q: Queries>(&self, client: Client<Q>, stopping: CancellationToken, standing: Standing) {
        match self {
            Self::Queue(queue) => queue.run(client, stopping, standing).await,
            Self::Stream(stream) => stream.run(client, stopping, standing).await,
        }
    }
}

/// The brokers of bindings: those with the same address share its connections.
#[derive(Debug, Default)]
struct Brokers(BTreeMap<String, Amqp>);

impl Brokers {
    fn at(&mut self, maker: Maker<'_>, url: &str, settings: &Settings) -> Result<Amqp, BindingError> {
        let url = match url {
            "" => settings.broker.url.as_str().to_owned(),
            url => maker.secret("url", url)?,
        };
        if let Some(known) = self.0.get(&url) {
            return Ok(known.clone());
        }
        let mut settings = settings.clone();
        settings.broker.url = url.as_str().into();
        let broker = hub::amqp(&settings, &format!("bindings {}", settings.client_api.listen));
        let broker = broker.map_err(|error| maker.wrong("url", format!("is wrong: {error}")))?;
        self.0.insert(url, broker.clone());
        Ok(broker)
    }
}

/// Makes the parts of one binding.
#[derive(Clone, Copy)]
struct Maker<'a>(&'a str);

impl Maker<'_> {
    fn wrong(self, setting: &'static str, why: impl Into<String>) -> BindingError {
        BindingError { name: self.0.into(), setting, why: why.into() }
    }

    /// Returns a text with holes; `None` if there is none.
    fn template(self, setting: &'static str, text: &str) -> Result<Option<Template>, BindingError> {
        if text.is_empty() {
            return Ok(None);
        }
        Template::parse(text, BINDING_HOLES).map(Some).map_err(|why| self.wrong(setting, why))
    }

    /// Returns a text that the environment fills.
    fn secret(self, setting: &'static str, text: &str) -> Result<String, BindingError> {
        let template = Template::parse(text, SECRET_HOLES).map_err(|why| self.wrong(setting, why))?;
        let template = template.with_environment(|variable| std::env::var(variable).ok()).map_err(|variable| {
            self.wrong(setting, format!("needs the environment variable {variable}, which is not set"))
        })?;
        template.render(|_| None).map_err(|unfilled| self.wrong(setting, unfilled.to_string()))
    }
}
