//! A thread that owns a connection and does one thing after the other.

use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result};

/// How many jobs may wait. A caller beyond that waits for its place; some owners' commits and renewals fit.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle on the thread; the last one to go ends it and waits until it has closed the file.
pub(super) struct Worker {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn spawn(connection: Connection) -> Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("warren-sqlite".into())
            .spawn(move || work(connection, queue))
            .map_err(|e| Error::Unavailable(format!("start the thread of the SQLite database: {e}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `job` after all that were called for before it. A caller that stops waiting does not stop the job.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let jobs = self.jobs.as_ref().expect("only drop takes the sender");
        let (answer, answered) = oneshot::channel();
        // Nobody left to hear the answer is no trouble.
        let job: Job = Box::new(move |connection| drop(answer.send(job(connection))));
        jobs.send(job).await.map_err(|_| Error::Unavailable("the thread of the SQLite database has ended".into()))?;
        answered.await.map_err(|_| Error::Unknown("the thread of the SQLite database ended meanwhile".into()))?
    }
}

fn work(mut connection: Connection, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.blocking_recv() {
        job(&mut connection);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the thread of the sqlite database had panicked");
        }
    }
}
