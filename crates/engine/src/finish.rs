//! The second half of a turn: what is recorded, sent and kept.

use std::collections::BTreeSet;

use warren_model::{
    Action, ActionId, ChildEnded, ClosePolicy, Condition, ConditionKind, Event, EventRaised, ExecutionCompleted,
    ExecutionContinued, ExecutionId, ExecutionStarted, Failure, InboxMessage, Outcome, Outgoing, Payload, Status,
    TaskEnded, TaskScheduled, TerminateSent, Timeouts, TimerCreated, Timestamp, TurnRecord, execution_id,
};

use crate::{Instance, Limits, Progress, Reaction, Sender, TurnRequest, Verdict, instance::Open, messages, weight};

/// Most bytes that the actions of one turn may have: a turn is one row of the store, which refuses a much larger one.
const TURN_ACTION_BYTES_MAX: usize = 256 << 20;
/// How much of a reason the children of an instance are told: there may be very many of them, and each gets a copy.
const REASON_CHARS_MAX: usize = 1_000;

/// What a turn changed. The instance's row is changed in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// What to append to history; `None` if nothing happened.
    pub recorded: Option<Recorded>,
    /// What to send once it is committed, rebuilt from `recorded` by [`messages`].
    pub messages: Vec<Outgoing>,
    /// What becomes of each message: first the pending ones, then the fresh ones.
    pub verdicts: Vec<Verdict>,
    /// Timers that were created and not cancelled in the same turn.
    pub timers: Vec<TimerCreated>,
    /// Timers that fired or were cancelled.
    pub timers_done: Vec<ActionId>,
    /// Whether the timers that the instance may have are to go.
    pub timers_clear: bool,
    /// Messages that the instance sends itself: keep them as pending and run them in a later batch.
    pub follow_up: Vec<InboxMessage>,
    /// Set if the instance goes on under another execution.
    pub continued: Option<Continuation>,
    /// Whether the program ran and the turn did not happen: it must be brought back by replay.
    pub is_undone: bool,
}

/// One turn as history gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The execution it belongs to.
    pub execution: ExecutionId,
    /// Its number in the execution, from 0.
    pub turn: u32,
    /// Its events.
    pub events: Vec<Event>,
    /// The JSON of its [`TurnRecord`].
    pub body: String,
}

/// A change of execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// The execution that is over.
    pub from: ExecutionId,
    /// The execution that begins.
    pub to: ExecutionId,
}

/// Folds what the program did into `instance` and returns what follows from it.
///
/// `reaction` is `None` if the program did not run (`request.inputs` is empty). If the program can't go on (it is stuck,
/// it panicked, it asks for more than a row can hold), the turn did not happen: its inputs are held and the instance is
/// parked with the reason.
pub fn finish(instance: &mut Instance, request: TurnRequest, reaction: Option<Reaction>, limits: &Limits) -> Turn {
    let execution = instance.record.execution;
    let parked = reaction.as_ref().and_then(why_parked);
    let (now, events) = (request.now, request.events);
    let mut ending = Ending { instance, limits, now, events, created: BTreeSet::new(), turn: Turn::default() };
    ending.turn.verdicts = request.verdicts;
    ending.instance.record.status = request.status;
    match parked {
        Some((kind, message)) => ending.park(kind, message, &request.lifecycle),
        None => ending.run(reaction, request.terminated.map(|t| (t.reason, t.recursive)), request.held),
    }
    if !ending.events.is_empty() {
        ending.instance.record.updated_at = now;
    }
    ending.record(execution)
}

/// Returns why a reaction can't be recorded.
fn why_parked(reaction: &Reaction) -> Option<(ConditionKind, String)> {
    match &reaction.progress {
        Progress::Stuck { message } => return Some((ConditionKind::Stuck, message.clone())),
        Progress::Panicked { message } => return Some((ConditionKind::Panicked, message.clone())),
        Progress::Waiting | Progress::Ended(_) | Progress::ContinuedAsNew { .. } => {}
    }
    let bytes: usize = reaction.actions.iter().map(weight::of_action).sum();
    if bytes <= TURN_ACTION_BYTES_MAX {
        return None;
    }
    let message = format!(
        "in one turn it asks for {} actions with {bytes} bytes, at most {TURN_ACTION_BYTES_MAX} are allowed: await some \
         of them before it asks for more, or pass references; then resume it",
        reaction.actions.len()
    );
    Some((ConditionKind::HistoryLimit, message))
}

struct Ending<'a> {
    instance: &'a mut Instance,
    limits: &'a Limits,
    now: Timestamp,
    events: Vec<Event>,
    /// Timers that this very turn has created and not cancelled.
    created: BTreeSet<ActionId>,
    turn: Turn,
}

