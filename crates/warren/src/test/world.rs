//! The hub's inside: who runs next, what is sent where, what time it is.

use std::{
    collections::{BTreeMap, VecDeque},
    task::{self, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use warren_engine::Turn;
use warren_model::{
    ChildEnded, ChildStart, EventRaised, ExecutionId, Failure, InboxMessage, InstanceId, Outcome, Outgoing, Parent,
    PartitionMessage, Payload, TaskEnded, TaskScheduled, Timestamp, code,
};

use super::{
    agenda::Agenda,
    mock::Mock,
    resident::{Resident, Start},
};
use crate::{ActivityContext, Registry, Task, combinator::Crowd};

/// A message on its way.
type Delivery = (InstanceId, InboxMessage);

/// Everything that a cluster would hold.
pub(super) struct World {
    pub(super) registry: Registry,
    pub(super) mocks: BTreeMap<&'static str, Mock>,
    pub(super) keeps_alive: bool,
    pub(super) now: Timestamp,
    pub(super) instances: BTreeMap<InstanceId, Resident>,
    /// Every activity that was asked for, in order.
    pub(super) calls: Vec<(String, Payload)>,
    /// How many turns were run.
    pub(super) turns: u64,
    agenda: Agenda,
    /// Activities that run.
    tasks: Crowd<BoxFuture<'static, Delivery>>,
    /// Instances with something in their inbox, in the order in which it arrived.
    ready: VecDeque<InstanceId>,
    /// Events for instances that nobody has started yet.
    unseen: BTreeMap<InstanceId, Vec<EventRaised>>,
}

impl World {
    pub(super) fn new(registry: Registry, now: Timestamp) -> Self {
        Self {
            registry,
            mocks: BTreeMap::new(),
            keeps_alive: false,
            now,
            instances: BTreeMap::new(),
            calls: Vec::new(),
            turns: 0,
            agenda: Agenda::default(),
            tasks: Crowd::gather([]),
            ready: VecDeque::new(),
            unseen: BTreeMap::new(),
        }
    }

    /// Begins an instance; replaces one of the same id.
    pub(super) fn start(&mut self, start: Start) {
        let id = start.instance.clone();
        let mut resident = Resident::accept(start, self.now);
        let early = self.unseen.remove(&id).unwrap_or_default();
        early.into_iter().for_each(|event| resident.receive(InboxMessage::Raise(event)));
        self.instances.insert(id.clone(), resident);
        self.wake(&id);
    }

    /// Puts a message into an inbox; an event for an instance that nobody has seen is kept, anything else is lost.
    pub(super) fn deliver(&mut self, id: &InstanceId, message: InboxMessage) {
        match (self.instances.get_mut(id), message) {
            (Some(resident), message) => {
                resident.receive(message);
                self.wake(id);
            }
            (None, InboxMessage::Raise(event)) => self.unseen.entry(id.clone()).or_default().push(event),
            (None, _) => {}
        }
    }

    fn wake(&mut self, id: &InstanceId) {
        let Some(resident) = self.instances.get_mut(id) else { return };
        if !std::mem::replace(&mut resident.is_queued, true) {
            self.ready.push_back(id.clone());
        }
    }

    /// Does what needs no time to pass, if there is anything: one turn, or all messages that are there, which come into
    /// one batch as an owner takes them.
    pub(super) fn step(&mut self) -> bool {
        if let Some(id) = self.ready.pop_front() {
            self.turn(&id);
            return true;
        }
        let mut has_messages = false;
        while let Some((id, message)) = self.next_message() {
            self.deliver(&id, message);
            has_messages = true;
        }
        has_messages
    }

    /// Returns a timer that is due, or a reply that is there.
    fn next_message(&mut self) -> Option<Delivery> {
        let due = self.agenda.take_due(self.now);
        due.or_else(|| self.tasks.next().now_or_never().flatten().map(|(_, reply)| reply))
    }

    /// Waits for an activity that runs; `false` if none does.
    pub(super) fn poll_task(&mut self, cx: &mut task::Context<'_>) -> Poll<bool> {
        self.tasks.poll_next(cx).map(|ended| {
            let is_one = ended.is_some();
            if let Some((_, (id, message))) = ended {
                self.deliver(&id, message);
            }
            is_one
        })
    }

    /// Lets time pass until something happens, but not beyond `limit`. Returns whether something does.
    pub(super) fn pass_time(&mut self, limit: Timestamp) -> bool {
        let next = self.agenda.next().filter(|next| *next <= limit);
        self.now = next.unwrap_or(self.now).max(self.now);
        next.is_some()
    }

    fn turn(&mut self, id: &InstanceId) {
        let Some(resident) = self.instances.get_mut(id) else { return };
        resident.is_queued = false;
        let (execution, mut turn) = resident.turn(self.now, &self.registry, self.keeps_alive);
        self.turns += 1;
        self.keep_time(id, execution, &turn);
        if !turn.follow_up.is_empty() {
            self.wake(id);
        }
        for message in std::mem::take(&mut turn.messages) {
            self.send(message);
        }
    }

    fn keep_time(&mut self, id: &InstanceId, execution: ExecutionId, turn: &Turn) {
        if turn.timers_clear {
            self.agenda.clear_timers(id);
        }
        turn.timers_done.iter().for_each(|timer| self.agenda.cancel_timer(id, *timer));
        for timer in &turn.timers {
            self.agenda.put_timer(timer.fire_at, id, execution, timer.id);
        }
    }

    fn send(&mut self, message: Outgoing) {
        match message {
            Outgoing::WorkItem { instance, execution, task, .. } => self.work(instance, execution, task),
            Outgoing::ToPartition(PartitionMessage::ChildStart(start)) => self.start_child(start),
            Outgoing::ToPartition(PartitionMessage::ChildEnded { parent, outcome }) => {
                self.child_ended(parent, outcome)
            }
            Outgoing::ToPartition(PartitionMessage::Raise { instance, event }) => {
                self.deliver(&instance, InboxMessage::Raise(event));
            }
            Outgoing::ToPartition(PartitionMessage::Terminate { instance, parent, reason }) => {
                let is_its_child = self.instances.get(&instance).is_some_and(|it| it.record.parent == Some(parent));
                if is_its_child {
                    self.deliver(&instance, InboxMessage::Terminate { reason: Some(reason), recursive: true });
                }
            }
            // Nobody gives a reply queue here, and nothing travels apart.
            Outgoing::Outcome { .. } | Outgoing::ToPartition(PartitionMessage::Vanished { .. }) => {}
        }
    }

    /// Starts a child by the rules of an owner: its id must be free, or that of an earlier child (or
    /// attempt) of the same execution which has ended.
    fn start_child(&mut self, start: ChildStart) {
        let ChildStart { instance, started } = start;
        let Some(parent) = started.parent.clone() else { return };
        if let Some(existing) = self.instances.get(&instance) {
            let is_earlier_call = existing.record.parent.as_ref().is_some_and(|before| {
                (&before.instance, before.execution) == (&parent.instance, parent.execution)
                    && before.task < parent.task
            });
            if !(is_earlier_call && existing.record.status.is_terminal()) {
                let text = format!("the instance `{instance}` exists already; give the child another id");
                return self.child_ended(parent, Err(Failure::permanent(code::INSTANCE_EXISTS, text)));
            }
        }
        let (name, version, input) = (started.name, started.version, started.input);
        self.start(Start { instance, cause: ChildStart::cause(&parent), name, version, input, parent: Some(parent) });
    }

    fn child_ended(&mut self, parent: Parent, outcome: Outcome) {
        let Parent { instance, execution, task, attempt } = parent;
        self.deliver(&instance, InboxMessage::Child(ChildEnded { execution, task, attempt, outcome }));
    }

    /// Runs an activity: its mock if there is one, else the function that the registry serves.
    fn work(&mut self, instance: InstanceId, execution: ExecutionId, task: TaskScheduled) {
        let (id, attempt) = (task.id, task.attempt);
        let ended = move |outcome| InboxMessage::Task(TaskEnded { execution, task: id, attempt, outcome });
        self.calls.push((task.name.clone(), task.input.clone()));
        if let Some(mock) = self.mocks.get_mut(task.name.as_str()) {
            let mut outcome = (mock.function)(&task.input);
            let limit = task.timeouts.start_to_close_ms.map_or(Duration::MAX, Duration::from_millis);
            if limit < mock.takes {
                outcome = Err(Failure::new(code::START_TO_CLOSE, format!("the activity has run for {limit:?}")));
            }
            let answers_at = self.now.checked_add(mock.takes.min(limit)).unwrap_or(Timestamp::MAX);
            self.agenda.put(answers_at, instance, ended(outcome));
            return;
        }
        let ctx = ActivityContext::new(Task {
            instance: instance.clone(),
            execution,
            id,
            attempt,
            idempotency_key: format!("{execution}:{:04x}", task.first_attempt().0),
            queue: task.queue().to_owned(),
            token: format!("{instance}.{execution}.{id}.{attempt}"),
            reply_to: "test".into(),
            timeouts: task.timeouts,
            progress: task.progress,
            traceparent: None,
        });
        let running = self.registry.run_activity(&task.name, ctx, task.input);
        self.tasks.push(running.map(move |outcome| (instance, ended(outcome))).boxed());
    }
}
