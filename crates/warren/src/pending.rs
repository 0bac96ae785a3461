//! The result of an activity or a child, and the attempts that lead to it.

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{self, Poll, ready},
    time::Duration,
};

use serde::de::DeserializeOwned;
use warren_model::{ActionId, Failure, Outcome, Timestamp, code};

use crate::{Context, RetryPolicy, Timer, json, operation::Operation, request::Request};

/// The result of something that was asked for: an activity, or a child orchestration.
///
/// Dropped, it leaves what was asked for running; only a wait for a further attempt is cancelled.
#[must_use = "it was asked for and runs, but nobody awaits its result"]
pub struct Pending<O> {
    stage: Stage,
    retry: Option<Box<Retry>>,
    types: PhantomData<fn() -> O>,
}

enum Stage {
    /// Nothing was asked for: the call itself is wrong.
    Refused(Failure),
    /// An attempt runs.
    Trying(Operation),
    /// The next attempt waits for its time.
    Waiting(Timer),
    /// The result has been given out.
    Over,
}

/// A predicate of the user's on failures.
pub(crate) type Predicate = Box<dyn Fn(&Failure) -> bool>;

/// When to try again.
#[derive(Default)]
pub(crate) struct RetryOptions {
    pub(crate) policy: Option<RetryPolicy>,
    pub(crate) predicate: Option<Predicate>,
}

/// How to try again, and what has been tried.
struct Retry {
    policy: RetryPolicy,
    predicate: Option<Predicate>,
    ctx: Context,
    request: Request,
    first: ActionId,
    attempt: u32,
    began: Timestamp,
}

impl<O: DeserializeOwned> Pending<O> {
    /// Asks for `request` at once, or for nothing if it is flawed.
    pub(crate) fn begin(ctx: &Context, request: Result<Request, Failure>, options: RetryOptions) -> Self {
        let (stage, retry) = match request {
            Ok(request) => Self::try_first(ctx, request, options),
            Err(flaw) => (Stage::Refused(flaw), None),
        };
        Self { stage, retry, types: PhantomData }
    }

    fn try_first(ctx: &Context, mut request: Request, options: RetryOptions) -> (Stage, Option<Box<Retry>>) {
        let operation = Operation::begin(ctx, |id| request.first_action(ctx.execution(), id));
        let RetryOptions { policy, predicate } = options;
        let policy = policy.or_else(|| predicate.as_ref().map(|_| RetryPolicy::default()));
        let retry = policy.map(|policy| {
            let (ctx, first, began) = (ctx.clone(), operation.id, ctx.now());
            Box::new(Retry { policy, predicate, ctx, request, first, attempt: 1, began })
        });
        (Stage::Trying(operation), retry)
    }

    /// Decides what follows an attempt: a wait, or the end.
    fn after_attempt(&mut self, outcome: Outcome) -> Poll<Result<O, Failure>> {
        let wait = outcome.as_ref().err().and_then(|failure| self.retry.as_ref()?.wait_after(failure));
        if let (Some(wait), Some(retry)) = (wait, &self.retry) {
            self.stage = Stage::Waiting(retry.ctx.timer(wait));
            return Poll::Pending;
        }
        self.stage = Stage::Over;
        Poll::Ready(outcome.and_then(|result| json::read(&result, code::INVALID_RESULT)))
    }
}

impl Retry {
    /// Returns how long to wait after a failure; `None` if it is the last word.
    fn wait_after(&self, failure: &Failure) -> Option<Duration> {
        if !self.policy.allows(self.attempt, failure) || !self.predicate.as_ref().is_none_or(|allows| allows(failure)) {
            return None;
        }
        let wait = self.policy.delay(self.ctx.execution(), self.first, self.attempt);
        let passed = Duration::try_from(self.ctx.now().duration_since(self.began)).unwrap_or_default();
        let is_in_time = self.policy.total_time.is_none_or(|total| passed.saturating_add(wait) <= total);
        is_in_time.then_some(wait)
    }

    fn try_again(&mut self) -> Operation {
        self.attempt += 1;
        Operation::begin(&self.ctx, |id| self.request.action(id, self.attempt, self.first))
    }
}

impl<O: DeserializeOwned> Future for Pending<O> {
    type Output = Result<O, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.stage {
                Stage::Trying(operation) => {
                    let outcome = ready!(operation.poll(cx));
                    if let Poll::Ready(result) = self.after_attempt(outcome) {
                        return Poll::Ready(result);
                    }
                }
                Stage::Waiting(timer) => {
                    ready!(Pin::new(timer).poll(cx));
                    let retry = self.retry.as_mut().expect("only a call with a policy waits for a further attempt");
                    self.stage = Stage::Trying(retry.try_again());
                }
                Stage::Refused(flaw) => {
                    let flaw = flaw.clone();
                    self.stage = Stage::Over;
                    return Poll::Ready(Err(flaw));
                }
                Stage::Over => panic!("a result was awaited again after it had been given out"),
            }
        }
    }
}
