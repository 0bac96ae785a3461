//! A hub whose activities are served by the example workers.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use client_api::http_client::HttpClient;
use end_to_end::{Amqp, Database, Inside, Process, amqp_url, eventually, node, python, repository};
use serde_json::Value;
use warren::{Activity, ActivityContext, Context, Failure, Orchestrator, Registry, RetryPolicy};
use warren_model::{Outcome, Payload};

/// What the tests' activities do, and the examples' own.
const ACTIVITIES: [Activity<Value, Value>; 3] =
    [Activity::new("work"), Activity::new("compute_volume"), Activity::new("transcode")];
const CALL: Orchestrator<Value, Value> = Orchestrator::new("call");
const ATTEMPTS: u32 = 3;

/// The trace that all instances begin in.
pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// The queue that a worker in Rust serves too.
pub(crate) const SHARED: &str = "shared";

/// Calls the activity that its input names, on the queue that it names, under the limits that it names.
async fn call(ctx: Context, call: Value) -> Result<Value, Failure> {
    let activity = ACTIVITIES.into_iter().find(|activity| call["activity"] == activity.name()).unwrap();
    let policy = RetryPolicy::times(ATTEMPTS).first_delay(Duration::from_millis(10));
    let mut task = ctx.activity(activity).queue(call["queue"].as_str().unwrap()).retry(policy);
    if let Some(limit) = call["heartbeat_ms"].as_u64() {
        task = task.heartbeat(Duration::from_millis(limit));
    }
    task.call(call["input"].clone()).await
}

/// The same activity in Rust.
async fn work(_: ActivityContext, _: Payload) -> Outcome {
    Ok(Payload::of(&serde_json::json!({ "by": "rust" })).unwrap())
}

/// The example workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Pika,
    Aio,
    Node,
}

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::Pika, Self::Aio, Self::Node];

    /// What its queue and its instances are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pika => "pika",
            Self::Aio => "aio",
            Self::Node => "node",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Pika | Self::Aio => "python",
            Self::Node => "node",
        }
    }

    fn command(self) -> (PathBuf, &'static str) {
        match self {
            Self::Pika => (python(), "pika_worker.py"),
            Self::Aio => (python(), "aio_worker.py"),
            Self::Node => (node().join("node"), "worker.mjs"),
        }
    }
}

