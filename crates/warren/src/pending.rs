//! The result of an activity or a child, and the attempts that lead to it.

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{self, Poll, ready},
    time::Duration,
};

use serde::de::DeserializeOwned;
use warren_model::{Action, ActionId, Failure, Outcome, Payload, Timestamp, code};

use crate::{Context, RetryPolicy, Timer, json, operation::Operation, request::Request};

/// The result of something that was asked for: an activity, or a child orchestration.
///
/// Dropped, it leaves what was asked for running; only a wait for a further attempt is cancelled, and an activity that
/// was called with [`cancel_when_dropped`](crate::ActivityCall::cancel_when_dropped).
#[must_use = "it was asked for and runs, but nobody awaits its result"]
pub struct Pending<O> {
    stage: Stage,
    retry: Option<Box<Retry>>,
    /// When the call is given up.
    deadline: Option<Box<Deadline>>,
    /// Whether an attempt is cancelled that runs when this is dropped.
    cancels: bool,
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

struct Deadline {
    timer: Timer,
    limit: Duration,
}

/// A predicate of the user's on failures.
pub(crate) type Predicate = Box<dyn Fn(&Failure) -> bool>;

/// When to try again, and when to give up.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) policy: Option<RetryPolicy>,
    pub(crate) predicate: Option<Predicate>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) cancels: bool,
}

/// How to try again, and what has been tried.
struct Retry {
    policy: RetryPolicy,
    predicate: Option<Predicate>,
    ctx: Context,
    request: Request,
    first: ActionId,
    attempt: u32,
    /// How far the attempts have come, as the last one that said so did.
    progress: Option<Payload>,
    began: Timestamp,
}

impl<O: DeserializeOwned> Pending<O> {
    /// Asks for `request` at once, or for nothing if it is flawed.
    pub(crate) fn begin(ctx: &Context, request: Result<Request, Failure>, options: Options) -> Self {
        let (limit, cancels) = (options.deadline, options.cancels);
        let (stage, retry) = match request {
            Ok(request) => Self::try_first(ctx, request, options),
            Err(flaw) => (Stage::Refused(flaw), None),
        };
        let is_begun = matches!(stage, Stage::Trying(_));
        let deadline = limit.filter(|_| is_begun).map(|limit| Box::new(Deadline { timer: ctx.timer(limit), limit }));
        Self { stage, retry, deadline, cancels, types: PhantomData }
    }

    fn try_first(ctx: &Context, mut request: Request, options: Options) -> (Stage, Option<Box<Retry>>) {
        let operation = Operation::begin(ctx, |id| request.first_action(ctx.execution(), id));
        let Options { policy, predicate, .. } = options;
        let policy = policy.or_else(|| predicate.as_ref().map(|_| RetryPolicy::default()));
        let retry = policy.map(|policy| {
            let (ctx, first, began) = (ctx.clone(), operation.id, ctx.now());
            Box::new(Retry { policy, predicate, ctx, request, first, attempt: 1, progress: None, began })
        });
        (Stage::Trying(operation), retry)
    }

    /// Decides what follows an attempt: a wait, or the end.
    fn after_attempt(&mut self, outcome: Outcome) -> Poll<Result<O, Failure>> {
        let wait = outcome.as_ref().err().and_then(|failure| self.retry.as_ref()?.wait_after(failure));
        if let (Some(wait), Some(retry)) = (wait, &mut self.retry) {
            retry.progress =
                outcome.as_ref().err().and_then(|failure| failure.progress.clone()).or(retry.progress.take());
            self.stage = Stage::Waiting(retry.ctx.timer(wait));
            return Poll::Pending;
        }
        self.stage = Stage::Over;
        self.deadline = None;
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
        Operation::begin(&self.ctx, |id| self.request.action(id, self.attempt, self.first, self.progress.clone()))
    }
}

impl<O> Pending<O> {
    /// Gives up an attempt that still runs.
    fn cancel(&mut self) {
        if let Stage::Trying(operation) = &self.stage
            && operation.close()
        {
            operation.ctx.state().emit(Action::CancelTask { id: operation.id });
        }
    }

    /// Returns the failure of a call whose time is over.
    fn poll_deadline(&mut self, cx: &mut task::Context<'_>) -> Poll<Failure> {
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(Pin::new(&mut deadline.timer).poll(cx));
        let limit = deadline.limit;
        self.cancel();
        (self.stage, self.deadline) = (Stage::Over, None);
        let text = format!("the call was given {limit:?}, with all its attempts, and has not ended in that time");
        Poll::Ready(Failure::permanent(code::SCHEDULE_TO_CLOSE, text))
    }
}

impl<O> Drop for Pending<O> {
    fn drop(&mut self) {
        if self.cancels {
            self.cancel();
        }
    }
}

impl<O: DeserializeOwned> Future for Pending<O> {
    type Output = Result<O, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.stage {
                Stage::Trying(operation) => {
                    let Poll::Ready(outcome) = operation.poll(cx) else {
                        return self.poll_deadline(cx).map(Err);
                    };
                    if let Poll::Ready(result) = self.after_attempt(outcome) {
                        return Poll::Ready(result);
                    }
                }
                Stage::Waiting(timer) => {
                    if Pin::new(timer).poll(cx).is_pending() {
                        return self.poll_deadline(cx).map(Err);
                    }
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
