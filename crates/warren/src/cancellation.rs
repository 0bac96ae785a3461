//! Word to an activity that runs: nobody waits for it any more, or its worker is about to stop.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Why an activity is to end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// Nobody waits for it any more: it was cancelled, its time is over, or its instance has ended.
    Cancelled,
    /// Its worker stops. Another one begins it anew, with the progress that its last heartbeat told.
    WorkerStops,
}

/// Says once why to end early, to any number of clones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancellation(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    reason: Option<CancelReason>,
    is_watched: bool,
    wakers: Vec<Waker>,
}

impl Cancellation {
    /// Says so; the first reason counts.
    pub(crate) fn cancel(&self, reason: CancelReason) {
        let mut state = self.state();
        state.reason.get_or_insert(reason);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn reason(&self) -> Option<CancelReason> {
        let mut state = self.state();
        state.is_watched = true;
        state.reason
    }

    /// Returns whether anybody has ever asked.
    pub(crate) fn is_watched(&self) -> bool {
        self.state().is_watched
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves once an activity is to end early; see [`ActivityContext::cancelled`](crate::ActivityContext::cancelled).
#[derive(Clone, Debug)]
#[must_use = "nothing is waited for until it is awaited"]
pub struct Cancelled(Cancellation);

impl Cancelled {
    pub(crate) fn new(cancellation: Cancellation) -> Self {
        cancellation.state().is_watched = true;
        Self(cancellation)
    }
}

impl Future for Cancelled {
    type Output = CancelReason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CancelReason> {
        let mut state = self.0.state();
        if let Some(reason) = state.reason {
            return Poll::Ready(reason);
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
#[path = "cancellation_test.rs"]
mod test;
