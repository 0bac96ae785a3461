//! A registered orchestrator as the engine runs it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{self, Poll, Wake, Waker},
};

use futures_util::future::LocalBoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use tracing::Dispatch;
use warren_engine::{Identity, Program, Progress, Reaction};
use warren_model::{ActionId, Event, Failure, Outcome, Payload, code};

use crate::{Context, json, panics};

/// An orchestrator without its types: payload in, outcome out. Nothing of the user's runs before the first poll.
pub(crate) type Function = Arc<dyn Fn(Context, Payload) -> LocalBoxFuture<'static, Outcome> + Send + Sync>;

/// Returns `function` without its types.
pub(crate) fn erase<I, O, E, F, Fut>(function: F) -> Function
where
    I: DeserializeOwned + 'static,
    O: Serialize + 'static,
    E: Into<Failure>,
    F: Fn(Context, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + 'static,
{
    let function = Arc::new(function);
    Arc::new(move |ctx, input| {
        let function = function.clone();
        Box::pin(async move {
            let input = json::read(&input, code::INVALID_INPUT)?;
            let output = function(ctx, input).await.map_err(Into::into)?;
            json::write(&output, code::INVALID_RESULT)
        })
    })
}

/// One execution of an orchestrator: its live future, and what it shares with its context.
pub(crate) struct Run {
    ctx: Context,
    function: Function,
    woken: Arc<Woken>,
    stage: Stage,
}

enum Stage {
    /// The execution has not begun.
    New,
    Alive(LocalBoxFuture<'static, Outcome>),
    Returned(Outcome),
    Panicked(String),
}

/// Whether the future is to be polled again.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Program for Run {
    fn react(&mut self, inputs: &[Event], replaying: bool) -> Reaction {
        self.ctx.state().replaying = replaying;
        if replaying {
            silently(|| self.turn(inputs));
        } else {
            self.span().in_scope(|| self.turn(inputs));
        }
        let progress = self.progress();
        let actions = self.ctx.state().take_actions();
        Reaction { actions, progress }
    }
}

impl Run {
    pub(crate) fn new(identity: Identity, function: Function) -> Self {
        Self { ctx: Context::new(identity), function, woken: Arc::default(), stage: Stage::New }
    }

    /// Delivers one input, lets the code go as far as it can, then the next: the order of history decides every race.
    fn turn(&mut self, inputs: &[Event]) {
        for input in inputs {
            self.deliver(input);
            self.run();
        }
    }

    fn deliver(&mut self, input: &Event) {
        match input {
            Event::OrchestratorStarted(turn) => self.ctx.state().now = turn.at,
            Event::ExecutionStarted(started) => {
                self.stage = Stage::Alive((self.function)(self.ctx.clone(), started.input.clone()));
                self.woken.0.store(true, Ordering::Relaxed);
            }
            Event::TaskCompleted { id, result } | Event::SubOrchestrationInstanceCompleted { id, result } => {
                self.complete(*id, Ok(result.clone()));
            }
            Event::TaskFailed { id, failure } | Event::SubOrchestrationInstanceFailed { id, failure } => {
                self.complete(*id, Err(failure.clone()));
            }
            Event::TimerFired { id } => self.complete(*id, Ok(Payload::null())),
            Event::EventRaised(event) => {
                let woken = self.ctx.state().mailbox.arrive(event.clone());
                woken.into_iter().for_each(Waker::wake);
            }
            Event::TaskScheduled(_)
            | Event::TaskCanceled { .. }
            | Event::SubOrchestrationInstanceCreated(_)
            | Event::TimerCreated(_)
            | Event::TimerCanceled { .. }
            | Event::EventSent(_)
            | Event::ExecutionSuspended(_)
            | Event::ExecutionResumed(_)
            | Event::ExecutionTerminated(_)
            | Event::TerminateSent(_)
            | Event::ExecutionCompleted(_)
            | Event::ContinueAsNew(_) => {}
        }
    }

    fn complete(&mut self, id: ActionId, outcome: Outcome) {
        let woken = self.ctx.state().operations.end(id, outcome);
        if let Some(waker) = woken {
            waker.wake();
        }
    }

    /// Polls until the code waits, and nothing has woken it meanwhile.
    fn run(&mut self) {
        let waker = Waker::from(self.woken.clone());
        let mut cx = task::Context::from_waker(&waker);
        while let Stage::Alive(future) = &mut self.stage
            && self.woken.0.swap(false, Ordering::Relaxed)
        {
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx))) {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(outcome)) => self.end(Stage::Returned(outcome)),
                Err(panic) => {
                    self.end(Stage::Panicked(explained(panics::text(&*panic))));
                    // What its destructors asked for while it unwound, and what came before, is not what it means.
                    self.ctx.state().take_actions();
                }
            }
        }
    }

    /// Replaces the future. Its context is detached first, so that destructors ask for nothing; what they log is not
    /// the orchestration's, and a panic of theirs changes nothing any more.
    fn end(&mut self, stage: Stage) {
        self.ctx.state().detach();
        let before = std::mem::replace(&mut self.stage, stage);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| silently(|| drop(before)))) {
            let Identity { instance, name, .. } = self.ctx.identity();
            let message = panics::text(&*panic);
            tracing::warn!(%instance, orchestrator = name, message, "a destructor panicked while an orchestrator was dropped");
        }
    }

    fn progress(&self) -> Progress {
        match &self.stage {
            Stage::New => Progress::Waiting,
            Stage::Alive(_) if self.ctx.state().is_awaited() => Progress::Waiting,
            Stage::Alive(_) => Progress::Stuck { message: self.stuck() },
            Stage::Panicked(message) => Progress::Panicked { message: message.clone() },
            Stage::Returned(outcome) => {
                let mut state = self.ctx.state();
                match &state.continued {
                    Some(input) => Progress::ContinuedAsNew { input: input.clone(), carried: state.mailbox.drain() },
                    None => Progress::Ended(outcome.clone()),
                }
            }
        }
    }

    fn stuck(&self) -> String {
        format!(
            "orchestrator `{}` waits for nothing that could ever wake it: it awaits something that is not durable \
             (a channel, a lock, I/O or a timer of another library); await only what its context gives \
             (ctx.call, ctx.timer, ctx.event …) and do the rest in an activity",
            self.ctx.identity().name
        )
    }

    fn span(&self) -> tracing::Span {
        let Identity { instance, name, version, .. } = self.ctx.identity();
        // At the level of errors, so that a filter which lets any line of the user's through keeps its fields.
        tracing::error_span!("orchestration", %instance, orchestrator = name, version = version.as_deref())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.end(Stage::New);
    }
}

/// Runs `f` so that nothing that it logs is shown.
fn silently<T>(f: impl FnOnce() -> T) -> T {
    tracing::dispatcher::with_default(&Dispatch::none(), f)
}

/// Adds a remedy to what tokio says where a future of its own is polled outside of it.
fn explained(panic: String) -> String {
    let said = ["there is no reactor running", "context of a Tokio", "A Tokio 1.x context was found, but"];
    let is_tokio = said.iter().any(|said| panic.contains(said));
    if !is_tokio {
        return panic;
    }
    format!(
        "{panic} (the orchestrator awaits something that is not durable: \
         use ctx.timer instead of a sleep, and an activity for anything else)"
    )
}

#[cfg(test)]
#[path = "program_test.rs"]
mod test;
