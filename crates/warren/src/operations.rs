//! What an execution has asked for and not yet collected: activities, children, timers.

use std::{
    collections::BTreeMap,
    mem,
    task::{Poll, Waker},
};

use warren_model::{ActionId, Outcome};

/// The operations whose futures are alive, by the id of their action.
///
/// An operation that nobody awaits keeps its outcome until somebody does. Once its future is dropped it is forgotten,
/// and an outcome that comes later is nobody's.
#[derive(Default)]
pub(crate) struct Operations {
    open: BTreeMap<ActionId, Operation>,
    /// How many of them are awaited; counted, so that a turn never has to look through a hundred thousand.
    awaited: usize,
}

enum Operation {
    /// Asked for.
    Open,
    /// Asked for, and somebody waits.
    Awaited(Waker),
    /// Over, and not yet collected.
    Ended(Outcome),
}

impl Operations {
    pub(crate) fn open(&mut self, id: ActionId) {
        self.open.insert(id, Operation::Open);
    }

    /// Keeps the outcome of an operation and returns who waits for it, to be woken. The first outcome counts.
    pub(crate) fn end(&mut self, id: ActionId, outcome: Outcome) -> Option<Waker> {
        let operation = self.open.get_mut(&id)?;
        match operation {
            Operation::Ended(_) => None,
            Operation::Open | Operation::Awaited(_) => match mem::replace(operation, Operation::Ended(outcome)) {
                Operation::Awaited(waker) => {
                    self.awaited -= 1;
                    Some(waker)
                }
                Operation::Open | Operation::Ended(_) => None,
            },
        }
    }

    /// Hands out the outcome once; until it is there, remembers whom to wake.
    pub(crate) fn poll(&mut self, id: ActionId, waker: &Waker) -> Poll<Outcome> {
        match self.open.remove(&id) {
            Some(Operation::Ended(outcome)) => return Poll::Ready(outcome),
            Some(Operation::Open) => self.awaited += 1,
            Some(Operation::Awaited(_)) => {}
            None => return Poll::Pending,
        }
        self.open.insert(id, Operation::Awaited(waker.clone()));
        Poll::Pending
    }

    /// Forgets an operation. Returns whether it was still going on.
    pub(crate) fn close(&mut self, id: ActionId) -> bool {
        match self.open.remove(&id) {
            Some(Operation::Awaited(_)) => {
                self.awaited -= 1;
                true
            }
            Some(Operation::Open) => true,
            Some(Operation::Ended(_)) | None => false,
        }
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited > 0
    }
}
