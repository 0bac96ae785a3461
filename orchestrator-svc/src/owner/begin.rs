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

use warren_broker::{Begin, Permit};
use warren_engine::{Instance, Programs, Sender, messages};
use warren_model::{ConditionKind, Failure, InboxMessage, InstanceId, Outgoing, TaskEnded, code};
use warren_store::{LoadedInstance, OutboxEntry, OutboxTurn, TaskNote};

use super::{Owner, batch::Work, gather::Gathered, notes::Note, runs::note_of};

/// How many names of workers are kept, for whoever looks for their logs.
const WORKERS_KEPT: usize = 5;

/// A quarantined task that is sent again.
#[derive(Debug)]
pub(super) struct Redriven {
    instance: InstanceId,
    /// The turn that asked for it.
    turn: u32,
    message: Outgoing,
}

impl<P: Programs> Owner<P> {
    /// Tells a worker whether it may begin a work item, once what the batch says about its task is in the history.
    pub(super) fn answer_begin(&mut self, question: &Begin, work: &mut Work) {
        let permit = self.permit(question, work);
        tracing::debug!(
            partition = %self.me, instance = %question.of.instance, task = %question.of.task, worker = question.worker,
            ?permit, "worker asks whether it may begin a work item that has come again"
        );
        let note = self.task_notes.get_mut(&question.of).filter(|_| permit == Permit::Go);
        let progress = note.and_then(|note| note.row.progress.clone());
        work.answers.push(self.codec.permit(question, permit, progress.as_ref()));
    }

    fn permit(&mut self, question: &Begin, work: &mut Work) -> Permit {
        let Begin { of, activity, .. } = question;
        let Some(is_awaited) = self.awaits(of) else {
            return Permit::Go; // nobody can tell whether the task is open: as if the worker had not asked
        };
        let row = self.task_notes.get(&of.instance, of.task).map(|note| note.row.clone());
        let (known, other): (Option<TaskNote>, Option<TaskNote>) = match row {
            Some(row) if row.is_about(of.execution, of.attempt) => (Some(row), None),
            other => (None, other),
        };
        if !is_awaited || known.as_ref().is_some_and(|row| row.quarantine.is_some()) {
            // An owner that was replaced meanwhile must not say so: hence a commit, which is fenced.
            match known.filter(|_| is_awaited).or(other) {
                Some(row) => self.task_notes.put(row, self.now, work),
                None => drop(self.task_notes.remove(&of.instance, of.task, work)),
            }
            return Permit::Drop;
        }
        if known.as_ref().is_some_and(|row| row.run.is_some())
            && let Some(permit) = self.doubt(of, work)
        {
            return permit;
        }
        let row = TaskNote { run: None, ..known.unwrap_or_else(|| note_of(of, activity)) };
        if row.asked == question.id.as_str() {
            Permit::Go // the answer was lost
        } else if row.is_handed_back {
            let asked = question.id.as_str().into();
            self.task_notes.put(TaskNote { is_handed_back: false, asked, ..row }, self.now, work);
            Permit::Go
        } else if row.count >= self.settings.begins_max {
            self.quarantine_task(row, work)
        } else if row.count > 0 && !question.is_alone {
            Permit::Alone
        } else {
            self.task_notes.put(counted(row, question), self.now, work);
            Permit::Go
        }
    }

