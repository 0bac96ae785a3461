//! The services of a hub inside the test's own process, with orchestrators and activities of the test's own.

use std::{collections::BTreeMap, time::Duration};

use client_api::http_client::HttpClient;
use tokio::{sync::oneshot, task::JoinHandle};
use warren::Registry;
use warren_service::Settings;
use warren_testing::{amqp_url, free_port, postgres_url};

use crate::eventually;

/// Where a hub rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// In a file of the test's own.
    Sqlite,
    /// On the server for tests.
    Postgres,
}

/// The services of one hub; they end, and its queues and tables go, when it is dropped.
pub struct Inside {
    /// What every service is told.
    pub settings: Settings,
    registry: Registry,
    folder: tempfile::TempDir,
    services: BTreeMap<&'static str, (oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>)>,
}

impl Inside {
    /// Returns a hub of its own in which nothing runs yet.
    pub fn new(database: Database, registry: Registry) -> Self {
        let mut settings = Settings::default();
        let folder = tempfile::tempdir().unwrap();
        settings.hub.name = format!("e2e-{}", uuid::Uuid::new_v4().simple());
        settings.broker.url = amqp_url().into();
        settings.store.url = match database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("hub.db").display()).as_str().into(),
            Database::Postgres => postgres_url().into(),
        };
        settings.client_api.listen = format!("127.0.0.1:{}", free_port());
        settings.health.orchestrator = format!("127.0.0.1:{}", free_port());
        settings.health.worker = String::new();
        Self { settings, registry, folder, services: BTreeMap::new() }
    }

    /// Lets payloads be so large, and travel by the store.
    pub fn with_payloads(mut self, megabytes: u32) -> Self {
        self.settings.hub.payload_megabytes_max = megabytes;
        self.settings.client_api.body_megabytes_max = megabytes;
        self.settings.payloads.store = self.settings.store.url.clone();
        self.settings.payloads.queues = vec!["*".into()];
        self
    }

    /// Starts orchestrator-svc and waits until it is ready: until the hub has its queues.
    pub async fn orchestrator(&mut self) {
        let (settings, registry) = (self.settings.clone(), self.registry.clone());
        self.spawn("orchestrator", |stop| async move { orchestrator_svc::run(&settings, registry, stop).await });
        self.ready("orchestrator", &self.settings.health.orchestrator).await;
    }

    /// Starts an activity-worker.
    pub fn worker(&mut self) {
        let (settings, registry) = (self.settings.clone(), self.registry.clone());
        self.spawn("worker", |stop| async move { Ok(activity_worker::run(&settings, registry, stop).await?) });
    }

    /// Starts a second activity-worker beside the first.
    pub fn another_worker(&mut self) {
        let (settings, registry) = (self.settings.clone(), self.registry.clone());
        let run = |stop| async move { Ok(activity_worker::run(&settings, registry, stop).await?) };
        self.spawn("another worker", run);
    }

    /// Starts client-api and waits until it is ready.
    pub async fn api(&mut self) {
        let settings = self.settings.clone();
        self.spawn("api", |stop| async move { client_api::run(&settings, stop).await });
        self.ready("api", &self.settings.client_api.listen).await;
    }

    /// Starts all three.
    pub async fn start(&mut self) {
        self.orchestrator().await;
        self.worker();
        self.api().await;
    }

    /// Returns a client of the API, below its base.
    pub fn http(&self) -> HttpClient {
        let base = format!("http://{}/api/v1", self.settings.client_api.listen);
        HttpClient::new(&base, Duration::from_secs(120)).unwrap()
    }

    /// Returns the folder of the hub's file.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Stops a service, and waits until it has ended.
    pub async fn stop(&mut self, name: &str) {
        let Some((stop, task)) = self.services.remove(name) else { return };
        let _ = stop.send(());
        task.await.unwrap().unwrap();
    }

    /// Ends a service in the midst of what it does.
    pub async fn kill(&mut self, name: &str) {
        let Some((_stop, task)) = self.services.remove(name) else { return };
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }

    /// Returns the queues of its activities, with what the settings add to them.
    fn queues(&self) -> Vec<String> {
        let topology = warren_service::hub::topology(&self.settings).unwrap();
        let of_queue = |queue: &str| {
            let lanes = topology.lanes(queue).unwrap().into_iter().map(|lane| topology.work(&lane.name).unwrap());
            lanes.chain(topology.baton_of_work(queue)).map(|spec| spec.name).collect::<Vec<_>>()
        };
        self.registry.activities().flat_map(|activity| of_queue(activity.queue)).collect()
    }

    /// Waits until a service is ready; panics if it ends instead.
    async fn ready(&self, name: &str, address: &str) {
        let http = HttpClient::new(&format!("http://{address}"), Duration::from_secs(5)).unwrap();
        let (_, service) = &self.services[name];
        let is_ready = || async {
            assert!(!service.is_finished(), "{name} has ended before it was ready");
            http.get("/health/ready").await.is_ok_and(|reply| reply.status.is_success())
        };
        eventually(&format!("{name} is ready"), is_ready).await;
    }

    fn spawn<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
        &mut self,
        name: &'static str,
        run: impl FnOnce(Stop) -> F,
    ) {
        let (stop, stopped) = oneshot::channel();
        self.services.insert(name, (stop, tokio::spawn(run(Stop(stopped)))));
    }
}

/// Resolves once a service is to stop.
struct Stop(oneshot::Receiver<()>);

impl Future for Stop {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::pin::Pin::new(&mut self.0).poll(context).map(drop)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.services.values().for_each(|(_, task)| task.abort());
        let (hub, url) = (self.settings.hub.name.clone(), self.settings.store.url.as_str().to_owned());
        let queues = self.queues();
        let clean = std::thread::spawn(move || {
            crate::broker::delete_hub(amqp_url(), &hub, &queues);
            crate::postgres::drop_hub(&url, &hub);
        });
        let _ = clean.join();
    }
}
