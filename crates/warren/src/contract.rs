//! Contracts: the typed names that the side that calls and the side that serves share.
//!
//! A name is for ever: it stands in every history and names a queue. It never depends on where a function lives.

use std::{fmt, marker::PhantomData};

/// Longest name of an activity, an orchestrator or an event, in bytes: with a hub's prefix it must fit an AMQP short
/// string of 255, as a queue or a routing key.
pub const NAME_BYTES_MAX: usize = 128;

/// An activity: a step that runs on a worker, takes an `I` and gives an `O`.
///
/// ```
/// use warren::Activity;
///
/// pub const CHARGE: Activity<u64, String> = Activity::new("charge");
/// pub const RESIZE: Activity<String, String> = Activity::new("resize").queue("images"); // a fleet shares one queue
/// ```
pub struct Activity<I, O> {
    pub(crate) name: &'static str,
    pub(crate) queue: Option<&'static str>,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> Activity<I, O> {
    /// Returns the activity of this name; its work-item queue has the same name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, queue: None, types: PhantomData }
    }

    /// Returns the activity with a work-item queue that it may share with others.
    #[must_use]
    pub const fn queue(self, queue: &'static str) -> Self {
        Self { queue: Some(queue), ..self }
    }

    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// An orchestrator: a durable function that takes an `I` and gives an `O`.
///
/// ```
/// use warren::Orchestrator;
///
/// pub const CHECKOUT: Orchestrator<u64, String> = Orchestrator::new("checkout");
/// pub const CHECKOUT_V2: Orchestrator<u64, String> = Orchestrator::new("checkout").version("2");
/// ```
pub struct Orchestrator<I, O> {
    pub(crate) name: &'static str,
    pub(crate) version: Option<&'static str>,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> Orchestrator<I, O> {
    /// Returns the orchestrator of this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, version: None, types: PhantomData }
    }

    /// Returns this version of the orchestrator: registered, it serves that version; started, it asks for it.
    #[must_use]
    pub const fn version(self, version: &'static str) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// An event that an orchestration can be sent while it runs; it carries a `T`.
///
/// ```
/// use warren::Event;
///
/// pub const APPROVED: Event<bool> = Event::new("approved");
/// ```
pub struct Event<T> {
    pub(crate) name: &'static str,
    types: PhantomData<fn() -> T>,
}

impl<T> Event<T> {
    /// Returns the event of this name.
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Returns what is wrong with a name, if anything is.
pub(crate) fn flaw(kind: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        return Some(format!("{kind} name is empty"));
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("{kind} name has {} bytes, at most {NAME_BYTES_MAX} are allowed", name.len()));
    }
    None
}

/// Contracts are names: they can be copied, shared and sent whatever their types are, so nothing is derived.
macro_rules! behaves_as_a_name {
    ($contract:ident<$($type:ident),+>) => {
        impl<$($type),+> Clone for $contract<$($type),+> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<$($type),+> Copy for $contract<$($type),+> {}
        impl<$($type),+> fmt::Debug for $contract<$($type),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($contract)).field(&self.name).finish()
            }
        }
    };
}
behaves_as_a_name!(Activity<I, O>);
behaves_as_a_name!(Orchestrator<I, O>);
behaves_as_a_name!(Event<T>);

#[cfg(test)]
#[path = "contract_test.rs"]
mod test;
