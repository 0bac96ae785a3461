//! The first of two.

use std::{future::poll_fn, pin::pin, task::Poll};

/// Which of two was first, and its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raced<A, B> {
    /// The one declared first.
    First(A),
    /// The one declared second.
    Second(B),
}

/// Waits for whichever is first, and drops the other: a timer is then cancelled, an event stays in the mailbox, an
/// activity or a child runs on and nobody hears of it. If both are ready, the one declared first counts.
///
/// ```
/// use warren::{Context, Event, Failure, First, Second, days, race};
///
/// const APPROVED: Event<String> = Event::new("approved");
///
/// async fn approval(ctx: Context, _: ()) -> Result<String, Failure> {
///     match race(ctx.event(APPROVED), ctx.timer(days(3))).await {
///         First(approver) => approver,
///         Second(()) => Err(Failure::new("not_approved", "nobody approved within three days")),
///     }
/// }
/// ```
pub async fn race<A: Future, B: Future>(a: A, b: B) -> Raced<A::Output, B::Output> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| {
        if let Poll::Ready(output) = a.as_mut().poll(cx) {
            return Poll::Ready(Raced::First(output));
        }
        b.as_mut().poll(cx).map(Raced::Second)
    })
    .await
}
