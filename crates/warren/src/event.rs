//! Waiting for events.

use std::{
    marker::PhantomData,
    pin::Pin,
    task::{self, Poll, ready},
    time::Duration,
};

use serde::de::DeserializeOwned;
use warren_model::{Failure, code};

use crate::{Context, Event, Timer, json, mailbox::Ticket};

/// A wait for an event; resolves with what the event carries, or with a failure if that has another shape.
#[must_use = "an event is only taken from the mailbox when it is awaited"]
pub struct EventWait<T> {
    ctx: Context,
    name: &'static str,
    ticket: Ticket,
    types: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> EventWait<T> {
    pub(crate) fn new(ctx: &Context, event: Event<T>) -> Self {
        let ticket = ctx.state().mailbox.ticket();
        Self { ctx: ctx.clone(), name: event.name, ticket, types: PhantomData }
    }

    /// Waits no longer than this: resolves with `None` if a timer, set now, fires before the event arrives.
    ///
    /// ```
    /// # use warren::{Context, Event, Failure, days};
    /// # const APPROVED: Event<String> = Event::new("approved");
    /// # async fn approval(ctx: Context, _: ()) -> Result<String, Failure> {
    /// let Some(approver) = ctx.event(APPROVED).within(days(3)).await? else {
    ///     return Err(Failure::new("not_approved", "nobody approved within three days"));
    /// };
    /// # Ok(approver)
    /// # }
    /// ```
    pub fn within(self, duration: Duration) -> Within<T> {
        let timer = self.ctx.timer(duration);
        Within { event: self, timer }
    }
}

impl<T: DeserializeOwned> Future for EventWait<T> {
    type Output = Result<T, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let payload = ready!(self.ctx.state().mailbox.poll(self.name, self.ticket, cx.waker()));
        let value = json::read(&payload, code::INVALID_INPUT).map_err(|mut failure| {
            failure.message = format!("event `{}`: {}", self.name, failure.message);
            failure
        });
        Poll::Ready(value)
    }
}

impl<T> Drop for EventWait<T> {
    fn drop(&mut self) {
        self.ctx.state().mailbox.leave(self.name, self.ticket);
    }
}

/// A wait for an event up to a deadline; resolves with `None` at the deadline.
#[must_use = "an event is only taken from the mailbox when it is awaited"]
pub struct Within<T> {
    event: EventWait<T>,
    timer: Timer,
}

impl<T: DeserializeOwned> Future for Within<T> {
    type Output = Result<Option<T>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(event) = Pin::new(&mut self.event).poll(cx) {
            return Poll::Ready(event.map(Some));
        }
        ready!(Pin::new(&mut self.timer).poll(cx));
        Poll::Ready(Ok(None))
    }
}

#[cfg(test)]
#[path = "event_test.rs"]
mod test;
