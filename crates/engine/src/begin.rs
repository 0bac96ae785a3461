//! The first half of a turn: what of an inbox counts.

use std::collections::{BTreeSet, VecDeque};

use warren_model::{
    ActionId, Event, EventRaised, ExecutionId, ExecutionTerminated, Failure, InboxMessage, Lifecycle,
    OrchestratorStarted, Status, Timestamp, code,
};

use crate::{Instance, instance::Open, weight};

/// Most inputs of one turn; the rest is held and comes in the next. As many as the largest batch has, so that only what
/// waits for a resume is ever cut.
pub(crate) const TURN_INPUTS_MAX: usize = 10_000;
/// Most bytes that the inputs of one turn may have, the last of them not counted: a turn is one row of the store.
pub(crate) const TURN_INPUT_BYTES_MAX: usize = 32 << 20;

/// What becomes of an inbox message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is part of the turn.
    Taken,
    /// The instance can't run now: keep the message, in order, and offer it again.
    Held,
    /// It does not count (a duplicate, a late reply, …): forget it. Says why.
    Ignored(&'static str),
}

impl Verdict {
    /// What becomes of every message for an instance that has ended.
    pub const ENDED: Self = Self::Ignored("the instance has ended");
    /// What becomes of every message for another execution than the present one.
    pub(crate) const ELSEWHERE: Self = Self::Ignored(OTHER_EXECUTION);
}

const OTHER_EXECUTION: &str = "it belongs to another execution";

/// A turn that waits for its program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRequest {
    /// What the program is told; empty if it need not run.
    pub inputs: Vec<Event>,
    /// What becomes of each message: first the pending ones, then the fresh ones.
    pub verdicts: Vec<Verdict>,
    pub(crate) events: Vec<Event>,
    pub(crate) now: Timestamp,
    pub(crate) status: Status,
    pub(crate) lifecycle: BTreeSet<usize>,
    pub(crate) terminated: Option<ExecutionTerminated>,
    /// Events that are held although the program runs: should it continue as new, they go along.
    pub(crate) held: Vec<(usize, EventRaised)>,
}

/// Decides which messages count for `instance` at `now`, in which order.
///
/// `pending` are the messages that were held before, `fresh` those that have just arrived; pending ones come first once
/// the instance can run. Terminate, suspend and resume act at once, whatever the instance's condition (H20). What is more
/// than one turn should take is held.
pub fn begin(instance: &Instance, pending: &[InboxMessage], fresh: &[InboxMessage], now: Timestamp) -> TurnRequest {
    let mut turn = Beginning::new(instance, pending.len() + fresh.len(), now);
    let message = |at: usize| pending.get(at).unwrap_or_else(|| &fresh[at - pending.len()]);
    let mut waiting: VecDeque<usize> = (0..pending.len()).collect();
    turn.drain(&mut waiting, message);
    for at in pending.len()..pending.len() + fresh.len() {
        if turn.lifecycle(at, message(at)) {
            turn.drain(&mut waiting, message);
        } else {
            waiting.push_back(at);
            turn.drain(&mut waiting, message);
        }
    }
    turn.close(waiting, message)
}

struct Beginning<'a> {
    instance: &'a Instance,
    request: TurnRequest,
    closed: BTreeSet<ActionId>,
    started: bool,
    /// How many inputs there are, and how many bytes they have.
    taken: (usize, usize),
}

impl<'a> Beginning<'a> {
    fn new(instance: &'a Instance, messages: usize, now: Timestamp) -> Self {
        let request = TurnRequest {
            inputs: Vec::new(),
            verdicts: vec![Verdict::Held; messages],
            events: Vec::new(),
            now: now.max(instance.record.updated_at),
            status: instance.record.status,
            lifecycle: BTreeSet::new(),
            terminated: None,
            held: Vec::new(),
        };
        Self { instance, request, closed: BTreeSet::new(), started: instance.begun, taken: (0, 0) }
    }

    fn can_run(&self) -> bool {
        self.instance.record.condition.is_none() && matches!(self.request.status, Status::Pending | Status::Running)
    }

    fn has_room(&self) -> bool {
        self.taken.0 < TURN_INPUTS_MAX && self.taken.1 < TURN_INPUT_BYTES_MAX
    }

