//! Work items that may have taken a worker down (H18): a worker asks before it begins one that has come again.
//!
//! While all goes well nobody asks and nothing is counted. A worker's question is judged against the history with all
//! that has arrived before it. What nobody waits for any more is dropped: its reply was taken, so to run it would be to
//! run it twice (H8). What is open is counted before the worker may begin; what was counted before is begun with nothing
//! beside it, so that the guilty one strikes alone. At the limit the task is quarantined: no worker begins it, whatever
//! the broker still delivers, until somebody resumes its instance; or it fails, if the settings say so. The instance goes
//! on meanwhile with all else that it waits for.
//!
//! A count goes with its task. The broker's count would not do: it counts all that was prefetched by a worker that died.

use std::collections::BTreeMap;

use warren_broker::{Begin, Permit};
use warren_engine::{Instance, Programs, Sender, messages};
use warren_model::{ActionId, ConditionKind, Failure, InboxMessage, InstanceId, Outgoing, TaskEnded, code};
use warren_store::{LoadedInstance, OutboxEntry, OutboxTurn, SuspectTask};

use super::{Owner, batch::Work};

/// How many names of workers are kept, for whoever looks for their logs.
const WORKERS_KEPT: usize = 5;

/// Open tasks that workers were let begin again.
#[derive(Debug)]
pub(super) struct SuspectTasks(BTreeMap<(InstanceId, ActionId), SuspectTask>);

/// A quarantined task that is sent again.
#[derive(Debug)]
pub(super) struct Redriven {
    instance: InstanceId,
    /// The turn that asked for it.
    turn: u32,
    message: Outgoing,
}

impl SuspectTasks {
    pub(super) fn new(rows: Vec<SuspectTask>) -> Self {
        Self(rows.into_iter().map(|row| ((row.instance.clone(), row.id), row)).collect())
    }

    fn of(&self, instance: &InstanceId) -> impl Iterator<Item = &SuspectTask> {
        let (first, last) = ((instance.clone(), ActionId(0)), (instance.clone(), ActionId(u32::MAX)));
        self.0.range(first..=last).map(|(_, row)| row)
    }

    /// Returns whether a resume of the instance has a task to send again.
    pub(super) fn has_quarantined(&self, instance: &InstanceId) -> bool {
        self.of(instance).any(|row| row.quarantine.is_some())
    }

    /// Returns whether the message is the work item of a quarantined task.
    pub(super) fn holds(&self, message: &Outgoing) -> bool {
        let Outgoing::WorkItem { instance, execution, task, .. } = message else { return false };
        let row = self.0.get(&(instance.clone(), task.id)).filter(|row| row.quarantine.is_some());
        row.is_some_and(|row| (row.execution, row.attempt) == (*execution, task.attempt))
    }

    /// Writes a row.
    fn put(&mut self, row: SuspectTask, work: &mut Work) {
        work.commit.suspect_tasks.push(row.clone());
        self.0.insert((row.instance.clone(), row.id), row);
    }

    /// Removes a row, if there is one.
    fn remove(&mut self, instance: &InstanceId, task: ActionId, work: &mut Work) {
        let key = (instance.clone(), task);
        self.0.remove(&key);
        work.commit.suspect_tasks_done.push(key);
    }
}

impl<P: Programs> Owner<P> {
    /// Tells a worker whether it may begin a work item, once what the batch says about its task is in the history.
    pub(super) fn answer_begin(&mut self, question: &Begin, work: &mut Work) {
        let permit = self.permit(question, work);
        tracing::debug!(
            partition = %self.me, instance = %question.instance, task = %question.task, worker = question.worker,
            ?permit, "worker asks whether it may begin a work item that has come again"
        );
        work.answers.push(self.codec.permit(question, permit));
    }

    fn permit(&mut self, question: &Begin, work: &mut Work) -> Permit {
        let Begin { instance, execution, task, attempt, .. } = question;
        let Some(is_awaited) = self.awaits(question) else {
            return Permit::Go; // nobody can tell whether the task is open: as if the worker had not asked
        };
        let row = self.suspect_tasks.0.get(&(instance.clone(), *task)).cloned();
        let (known, other): (Option<SuspectTask>, Option<SuspectTask>) = match row {
            Some(row) if (row.execution, row.attempt) == (*execution, *attempt) => (Some(row), None),
            other => (None, other),
        };
        if !is_awaited || known.as_ref().is_some_and(|row| row.quarantine.is_some()) {
            // An owner that was replaced meanwhile must not say so: hence a commit, which is fenced.
            match known.filter(|_| is_awaited).or(other) {
                Some(row) => self.suspect_tasks.put(row, work),
                None => self.suspect_tasks.remove(instance, *task, work),
            }
            return Permit::Drop;
        }
        let row = known.unwrap_or_else(|| first(question));
        if row.asked == question.id.as_str() {
            Permit::Go // the answer was lost
        } else if row.count >= self.settings.begins_max {
            self.quarantine_task(row, work)
        } else if row.count > 0 && !question.is_alone {
            Permit::Alone
        } else {
            self.suspect_tasks.put(counted(row, question), work);
            Permit::Go
        }
    }

