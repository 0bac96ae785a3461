//! A fleet of its own for each test.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use client_api::http_client::{HttpClient, Reply};
use serde_json::Value;
use warren_model::{InstanceId, Status, TurnRecord};
use warren_store::{Filter, Queries, postgres::PostgresReader, sqlite::SqliteReader};
use warren_testing::{amqp_url, free_port};

use crate::{Process, binary};

/// How long anything may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(180);

/// Waits until `condition` holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// The services of one hub.
pub struct Fleet {
    /// The name of the hub, unlike any other's.
    pub hub: String,
    broker: String,
    /// Where it rests, if not in a file of its own.
    database: Option<String>,
    folder: tempfile::TempDir,
    ports: BTreeMap<String, u16>,
    processes: BTreeMap<String, Process>,
}

impl Fleet {
    /// Starts these processes (`orchestrator`, `worker-1`, `api` …) and waits until they are ready.
    pub async fn start(names: &[&str]) -> Self {
        let mut fleet = Self::empty();
        for name in names {
            fleet.spawn(name, &[]);
        }
        for name in names {
            fleet.ready(name).await;
        }
        fleet
    }

    /// Returns a fleet in which nothing runs yet.
    pub fn empty() -> Self {
        Self::on(amqp_url())
    }

    /// Returns a fleet in which nothing runs yet, on this broker.
    pub fn on(broker: &str) -> Self {
        let hub = format!("e2e-{}", uuid::Uuid::new_v4().simple());
        let folder = tempfile::tempdir().unwrap();
        Self { hub, broker: broker.into(), database: None, folder, ports: BTreeMap::new(), processes: BTreeMap::new() }
    }

    /// Returns the fleet with its hub in a PostgreSQL database.
    pub fn stored_in(mut self, url: &str) -> Self {
        self.database = Some(url.into());
        self
    }

    /// Writes the file of settings that a process is started with.
    pub fn configure(&self, name: &str, settings: &str) {
        std::fs::write(self.file_of(name), settings).unwrap();
    }

    /// Starts a process with further settings.
    pub fn spawn(&mut self, name: &str, settings: &[(&str, &str)]) -> &mut Process {
        let port = *self.ports.entry(name.into()).or_insert_with(free_port);
        let address = format!("127.0.0.1:{port}");
        let (program, listen) = match name.split('-').next().unwrap() {
            "orchestrator" => ("orchestrator-svc", "health.orchestrator"),
            "worker" => ("activity-worker", "health.worker"),
            "fragile" => ("fragile", "health.worker"),
            "api" => ("client-api", "client_api.listen"),
            other => panic!("no such process: {other}"),
        };
        let store = self.database.clone().unwrap_or_else(|| format!("sqlite:{}", self.database().display()));
        let own = [("hub.name", &*self.hub), ("broker.url", &*self.broker), ("store.url", &store), (listen, &address)];
        let set = own.iter().chain(settings).flat_map(|(key, value)| ["--set".into(), format!("{key}={value}")]);
        let file = Some(self.file_of(name)).filter(|file| file.exists());
        let file = file.into_iter().flat_map(|file| ["--config".into(), file.display().to_string()]);
        let process = Process::spawn(&binary(program), &file.chain(set).collect::<Vec<_>>(), &self.log_of(name));
        self.processes.entry(name.into()).insert_entry(process).into_mut()
    }

    /// Waits until a process is ready.
    pub async fn ready(&self, name: &str) {
        let http = self.http(name);
        let is_ready = || async { http.get("/health/ready").await.is_ok_and(|reply| reply.status.is_success()) };
        eventually(&format!("{name} is ready; its log:\n{}", self.process(name).log()), is_ready).await;
    }

    /// Returns a process.
    pub fn process(&self, name: &str) -> &Process {
        &self.processes[name]
    }

    /// Returns a process, to be stopped or killed.
    pub fn process_mut(&mut self, name: &str) -> &mut Process {
        self.processes.get_mut(name).unwrap()
    }

    /// Returns a client of a process's HTTP server.
    pub fn http(&self, name: &str) -> HttpClient {
        HttpClient::new(&format!("http://127.0.0.1:{}", self.ports[name]), DEADLINE).unwrap()
    }

    /// Posts to client-api, below its base.
    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.http("api").post(&format!("/api/v1{path}"), &[], body.into()).await.unwrap()
    }

    /// Gets from client-api, below its base.
    pub async fn get(&self, path: &str) -> Reply {
        self.http("api").get(&format!("/api/v1{path}")).await.unwrap()
    }

    /// Waits until an instance has ended and returns its status as client-api shows it.
    pub async fn wait(&self, instance: &str) -> Value {
        let reply = self.get(&format!("/instances/{instance}/wait?timeout=60")).await;
        assert_eq!(reply.status, 200, "{instance} ends in time: {}", reply.text());
        reply.json().unwrap()
    }

    /// Waits for the next message in the dead queue and returns the reason that it gives, with the body.
    pub async fn dead(&self, amqp: &crate::Amqp) -> (String, Vec<u8>) {
        let message = amqp.get(&format!("{}.dead", self.hub)).await;
        let headers = message.properties.headers().clone().unwrap();
        let reason = headers.inner().get("warren-reason").and_then(|value| value.as_long_string()).unwrap();
        (reason.to_string(), message.data.to_vec())
    }

    /// Returns the history of an instance, from the database.
    pub async fn history(&self, instance: &str) -> Vec<TurnRecord> {
        let id = InstanceId::new(instance).unwrap();
        match &self.database {
            Some(url) => PostgresReader::open(url, &self.hub).await.unwrap().history(&id, 0, 10_000).await.unwrap(),
            None => {
                let reader = SqliteReader::open(&self.database(), &self.hub).unwrap();
                reader.history(&id, 0, 10_000).await.unwrap()
            }
        }
    }

    /// Returns how each instance stands, at most a thousand, from the database.
    pub async fn statuses(&self) -> Vec<Status> {
        let filter = Filter { top: 1_000, ..Filter::default() };
        let page = match &self.database {
            Some(url) => PostgresReader::open(url, &self.hub).await.unwrap().list(&filter).await,
            None => SqliteReader::open(&self.database(), &self.hub).unwrap().list(&filter).await,
        };
        page.unwrap().instances.iter().map(|instance| instance.status).collect()
    }

    /// Returns where the hub's database is.
    pub fn database(&self) -> PathBuf {
        self.folder().join("hub.db")
    }

    /// Returns a folder for whatever the test needs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn file_of(&self, name: &str) -> PathBuf {
        self.folder().join(format!("{name}.toml"))
    }

    fn log_of(&self, name: &str) -> PathBuf {
        self.folder().join(format!("{name}.log"))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.processes.clear();
        let (hub, broker) = (self.hub.clone(), self.broker.clone());
        let clean = std::thread::spawn(move || crate::broker::delete_hub(&broker, &hub, &[]));
        let _ = clean.join();
    }
}
