//! Activities that run for long: who runs them, until when that counts, and what follows if nobody is heard of (H7).
//!
//! A worker says when it has run an activity for a second (at once, if its call has limits), and then every few seconds.
//! The first word is written down, with a lease: from then on the work item may be acknowledged, for the owner itself
//! sends it again if the worker falls silent. What is delivered again while its worker lives is dropped. So an activity
//! may run for longer than the broker would leave its delivery unacknowledged, and is not begun twice when a broker
//! restarts. A heartbeat without news is not written down; an owner that follows another gives every run its whole lease.
//!
//! A call's limits are judged here too: a run that breaks one ends as if its worker had replied with the failure.

use jiff::SignedDuration;
use warren_broker::{Attempt, HandBack, Heartbeat, Permit};
use warren_engine::Programs;
use warren_model::{ConditionKind, Failure, InboxMessage, InstanceId, TaskEnded, Timeouts, code};
use warren_store::TaskNote;

use super::{
    Owner,
    batch::Work,
    gather::{Gathered, Item},
    notes::End,
};

/// How long the worker that runs something has to be heard of, once its work item has come to another one: if it has only
/// lost its connection it is back by then.
const DOUBT: SignedDuration = SignedDuration::from_secs(3);

impl<P: Programs> Owner<P> {
    /// Takes a heartbeat: of a run that is known, or as something to judge after the turns.
    pub(super) fn heartbeat(&mut self, heartbeat: Heartbeat, gathered: &mut Gathered) {
        match self.task_notes.hear(&heartbeat, self.now) {
            Some(has_changed) => {
                if has_changed {
                    gathered.noted.push((heartbeat.of.instance.clone(), heartbeat.of.task));
                }
                let Heartbeat { answer_to, id, .. } = &heartbeat;
                gathered.answers.extend(answer_to.as_ref().map(|to| self.codec.held(to, id.as_ref())));
            }
            None => gathered.items.push(Item::Heartbeat(Box::new(heartbeat))),
        }
    }

    /// Writes down that a worker runs a task, or tells it that nobody waits for that.
    pub(super) fn begin_run(&mut self, heartbeat: &Heartbeat, work: &mut Work) {
        let Heartbeat { of, activity, answer_to, .. } = heartbeat;
        let Some(is_awaited) = self.awaits(of) else { return }; // nobody can tell: it will say so again
        let known = self.task_notes.get(&of.instance, of.task).map(|note| note.row.clone());
        if !is_awaited {
            // An owner that was replaced meanwhile must not say so: hence a commit, which is fenced.
            match known {
                Some(row) => self.task_notes.put(row, self.now, work),
                None => drop(self.task_notes.remove(&of.instance, of.task, work)),
            }
            work.answers.extend(answer_to.as_ref().map(|to| self.codec.cancel(to)));
            return;
        }
        let known = known.filter(|row| row.is_about(of.execution, of.attempt));
        if known.as_ref().is_some_and(|row| row.quarantine.is_some()) {
            return; // begun before that: its reply still counts
        }
        let row = known.unwrap_or_else(|| note_of(of, activity));
        let limits = self.limits_of(of);
        tracing::debug!(
            partition = %self.me, instance = %of.instance, task = %of.task, worker = heartbeat.worker, "task runs"
        );
        self.task_notes.begin(row, heartbeat, limits, self.now);
        self.task_notes.write(&(of.instance.clone(), of.task), work);
        work.answers.extend(answer_to.as_ref().map(|to| self.codec.held(to, heartbeat.id.as_ref())));
    }

    /// A worker stops before it has done it: somebody else begins it, and nobody is blamed.
    pub(super) fn handed_back(&mut self, word: HandBack, gathered: &mut Gathered) {
        let HandBack { of, worker, must_resend, progress } = word;
        let Some(note) = self.task_notes.get_mut(&of) else { return };
        if note.is_left_to_another(worker.as_deref()) {
            return gathered.noted.push((of.instance, of.task));
        }
        let Some(run) = &mut note.row.run else { return };
        tracing::info!(
            partition = %self.me, instance = %of.instance, task = %of.task, worker = run.worker, "task is handed back"
        );
        self.counts.has_ended_run("handed_back");
        // If its work item is acknowledged, the lease is over at once, and must be so for the next owner too.
        run.lease_ms = Some(0);
        // Of what a redispatch has left out the broker may have no copy, whatever its worker believes: one that was frozen
        // when its channel was closed does not know yet.
        if !must_resend && !note.is_left_out {
            note.row.run = None;
        }
        note.row.is_handed_back = true;
        (note.doubted_at, note.answer_to) = (None, None);
        note.came_to(progress);
        let key = (of.instance, of.task);
        self.task_notes.watch(&key);
        gathered.noted.push(key);
    }

    /// Judges runs that have come to their end without a reply.
    pub(super) fn end_runs(&mut self, max: usize, gathered: &mut Gathered) {
        for _ in 0..max {
            let Some((row, end)) = self.task_notes.take_due(self.now) else { return };
            let limits = row.run.as_ref().map(|run| run.timeouts).unwrap_or_default();
            let (code, why, what, limit) = match end {
                End::Lost => {
                    self.lose_run(row, gathered);
                    continue;
                }
                End::StartToClose => {
                    (code::START_TO_CLOSE, "start_to_close", "has run for longer than", limits.start_to_close_ms)
                }
                End::Heartbeat => (code::HEARTBEAT, "heartbeat", "has said nothing for", limits.heartbeat_ms),
            };
            self.counts.has_ended_run(why);
            let TaskNote { instance, execution, id, attempt, activity, run, .. } = row;
            let (worker, limit) = (run.map(|run| run.worker).unwrap_or_default(), limit.unwrap_or_default());
            tracing::warn!(partition = %self.me, %instance, task = %id, activity, ?end, "task ran out of time");
            let outcome = Err(Failure::new(code, format!("activity {activity} on {worker} {what} {limit} ms")));
            gathered.items.push(Item::Reply { instance, ended: TaskEnded { execution, task: id, attempt, outcome } });
        }
    }