impl Ending<'_> {
    /// Undoes the turn but for suspend and resume, and says why the instance can't go on.
    fn park(&mut self, kind: ConditionKind, message: String, lifecycle: &BTreeSet<usize>) {
        self.instance.park(kind, message);
        self.turn.is_undone = true;
        let is_input = |event: &Event| event.is_input() && !matches!(event, Event::OrchestratorStarted(_));
        self.events.retain(|event| !is_input(event));
        if self.events.len() == 1 {
            self.events.clear();
        }
        for (at, verdict) in self.turn.verdicts.iter_mut().enumerate() {
            if *verdict == Verdict::Taken && !lifecycle.contains(&at) {
                *verdict = Verdict::Held;
            }
        }
    }

    fn run(
        &mut self,
        reaction: Option<Reaction>,
        terminated: Option<(Option<String>, bool)>,
        held: Vec<(usize, EventRaised)>,
    ) {
        for event in &self.events {
            if let Event::TimerFired { id } | Event::TaskCompleted { id, .. } | Event::TaskFailed { id, .. } = event
                && (matches!(event, Event::TimerFired { .. }) || self.instance.is_timed(*id))
            {
                self.turn.timers_done.push(*id);
            }
            if !matches!(event, Event::ExecutionTerminated(_)) {
                self.instance.note(event);
            }
        }
        if let Some((reason, recursive)) = terminated {
            let reason = reason.unwrap_or_else(|| "terminated".into());
            if recursive {
                self.close_children(&format!("parent {} was terminated: {reason}", self.instance.record.id));
            }
            self.end(Status::Terminated);
        }
        let Some(reaction) = reaction else { return };
        if self.instance.record.status == Status::Pending {
            self.instance.record.status = Status::Running;
        }
        let unsendable = reaction.actions.iter().find_map(|action| self.unsendable(action));
        reaction.actions.into_iter().for_each(|action| self.act(action));
        match (unsendable, reaction.progress) {
            (Some(failure), _) => self.complete(Err(failure)),
            (None, Progress::Ended(outcome)) => self.complete(outcome),
            (None, Progress::ContinuedAsNew { input, carried }) => self.continue_as_new(input, carried, held),
            (None, Progress::Waiting | Progress::Stuck { .. } | Progress::Panicked { .. }) => {}
        }
        let created = &self.created;
        self.turn.timers.retain(|timer| created.contains(&timer.id));
    }

    /// Returns why an action that nobody answers can't be carried out; it ends the execution, for nobody else would know.
    fn unsendable(&self, action: &Action) -> Option<Failure> {
        match action {
            Action::SendEvent(event) if event.input.size() > self.limits.payload_bytes => Some(
                self.limits.too_large(&format!("event {:?} for {}", event.name, event.instance), event.input.size()),
            ),
            Action::SendEvent(_)
            | Action::ScheduleTask(_)
            | Action::CancelTask { .. }
            | Action::CreateTimer(_)
            | Action::CancelTimer { .. }
            | Action::StartChild(_)
            | Action::SetCustomStatus(_) => None,
        }
    }

    fn act(&mut self, action: Action) {
        let (execution, max) = (self.instance.record.execution, self.limits.payload_bytes);
        match &action {
            Action::ScheduleTask(task) if task.input.size() > max => {
                let outcome = Err(self.limits.too_large("the input of a task", task.input.size()));
                let ended = TaskEnded { execution, task: task.id, attempt: task.attempt, outcome };
                self.turn.follow_up.push(InboxMessage::Task(ended));
            }
            Action::StartChild(child) if child.input.size() > max => {
                let outcome = Err(self.limits.too_large("the input of a child", child.input.size()));
                let ended = ChildEnded { execution, task: child.id, attempt: child.attempt, outcome };
                self.turn.follow_up.push(InboxMessage::Child(ended));
            }
            Action::CreateTimer(timer) => {
                self.created.insert(timer.id);
                self.turn.timers.push(timer.clone());
            }
            Action::CancelTimer { id } => {
                if !self.created.remove(id) {
                    self.turn.timers_done.push(*id);
                }
            }
            Action::CancelTask { id } => {
                let is_timed = self.instance.is_timed(*id);
                if is_timed && !self.created.remove(id) {
                    self.turn.timers_done.push(*id);
                }
                // A failure of its own making (its input is too large) is nobody's any more.
                self.turn
                    .follow_up
                    .retain(|message| !matches!(message, InboxMessage::Task(ended) if ended.task == *id));
            }
            Action::ScheduleTask(TaskScheduled { id, timeouts, .. }) => {
                if let Some(wait) = timeouts.schedule_to_start_ms {
                    let fire_at = Timeouts::after(self.now, wait);
                    self.created.insert(*id);
                    self.turn.timers.push(TimerCreated { id: *id, fire_at });
                }
            }
            Action::SetCustomStatus(status) => self.instance.record.custom_status = Some(status.clone()),
            Action::StartChild(_) | Action::SendEvent(_) => {}
        }
        if let Some(event) = action.into_event() {
            self.instance.note(&event);
            self.events.push(event);
        }
    }

    fn complete(&mut self, outcome: Outcome) {
        let outcome = self.limits.bound("the result", outcome);
        self.close_children(&format!("parent {} has ended", self.instance.record.id));
        self.end(if outcome.is_ok() { Status::Completed } else { Status::Failed });
        self.events.push(Event::ExecutionCompleted(ExecutionCompleted { outcome }));
    }

    /// Tells the open children that go with their parent (H13).
    fn close_children(&mut self, reason: &str) {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        for (id, open) in &self.instance.open {
            if let Open::Child { attempt, instance, close: ClosePolicy::Terminate } = open {
                let (instance, reason) = (instance.clone(), reason.clone());
                self.events.push(Event::TerminateSent(TerminateSent { id: *id, attempt: *attempt, instance, reason }));
            }
        }
    }

    /// Ends the execution; another follows it with the input, the events that were carried over, and those that are held.
    fn continue_as_new(&mut self, input: Payload, carried: Vec<EventRaised>, held: Vec<(usize, EventRaised)>) {
        if input.size() > self.limits.payload_bytes {
            let failure = self.limits.too_large("the input of continue-as-new", input.size());
            return self.complete(Err(failure));
        }
        self.close();
        let record = &mut self.instance.record;
        let from = record.execution;
        let to = execution_id(&record.id, &from.to_string());
        self.events.push(Event::ContinueAsNew(ExecutionContinued { input: input.clone(), execution: to }));
        let started = ExecutionStarted {
            name: record.name.clone(),
            version: record.version.clone(),
            input,
            parent: record.parent.clone(),
            answer_to: record.answer_to.clone(),
            tags: record.tags.clone(),
            traceparent: self.instance.trace.map(|trace| trace.to_string()),
        };
        let cause = record.start_id.clone();
        self.turn.follow_up.push(InboxMessage::Start { execution: to, cause, started });
        self.turn.follow_up.extend(carried.into_iter().map(InboxMessage::Raise));
        for (at, event) in held {
            self.turn.verdicts[at] = Verdict::Taken;
            self.turn.follow_up.push(InboxMessage::Raise(event));
        }
        // What is held else (replies, timers) is of the execution that is over.
        self.ignore_held(Verdict::ELSEWHERE);
        self.turn.continued = Some(Continuation { from, to });
    }

    /// Ends the instance: nothing keeps it from going on any more, and nothing is kept for it.
    fn end(&mut self, status: Status) {
        self.close();
        self.instance.record.status = status;
        self.instance.record.condition = None;
        self.ignore_held(Verdict::ENDED);
    }

    fn ignore_held(&mut self, verdict: Verdict) {
        self.turn.verdicts.iter_mut().filter(|held| **held == Verdict::Held).for_each(|held| *held = verdict);
    }

    /// Forgets what the execution waits for.
    fn close(&mut self) {
        self.instance.open.clear();
        self.instance.begun = false;
        self.turn.timers.clear();
        self.turn.timers_done.clear();
        // Most have none, and to look for them would cost each as much as its row.
        self.turn.timers_clear = std::mem::take(&mut self.instance.has_timers);
        self.turn.follow_up.clear();
    }

    /// Encodes the turn, counts it, and derives its messages.
    fn record(self, execution: ExecutionId) -> Turn {
        let Self { instance, limits, events, mut turn, .. } = self;
        let record = &mut instance.record;
        if events.is_empty() {
            return turn;
        }
        turn.messages = messages(&Sender::of(record, execution, instance.trace), &events, limits.payload_bytes);
        let row = TurnRecord::new(events);
        let body = serde_json::to_string(&row).expect("events hold nothing that JSON can't");
        let number = record.turn;
        record.turn += 1;
        record.history_events += row.events.len() as u64;
        record.history_bytes += body.len() as u64;
        if let Some(continued) = &turn.continued {
            (record.execution, record.turn, record.history_events, record.history_bytes) = (continued.to, 0, 0, 0);
        }
        if !record.status.is_terminal() && record.condition.is_none() {
            record.condition = over_limit(record, limits);
        }
        turn.recorded = Some(Recorded { execution, turn: number, events: row.events, body });
        turn
    }
}

/// Parks an instance whose history is too long; never ends it (H18).
pub(crate) fn over_limit(record: &warren_model::InstanceRecord, limits: &Limits) -> Option<Condition> {
    let (events, bytes) = (record.history_events, record.history_bytes);
    if events <= limits.history_events && bytes <= limits.history_bytes {
        return None;
    }
    let message = format!(
        "its history has {events} events in {bytes} bytes, over the limit of {} events and {} bytes: let the \
         orchestrator continue as new, or raise history_events_max and history_megabytes_max; then resume it",
        limits.history_events, limits.history_bytes
    );
    Some(Condition { kind: ConditionKind::HistoryLimit, message, details: None })
}

#[cfg(test)]
#[path = "finish_test.rs"]
mod test;
