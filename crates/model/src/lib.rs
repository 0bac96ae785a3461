//! The nouns of Warren: ids, events, actions, commands, messages, failures.
//!
//! Everything here is plain data that crosses a wire or rests in a store. Nothing here acts: no clock, no I/O, no
//! async. The words are those of the glossary in ARCHITECTURE.md, and the events carry the names of Microsoft's
//! public Durable Task protocol, so that its SDKs can be served later without a second model.

mod action;
mod command;
mod event;
mod failure;
mod id;
mod instance;
pub mod limits;
mod message;
mod partition;
mod payload;
mod priority;
mod redispatch;
mod token;
pub mod trace;

pub use action::Action;
pub use command::{Answer, AnswerTo, AnswerWhen, Command, IfExists, Refusal, RefusalCode, StartRequest};
pub use event::{
    ClosePolicy, Event, EventRaised, EventSent, ExecutionCompleted, ExecutionContinued, ExecutionStarted,
    ExecutionTerminated, Lifecycle, OrchestratorStarted, Outcome, Parent, SubOrchestrationCreated, TaskScheduled,
    TerminateSent, Timeouts, TimerCreated, TurnRecord,
};
pub use failure::{Failure, code};
pub use id::{ActionId, ExecutionId, IdError, InstanceId, MessageId, child_id, execution_id, instance_id_for};
pub use instance::{Condition, ConditionKind, InstanceRecord, Status};
pub use jiff::Timestamp;
pub use message::{ChildEnded, ChildStart, InboxMessage, Outgoing, PartitionMessage, TaskEnded};
pub use partition::{Partition, PartitionCount};
pub use payload::Payload;
pub use priority::Priority;
pub use redispatch::{Redispatch, Redispatched};
pub use token::{Token, TokenError};
pub use trace::TraceContext;