    /// Its worker is silent: the work item is sent again, rebuilt from the turn that asked for it.
    fn lose_run(&mut self, row: TaskNote, gathered: &mut Gathered) {
        let slot = self.cache.get(&row.instance);
        if slot.is_some_and(|slot| slot.touched > self.committed) {
            return self.task_notes.look_soon(&row, self.now); // what the store holds is not all yet
        }
        self.cache.remove(&row.instance);
        gathered.lost_runs.insert((row.instance.clone(), row.id));
        gathered.items.push(Item::Ready(row.instance));
    }

    /// Counts a task whose worker was lost; returns its note as it is sent again, or `None` if it is not.
    pub(super) fn sent_after_loss(&mut self, row: TaskNote, work: &mut Work) -> Option<TaskNote> {
        let worker = row.run.as_ref().map(|run| run.worker.clone()).unwrap_or_default();
        let mut row = TaskNote { run: None, ..row };
        if std::mem::take(&mut row.is_handed_back) {
            return Some(row);
        }
        tracing::warn!(
            partition = %self.me, instance = %row.instance, task = %row.id, activity = row.activity, worker,
            "worker of a task is silent: the task is sent again"
        );
        self.counts.has_ended_run("lost");
        row.workers.push(worker);
        if row.count >= self.settings.begins_max {
            self.quarantine_task(row, work);
            return None;
        }
        row.count += 1;
        Some(row)
    }

    /// Returns what a worker is told that was delivered what another one runs; `None` if nobody runs it any more.
    pub(super) fn doubt(&mut self, of: &Attempt, work: &mut Work) -> Option<Permit> {
        let now = self.now;
        let note = self.task_notes.get_mut(of)?;
        let run = note.row.run.as_mut()?;
        let is_leased = run.lease_ms.is_some_and(|lease| lease > 0);
        let lives = run.is_handed_over || (is_leased && note.doubted_at.is_some_and(|at| note.heard_at > at));
        if !lives {
            let since = *note.doubted_at.get_or_insert(now);
            if is_leased && now < since + DOUBT {
                return Some(Permit::Wait);
            }
            if !note.is_left_out {
                (note.doubted_at, note.row.run) = (None, None);
                self.task_notes.watch(&(of.instance.clone(), of.task));
                return None;
            }
            // What the other worker was delivered may be gone, and no redispatch has sent another: its owner does.
            run.lease_ms = Some(0);
        }
        note.doubted_at = None;
        let row = note.row.clone();
        // An owner that was replaced meanwhile must not say so.
        self.task_notes.put(row, now, work);
        Some(Permit::Drop)
    }

    /// Tells the worker of a task that has ended otherwise, if that is known.
    pub(super) fn cancel_run(&mut self, of: &TaskNote, work: &mut Work) {
        let note = self.task_notes.remove(&of.instance, of.id, work);
        let Some(note) = note.filter(|note| note.row.run.is_some() && !note.is_answered) else { return };
        if let Some(to) = &note.answer_to {
            tracing::debug!(partition = %self.me, instance = %of.instance, task = %of.id, "task is cancelled");
            self.counts.has_ended_run("cancelled");
            work.answers.push(self.codec.cancel(to));
        }
    }

    /// Adds to a failure how far its task had come, so that the next attempt is told.
    pub(super) fn with_progress(&self, instance: &InstanceId, mut ended: TaskEnded) -> TaskEnded {
        let note = self.task_notes.get(instance, ended.task);
        let note = note.filter(|note| note.row.is_about(ended.execution, ended.attempt));
        if let (Err(failure), Some(note)) = (&mut ended.outcome, note)
            && failure.progress.is_none()
        {
            failure.progress.clone_from(&note.row.progress);
        }
        ended
    }

    /// Notes that a worker has replied.
    pub(super) fn has_replied(&mut self, instance: &InstanceId, ended: &TaskEnded) {
        if self.task_notes.is_empty() {
            return;
        }
        let TaskEnded { execution, task, attempt, .. } = *ended;
        let of = Attempt { instance: instance.clone(), execution, task, attempt };
        if let Some(note) = self.task_notes.get_mut(&of) {
            note.is_answered = true;
        }
    }

    fn limits_of(&self, of: &Attempt) -> Timeouts {
        let live = self.cache.get(&of.instance).and_then(|slot| slot.live.as_ref());
        live.map(|live| live.instance.timeouts(of.task)).unwrap_or_default()
    }

    /// Returns whether somebody waits for the reply; `None` if what is stored does not tell.
    pub(super) fn awaits(&self, of: &Attempt) -> Option<bool> {
        let Attempt { instance, execution, task, attempt } = of;
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
}

/// Returns the note of an attempt of which nothing was known.
pub(super) fn note_of(of: &Attempt, activity: &str) -> TaskNote {
    TaskNote::new(of.instance.clone(), of.execution, of.task, of.attempt, activity.to_owned())
}
