//! What the owner knows of open tasks beyond their histories: rows of the store, and what it has heard since it began.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use warren_broker::{Attempt, Beat, Heartbeat};
use warren_model::{ActionId, AnswerTo, ExecutionId, InstanceId, Outgoing, Payload, Timeouts, Timestamp};
use warren_store::{TaskNote, TaskRun};

use super::batch::Work;

/// Which task: a later attempt of a call is another.
pub(super) type TaskKey = (InstanceId, ActionId);

/// A run that is over, but could not be settled, is looked at again after so long.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// Most bytes that are kept of what a heartbeat tells: they go on in a header.
const PROGRESS_BYTES_MAX: usize = 64 << 10;

/// Every note of a partition.
#[derive(Debug, Default)]
pub(super) struct TaskNotes {
    notes: BTreeMap<TaskKey, Note>,
    /// When the runs end unless their workers are heard of.
    due: BTreeSet<(Timestamp, TaskKey)>,
    /// How many of them are of runs.
    runs: usize,
}

/// One row, and what was heard.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) row: TaskNote,
    /// When its worker was last heard of; at first, when this owner began.
    pub(super) heard_at: Timestamp,
    /// When the activity itself was.
    beat_at: Timestamp,
    /// When another worker was delivered the same work item, and asked about it.
    pub(super) doubted_at: Option<Timestamp>,
    /// Where its worker can be told something.
    pub(super) answer_to: Option<AnswerTo>,
    /// Whether a reply has come: there is nothing left to cancel.
    pub(super) is_answered: bool,
    /// Whether a redispatch has left it out, as it ran: the broker may have no copy of its work item.
    pub(super) is_left_out: bool,
    due: Timestamp,
    /// Whether it is counted as one of a run.
    is_counted: bool,
}

/// How a run has come to its end without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its worker is silent: another one is to begin it.
    Lost,
    /// It has run for longer than it may.
    StartToClose,
    /// The activity has said nothing for longer than it may.
    Heartbeat,
}

impl TaskNotes {
    pub(super) fn new(rows: Vec<TaskNote>, now: Timestamp) -> Self {
        let mut notes = Self::default();
        rows.into_iter().for_each(|row| notes.keep(row, now));
        notes
    }

    /// Returns how many tasks run.
    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    /// Returns what is known of a task.
    pub(super) fn get(&self, instance: &InstanceId, task: ActionId) -> Option<&Note> {
        // Most tasks end within a second: what is asked of each reply must cost nothing.
        if self.notes.is_empty() {
            return None;
        }
        self.notes.get(&(instance.clone(), task))
    }

    pub(super) fn get_mut(&mut self, of: &Attempt) -> Option<&mut Note> {
        let note = self.notes.get_mut(&(of.instance.clone(), of.task))?;
        note.row.is_about(of.execution, of.attempt).then_some(note)
    }

    /// Returns what is known of an instance's tasks.
    pub(super) fn of(&self, instance: &InstanceId) -> impl Iterator<Item = &Note> {
        let ends = || (instance.clone(), ActionId(0))..=(instance.clone(), ActionId(u32::MAX));
        let found = (!self.notes.is_empty()).then(|| self.notes.range(ends()));
        found.into_iter().flatten().map(|(_, note)| note)
    }

    /// Returns whether nothing is known of any task.
    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// Returns whether a resume of the instance has a task to send again.
    pub(super) fn has_quarantined(&self, instance: &InstanceId) -> bool {
        self.of(instance).any(|note| note.row.quarantine.is_some())
    }

    /// Returns what is known of the task whose work item the message is.
    pub(super) fn of_message(&self, message: &Outgoing) -> Option<&Note> {
        let Outgoing::WorkItem { instance, execution, task, .. } = message else { return None };
        let note = self.get(instance, task.id)?;
        note.row.is_about(*execution, task.attempt).then_some(note)
    }

    /// Returns whether the message is the work item of a task that nobody may begin now: it is quarantined, or runs.
    pub(super) fn holds(&self, message: &Outgoing) -> bool {
        self.of_message(message).is_some_and(|note| note.row.quarantine.is_some() || note.row.run.is_some())
    }

