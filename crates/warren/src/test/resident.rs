//! An instance as the hub keeps it, and its turns.

use std::{collections::BTreeMap, thread};

use tracing::dispatcher;
use warren_engine::{Instance, Limits, Live, Turn, Verdict};
use warren_model::{
    Event, ExecutionId, ExecutionStarted, Failure, InboxMessage, InstanceId, InstanceRecord, MessageId, Outcome,
    Parent, Payload, Timestamp, TurnRecord, code, execution_id,
};

use crate::Registry;

/// One instance: the row and the history that a store would hold, and the messages that a broker would.
pub(super) struct Resident {
    pub(super) record: InstanceRecord,
    /// The turns of each execution; the present one is the last.
    pub(super) executions: Vec<Vec<TurnRecord>>,
    /// Held by the engine until the instance can run.
    pending: Vec<InboxMessage>,
    fresh: Vec<InboxMessage>,
    /// Whether it is in the hub's queue of those that run next.
    pub(super) is_queued: bool,
    /// Its program, where the hub keeps it alive.
    live: Option<Live>,
}

/// What a start says.
pub(super) struct Start {
    pub(super) instance: InstanceId,
    pub(super) cause: MessageId,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) input: Payload,
    pub(super) parent: Option<Parent>,
}

impl Resident {
    /// Returns an instance with its start in the inbox.
    pub(super) fn accept(start: Start, now: Timestamp) -> Self {
        let execution = execution_id(&start.instance, start.cause.as_str());
        let started = ExecutionStarted {
            name: start.name,
            version: start.version,
            input: start.input,
            parent: start.parent,
            answer_to: None,
            tags: BTreeMap::new(),
            traceparent: None,
        };
        let record = Instance::accept(start.instance, execution, start.cause.clone(), &started, now).record;
        let fresh = vec![InboxMessage::Start { execution, cause: start.cause, started }];
        Self { record, executions: vec![Vec::new()], pending: Vec::new(), fresh, is_queued: false, live: None }
    }

    pub(super) fn receive(&mut self, message: InboxMessage) {
        self.fresh.push(message);
    }

    /// Returns the events of the present or last execution.
    pub(super) fn history(&self) -> impl Iterator<Item = &Event> {
        self.executions.last().into_iter().flatten().flat_map(|turn| &turn.events)
    }

    /// Returns how the instance ended, if it has.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.history().find_map(|event| {
            if let Event::ExecutionCompleted(completed) = event {
                return Some(completed.outcome.clone());
            }
            let Event::ExecutionTerminated(terminated) = event else { return None };
            let reason = terminated.reason.as_deref().unwrap_or("terminated");
            Some(Err(Failure::permanent(code::TERMINATED, reason)))
        })
    }

    /// Runs one turn with whatever has arrived. Returns the execution it ran under and what is to be done; messages
    /// that the instance sends itself are in its inbox already.
    pub(super) fn turn(&mut self, now: Timestamp, registry: &Registry, keeps_alive: bool) -> (ExecutionId, Turn) {
        let (pending, fresh) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.fresh));
        let execution = self.record.execution;
        let turn = if keeps_alive {
            self.turn_alive(&pending, &fresh, now, registry)
        } else {
            self.turn_rebuilt(&pending, &fresh, now, registry)
        };
        let held = turn.verdicts.iter().map(|verdict| *verdict == Verdict::Held);
        self.pending = pending.into_iter().chain(fresh).zip(held).filter_map(|(m, held)| held.then_some(m)).collect();
        self.pending.extend(turn.follow_up.iter().cloned());
        if let Some(recorded) = &turn.recorded {
            let record = serde_json::from_str(&recorded.body).expect("a recorded turn can be read");
            self.executions.last_mut().expect("an instance has an execution").push(record);
        }
        if turn.continued.is_some() {
            self.executions.push(Vec::new());
        }
        (execution, turn)
    }

    /// Rebuilds the program by replay, on a thread that knows no runtime, and forgets it after the turn.
    fn turn_rebuilt(
        &mut self,
        pending: &[InboxMessage],
        fresh: &[InboxMessage],
        now: Timestamp,
        registry: &Registry,
    ) -> Turn {
        let (record, turns) = (self.record.clone(), self.executions.last().map_or(&[][..], Vec::as_slice));
        let (record, turn) = on_plain_thread(|| {
            let mut live = Live::load(record, turns, registry, &Limits::default(), false);
            let turn = live.turn(pending, fresh, now, registry, &Limits::default());
            (live.instance.record, turn)
        });
        self.record = record;
        turn
    }

    fn turn_alive(
        &mut self,
        pending: &[InboxMessage],
        fresh: &[InboxMessage],
        now: Timestamp,
        registry: &Registry,
    ) -> Turn {
        let load = || {
            let turns = self.executions.last().map_or(&[][..], Vec::as_slice);
            Live::load(self.record.clone(), turns, registry, &Limits::default(), false)
        };
        let mut live = self.live.take().filter(|live| !live.is_spent()).unwrap_or_else(load);
        let turn = live.turn(pending, fresh, now, registry, &Limits::default());
        self.record = live.instance.record.clone();
        self.live = Some(live);
        turn
    }

    /// Forgets the live program, as a deployment does.
    pub(super) fn evict(&mut self) {
        self.live = None;
    }
}

/// Runs `f` on a fresh thread, with this thread's subscriber.
fn on_plain_thread<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let dispatch = dispatcher::get_default(Clone::clone);
    thread::scope(|scope| {
        let running = scope.spawn(move || dispatcher::with_default(&dispatch, f));
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
