//! Activities as a worker runs them: ordinary async functions, their context, and the guard around them.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Serialize, de::DeserializeOwned};
use warren_model::{ActionId, ExecutionId, Failure, InstanceId, Outcome, Payload, Timeouts, code};

use crate::{CancelReason, Cancelled, cancellation::Cancellation, json, panics};

/// What a worker knows of the task that it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Whose task it is.
    pub instance: InstanceId,
    /// The execution that scheduled it.
    pub execution: ExecutionId,
    /// Which task of the execution.
    pub id: ActionId,
    /// Which attempt by the caller's retry policy, from 1.
    pub attempt: u32,
    /// The same text whenever this task is run again.
    pub idempotency_key: String,
    /// The work-item queue that it came from, without the hub's prefix.
    pub queue: String,
    /// What names this attempt: whoever has it may complete the task.
    pub token: String,
    /// The queue that replies go to.
    pub reply_to: String,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// How far an earlier attempt had come, as its last heartbeat said.
    pub progress: Option<Payload>,
    /// The W3C trace context of the orchestration, if it has one.
    pub traceparent: Option<String>,
}

impl Task {
    /// Returns the first attempt of a task without limits: what a test of an activity needs.
    pub fn new(instance: InstanceId, execution: ExecutionId, id: ActionId) -> Self {
        Self {
            idempotency_key: format!("{execution}:{:04x}", id.0),
            token: format!("{instance}.{execution}.{id}.1"),
            instance,
            execution,
            id,
            attempt: 1,
            queue: String::new(),
            reply_to: String::new(),
            timeouts: Timeouts::default(),
            progress: None,
            traceparent: None,
        }
    }
}

/// What an activity can ask about its task, and say about how it goes. Cheap to clone, and may be sent anywhere.
#[derive(Clone, Debug)]
pub struct ActivityContext {
    task: Arc<Task>,
    word: Arc<Word>,
    cancellation: Cancellation,
}

/// What an activity has said since its worker last listened.
#[derive(Debug, Default)]
struct Word {
    /// The last heartbeat that nobody has sent on.
    progress: Mutex<Option<Payload>>,
    is_handed_over: AtomicBool,
}

/// The worker's side of an [`ActivityContext`].
#[derive(Clone, Debug)]
pub struct Control(ActivityContext);

/// Most bytes of what a heartbeat tells: it travels in a header.
pub const PROGRESS_BYTES_MAX: usize = 32 << 10;

impl ActivityContext {
    /// Returns the context of a task; workers and tests call this.
    pub fn new(task: Task) -> Self {
        Self { task: Arc::new(task), word: Arc::default(), cancellation: Cancellation::default() }
    }

    /// Returns the context of the same task with this progress; for workers.
    #[must_use]
    pub fn with_progress(&self, progress: Payload) -> Self {
        Self::new(Task { progress: Some(progress), ..(*self.task).clone() })
    }

    /// Returns what the worker that runs the activity listens to and acts by.
    pub fn control(&self) -> Control {
        Control(self.clone())
    }

    /// Returns the instance whose task this is.
    pub fn instance(&self) -> &InstanceId {
        &self.task.instance
    }

    /// Returns the execution that scheduled the task.
    pub fn execution(&self) -> ExecutionId {
        self.task.execution
    }

    /// Returns which task of the execution this is.
    pub fn task(&self) -> ActionId {
        self.task.id
    }

    /// Returns which attempt by the caller's retry policy this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.task.attempt
    }

    /// Returns a text that is the same whenever this call is run again, after a worker was lost as well as by a retry
    /// policy: give it to whatever must not act twice.
    pub fn idempotency_key(&self) -> &str {
        &self.task.idempotency_key
    }

    /// Returns the work-item queue that the task came from, without the hub's prefix.
    pub fn queue(&self) -> &str {
        &self.task.queue
    }

    /// Returns the W3C trace context of the orchestration, if it has one: pass it on to whatever is called.
    pub fn traceparent(&self) -> Option<&str> {
        self.task.traceparent.as_deref()
    }

    /// Returns what names this attempt: whoever has it may complete the task, see [`Self::hand_over`].
    pub fn token(&self) -> &str {
        &self.task.token
    }

    /// Returns the queue that a reply by AMQP goes to.
    pub fn reply_to(&self) -> &str {
        &self.task.reply_to
    }
}

