//! The second half of a turn: what is recorded, sent and kept.

use std::collections::BTreeSet;

use warren_model::{
    Action, ActionId, ClosePolicy, Condition, ConditionKind, Event, EventRaised, ExecutionCompleted,
    ExecutionContinued, ExecutionId, ExecutionStarted, Failure, InboxMessage, Outcome, Outgoing, Payload, Status,
    TaskEnded, TerminateSent, TimerCreated, TurnRecord, code, execution_id,
};

use crate::{Instance, Limits, Progress, Reaction, Sender, TurnRequest, Verdict, instance::Open, messages};

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
    /// Whether no timer of the instance is left.
    pub timers_clear: bool,
    /// Messages that the instance sends itself: keep them as pending and run them in a later batch.
    pub follow_up: Vec<InboxMessage>,
    /// Set if the instance goes on under another execution.
    pub continued: Option<Continuation>,
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
/// it panicked), the turn did not happen: its inputs are held and the instance is parked with the reason.
pub fn finish(instance: &mut Instance, request: TurnRequest, reaction: Option<Reaction>, limits: &Limits) -> Turn {
    let execution = instance.record.execution;
    let mut ending = Ending { instance, limits, events: request.events, turn: Turn::default() };
    ending.turn.verdicts = request.verdicts;
    let parked = match reaction.as_ref().map(|r| &r.progress) {
        Some(Progress::Stuck { message }) => Some((ConditionKind::Stuck, message.clone())),
        Some(Progress::Panicked { message }) => Some((ConditionKind::Panicked, message.clone())),
        Some(Progress::Waiting | Progress::Ended(_) | Progress::ContinuedAsNew { .. }) | None => None,
    };
    ending.instance.record.status = request.status;
    match parked {
        Some((kind, message)) => ending.park(kind, message, &request.lifecycle),
        None => ending.run(reaction, request.terminated.map(|t| (t.reason, t.recursive))),
    }
    if !ending.events.is_empty() {
        ending.instance.record.updated_at = request.now;
    }
    ending.record(execution)
}

struct Ending<'a> {
    instance: &'a mut Instance,
    limits: &'a Limits,
    events: Vec<Event>,
    turn: Turn,
}

impl Ending<'_> {
    /// Undoes the turn but for suspend and resume, and says why the instance can't go on.
    fn park(&mut self, kind: ConditionKind, message: String, lifecycle: &BTreeSet<usize>) {
        self.instance.park(kind, message);
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

    fn run(&mut self, reaction: Option<Reaction>, terminated: Option<(Option<String>, bool)>) {
        for event in &self.events {
            if let Event::TimerFired { id } = event {
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
            self.end();
        }
        let Some(reaction) = reaction else { return };
        if self.instance.record.status == Status::Pending {
            self.instance.record.status = Status::Running;
        }
        reaction.actions.into_iter().for_each(|action| self.act(action));
        match reaction.progress {
            Progress::Ended(outcome) => self.complete(outcome),
            Progress::ContinuedAsNew { input, carried } => self.continue_as_new(input, carried),
            Progress::Waiting | Progress::Stuck { .. } | Progress::Panicked { .. } => {}
        }
    }

    fn act(&mut self, action: Action) {
        match &action {
            Action::ScheduleTask(task) if task.input.size() > self.limits.payload_bytes => {
                let outcome = Err(self.too_large("the input of a task", &task.input));
                let execution = self.instance.record.execution;
                let ended = TaskEnded { execution, task: task.id, attempt: task.attempt, outcome };
                self.turn.follow_up.push(InboxMessage::Task(ended));
            }
            Action::CreateTimer(timer) => self.turn.timers.push(timer.clone()),
            Action::CancelTimer { id } => match self.turn.timers.iter().position(|timer| timer.id == *id) {
                Some(at) => drop(self.turn.timers.swap_remove(at)),
                None => self.turn.timers_done.push(*id),
            },
            Action::SetCustomStatus(status) => self.instance.record.custom_status = Some(status.clone()),
            Action::ScheduleTask(_) | Action::StartChild(_) | Action::SendEvent(_) => {}
        }
        if let Some(event) = action.into_event() {
            self.instance.note(&event);
            self.events.push(event);
        }
    }

    fn too_large(&self, what: &str, payload: &Payload) -> Failure {
        let (size, max) = (payload.size(), self.limits.payload_bytes);
        Failure::permanent(
            code::PAYLOAD_TOO_LARGE,
            format!(
                "{what} has {size} bytes, at most {max} are allowed: pass a reference, or raise payload_megabytes_max"
            ),
        )
    }

    fn complete(&mut self, outcome: Outcome) {
        let outcome = match outcome {
            Ok(result) if result.size() > self.limits.payload_bytes => Err(self.too_large("the result", &result)),
            Ok(_) | Err(_) => outcome,
        };
        self.instance.record.status = if outcome.is_ok() { Status::Completed } else { Status::Failed };
        self.close_children(&format!("parent {} has ended", self.instance.record.id));
        self.events.push(Event::ExecutionCompleted(ExecutionCompleted { outcome }));
        self.end();
    }

    /// Tells the open children that go with their parent (H13).
    fn close_children(&mut self, reason: &str) {
        for (id, open) in &self.instance.open {
            if let Open::Child { attempt, instance, close: ClosePolicy::Terminate } = open {
                let (instance, reason) = (instance.clone(), reason.to_owned());
                self.events.push(Event::TerminateSent(TerminateSent { id: *id, attempt: *attempt, instance, reason }));
            }
        }
    }

    fn continue_as_new(&mut self, input: Payload, carried: Vec<EventRaised>) {
        if input.size() > self.limits.payload_bytes {
            let failure = self.too_large("the input of continue-as-new", &input);
            return self.complete(Err(failure));
        }
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
            traceparent: None,
        };
        let cause = record.start_id.clone();
        self.turn.follow_up = vec![InboxMessage::Start { execution: to, cause, started }];
        self.turn.follow_up.extend(carried.into_iter().map(InboxMessage::Raise));
        self.turn.continued = Some(Continuation { from, to });
        self.end();
    }

    fn end(&mut self) {
        self.instance.open.clear();
        self.instance.begun = false;
        self.turn.timers.clear();
        self.turn.timers_done.clear();
        self.turn.timers_clear = true;
    }

    /// Encodes the turn, counts it, and derives its messages.
    fn record(self, execution: ExecutionId) -> Turn {
        let Self { instance, limits, events, mut turn } = self;
        let record = &mut instance.record;
        if events.is_empty() {
            return turn;
        }
        turn.messages = messages(&Sender::of(record, execution), &events, limits.payload_bytes);
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
fn over_limit(record: &warren_model::InstanceRecord, limits: &Limits) -> Option<Condition> {
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