    /// Notes that a redispatch leaves a message out, if it is the work item of a task that runs.
    pub(super) fn leave_out(&mut self, message: &Outgoing) {
        let Outgoing::WorkItem { instance, execution, task, .. } = message else { return };
        let of = Attempt { instance: instance.clone(), execution: *execution, task: task.id, attempt: task.attempt };
        if let Some(note) = self.get_mut(&of).filter(|note| note.row.run.is_some()) {
            note.is_left_out = true;
        }
    }

    /// Adds to a work item how far its task has come.
    pub(super) fn tell_progress(&self, message: &mut Outgoing) {
        let known = self.of_message(message).and_then(|note| note.row.progress.clone());
        if let (Outgoing::WorkItem { task, .. }, Some(progress)) = (message, known) {
            task.progress = Some(progress);
        }
    }

    /// Returns whether a worker has said that it runs the task.
    pub(super) fn has_begun(&self, instance: &InstanceId, execution: ExecutionId, task: ActionId) -> bool {
        let note = self.get(instance, task);
        note.is_some_and(|note| note.row.execution == execution && note.row.run.is_some())
    }

    /// Takes in that a worker is at it. `None`: that is news, and must be judged with the history. Else returns whether
    /// the row says something else than before.
    pub(super) fn hear(&mut self, heartbeat: &Heartbeat, now: Timestamp) -> Option<bool> {
        let note = self.get_mut(&heartbeat.of)?;
        let run = note.row.run.as_mut().filter(|run| !run.is_given_up())?;
        let before = (run.clone(), note.row.progress.clone());
        let beat = &heartbeat.beat;
        run.lease_ms = lease_ms(beat);
        run.is_handed_over |= beat.is_handed_over;
        if run.worker != heartbeat.worker && run.beside.as_ref() != Some(&heartbeat.worker) {
            run.beside = Some(std::mem::replace(&mut run.worker, heartbeat.worker.clone()));
        }
        note.heard(beat.is_workers, now);
        note.answer_to = heartbeat.answer_to.clone().or(note.answer_to.take());
        note.came_to(beat.progress.clone());
        let has_changed = note.row.run.as_ref() != Some(&before.0) || note.row.progress != before.1;
        self.watch(&(heartbeat.of.instance.clone(), heartbeat.of.task));
        Some(has_changed)
    }

    /// Writes down that a worker runs a task.
    pub(super) fn begin(&mut self, mut row: TaskNote, heartbeat: &Heartbeat, limits: Timeouts, now: Timestamp) {
        let Heartbeat { of, worker, beat, answer_to, .. } = heartbeat;
        row.run = Some(TaskRun {
            worker: worker.clone(),
            beside: None,
            started_at: now,
            lease_ms: lease_ms(beat),
            is_handed_over: beat.is_handed_over,
            timeouts: limits,
        });
        self.keep(row, now);
        if let Some(note) = self.get_mut(of) {
            note.heard(false, now);
            note.answer_to.clone_from(answer_to);
            note.came_to(beat.progress.clone());
        }
        self.watch(&(of.instance.clone(), of.task));
    }

    /// Writes a row.
    pub(super) fn put(&mut self, row: TaskNote, now: Timestamp, work: &mut Work) {
        work.commit.task_notes.push(row.clone());
        self.keep(row, now);
    }

    /// Writes the row of a task again, if there is still one.
    pub(super) fn write(&self, key: &TaskKey, work: &mut Work) {
        work.commit.task_notes.extend(self.notes.get(key).map(|note| note.row.clone()));
    }

    /// Removes a row, if there is one.
    pub(super) fn remove(&mut self, instance: &InstanceId, task: ActionId, work: &mut Work) -> Option<Note> {
        let key = (instance.clone(), task);
        let note = self.notes.remove(&key);
        if let Some(note) = &note {
            self.due.remove(&(note.due, key.clone()));
            self.runs -= usize::from(note.is_counted);
        }
        work.commit.task_notes_done.push(key);
        note
    }