    /// Lets no worker begin a task any more; or fails it, if the settings say so.
    pub(super) fn quarantine_task(&mut self, mut row: TaskNote, work: &mut Work) -> Permit {
        let TaskNote { instance, execution, id, attempt, activity, count, workers, .. } = &row;
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
            row.run = None;
            self.task_notes.put(row, self.now, work);
        }
        Permit::Drop
    }

    /// Forgets what is known of an instance's tasks that have ended.
    pub(super) fn absolve_tasks(&mut self, instance: &InstanceId, work: &mut Work) {
        let live = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
        let Some(live) = live.map(|live| &live.instance) else { return };
        let condition = live.record.condition.as_ref().map(|condition| condition.kind);
        if condition == Some(ConditionKind::Corrupt) && !live.record.status.is_terminal() {
            return; // nobody can tell what is open
        }
        let rows = self.task_notes.of(instance).map(|note| &note.row);
        let is_over = |row: &&TaskNote| !live.has_open_task(row.execution, row.id, row.attempt);
        let over: Vec<TaskNote> = rows.filter(is_over).cloned().collect();
        over.iter().for_each(|row| self.cancel_run(row, work));
    }

    /// Returns the work items of an instance's tasks that are sent again: quarantined ones by a resume, and those whose
    /// workers were lost.
    pub(super) fn redriven(&self, loaded: &LoadedInstance, gathered: &Gathered) -> Vec<Redriven> {
        let resumed = gathered.resumed.contains(&loaded.id);
        if !resumed && gathered.lost_runs.is_empty() {
            return Vec::new(); // as a rule: whoever is only read must not pay for its whole history
        }
        let is_sent = |note: &Note| {
            let is_lost = gathered.lost_runs.contains(&(loaded.id.clone(), note.row.id));
            is_lost || (resumed && note.row.quarantine.is_some())
        };
        let (Some(record), Ok(turns)) = (&loaded.record, &loaded.turns) else { return Vec::new() };
        let sender = Sender::restore(record, turns);
        let mut redriven = Vec::new();
        for (turn, recorded) in (0..).zip(turns) {
            let sent = messages(&sender, &recorded.events, usize::MAX)
                .into_iter()
                .filter(|message| self.task_notes.of_message(message).is_some_and(is_sent));
            redriven.extend(sent.map(|message| Redriven { instance: loaded.id.clone(), turn, message }));
        }
        redriven
    }

    /// Sends a task again under its old token; one that was quarantined is counted from nothing. A crash before the broker
    /// has it sends all work items of its turn again: the others are known for what they are.
    pub(super) fn redrive(&mut self, redriven: Redriven, work: &mut Work) {
        let Redriven { instance, turn, mut message } = redriven;
        self.task_notes.tell_progress(&mut message);
        let Outgoing::WorkItem { execution, task, .. } = &message else { return };
        let live = self.cache.get(&instance).and_then(|slot| slot.live.as_ref());
        let is_open = |instance: &&Instance| instance.has_open_task(*execution, task.id, task.attempt);
        let Some(trace) = live.map(|live| &live.instance).filter(is_open).map(|instance| instance.trace) else {
            return;
        };
        let Some(row) = self.task_notes.get(&instance, task.id).map(|note| note.row.clone()) else { return };
        let (execution, id) = (*execution, task.id);
        let row = match row.quarantine {
            Some(_) => None,
            None => match self.sent_after_loss(row, work) {
                Some(row) => Some(row),
                None => return,
            },
        };
        let Ok(publication) = self.codec.outgoing(&message, self.me, None) else { return };
        tracing::info!(partition = %self.me, %instance, task = %id, "task is sent again");
        work.tracked.push((work.entries.len(), publication));
        work.entries.push(OutboxEntry::Turn(OutboxTurn {
            instance: instance.clone(),
            execution,
            turn,
            sequences: Vec::new(),
            parent: None,
            answer_to: None,
            payload_max: None,
            traceparent: trace.map(|trace| trace.to_string()),
            only_words: false,
        }));
        match row {
            Some(row) => self.task_notes.put(row, self.now, work),
            None => drop(self.task_notes.remove(&instance, id, work)),
        }
    }
}

/// Returns the row with one beginning more.
fn counted(mut row: TaskNote, question: &Begin) -> TaskNote {
    row.count += 1;
    row.asked = question.id.as_str().into();
    row.workers.push(question.worker.clone());
    let surplus = row.workers.len().saturating_sub(WORKERS_KEPT);
    row.workers.drain(..surplus);
    row
}