    /// Takes waiting messages for as long as the instance can run.
    fn drain<'m>(&mut self, waiting: &mut VecDeque<usize>, message: impl Fn(usize) -> &'m InboxMessage) {
        while self.can_run() && self.has_room() {
            let Some(at) = waiting.pop_front() else { break };
            self.request.verdicts[at] = match self.input(message(at)) {
                Ok(event) => {
                    self.taken = (self.taken.0 + 1, self.taken.1 + weight::of_input(&event));
                    self.request.events.push(event);
                    Verdict::Taken
                }
                Err(why) => Verdict::Ignored(why),
            };
        }
    }

    /// Handles terminate, suspend and resume; returns whether the message was one.
    fn lifecycle(&mut self, at: usize, message: &InboxMessage) -> bool {
        let ended = self.request.status.is_terminal();
        let verdict = match message {
            InboxMessage::Terminate { .. } | InboxMessage::Suspend { .. } | InboxMessage::Resume { .. } if ended => {
                Verdict::ENDED
            }
            InboxMessage::Terminate { reason, recursive } => {
                let terminated = ExecutionTerminated { reason: reason.clone(), recursive: *recursive };
                self.request.status = Status::Terminated;
                self.request.terminated = Some(terminated.clone());
                self.request.events.push(Event::ExecutionTerminated(terminated));
                Verdict::Taken
            }
            InboxMessage::Suspend { .. } if self.request.status == Status::Suspended => {
                Verdict::Ignored("the instance is suspended already")
            }
            InboxMessage::Suspend { reason } => {
                self.request.status = Status::Suspended;
                self.request.events.push(Event::ExecutionSuspended(Lifecycle { reason: reason.clone() }));
                Verdict::Taken
            }
            InboxMessage::Resume { reason } if self.request.status == Status::Suspended => {
                self.request.status = if self.started { Status::Running } else { Status::Pending };
                self.request.events.push(Event::ExecutionResumed(Lifecycle { reason: reason.clone() }));
                Verdict::Taken
            }
            InboxMessage::Resume { .. } => Verdict::Ignored("the instance is not suspended"),
            InboxMessage::Start { .. }
            | InboxMessage::Task(_)
            | InboxMessage::Child(_)
            | InboxMessage::Timer { .. }
            | InboxMessage::Raise(_) => return false,
        };
        self.request.verdicts[at] = verdict;
        self.request.lifecycle.insert(at);
        true
    }

    /// Returns the event that a message is to the program, or why it does not count (H1, H8, H12, H19).
    fn input(&mut self, message: &InboxMessage) -> Result<Event, &'static str> {
        match message {
            InboxMessage::Start { execution, started, .. } => {
                if self.started || *execution != self.instance.record.execution {
                    return Err("the execution has begun already");
                }
                self.started = true;
                let version = self.instance.record.version.clone();
                Ok(Event::ExecutionStarted(warren_model::ExecutionStarted { version, ..started.clone() }))
            }
            InboxMessage::Task(ended) => {
                let (id, outcome) = (ended.task, ended.outcome.clone());
                self.take(ended.execution, id, |open| open.is_task(ended.attempt))?;
                Ok(match outcome {
                    Ok(result) => Event::TaskCompleted { id, result },
                    Err(failure) => Event::TaskFailed { id, failure },
                })
            }
            InboxMessage::Child(ended) => {
                let (id, outcome) = (ended.task, ended.outcome.clone());
                self.take(
                    ended.execution,
                    id,
                    |open| matches!(open, Open::Child { attempt, .. } if *attempt == ended.attempt),
                )?;
                Ok(match outcome {
                    Ok(result) => Event::SubOrchestrationInstanceCompleted { id, result },
                    Err(failure) => Event::SubOrchestrationInstanceFailed { id, failure },
                })
            }
            InboxMessage::Timer { execution, id } => {
                let is_timed = |open: &Open| *open == Open::Timer || open.is_timed_task();
                self.take(*execution, *id, is_timed)?;
                Ok(match self.instance.open.get(id) {
                    Some(Open::Task { .. }) => Event::TaskFailed { id: *id, failure: not_begun() },
                    Some(Open::Timer | Open::Child { .. }) | None => Event::TimerFired { id: *id },
                })
            }
            InboxMessage::Raise(event) => Ok(Event::EventRaised(event.clone())),
            InboxMessage::Terminate { .. } | InboxMessage::Suspend { .. } | InboxMessage::Resume { .. } => {
                Err("lifecycle messages are never held")
            }
        }
    }

    /// Closes an open action of the present execution, once.
    fn take(
        &mut self,
        execution: ExecutionId,
        id: ActionId,
        is_it: impl Fn(&Open) -> bool,
    ) -> Result<(), &'static str> {
        if execution != self.instance.record.execution {
            return Err(OTHER_EXECUTION);
        }
        match self.instance.open.get(&id) {
            Some(open) if is_it(open) && self.closed.insert(id) => Ok(()),
            Some(_) | None => Err("nobody waits for it"),
        }
    }

    fn close<'m>(mut self, waiting: VecDeque<usize>, message: impl Fn(usize) -> &'m InboxMessage) -> TurnRequest {
        if self.request.status.is_terminal() {
            waiting.iter().for_each(|at| self.request.verdicts[*at] = Verdict::ENDED);
        }
        let mut request = self.request;
        if request.events.is_empty() {
            return request;
        }
        let started = Event::OrchestratorStarted(OrchestratorStarted { at: request.now });
        if request.terminated.is_none() && request.events.iter().any(Event::is_input) {
            let inputs = request.events.iter().filter(|event| event.is_input()).cloned();
            request.inputs = std::iter::once(started.clone()).chain(inputs).collect();
            let raised =
                |at| if let InboxMessage::Raise(event) = message(at) { Some((at, event.clone())) } else { None };
            request.held = waiting.into_iter().filter_map(raised).collect();
        }
        request.events.insert(0, started);
        request
    }
}

/// Returns why a task has failed that no worker began in time.
fn not_begun() -> Failure {
    let message = "no worker began the activity in time: is one up that serves its queue, and has it slots free?";
    Failure::permanent(code::SCHEDULE_TO_START, message)
}

#[cfg(test)]
#[path = "begin_test.rs"]
mod test;
