//! What a user of Warren imports.

mod activity;
mod activity_call;
mod child_call;
mod combinator;
mod context;
mod contract;
mod duration;
mod event;
mod json;
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
mod timer;
mod unknown;

pub use activity::{ActivityContext, Task};
pub use activity_call::ActivityCall;
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
pub use warren_model::{ActionId, ClosePolicy, ExecutionId, Failure, InstanceId, Payload, Timestamp, code};