/// Long work.
impl ActivityContext {
    /// Says that the activity is at it, and how far it has come: its next attempt gets this as [`Self::progress`].
    ///
    /// Cheap: call it as often as you like; the worker sends the last word, about once a second. Needed only where the
    /// caller has set a heartbeat timeout, or for its progress: that the worker lives it says itself.
    ///
    /// Fails if the value can't be written as JSON or has more than [`PROGRESS_BYTES_MAX`] bytes.
    pub fn heartbeat<T: Serialize + ?Sized>(&self, progress: &T) -> Result<(), Failure> {
        let progress = json::write(progress, code::INVALID_INPUT)?;
        if progress.size() > PROGRESS_BYTES_MAX {
            let text = format!(
                "the progress of a heartbeat has {} bytes, at most {PROGRESS_BYTES_MAX} are allowed: pass a reference",
                progress.size()
            );
            return Err(Failure::permanent(code::PAYLOAD_TOO_LARGE, text));
        }
        *self.word.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
        Ok(())
    }

    /// Returns what the last heartbeat before this run told, of an earlier attempt or of a worker that was lost; `None`
    /// if there was none.
    ///
    /// Fails if it is no `T`.
    pub fn progress<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        self.task.progress.as_ref().map(|progress| json::read(progress, code::INVALID_INPUT)).transpose()
    }

    /// Resolves once the activity is to end early, and says why. May be awaited by any number of clones.
    ///
    /// An activity that has asked for it gets a moment to clean up. One that never has is dropped at its next `await`.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled::new(self.cancellation.clone())
    }

    /// Returns why the activity is to end early, if it is: for loops that never wait.
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        self.cancellation.reason()
    }

    /// Leaves the task to be completed by something else, with its [`token`](Self::token): by HTTP
    /// (`POST /api/v1/tasks/{token}/complete`) or with a reply by AMQP. Return what this returns; the worker is then done
    /// with it: `return Err(ctx.hand_over());`
    ///
    /// Nothing but the call's timeouts bounds how long that takes.
    pub fn hand_over(&self) -> Failure {
        self.word.is_handed_over.store(true, Ordering::Release);
        Failure::permanent("handed_over", "the task is completed by something else")
    }
}

impl Control {
    /// Tells the activity to end early; the first reason counts.
    pub fn cancel(&self, reason: CancelReason) {
        self.0.cancellation.cancel(reason);
    }

    /// Returns whether the activity has ever asked whether it is to end early.
    pub fn is_watched(&self) -> bool {
        self.0.cancellation.is_watched()
    }

    /// Takes out what the last heartbeat told, if there was one since the last time.
    pub fn take_progress(&self) -> Option<Payload> {
        self.0.word.progress.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns whether something else completes the task.
    pub fn is_handed_over(&self) -> bool {
        self.0.word.is_handed_over.load(Ordering::Acquire)
    }
}

/// An activity without its types: payload in, outcome out. It never panics.
pub(crate) type Function = Arc<dyn Fn(ActivityContext, Payload) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// Returns `function` without its types.
pub(crate) fn erase<I, O, E, F, Fut>(function: F) -> Function
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + 'static,
    E: Into<Failure>,
    F: Fn(ActivityContext, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
{
    let function = Arc::new(function);
    guard(move |ctx, input| {
        let function = function.clone();
        async move {
            let future = function(ctx, json::read(&input, code::INVALID_INPUT)?);
            json::write(&future.await.map_err(Into::into)?, code::INVALID_RESULT)
        }
    })
}

/// Returns `function` with its panics as failures.
pub(crate) fn guard<F, Fut>(function: F) -> Function
where
    F: Fn(ActivityContext, Payload) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let function = Arc::new(function);
    Arc::new(move |ctx, input| {
        let function = function.clone();
        let run = async move { function(ctx, input).await };
        let guarded = AssertUnwindSafe(run).catch_unwind();
        guarded
            .map(|ended| ended.unwrap_or_else(|panic| Err(Failure::new(code::PANICKED, panics::text(&*panic)))))
            .boxed()
    })
}
