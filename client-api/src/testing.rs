//! The API on real sockets over a hub whose owner is a script.

use std::time::Duration;

use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};
use warren_broker::memory::Memory;
use warren_client::{
    Options,
    testing::{MemoryQueries, ScriptedOwner, topology},
};
use warren_service::traces::Tracer;
use warren_store as store;

use crate::{
    ApiOptions, Bindings, Error, Service, Surface,
    http_client::{HttpClient, Reply},
};

/// How long a test waits for what must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Largest body that the API takes in tests.
pub(crate) const BODY_BYTES_MAX: usize = 2_000;

/// A hub with its API.
pub(crate) struct Stack {
    pub(crate) broker: Memory,
    pub(crate) owner: ScriptedOwner,
    pub(crate) queries: MemoryQueries,
    /// Calls the API; paths begin with `/api/v1` or another base.
    pub(crate) http: HttpClient,
    pub(crate) origin: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Error>>,
}

impl Stack {
    pub(crate) async fn start() -> Self {
        Self::with_patience(DEADLINE).await
    }

    /// Starts an API that gives a command up after so long.
    pub(crate) async fn with_patience(patience: Duration) -> Self {
        let queries = MemoryQueries::default();
        let opened = queries.clone();
        let open = move || {
            let opened = opened.clone();
            async move { Ok(opened) }
        };
        Self::start_with(queries, open, patience).await
    }

    /// Starts an API with ways in for other systems.
    pub(crate) async fn with_bindings(bindings: Bindings) -> Self {
        let queries = MemoryQueries::default();
        let opened = queries.clone();
        let open = move || std::future::ready(Ok(opened.clone()));
        Self::start_all(queries, open, DEADLINE, bindings).await
    }

    /// Starts with a store that opens as the test says.
    pub(crate) async fn start_with<F>(
        queries: MemoryQueries,
        open: impl Fn() -> F + Send + Sync + 'static,
        patience: Duration,
    ) -> Self
    where
        F: Future<Output = store::Result<MemoryQueries>> + Send + 'static,
    {
        Self::start_all(queries, open, patience, Bindings::default()).await
    }

    async fn start_all<F>(
        queries: MemoryQueries,
        open: impl Fn() -> F + Send + Sync + 'static,
        patience: Duration,
        bindings: Bindings,
    ) -> Self
    where
        F: Future<Output = store::Result<MemoryQueries>> + Send + 'static,
    {
        let broker = Memory::new(topology());
        let owner = ScriptedOwner::start(&broker).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let service = Service {
            lapse: Duration::from_secs(3_600),
            tracer: Tracer::off(),
            traces_percent: 0,
            broker: broker.clone(),
            topology: topology(),
            listener,
            surface: Surface::Whole,
            bindings,
            api: ApiOptions { base_url: None, body_bytes_max: BODY_BYTES_MAX, wait_max: Duration::from_secs(60) },
            client: Options {
                within: patience,
                unsent_within: patience,
                payload_bytes_max: 1_000,
                ..Options::default()
            },
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(service.run(open, async {
            // A stack that was dropped stops as well.
            let _ = stopped.await;
        }));
        let http = HttpClient::new(&origin, DEADLINE).unwrap();
        Self { broker, owner, queries, http, origin, stop, running }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.http.get(path).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, json: &str) -> Reply {
        self.http.post(path, &[], json.into()).await.unwrap()
    }

    /// Posts while the owner accepts the one command that comes of it.
    pub(crate) async fn post_accepted(&mut self, path: &str, json: &str) -> (Reply, warren_broker::Envelope) {
        let post = self.http.post(path, &[], json.into());
        let (reply, command) = tokio::join!(post, self.owner.accept_next(warren_model::Status::Running));
        (reply.unwrap(), command)
    }

    /// Stops the service and returns how it ended.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.stop.send(()).unwrap();
        timeout(DEADLINE, self.running).await.expect("the service stops when told").unwrap()
    }

    /// Waits until the service ends by itself.
    pub(crate) async fn ended(self) -> Result<(), Error> {
        timeout(DEADLINE, self.running).await.expect("the service ends by itself").unwrap()
    }
}

/// Checks that the answer is a problem of this status and code, and returns its message.
#[track_caller]
pub(crate) fn problem(reply: &Reply, status: u16, code: &str) -> String {
    let body: Value = reply.json().unwrap_or_else(|error| panic!("{error}: {}", reply.text()));
    assert_eq!((reply.status.as_u16(), &body["error"]["code"]), (status, &code.into()), "{body}");
    assert_eq!(body["error"]["message"], body["Message"]);
    body["Message"].as_str().unwrap().to_owned()
}

/// Returns an answer's body.
#[track_caller]
pub(crate) fn body(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
    reply.json().unwrap()
}
