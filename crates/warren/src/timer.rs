//! Timers.

use std::{
    pin::Pin,
    task::{self, Poll, ready},
};

use warren_model::{Action, TimerCreated, Timestamp};

use crate::{Context, operation::Operation};

/// A timer that was set. It takes no thread and outlives every process.
#[must_use = "a timer is cancelled when it is dropped: await it, or don't set it"]
pub struct Timer(Operation);

impl Timer {
    pub(crate) fn new(ctx: &Context, fire_at: Timestamp) -> Self {
        Self(Operation::begin(ctx, |id| Action::CreateTimer(TimerCreated { id, fire_at })))
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let _fired = ready!(self.0.poll(cx));
        Poll::Ready(())
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.0.close() {
            self.0.ctx.state().emit(Action::CancelTimer { id: self.0.id });
        }
    }
}

#[cfg(test)]
#[path = "timer_test.rs"]
mod test;