    /// Returns when the next run ends unless its worker is heard of.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Returns a run that has come to its end, and how. It is looked at again after a while, unless it is settled.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(TaskNote, End)> {
        let (_, key) = self.due.first().filter(|(at, _)| *at <= now)?.clone();
        let note = self.notes.get_mut(&key)?;
        let end = note.ends().into_iter().min_by_key(|(at, _)| *at);
        let (row, end) = (note.row.clone(), end.map_or(End::Lost, |(_, end)| end));
        self.set_due(&key, now + LOOK_AGAIN);
        Some((row, end))
    }

    /// Looks at a run again at the next opportunity.
    pub(super) fn look_soon(&mut self, row: &TaskNote, now: Timestamp) {
        self.set_due(&(row.instance.clone(), row.id), now + SignedDuration::from_millis(50));
    }

    fn keep(&mut self, row: TaskNote, now: Timestamp) {
        let key = (row.instance.clone(), row.id);
        match self.notes.get_mut(&key).filter(|note| note.row.is_about(row.execution, row.attempt)) {
            Some(note) => note.row = row,
            None => {
                let note = Note {
                    row,
                    heard_at: now,
                    beat_at: now,
                    doubted_at: None,
                    answer_to: None,
                    is_answered: false,
                    is_left_out: false,
                    due: Timestamp::MAX,
                    is_counted: false,
                };
                if let Some(before) = self.notes.insert(key.clone(), note) {
                    self.due.remove(&(before.due, key.clone()));
                    self.runs -= usize::from(before.is_counted);
                }
            }
        }
        self.watch(&key);
    }

    /// Computes anew when a run ends.
    pub(super) fn watch(&mut self, key: &TaskKey) {
        let Some(note) = self.notes.get_mut(key) else { return };
        let was_counted = std::mem::replace(&mut note.is_counted, note.row.run.is_some());
        self.runs = self.runs + usize::from(note.is_counted) - usize::from(was_counted);
        let at = note.ends().into_iter().map(|(at, _)| at).min().unwrap_or(Timestamp::MAX);
        self.set_due(key, at);
    }

    fn set_due(&mut self, key: &TaskKey, at: Timestamp) {
        let Some(note) = self.notes.get_mut(key) else { return };
        let before = std::mem::replace(&mut note.due, at);
        self.due.remove(&(before, key.clone()));
        if at < Timestamp::MAX {
            self.due.insert((at, key.clone()));
        }
    }
}

impl Note {
    fn heard(&mut self, is_workers: bool, now: Timestamp) {
        self.heard_at = now;
        if !is_workers {
            self.beat_at = now;
        }
    }

    /// Notes that a worker has given the task up; returns whether another one still runs it, whose lease goes on.
    pub(super) fn is_left_to_another(&mut self, worker: Option<&str>) -> bool {
        let Some(run) = &mut self.row.run else { return false };
        if worker.is_some() && worker == run.beside.as_deref() {
            run.beside = None;
            return true;
        }
        let Some(other) = run.beside.take() else { return false };
        run.worker = other;
        true
    }

    /// Notes how far the activity has come.
    pub(super) fn came_to(&mut self, progress: Option<Payload>) {
        match progress {
            Some(progress) if progress.size() > PROGRESS_BYTES_MAX => {
                let (instance, task, bytes) = (&self.row.instance, self.row.id, progress.size());
                tracing::warn!(%instance, %task, bytes, max = PROGRESS_BYTES_MAX, "progress of a heartbeat is too large, and not kept");
            }
            Some(progress) => self.row.progress = Some(progress),
            None => {}
        }
    }

    /// Returns what may end the run, and when.
    fn ends(&self) -> Vec<(Timestamp, End)> {
        let Some(run) = &self.row.run else { return Vec::new() };
        let Timeouts { start_to_close_ms, heartbeat_ms, .. } = run.timeouts;
        let lease = run.lease_ms.filter(|_| !run.is_handed_over);
        let ends = [
            (start_to_close_ms, run.started_at, End::StartToClose),
            (heartbeat_ms, self.beat_at, End::Heartbeat),
            (lease, self.heard_at, End::Lost),
        ];
        ends.into_iter().filter_map(|(limit, from, end)| Some((Timeouts::after(from, limit?), end))).collect()
    }
}

fn lease_ms(beat: &Beat) -> Option<u64> {
    beat.lease.map(|lease| u64::try_from(lease.as_millis()).unwrap_or(u64::MAX))
}
