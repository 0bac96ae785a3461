//! A call of an activity before it is made.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use warren_model::{Failure, Priority, code};

use crate::{
    Activity, Context, Pending, RetryPolicy, Timeouts, contract::flaw, json, pending::Options, request::Request,
};

/// The options of an activity's call. Nothing is asked for before [`call`](Self::call).
#[must_use = "nothing is asked for before `.call(input)`"]
pub struct ActivityCall<'a, I, O> {
    ctx: &'a Context,
    activity: Activity<I, O>,
    queue: Option<String>,
    key: Option<String>,
    priority: Priority,
    timeouts: Timeouts,
    options: Options,
}

impl<'a, I: Serialize, O: DeserializeOwned> ActivityCall<'a, I, O> {
    pub(crate) fn new(ctx: &'a Context, activity: Activity<I, O>) -> Self {
        Self {
            ctx,
            activity,
            queue: activity.queue.map(str::to_owned),
            key: None,
            priority: Priority::Normal,
            timeouts: Timeouts::default(),
            options: Options::default(),
        }
    }

    /// Tries again after failures, as the policy says.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.policy = Some(policy);
        self
    }

    /// Tries again only after failures for which `allows` holds, and which the policy allows too (without a policy of
    /// its own: [`RetryPolicy::default`]). Must answer by the failure alone: it is asked again in a replay.
    pub fn retry_if(mut self, allows: impl Fn(&Failure) -> bool + 'static) -> Self {
        self.options.predicate = Some(Box::new(allows));
        self
    }

    /// Sends the task to this work-item queue instead of the contract's.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Says for whom the activity is: a tenant, an account, a remote host. Where the settings give its queue lanes
    /// (`[queues.NAME]`), calls with different keys don't wait for each other; limits of the queue hold for each lane.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Says how soon the activity is to begin. Where the settings give its queue priorities (`[queues.NAME]`), a worker
    /// takes what is high before the rest, and what is low after it; the others are let in now and then.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Fails an attempt that no worker has begun so long after it was asked for ([`code::SCHEDULE_TO_START`]). A retry
    /// policy does not repeat that: the queue would be as long as before.
    pub fn schedule_to_start(mut self, limit: Duration) -> Self {
        self.timeouts.schedule_to_start_ms = Some(milliseconds(limit));
        self
    }

    /// Fails an attempt that has run for so long ([`code::START_TO_CLOSE`]); the activity is cancelled.
    pub fn start_to_close(mut self, limit: Duration) -> Self {
        self.timeouts.start_to_close_ms = Some(milliseconds(limit));
        self
    }

    /// Fails the call so long after it was made, with all its attempts and the waits between them
    /// ([`code::SCHEDULE_TO_CLOSE`]); an attempt that runs is cancelled.
    pub fn schedule_to_close(mut self, limit: Duration) -> Self {
        self.options.deadline = Some(limit);
        self
    }

    /// Fails an attempt that says nothing for so long ([`code::HEARTBEAT`]); the activity is cancelled. See
    /// [`ActivityContext::heartbeat`](crate::ActivityContext::heartbeat).
    pub fn heartbeat(mut self, limit: Duration) -> Self {
        self.timeouts.heartbeat_ms = Some(milliseconds(limit));
        self
    }

    /// Cancels the activity when the future of its result is dropped before the end, by losing a [`race`](crate::race)
    /// for example. Without this it goes on, and its result is nobody's.
    pub fn cancel_when_dropped(mut self) -> Self {
        self.options.cancels = true;
        self
    }

    /// Asks for the activity, now; the future collects its result.
    ///
    /// A call that can't be made (an input that is no JSON, a name that is empty or too long) asks for nothing: its
    /// future resolves with a failure that says why.
    pub fn call(self, input: I) -> Pending<O> {
        let request = self.request(&input).map_err(|mut failure| {
            failure.message = format!("activity `{}` can't be called: {}", self.activity.name, failure.message);
            failure
        });
        Pending::begin(self.ctx, request, self.options)
    }

    fn request(&self, input: &I) -> Result<Request, Failure> {
        let queue = self.queue.as_deref().and_then(|queue| flaw("queue", queue));
        if let Some(flaw) = flaw("activity", self.activity.name).or(queue) {
            return Err(Failure::permanent(code::INVALID_INPUT, flaw));
        }
        let input = json::write(input, code::INVALID_INPUT)?;
        let (name, queue, key) = (self.activity.name.to_owned(), self.queue.clone(), self.key.clone());
        Ok(Request::Task { name, queue, key, priority: self.priority, input, timeouts: self.timeouts })
    }
}

fn milliseconds(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "activity_call_test.rs"]
mod test;
