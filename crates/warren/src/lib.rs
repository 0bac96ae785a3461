//! What a user of Warren imports: durable orchestrations, written as ordinary async functions.
//!
//! An **activity** does the work: it runs on a worker, may be slow, may fail, may be run again. An **orchestrator** says
//! what is done in which order: it calls activities and other orchestrators, waits for events and timers, and survives
//! every crash, because what it asked for and what came back is recorded, and replayed when it must be rebuilt.
//!
//! ```
//! use warren::{Activity, Context, Event, Failure, First, Orchestrator, Registry, RetryPolicy, Second, days, race, test::Hub};
//!
//! const CHARGE: Activity<u64, String> = Activity::new("charge");
//! const APPROVED: Event<String> = Event::new("approved");
//! const CHECKOUT: Orchestrator<u64, String> = Orchestrator::new("checkout");
//!
//! async fn checkout(ctx: Context, cents: u64) -> Result<String, Failure> {
//!     if cents > 100_000 {
//!         match race(ctx.event(APPROVED), ctx.timer(days(3))).await {
//!             First(approver) => tracing::info!(approver = approver?, "approved"),
//!             Second(()) => return Err(Failure::permanent("not_approved", "nobody approved within three days")),
//!         }
//!     }
//!     ctx.activity(CHARGE).retry(RetryPolicy::times(5)).call(cents).await
//! }
//!
//! let registry = Registry::new().orchestrator(CHECKOUT, checkout);
//! let hub = Hub::new(registry).mock(CHARGE, |cents| Ok(format!("receipt over {cents}")));
//! assert_eq!(hub.run_blocking(CHECKOUT, 500), Ok("receipt over 500".into()));
//! assert_eq!(hub.run_blocking(CHECKOUT, 500_000).unwrap_err().code, "not_approved"); // three days pass at once
//! ```
//!
//! # What an orchestrator must never do
//!
//! It is run again from its beginning to rebuild it, and must then ask for exactly the same. So, in an orchestrator:
//!
//! - **Await only what the context gives**, and combinations of it: no sleep, no I/O, no channel of another library. An
//!   orchestration that does is reported as stuck or panicked, with the reason.
//! - **Ask the context** for the time ([`Context::now`]), for uuids ([`Context::uuid`]) and for random numbers
//!   ([`Context::random`]), never the system.
//! - **Read nothing that may change**: no environment, no configuration, no global, no order of a `HashMap`. What it must
//!   know comes as its input or from an activity.
//! - **Use [`race`], [`all`] and their like** rather than an unbiased `select!`: of two things that are ready at once, they
//!   take the one declared first, in every replay (`select_biased!` does too).
//! - **Give changed code a new version** ([`Orchestrator::version`]) while instances of the old code still run, and
//!   register both. Code that no longer asks for what history holds is blocked, and shows the first difference.
//!
//! What it may do: anything that is computed from its input and its results, with any function, loop or library; `?`, as
//! any error becomes a [`Failure`]; `tracing`, which is silent during a replay. [`test::Hub`] finds most mistakes, as it
//! rebuilds the orchestration after each turn.

mod activity;
mod activity_call;
mod cancellation;
mod child_call;
mod combinator;
mod context;
mod contract;
mod duration;
mod event;
mod json;
#[cfg(test)]
mod logging_test;
mod mailbox;
mod operation;
mod operations;
mod panics;
mod pending;
mod program;
mod random;
mod registry;
mod request;
mod retry;
mod state;
pub mod test;
#[cfg(test)]
mod testing;
mod timer;
mod unknown;

pub use activity::{ActivityContext, Control, PROGRESS_BYTES_MAX, Task};
pub use activity_call::ActivityCall;
pub use cancellation::{CancelReason, Cancelled};
pub use child_call::ChildCall;
pub use combinator::{
    Raced::{self, First, Second},
    all, any, bounded, join, join3, race, race_all, settled,
};
pub use context::Context;
pub use contract::{Activity, Event, NAME_BYTES_MAX, Orchestrator};
pub use duration::{days, hours, minutes, seconds};
pub use event::{EventWait, Within};
pub use pending::Pending;
pub use registry::{RegisteredActivity, RegisteredOrchestrator, Registry};
pub use retry::RetryPolicy;
pub use timer::Timer;
pub use uuid::Uuid;
pub use warren_model::{
    ActionId, ClosePolicy, ExecutionId, Failure, InstanceId, Payload, Priority, Timeouts, Timestamp, code,
};
