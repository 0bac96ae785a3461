//! What other systems send becomes commands, which go through the broker as any client's do: nothing of it reaches a
//! partition by another way.

use futures_util::FutureExt;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use warren_bindings::Consumers;
use warren_broker::Broker;
use warren_client::{Client, Options};
use warren_service::{
    Settings,
    health::Health,
    hub::{process_name, topology},
    listen,
    settings::BindingSettings,
    traces::Tracer,
};
use warren_store::{Payloads, Queries};

/// The bindings that this process is to take.
#[derive(Default)]
pub(crate) struct Ways {
    consumers: Consumers,
    /// Those that requests come by, and where they arrive.
    paths: Option<(TcpListener, client_api::Bindings)>,
}

/// The bindings that are taken, and the client that they use. Those that are dropped end at once, and what was under way
/// comes again.
pub(crate) struct Feeding {
    stopping: CancellationToken,
    tasks: JoinSet<()>,
}

/// Returns the bindings that the settings name, or what a person must mend.
pub(crate) async fn ways(settings: &Settings) -> anyhow::Result<Ways> {
    if !settings.orchestrator.take_bindings {
        return Ok(Ways::default());
    }
    let consumers = Consumers::new(settings, &process_name(&settings.orchestrator.name))?;
    let is_path = |kind: &BindingSettings| matches!(kind, BindingSettings::Http(_));
    let named: Vec<&str> =
        settings.bindings.iter().filter(|(_, kind)| is_path(kind)).map(|(name, _)| &**name).collect();
    let address = &settings.orchestrator.listen;
    if !named.is_empty() && address.is_empty() {
        tracing::info!(
            bindings = named.join(" "),
            "orchestrator.listen is empty: client-api serves the paths of these"
        );
    }
    let paths = if named.is_empty() || address.is_empty() {
        None
    } else {
        let bindings = client_api::Bindings::paths(settings)?;
        Some((listen::bind(address, "orchestrator.listen").await?, bindings))
    };
    Ok(Ways { consumers, paths })
}

impl Feeding {
    /// Begins to take what is sent.
    pub(crate) fn begin<B: Broker, Q: Queries + Payloads>(
        Ways { consumers, paths }: Ways,
        settings: &Settings,
        (broker, queries): (B, Q),
        (health, tracer): (&Health, &Tracer),
    ) -> anyhow::Result<Self> {
        let (stopping, mut tasks) = (CancellationToken::new(), JoinSet::new());
        if let Some(paths) = paths {
            let parts = (broker.clone(), queries.clone(), tracer.clone());
            let (settings, stopped) = (settings.clone(), stopping.clone().cancelled_owned());
            let serve = async move { client_api::serve_paths(&settings, paths, parts, stopped).await };
            tasks.spawn(serve.map(|served| {
                if let Err(error) = served {
                    tracing::error!(%error, "the paths of bindings are not served any more");
                }
            }));
        }
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
