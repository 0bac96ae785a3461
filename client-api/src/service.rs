//! The service's life: answer at once, open the store when it is there, stop when told.

use std::{io, pin::pin, time::Duration};

use futures_util::FutureExt;
use tokio::{
    net::TcpListener,
    select,
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use warren_broker::{Broker, Topology};
use warren_client::{Client, Options};
use warren_service::{health::Health, traces::Tracer};
use warren_store::{self as store, Payloads, Queries};

use crate::{
    api::{Api, ApiOptions, Stage},
    bindings::Bindings,
    router::{paths, router},
    routes::CHECKS,
    standing,
    traces::Traces,
};

/// How often to look for a store that is not there yet.
const LOOK: Duration = Duration::from_millis(250);
/// How long requests may take to end once the service stops; those that wait for an instance end at once.
const GRACE: Duration = Duration::from_secs(20);

/// Why the service can't go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store is another hub's, or no store. Fix the configuration.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The store and the configuration name different hubs. Fix the configuration.
    #[error(transparent)]
    Client(#[from] warren_client::Error),
    /// The socket broke.
    #[error("serve HTTP: {0}")]
    Serve(#[from] io::Error),
}

/// Which routes are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The whole API, and health beside it.
    Whole,
    /// The paths of bindings alone.
    Paths,
}

/// What the service runs on.
#[derive(Debug)]
pub struct Service<B> {
    /// The broker.
    pub broker: B,
    /// What the hub's queues are called.
    pub topology: Topology,
    /// Where requests arrive.
    pub listener: TcpListener,
    /// What is served there.
    pub surface: Surface,
    /// How the API behaves.
    pub api: ApiOptions,
    /// Ways in for other systems.
    pub bindings: Bindings,
    /// How patient the client is.
    pub client: Options,
    /// Takes the spans of requests that are traced.
    pub tracer: Tracer,
    /// Of a hundred starts that bring no trace of their own, how many begin one.
    pub traces_percent: u8,
    /// After how long without any sign of life of any owner commands are refused: some lease times.
    pub lapse: Duration,
}

impl<B: Broker> Service<B> {
    /// Serves until `shutdown`, then ends what is open and returns.
    ///
    /// `open` opens the store; while that is [`store::Error::Unavailable`], requests are told so and it is tried again.
    pub async fn run<Q, F>(self, open: impl Fn() -> F, shutdown: impl Future<Output = ()>) -> Result<(), Error>
    where
        Q: Queries + Payloads,
        F: Future<Output = store::Result<Q>>,
    {
        let Self {
            broker,
            topology,
            listener,
            surface,
            api: options,
            bindings,
            client: client_options,
            tracer,
            traces_percent,
            lapse,
        } = self;
        let address = listener.local_addr()?;
        let (stopping, health) = (CancellationToken::new(), Health::new(&CHECKS));
        let (stage, staged) = watch::channel(Stage::Waiting("reach the store: it is being opened".into()));
        let (trouble, troubled) = watch::channel(None);
        let api = Api::new(topology.hub().into(), options, staged, troubled, stopping.clone());
        let traces = Traces::new(tracer, traces_percent);
        let app = match surface {
            Surface::Whole => router(&api, &bindings, health.clone(), broker.clone(), &traces),
            Surface::Paths => paths(&api, &bindings, &traces),
        };
        drop(api);
        let mut tasks = JoinSet::new();
        let upkeep = warren_service::metrics::upkeep();
        tasks.spawn(stopping.clone().run_until_cancelled_owned(upkeep).map(|_| Ok(())));
        let graceful = axum::serve(listener, app).with_graceful_shutdown(stopping.clone().cancelled_owned());
        tasks.spawn(graceful.into_future());
        tracing::info!(%address, hub = topology.hub(), "listening");

        let mut shutdown = pin!(shutdown);
        let opened = select! {
            queries = open_store(open, &stage) => Some(queries?),
            () = &mut shutdown => None,
        };
        if let Some(queries) = opened {
            let looking = standing::look(queries.clone(), lapse, trouble);
            tasks.spawn(stopping.clone().run_until_cancelled_owned(looking).map(|_| Ok(())));
            let (client, link) = Client::new(broker, queries, topology, client_options)?;
            tasks.spawn(async move {
                link.run().await;
                Ok(())
            });
            let consumers = bindings.consumers.run(&client, &stopping, &health);
            consumers.for_each(|consumer| drop(tasks.spawn(consumer.map(Ok))));
            stage.send_replace(Stage::Open(client));
            shutdown.await;
        }
        health.drain();
        stopping.cancel();
        stop(tasks, stage).await
    }
}

async fn open_store<Q: Queries, F>(open: impl Fn() -> F, stage: &watch::Sender<Stage<Q>>) -> store::Result<Q>
where
    F: Future<Output = store::Result<Q>>,
{
    loop {
        match open().await {
            Err(error @ store::Error::Unavailable(_)) => {
                let why = error.to_string();
                let is_news = !matches!(&*stage.borrow(), Stage::Waiting(known) if *known == why);
                if is_news {
                    tracing::warn!(why, "waiting for the store");
                }
                stage.send_replace(Stage::Waiting(why));
                sleep(LOOK).await;
            }
            other => return other,
        }
    }
}

/// Waits for the open requests, then for the link, which ends with the last client.
async fn stop<Q>(mut tasks: JoinSet<io::Result<()>>, stage: watch::Sender<Stage<Q>>) -> Result<(), Error> {
    let end = async {
        stage.send_replace(Stage::Waiting("serve: the service is stopping".into()));
        while let Some(task) = tasks.join_next().await {
            task.expect("the service's tasks do not panic and nobody aborts them")?;
        }
        Ok(())
    };
    match timeout(GRACE, end).await {
        Ok(ended) => ended,
        Err(_) => {
            tracing::warn!(seconds = GRACE.as_secs(), "stopped with requests still open");
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "service_test.rs"]
mod test;
