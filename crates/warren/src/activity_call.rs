//! A call of an activity before it is made.

use serde::{Serialize, de::DeserializeOwned};
use warren_model::{Failure, code};

use crate::{Activity, Context, Pending, RetryPolicy, contract::flaw, json, pending::RetryOptions, request::Request};

/// The options of an activity's call. Nothing is asked for before [`call`](Self::call).
#[must_use = "nothing is asked for before `.call(input)`"]
pub struct ActivityCall<'a, I, O> {
    ctx: &'a Context,
    activity: Activity<I, O>,
    queue: Option<String>,
    retry: RetryOptions,
}

impl<'a, I: Serialize, O: DeserializeOwned> ActivityCall<'a, I, O> {
    pub(crate) fn new(ctx: &'a Context, activity: Activity<I, O>) -> Self {
        Self { ctx, activity, queue: activity.queue.map(str::to_owned), retry: RetryOptions::default() }
    }

    /// Tries again after failures, as the policy says.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry.policy = Some(policy);
        self
    }

    /// Tries again only after failures for which `allows` holds, and which the policy allows too (without a policy of
    /// its own: [`RetryPolicy::default`]). Must answer by the failure alone: it is asked again in a replay.
    pub fn retry_if(mut self, allows: impl Fn(&Failure) -> bool + 'static) -> Self {
        self.retry.predicate = Some(Box::new(allows));
        self
    }

    /// Sends the task to this work-item queue instead of the contract's.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
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
        Pending::begin(self.ctx, request, self.retry)
    }

    fn request(&self, input: &I) -> Result<Request, Failure> {
        let queue = self.queue.as_deref().and_then(|queue| flaw("queue", queue));
        if let Some(flaw) = flaw("activity", self.activity.name).or(queue) {
            return Err(Failure::permanent(code::INVALID_INPUT, flaw));
        }
        let input = json::write(input, code::INVALID_INPUT)?;
        Ok(Request::Task { name: self.activity.name.to_owned(), queue: self.queue.clone(), input })
    }
}

#[cfg(test)]
#[path = "activity_call_test.rs"]
mod test;
