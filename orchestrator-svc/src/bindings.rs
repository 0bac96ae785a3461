//! What other systems' queues and streams bring becomes commands, which go through the broker as any client's do: nothing
//! of it reaches a partition by another way.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use warren_bindings::Consumers;
use warren_broker::Broker;
use warren_client::{Client, Options};
use warren_service::{
    Settings,
    health::Health,
    hub::{process_name, topology},
    settings::BindingSettings,
};
use warren_store::{Payloads, Queries};

/// The bindings that take messages, and the client that they use. Those that are dropped end at once, and what was under
/// way comes again.
pub(crate) struct Feeding {
    stopping: CancellationToken,
    tasks: JoinSet<()>,
}

/// Returns the bindings that the settings name, if this process is to take them, or what a person must mend.
pub(crate) fn consumers(settings: &Settings) -> Result<Consumers, warren_bindings::Error> {
    if !settings.orchestrator.take_bindings {
        return Ok(Consumers::default());
    }
    for (binding, kind) in &settings.bindings {
        match kind {
            BindingSettings::Http(_) => tracing::info!(binding, "left to client-api, which serves paths"),
            BindingSettings::Queue(_) | BindingSettings::Stream(_) => {}
        }
    }
    Consumers::new(settings, &process_name(&settings.orchestrator.name))
}

impl Feeding {
    /// Begins to take messages.
    pub(crate) fn begin<B: Broker, Q: Queries + Payloads>(
        consumers: Consumers,
        settings: &Settings,
        (broker, queries): (B, Q),
        health: &Health,
    ) -> anyhow::Result<Self> {
        let (stopping, mut tasks) = (CancellationToken::new(), JoinSet::new());
        if !consumers.is_empty() {
            let options = Options { payload_bytes_max: settings.hub.payload_bytes_max(), ..Options::default() };
            let (client, link) = Client::new(broker, queries, topology(settings)?, options)?;
            tasks.spawn(link.run());
            consumers.run(&client, &stopping, health).for_each(|consumer| drop(tasks.spawn(consumer)));
        }
        Ok(Self { stopping, tasks })
    }

    /// Takes no more, and waits for what is under way: its partitions must be owned meanwhile.
    pub(crate) async fn end(mut self) {
        self.stopping.cancel();
        while let Some(task) = self.tasks.join_next().await {
            task.expect("a binding does not panic and nobody aborts it");
        }
    }
}
