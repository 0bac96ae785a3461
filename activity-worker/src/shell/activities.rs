//! The activities that run, each as a task.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::timeout,
};
use tracing::Instrument;
use warren::{ActivityContext, CancelReason, Control, Registry};
use warren_broker::Text;
use warren_model::{Failure, Outcome, Payload, code};
use warren_service::traces::{Span, Tracer};

use super::{
    metrics::{Fate, Timing, Timings},
    traces,
};
use crate::worker::ItemId;

/// How long activities may take to notice that their time is up, at their next `await`. One that never awaits can't be
/// ended; the worker leaves it behind.
const ABORT_GRACE: Duration = Duration::from_secs(2);

/// How long an activity that was told to end may take to clean up.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// What is to be run.
pub(super) struct Job {
    pub(super) item: ItemId,
    pub(super) activity: Text,
    pub(super) context: ActivityContext,
    pub(super) input: Payload,
    pub(super) traceparent: Option<Text>,
}

/// An activity that has ended.
pub(super) struct Ended {
    pub(super) item: ItemId,
    pub(super) outcome: Outcome,
    /// How long it ran.
    pub(super) took: Duration,
    /// Whether something else completes its task.
    pub(super) is_handed_over: bool,
}

/// How an activity that runs is told to end.
struct Running {
    control: Control,
    task: AbortHandle,
    /// Whether nobody waits for it any more.
    is_cancelled: bool,
    /// When it is ended, if it has not by then.
    ends_at: Option<Instant>,
}

/// The activities that run.
pub(super) struct Activities {
    registry: Registry,
    running: JoinSet<(Outcome, Duration)>,
    items: HashMap<Id, Noted>,
    controls: HashMap<ItemId, Running>,
    timings: Timings,
    tracer: Tracer,
}

/// What is to be noted when an activity ends.
struct Noted {
    item: ItemId,
    /// When it was spawned.
    begun: Instant,
    timing: Arc<Timing>,
    span: Option<Span>,
}

impl Activities {
    pub(super) fn new(registry: Registry, tracer: Tracer) -> Self {
        let (items, controls) = (HashMap::new(), HashMap::new());
        Self { timings: Timings::new(&registry), registry, running: JoinSet::new(), items, controls, tracer }
    }

    pub(super) fn start(&mut self, job: Job) {
        let Job { item, activity, context, input, traceparent } = job;
        let control = context.control();
        let log = tracing::info_span!(
            "activity",
            activity = &*activity,
            instance = %context.instance(),
            task = %context.task(),
            attempt = context.attempt(),
            traceparent = traceparent.as_deref(),
        );
        let watched = traceparent.as_deref().filter(|_| self.tracer.is_on());
        let noted = Noted {
            item,
            begun: Instant::now(),
            timing: self.timings.of(&activity),
            span: watched.and_then(|trace| traces::begin(&activity, &context, trace)),
        };
        let run = self.registry.run_activity(&activity, context, input);
        let timed = async move {
            // Not from the spawn: many begin at once, and each but the first waits for its first poll.
            let begun = Instant::now();
            let outcome = run.await;
            (outcome, begun.elapsed())
        };
        let task = self.running.spawn(timed.instrument(log));
        self.items.insert(task.id(), noted);
        self.controls.insert(item, Running { control, task, is_cancelled: false, ends_at: None });
    }

    /// Tells an activity to end early. One that has asked for such word gets a moment to clean up.
    pub(super) fn end(&mut self, item: ItemId, reason: CancelReason) {
        let Some(running) = self.controls.get_mut(&item) else { return };
        let is_watched = running.control.is_watched();
        running.control.cancel(reason);
        running.is_cancelled |= reason == CancelReason::Cancelled;
        match reason {
            CancelReason::Cancelled if is_watched => running.ends_at = Some(Instant::now() + CLEAN_UP),
            CancelReason::Cancelled => running.task.abort(),
            CancelReason::WorkerStops => {} // its time is not up yet
        }
    }

    /// Ends what was told to, and has had its moment.
    pub(super) fn end_overdue(&mut self) {
        let now = Instant::now();
        let overdue = self.controls.values().filter(|running| running.ends_at.is_some_and(|at| at <= now));
        overdue.for_each(|running| running.task.abort());
    }

    /// Takes out how far activities say that they have come.
    pub(super) fn progress(&self) -> Vec<(ItemId, Payload)> {
        let said = |(item, running): (&ItemId, &Running)| Some((*item, running.control.take_progress()?));
        self.controls.iter().filter_map(said).collect()
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
            Err(error) => {
                let begun = self.items.get(&error.id()).map(|noted| noted.begun);
                (error.id(), (Err(failure(&error)), begun.map_or(Duration::ZERO, |begun| begun.elapsed())))
            }
        };
        let Noted { item, timing, span, .. } = self.items.remove(&id)?;
        let running = self.controls.remove(&item);
        let is_cancelled = running.as_ref().is_some_and(|running| running.is_cancelled);
        let control = running.map(|running| running.control);
        let is_handed_over = outcome.is_err() && control.as_ref().is_some_and(Control::is_handed_over);
        let fate = match &outcome {
            Ok(_) => Fate::Completed,
            Err(_) if is_handed_over => Fate::HandedOver,
            Err(_) if is_cancelled => Fate::Cancelled,
            Err(_) => Fate::Failed,
        };
        timing.note(fate, took);
        if let Some(span) = span {
            self.tracer.send(traces::end(span, fate, &outcome, took));
        }
        let mut outcome = outcome;
        if let (Err(failure), Some(progress)) = (&mut outcome, control.and_then(|control| control.take_progress())) {
            failure.progress = Some(progress); // what it said last, and nobody has sent on
        }
        Some(Ended { item, outcome, took, is_handed_over })
    }
}

/// A panic is not expected, as the registry catches it; whoever is cut off was told to end, and nobody waits for it. An item must not hang if
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
