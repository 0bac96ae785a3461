//! One execution, as its committed turns tell it.

use std::collections::{BTreeMap, BTreeSet};

use warren_model::{ActionId, Event, InstanceId, Outcome, Timestamp, TurnRecord};

/// What an execution waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Task { attempt: u32 },
    Child { attempt: u32, instance: InstanceId },
    Timer { fire_at: Timestamp },
}

/// What is known of an execution.
#[derive(Debug, Default)]
pub(crate) struct Execution {
    /// How many turns it has.
    pub(crate) turns: u32,
    pub(crate) has_begun: bool,
    pub(crate) open: BTreeMap<ActionId, Open>,
    /// The turn in which each action was asked for.
    pub(crate) asked_in: BTreeMap<ActionId, u32>,
    /// Every attempt that was ever asked for.
    pub(crate) tasks: BTreeSet<(ActionId, u32)>,
    /// Events that it was given, by the number that they carry.
    raised: BTreeSet<i64>,
    /// Timers that fired and tasks that ended in the present turn: its code may cancel them before it hears of that.
    ended: BTreeSet<ActionId>,
    /// How it ended; `None` for continue-as-new.
    pub(crate) end: Option<Option<Outcome>>,
    pub(crate) now: Option<Timestamp>,
}

impl Execution {
    /// Takes the next turn; fails if it can't follow.
    pub(crate) fn take(&mut self, turn: &TurnRecord) -> Result<(), (&'static str, String)> {
        if self.end.is_some() {
            return Err(("quiet", "a turn follows the end of the execution".into()));
        }
        self.turns += 1;
        self.ended.clear();
        turn.events.iter().try_for_each(|event| self.event(event))
    }

    fn event(&mut self, event: &Event) -> Result<(), (&'static str, String)> {
        if self.end.is_some() && !matches!(event, Event::TerminateSent(_)) {
            return Err(("quiet", format!("{} follows the end of the execution", event.name())));
        }
        match event {
            Event::OrchestratorStarted(started) => self.begin_turn(started.at)?,
            Event::ExecutionStarted(_) => {
                if std::mem::replace(&mut self.has_begun, true) {
                    return Err(("once", "the execution begins twice".into()));
                }
            }
            Event::TaskScheduled(task) => {
                self.tasks.insert((task.id, task.attempt));
                self.open(task.id, Open::Task { attempt: task.attempt })?;
            }
            Event::SubOrchestrationInstanceCreated(child) => {
                let open = Open::Child { attempt: child.attempt, instance: child.instance.clone() };
                self.open(child.id, open)?;
            }
            Event::TimerCreated(timer) => self.open(timer.id, Open::Timer { fire_at: timer.fire_at })?,
            Event::TaskCompleted { id, .. } | Event::TaskFailed { id, .. } => {
                self.close(*id, event, |open| matches!(open, Open::Task { .. }))?;
                self.ended.insert(*id);
            }
            Event::SubOrchestrationInstanceCompleted { id, .. } | Event::SubOrchestrationInstanceFailed { id, .. } => {
                self.close(*id, event, |open| matches!(open, Open::Child { .. }))?;
            }
            Event::TimerFired { id } => {
                let now = self.now;
                if let Some(Open::Timer { fire_at }) = self.open.get(id)
                    && now.is_none_or(|now| now < *fire_at)
                {
                    return Err(("timers", format!("timer {id} fires at {now:?} and is due at {fire_at}")));
                }
                self.close(*id, event, |open| matches!(open, Open::Timer { .. }))?;
                self.ended.insert(*id);
            }
            Event::TimerCanceled { id } | Event::TaskCanceled { id } if self.ended.contains(id) => {}
            Event::TaskCanceled { id } => self.close(*id, event, |open| matches!(open, Open::Task { .. }))?,
            Event::TimerCanceled { id } => self.close(*id, event, |open| matches!(open, Open::Timer { .. }))?,
            Event::EventRaised(raised) => {
                if let Some(value) = super::number(raised.input.as_str().as_bytes())
                    && !self.raised.insert(value)
                {
                    return Err(("once", format!("event {} {value} is raised twice", raised.name)));
                }
            }
            Event::ExecutionCompleted(completed) => self.end = Some(Some(completed.outcome.clone())),
            Event::ExecutionTerminated(terminated) => {
                let reason = terminated.reason.clone().unwrap_or_else(|| "terminated".into());
                let failure = warren_model::Failure::permanent(warren_model::code::TERMINATED, reason);
                self.end = Some(Some(Err(failure)));
            }
            Event::ContinueAsNew(_) => self.end = Some(None),
            Event::EventSent(_)
            | Event::ExecutionSuspended(_)
            | Event::ExecutionResumed(_)
            | Event::TerminateSent(_) => {}
        }
        Ok(())
    }

    fn begin_turn(&mut self, at: Timestamp) -> Result<(), (&'static str, String)> {
        if self.now.is_some_and(|before| at < before) {
            return Err(("history", format!("time goes back to {at}")));
        }
        self.now = Some(at);
        Ok(())
    }

    fn open(&mut self, id: ActionId, open: Open) -> Result<(), (&'static str, String)> {
        self.asked_in.insert(id, self.turns - 1);
        match self.open.insert(id, open) {
            None => Ok(()),
            Some(before) => Err(("history", format!("action {id} is open already: {before:?}"))),
        }
    }

    fn close(
        &mut self,
        id: ActionId,
        event: &Event,
        is_it: impl Fn(&Open) -> bool,
    ) -> Result<(), (&'static str, String)> {
        match self.open.remove(&id) {
            Some(open) if is_it(&open) => Ok(()),
            Some(_) | None => Err(("once", format!("{} of action {id}, for which nobody waits", event.name()))),
        }
    }
}
