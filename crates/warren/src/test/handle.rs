//! One instance as a test holds it.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use warren_model::{
    Condition, ConditionKind, Event, EventRaised, ExecutionId, Failure, InboxMessage, InstanceId, Payload, Status,
    Timestamp, code,
};

use super::{Hub, resident::Resident};
use crate::{Event as EventContract, json};

/// An instance of a [`Hub`].
pub struct Handle<O> {
    hub: Hub,
    id: InstanceId,
    types: PhantomData<fn() -> O>,
}

impl<O> Handle<O> {
    pub(super) fn new(hub: Hub, id: InstanceId) -> Self {
        Self { hub, id, types: PhantomData }
    }

    /// Returns the instance's id.
    pub fn id(&self) -> &InstanceId {
        &self.id
    }

    /// Waits until the instance has ended, however much virtual time that takes, and returns its result.
    ///
    /// Whatever keeps it from ending is a failure with the condition's name as its code and its message.
    pub async fn wait(&self) -> Result<O, Failure>
    where
        O: DeserializeOwned,
    {
        let is_over = |it: &Resident| it.record.status.is_terminal() || it.record.condition.is_some();
        self.hub.drive(Timestamp::MAX, || self.read(is_over)).await?;
        self.read(|it| match (it.outcome(), &it.record.condition) {
            (Some(outcome), _) => outcome.and_then(|result| json::read(&result, code::INVALID_RESULT)),
            (None, Some(condition)) => Err(Failure::permanent(name(condition.kind), &condition.message)),
            (None, None) => Err(self.idle(it.record.status)),
        })
    }

    fn idle(&self, status: Status) -> Failure {
        let id = &self.id;
        if status == Status::Suspended {
            return Failure::permanent(
                "suspended",
                format!("instance `{id}` is suspended; let it go on with Handle::resume"),
            );
        }
        let text = format!(
            "instance `{id}` waits, and nothing is left that could wake it: it waits for an event that nobody has sent; \
             send it with Handle::raise"
        );
        Failure::permanent("idle", text)
    }

    /// Sends the instance an event.
    ///
    /// # Panics
    /// If the value can't be written as JSON.
    #[track_caller]
    pub fn raise<T: Serialize>(&self, event: EventContract<T>, value: T) {
        let input = Payload::of(&value).unwrap_or_else(|error| panic!("event `{}` is no json: {error}", event.name));
        self.send(InboxMessage::Raise(EventRaised { name: event.name.to_owned(), input }));
    }

    /// Ends the instance, and its children.
    pub fn terminate(&self, reason: &str) {
        self.send(InboxMessage::Terminate { reason: Some(reason.to_owned()), recursive: true });
    }

    /// Pauses the instance: what arrives is kept.
    pub fn suspend(&self) {
        self.send(InboxMessage::Suspend { reason: None });
    }

    /// Lets the instance go on, also after a condition whose cause is mended.
    pub fn resume(&self) {
        self.send(InboxMessage::Resume { reason: None });
    }

    /// Returns how the instance stands.
    pub fn status(&self) -> Status {
        self.read(|it| it.record.status)
    }

    /// Returns what keeps the instance from going on, if something does.
    pub fn condition(&self) -> Option<Condition> {
        self.read(|it| it.record.condition.clone())
    }

    /// Returns what the instance shows of itself.
    ///
    /// # Panics
    /// If it shows something that can't be read as a `T`.
    #[track_caller]
    pub fn custom_status<T: DeserializeOwned>(&self) -> Option<T> {
        let status = self.read(|it| it.record.custom_status.clone());
        status.map(|status| status.parse().unwrap_or_else(|error| panic!("custom status {status:?}: {error}")))
    }

    /// Returns the present or last execution.
    pub fn execution(&self) -> ExecutionId {
        self.read(|it| it.record.execution)
    }

    /// Returns what has happened in the present or last execution.
    pub fn history(&self) -> Vec<Event> {
        self.read(|it| it.history().cloned().collect())
    }

    /// Returns how many executions there were; each continue-as-new begins one.
    pub fn executions(&self) -> usize {
        self.read(|it| it.executions.len())
    }

    fn send(&self, message: InboxMessage) {
        self.hub.world().borrow_mut().deliver(&self.id, message);
    }

    fn read<T>(&self, read: impl FnOnce(&Resident) -> T) -> T {
        read(self.hub.world().borrow().instances.get(&self.id).expect("a handle's instance was started"))
    }
}

/// A condition's name as a failure's code.
fn name(kind: ConditionKind) -> &'static str {
    match kind {
        ConditionKind::Blocked => "blocked",
        ConditionKind::Stuck => "stuck",
        ConditionKind::Panicked => "panicked",
        ConditionKind::UnknownOrchestrator => "unknown_orchestrator",
        ConditionKind::HistoryLimit => "history_limit",
        ConditionKind::Corrupt => "corrupt",
        ConditionKind::Quarantined => "quarantined",
    }
}