    /// Returns whether somebody waits for the reply; `None` if what is stored does not tell.
    fn awaits(&self, question: &Begin) -> Option<bool> {
        let Begin { instance, execution, task, attempt, .. } = question;
        if self.trouble(instance).is_some() {
            return None;
        }
        let Some(slot) = self.cache.get(instance) else { return Some(false) };
        let Some(live) = &slot.live else { return Some(false) };
        let condition = live.instance.record.condition.as_ref().map(|condition| condition.kind);
        if condition == Some(ConditionKind::Corrupt) {
            return None;
        }
        let is_its_reply = |message: &InboxMessage| match message {
            InboxMessage::Task(ended) => (ended.execution, ended.task, ended.attempt) == (*execution, *task, *attempt),
            InboxMessage::Start { .. }
            | InboxMessage::Child(_)
            | InboxMessage::Timer { .. }
            | InboxMessage::Raise(_)
            | InboxMessage::Terminate { .. }
            | InboxMessage::Suspend { .. }
            | InboxMessage::Resume { .. } => false,
        };
        let is_open = live.instance.has_open_task(*execution, *task, *attempt);
        Some(is_open && !slot.pending.iter().any(is_its_reply))
    }

    /// Lets no worker begin a task any more; or fails it, if the settings say so.
    fn quarantine_task(&mut self, mut row: SuspectTask, work: &mut Work) -> Permit {
        let SuspectTask { instance, execution, id, attempt, activity, count, workers, .. } = &row;
        let reason = format!(
            "activity {activity} was begun {count} times by workers that ended, or lost their connection, before they \
             answered (the last: {})",
            workers.join(", ")
        );
        tracing::error!(partition = %self.me, %instance, task = %id, reason, "task is quarantined");
        if self.settings.fails_quarantined {
            let outcome =
                Err(Failure::permanent(code::QUARANTINED, format!("{reason}: mend the cause, then try again")));
            let ended = TaskEnded { execution: *execution, task: *id, attempt: *attempt, outcome };
            let instance = instance.clone();
            self.hold(&instance, InboxMessage::Task(ended), None, work);
            self.ready.insert(instance);
        } else {
            row.quarantine = Some(format!("{reason}: mend the cause, then resume the instance to send it again"));
            self.suspect_tasks.put(row, work);
        }
        Permit::Drop
    }

    /// Forgets the counts of an instance's tasks that have ended.
    pub(super) fn absolve_tasks(&mut self, instance: &InstanceId, work: &mut Work) {
        let live = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
        let Some(live) = live.map(|live| &live.instance) else { return };
        let condition = live.record.condition.as_ref().map(|condition| condition.kind);
        if condition == Some(ConditionKind::Corrupt) && !live.record.status.is_terminal() {
            return; // nobody can tell what is open
        }
        let is_over = |row: &&SuspectTask| !live.has_open_task(row.execution, row.id, row.attempt);
        let over: Vec<ActionId> = self.suspect_tasks.of(instance).filter(is_over).map(|row| row.id).collect();
        over.into_iter().for_each(|task| self.suspect_tasks.remove(instance, task, work));
    }

    /// Returns the work items of an instance's quarantined tasks, which a resume sends again.
    pub(super) fn redriven(&self, loaded: &LoadedInstance) -> Vec<Redriven> {
        let (Some(record), Ok(turns)) = (&loaded.record, &loaded.turns) else { return Vec::new() };
        let sender = Sender::restore(record, turns);
        let mut redriven = Vec::new();
        for (turn, recorded) in (0..).zip(turns) {
            let sent = messages(&sender, &recorded.events, usize::MAX)
                .into_iter()
                .filter(|message| self.suspect_tasks.holds(message));
            redriven.extend(sent.map(|message| Redriven { instance: loaded.id.clone(), turn, message }));
        }
        redriven
    }

    /// Sends a quarantined task again under its old token, and counts from nothing. A crash before the broker has it sends
    /// all work items of its turn again: the others are known for what they are.
    pub(super) fn redrive(&mut self, redriven: Redriven, work: &mut Work) {
        let Redriven { instance, turn, message } = redriven;
        let Outgoing::WorkItem { execution, task, .. } = &message else { return };
        let live = self.cache.get(&instance).and_then(|slot| slot.live.as_ref());
        let is_open = |instance: &&Instance| instance.has_open_task(*execution, task.id, task.attempt);
        let Some(trace) = live.map(|live| &live.instance).filter(is_open).map(|instance| instance.trace) else {
            return;
        };
        let Ok(publication) = self.codec.outgoing(&message, self.me, None) else { return };
        tracing::info!(partition = %self.me, %instance, task = %task.id, "quarantined task is sent again");
        work.tracked.push((work.entries.len(), publication));
        work.entries.push(OutboxEntry::Turn(OutboxTurn {
            instance: instance.clone(),
            execution: *execution,
            turn,
            sequences: Vec::new(),
            parent: None,
            answer_to: None,
            payload_max: None,
            traceparent: trace.map(|trace| trace.to_string()),
            only_words: false,
        }));
        self.suspect_tasks.remove(&instance, task.id, work);
    }
}

/// Returns the row of a task that was never counted.
fn first(question: &Begin) -> SuspectTask {
    SuspectTask {
        instance: question.instance.clone(),
        execution: question.execution,
        id: question.task,
        attempt: question.attempt,
        activity: question.activity.clone(),
        count: 0,
        asked: String::new(),
        workers: Vec::new(),
        quarantine: None,
    }
}

/// Returns the row with one beginning more.
fn counted(mut row: SuspectTask, question: &Begin) -> SuspectTask {
    row.count += 1;
    row.asked = question.id.as_str().into();
    row.workers.push(question.worker.clone());
    let surplus = row.workers.len().saturating_sub(WORKERS_KEPT);
    row.workers.drain(..surplus);
    row
}