/// A hub without workers, and what is needed to start some.
pub(crate) struct Hub {
    pub(crate) inside: Inside,
    pub(crate) amqp: Amqp,
    workers: usize,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        let registry = Registry::new().orchestrator(CALL, call).untyped_activity("work", SHARED, work);
        let mut inside = Inside::new(Database::Sqlite, registry);
        inside.orchestrator().await;
        inside.api().await;
        Self { inside, amqp: Amqp::connect().await, workers: 0 }
    }

    /// Starts a worker as it stands, with the activities of the examples.
    pub(crate) fn example(&mut self, language: Language) -> Process {
        self.worker_at(amqp_url(), language, language.name(), &[], None)
    }

    /// Starts the smallest worker.
    pub(crate) fn minimal(&mut self, queue: &str) -> Process {
        let script = repository().join("examples/workers/python/minimal.py");
        let arguments = [script.to_str().unwrap(), amqp_url(), &self.queue(queue)].map(ToOwned::to_owned);
        Process::spawn(&python(), &arguments, &self.inside.folder().join("minimal.log"))
    }

    /// Starts a worker with the activities of the tests; the settings are variables of its environment.
    pub(crate) fn worker(&mut self, language: Language, queue: &str, settings: &[&str]) -> Process {
        self.worker_by(amqp_url(), language, queue, settings)
    }

    /// The same, with the broker at this address.
    pub(crate) fn worker_by(&mut self, url: &str, language: Language, queue: &str, settings: &[&str]) -> Process {
        let activities = repository().join("tests/tests/workers/activities");
        self.worker_at(url, language, queue, settings, Some(&activities))
    }

    fn worker_at(
        &mut self,
        url: &str,
        language: Language,
        queue: &str,
        settings: &[&str],
        own: Option<&Path>,
    ) -> Process {
        self.workers += 1;
        let folder = self.inside.folder().join(format!("{}-{}", language.name(), self.workers));
        fs::create_dir(&folder).unwrap();
        let example = repository().join("examples/workers").join(language.folder());
        for source in [Some(&*example), own].into_iter().flatten() {
            for file in fs::read_dir(source).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
                fs::copy(file.path(), folder.join(file.file_name())).unwrap();
            }
        }
        let (program, script) = language.command();
        if language == Language::Node {
            std::os::unix::fs::symlink(node().join("node_modules"), folder.join("node_modules")).unwrap();
        }
        let queue = self.queue(queue);
        let script = folder.join(script);
        let command = [program.to_str().unwrap(), script.to_str().unwrap(), url, &queue];
        let arguments: Vec<String> = settings.iter().chain(&command).map(|text| (*text).to_owned()).collect();
        Process::spawn(Path::new("/usr/bin/env"), &arguments, &folder.join("log"))
    }

    /// Starts an instance that calls an activity.
    pub(crate) async fn call(&self, id: &str, activity: &str, queue: &str, input: Value) {
        self.limited_call(id, activity, queue, input, None).await;
    }

    /// The same, with a heartbeat timeout.
    pub(crate) async fn limited_call(
        &self,
        id: &str,
        activity: &str,
        queue: &str,
        input: Value,
        heartbeat_ms: Option<u64>,
    ) {
        let call = serde_json::json!({
            "activity": activity, "queue": queue, "input": input, "heartbeat_ms": heartbeat_ms,
        });
        let headers = [("traceparent", TRACE)];
        let path = format!("/orchestrators/call/{id}");
        let started = self.http().post(&path, &headers, call.to_string().into()).await.unwrap();
        assert_eq!(started.status, 202, "{}", started.text());
    }

    /// Waits until an instance has completed, and returns its result.
    pub(crate) async fn result(&self, id: &str) -> Value {
        let status = self.end(id).await;
        assert_eq!(status["runtimeStatus"], "Completed", "{status}");
        status["output"].clone()
    }

    /// Waits until an instance has failed, and returns why.
    pub(crate) async fn failure(&self, id: &str) -> Value {
        let status = self.end(id).await;
        assert_eq!(status["runtimeStatus"], "Failed", "{status}");
        status["failure"].clone()
    }

    async fn end(&self, id: &str) -> Value {
        let reply = self.http().get(&format!("/instances/{id}/wait?timeout=60")).await.unwrap();
        assert_eq!(reply.status, 200, "{id} ends in time: {}", reply.text());
        reply.json().unwrap()
    }

    pub(crate) fn http(&self) -> HttpClient {
        self.inside.http()
    }

    /// Waits until the owner of an instance has written down how far its task has come.
    pub(crate) async fn is_told_of_progress(&self, id: &str) {
        let file = rusqlite::Connection::open(self.inside.folder().join("hub.db")).unwrap();
        let notes = "SELECT count(*) FROM task_note WHERE instance = ?1 AND json_extract(mark, '$.progress') > 0";
        let is_told = || async { file.query_row(notes, [id], |row| row.get::<_, u32>(0)).unwrap() > 0 };
        eventually(&format!("the owner of {id} is told of progress"), is_told).await;
    }

    /// Ends an instance early.
    pub(crate) async fn terminate(&self, id: &str) {
        let ended = self.http().post(&format!("/instances/{id}/terminate"), &[], Vec::new()).await.unwrap();
        assert_eq!(ended.status, 202, "{}", ended.text());
    }

    /// Returns how many slots of workers wait for work items of a queue.
    pub(crate) async fn free_slots(&self, queue: &str) -> u32 {
        self.amqp.consumers(&self.queue(queue)).await
    }

    /// Returns the full name of a work-item queue.
    pub(crate) fn queue(&self, queue: &str) -> String {
        format!("{}.work.{queue}", self.inside.settings.hub.name)
    }

    /// Returns how many work items wait in a queue.
    pub(crate) async fn waiting(&self, queue: &str) -> u32 {
        self.amqp.count(&self.queue(queue)).await
    }
}
