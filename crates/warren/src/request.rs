//! What a call asks for, checked, and the actions that its attempts emit.

use warren_model::{
    Action, ActionId, ClosePolicy, ExecutionId, InstanceId, Payload, Priority, SubOrchestrationCreated, TaskScheduled,
    Timeouts, child_id,
};

/// An activity or a child to ask for.
pub(crate) enum Request {
    Task {
        name: String,
        queue: Option<String>,
        key: Option<String>,
        priority: Priority,
        input: Payload,
        timeouts: Timeouts,
    },
    Child {
        name: String,
        version: Option<String>,
        instance: Option<InstanceId>,
        input: Payload,
        close: ClosePolicy,
    },
}

impl Request {
    /// Returns the action of the first attempt; a child without an id gets the one that its further attempts keep.
    pub(crate) fn first_action(&mut self, execution: ExecutionId, id: ActionId) -> Action {
        if let Self::Child { instance, .. } = self {
            instance.get_or_insert_with(|| child_id(execution, id));
        }
        self.action(id, 1, id, None)
    }

    /// Returns the action of an attempt; `first` is that of the first one, `progress` is how far the one before it came.
    pub(crate) fn action(&self, id: ActionId, attempt: u32, first: ActionId, progress: Option<Payload>) -> Action {
        match self {
            Self::Task { name, queue, key, priority, input, timeouts } => Action::ScheduleTask(TaskScheduled {
                id,
                name: name.clone(),
                queue: queue.clone(),
                input: input.clone(),
                attempt,
                retry_of: (attempt > 1).then_some(first),
                key: key.clone(),
                priority: *priority,
                timeouts: *timeouts,
                progress,
            }),
            Self::Child { name, version, instance, input, close } => Action::StartChild(SubOrchestrationCreated {
                id,
                instance: instance.clone().expect("the first attempt gave the child its id"),
                name: name.clone(),
                version: version.clone(),
                input: input.clone(),
                attempt,
                close: *close,
            }),
        }
    }
}
