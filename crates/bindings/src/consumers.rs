//! What takes messages of other systems, as the settings name it.

use tokio_util::sync::CancellationToken;
use warren_client::Client;
use warren_service::{Settings, health::Health, hub, settings::BindingSettings};
use warren_store::Queries;

use crate::{
    Error, Maker,
    brokers::Brokers,
    queue::QueueBinding,
    standing::{Standing, Standings},
    stream::StreamBinding,
};

/// The bindings that take messages of queues and streams.
#[derive(Debug, Default)]
pub struct Consumers(Vec<Consumer>);

/// What takes messages of another system.
#[derive(Debug)]
enum Consumer {
    Queue(QueueBinding),
    Stream(StreamBinding),
}

impl Consumers {
    /// Returns those of the settings, or what a person must mend. Their connections are called after `process`.
    pub fn new(settings: &Settings, process: &str) -> Result<Self, Error> {
        let (mut consumers, mut brokers) = (Vec::new(), Brokers::new(settings, process));
        for (name, binding) in &settings.bindings {
            let maker = Maker::new(name);
            match binding {
                BindingSettings::Http(_) => {}
                BindingSettings::Queue(queue) => {
                    let broker = brokers.at(maker, queue.url.as_str())?;
                    consumers.push(Consumer::Queue(QueueBinding::new(maker, queue, broker)?));
                }
                BindingSettings::Stream(stream) => {
                    let broker = brokers.at(maker, stream.source.url.as_str())?;
                    let hub = brokers.at(maker, "")?;
                    let topology = hub::topology(settings).map_err(|error| maker.wrong("kind", error.to_string()))?;
                    let stream = StreamBinding::new(maker, stream, broker, (hub, topology.baton(name)))?;
                    consumers.push(Consumer::Stream(stream));
                }
            }
        }
        Ok(Self(consumers))
    }

    /// Returns whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what takes messages until `stopping`, and then ends what is under way: to be run as tasks. `health` is told
    /// how each stands.
    pub fn run<Q: Queries>(
        self,
        client: &Client<Q>,
        stopping: &CancellationToken,
        health: &Health,
    ) -> impl Iterator<Item = impl Future<Output = ()> + Send + 'static> {
        let standings = Standings::new(health.clone());
        self.0.into_iter().map(move |consumer| {
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
