//! Many futures that are polled only when they were woken.

use std::{
    collections::BTreeSet,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;

/// Futures by the order of their declaration. Each has a waker of its own, so that a completion among a hundred
/// thousand polls one of them.
pub(crate) struct Crowd<F> {
    members: Vec<Option<Member<F>>>,
    /// Those to poll next; the first declared comes first.
    due: BTreeSet<usize>,
    woken: Arc<Woken>,
    /// How many have not ended.
    left: usize,
}

struct Member<F> {
    future: Pin<Box<F>>,
    waker: Waker,
}

/// Which members were woken since the last look, and whom to tell.
#[derive(Default)]
struct Woken {
    members: Mutex<Vec<usize>>,
    crowd: AtomicWaker,
}

struct Bell {
    member: usize,
    woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.members.lock().unwrap_or_else(PoisonError::into_inner).push(self.member);
        self.woken.crowd.wake();
    }
}

impl<F: Future> Crowd<F> {
    pub(crate) fn gather(futures: impl IntoIterator<Item = F>) -> Self {
        let mut crowd = Self { members: Vec::new(), due: BTreeSet::new(), woken: Arc::default(), left: 0 };
        futures.into_iter().for_each(|future| crowd.push(future));
        crowd
    }

    /// Adds a future; it is polled for the first time with the next look.
    pub(crate) fn push(&mut self, future: F) {
        let member = self.members.len();
        let waker = Waker::from(Arc::new(Bell { member, woken: self.woken.clone() }));
        self.members.push(Some(Member { future: Box::pin(future), waker }));
        self.due.insert(member);
        self.left += 1;
    }

    /// Returns how many futures were ever added.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns the next that ends, with its number from 0; `None` once all have ended.
    pub(crate) async fn next(&mut self) -> Option<(usize, F::Output)> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, F::Output)>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.woken.crowd.register(cx.waker());
        // One look is enough: who is woken from now on wakes the crowd, which is then polled again.
        self.due.extend(mem::take(&mut *self.woken.members.lock().unwrap_or_else(PoisonError::into_inner)));
        while let Some(at) = self.due.pop_first() {
            let Some(member) = &mut self.members[at] else { continue };
            if let Poll::Ready(output) = member.future.as_mut().poll(&mut Context::from_waker(&member.waker)) {
                self.members[at] = None;
                self.left -= 1;
                return Poll::Ready(Some((at, output)));
            }
        }
        Poll::Pending
    }
}
