//! The activities that run, each as a task.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    task::{Id, JoinError, JoinSet},
    time::timeout,
};
use tracing::Instrument;
use warren::{ActivityContext, Registry};
use warren_model::{Failure, Outcome, Payload, code};

use super::metrics::{Timing, Timings};
use crate::worker::ItemId;

/// How long activities may take to notice that their time is up, at their next `await`. One that never awaits can't be
/// ended; the worker leaves it behind.
const ABORT_GRACE: Duration = Duration::from_secs(5);

/// What is to be run.
pub(super) struct Job {
    pub(super) item: ItemId,
    pub(super) activity: String,
    pub(super) context: ActivityContext,
    pub(super) input: Payload,
    pub(super) traceparent: Option<String>,
}

/// An activity that has ended.
pub(super) struct Ended {
    pub(super) item: ItemId,
    pub(super) outcome: Outcome,
    /// How long it ran.
    pub(super) took: Duration,
}

/// The activities that run.
pub(super) struct Activities {
    registry: Registry,
    running: JoinSet<(Outcome, Duration)>,
    items: HashMap<Id, (ItemId, Arc<Timing>)>,
    timings: Timings,
}

impl Activities {
    pub(super) fn new(registry: Registry) -> Self {
        Self { timings: Timings::new(&registry), registry, running: JoinSet::new(), items: HashMap::new() }
    }

    pub(super) fn start(&mut self, job: Job) {
        let Job { item, activity, context, input, traceparent } = job;
        let span = tracing::info_span!(
            "activity",
            activity,
            instance = %context.instance(),
            task = %context.task(),
            attempt = context.attempt(),
            traceparent,
        );
        let run = self.registry.run_activity(&activity, context, input);
        let timed = async move {
            // Not from the spawn: many begin at once, and each but the first waits for its first poll.
            let begun = Instant::now();
            let outcome = run.await;
            (outcome, begun.elapsed())
        };
        let id = self.running.spawn(timed.instrument(span)).id();
        self.items.insert(id, (item, self.timings.of(&activity)));
    }

    /// Waits for the next activity to end. Pending for ever while none runs. Safe to cancel.
    pub(super) async fn next(&mut self) -> Ended {
        loop {
            let Some(ended) = self.running.join_next_with_id().await else { return std::future::pending().await };
            if let Some(ended) = self.settle(ended) {
                return ended;
            }
        }
    }

    /// Returns an activity that has ended, if one has.
    pub(super) fn try_next(&mut self) -> Option<Ended> {
        let ended = self.running.try_join_next_with_id()?;
        self.settle(ended)
    }

    /// Ends whatever still runs.
    pub(super) async fn stop(mut self) {
        if timeout(ABORT_GRACE, self.running.shutdown()).await.is_err() {
            let activities = self.running.len();
            tracing::error!(activities, "activity does not await and can't be ended: use spawn_blocking there");
        }
    }

    fn settle(&mut self, ended: Result<(Id, (Outcome, Duration)), JoinError>) -> Option<Ended> {
        let (id, (outcome, took)) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), (Err(failure(&error)), Duration::ZERO)),
        };
        let (item, timing) = self.items.remove(&id)?;
        timing.note(&outcome, took);
        Some(Ended { item, outcome, took })
    }
}

/// Neither is expected: the registry catches panics, and nobody aborts a task before the end. An item must not hang if
/// either happens all the same.
fn failure(error: &JoinError) -> Failure {
    if error.is_panic() {
        Failure::new(code::PANICKED, "the activity panicked")
    } else {
        Failure::new(code::ERROR, "the activity was cut off")
    }
}

#[cfg(test)]
#[path = "activities_test.rs"]
mod test;
