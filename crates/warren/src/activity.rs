//! Activities as a worker runs them: ordinary async functions, their context, and the guard around them.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Serialize, de::DeserializeOwned};
use warren_model::{ActionId, ExecutionId, Failure, InstanceId, Outcome, Payload, code};

use crate::{json, panics};

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
}

/// What an activity can ask about its task. Cheap to clone, and may be sent anywhere.
#[derive(Clone, Debug)]
pub struct ActivityContext(Arc<Task>);

impl ActivityContext {
    /// Returns the context of a task; workers and tests call this.
    pub fn new(task: Task) -> Self {
        Self(Arc::new(task))
    }

    /// Returns the instance whose task this is.
    pub fn instance(&self) -> &InstanceId {
        &self.0.instance
    }

    /// Returns the execution that scheduled the task.
    pub fn execution(&self) -> ExecutionId {
        self.0.execution
    }

    /// Returns which task of the execution this is.
    pub fn task(&self) -> ActionId {
        self.0.id
    }

    /// Returns which attempt by the caller's retry policy this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Returns a text that is the same whenever this call is run again, after a worker was lost as well as by a retry
    /// policy: give it to whatever must not act twice.
    pub fn idempotency_key(&self) -> &str {
        &self.0.idempotency_key
    }

    /// Returns the work-item queue that the task came from, without the hub's prefix.
    pub fn queue(&self) -> &str {
        &self.0.queue
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
