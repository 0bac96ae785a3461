//! What reaches the store, and what its clients learn.

use std::mem::replace;

use warren_store::{Commit, Loaded, LoadedInstance};

use super::{Step, StoreStep, World};
use crate::{
    fault::Fault,
    invariants,
    replica::{Answer, SessionStep},
    store::Trouble,
};

/// Most expired rows that are read at a time.
const EXPIRE_MAX: usize = 5;

impl World {
    /// Carries out what a session asked for, whether or not the session is still there.
    pub(super) fn store_step(&mut self, session: u64, step: StoreStep) {
        if !self.sessions.contains_key(&session) && self.random.one_in(2) {
            return; // it had not left the process, or the connection broke before
        }
        let (partition, epoch) = match &step {
            StoreStep::Commit { commit, .. } => (commit.partition, commit.epoch),
            StoreStep::Partition
            | StoreStep::Load(_)
            | StoreStep::Turns { .. }
            | StoreStep::Timers { .. }
            | StoreStep::Sweep(_)
            | StoreStep::Expire { .. } => match self.sessions.get(&session) {
                Some(session) => (session.partition, session.epoch),
                None => return,
            },
        };
        if self.is_store_away() {
            if let (StoreStep::Commit { .. }, Some(session)) = (&step, self.sessions.get_mut(&session)) {
                session.has_lost = true;
            }
            return self.hear(session, Err(Trouble::Away));
        }
        let answer = match step {
            StoreStep::Partition => self.store.partition(partition, epoch).map(Answer::Partition),
            StoreStep::Load(load) => {
                let loaded = self.store.load(partition, epoch, &load);
                loaded.map(|loaded| Answer::Loaded(self.damage(loaded)))
            }
            StoreStep::Turns { number, keys } => {
                self.store.turns(partition, epoch, &keys).map(|rows| Answer::Turns { number, rows })
            }
            StoreStep::Timers { until, limit } => self.store.timers(partition, epoch, until, limit).map(Answer::Timers),
            StoreStep::Sweep(sweep) => {
                self.store.sweep(partition, epoch, &sweep).map(|swept| Answer::Swept { sweep, swept })
            }
            StoreStep::Expire { answered_before, now } => {
                self.store.expire(partition, epoch, answered_before, now, EXPIRE_MAX).map(Answer::Expired)
            }
            StoreStep::Commit { commit, is_heard } => {
                let written = self.write(session, &commit);
                if !is_heard {
                    return;
                }
                written.map(|()| Answer::Committed(commit.number))
            }
        };
        self.hear(session, answer);
    }

    fn write(&mut self, session: u64, commit: &Commit) -> Result<(), Trouble> {
        let written = self.store.commit(commit);
        self.note(format_args!("store: s{session} {} {}", summary(commit), result_name(&written)));
        match &written {
            Ok(()) => {
                let verdict = invariants::committed(self, commit);
                self.judge(verdict);
            }
            Err(trouble) => {
                if matches!(trouble, Trouble::Used(_)) {
                    self.faults.count(Fault::StartNotFresh);
                }
                let has_lost =
                    self.sessions.get_mut(&session).is_none_or(|session| replace(&mut session.has_lost, true));
                let verdict = invariants::fence::refused(trouble, has_lost);
                self.judge(verdict);
            }
        }
        written
    }

    /// Makes the history of an instance unreadable, for this once; somebody will resume it. (Of an instance whose very
    /// row can't be read nobody can say what is due to it: the owner then logs and drops some of it, on purpose.)
    fn damage(&mut self, mut loaded: Loaded) -> Loaded {
        let is_alive = |instance: &&mut LoadedInstance| {
            instance.record.as_ref().is_some_and(|record| !record.status.is_terminal())
        };
        for instance in loaded.instances.iter_mut().filter(is_alive) {
            if self.random.happens(self.profile.unreadable) {
                self.faults.count(Fault::HistoryUnreadable);
                self.trace.line(self.now, format_args!("store: {} can't be read", instance.id));
                self.clients.damaged.insert(instance.id.clone());
                instance.turns = Err(format!("instance {}: is damaged", instance.id));
            }
        }
        loaded
    }

    /// What became of commits is heard in the order in which they were written, as by one connection; a failure is the
    /// session's end, whatever it is of.
    fn hear(&mut self, session: u64, answer: Result<Answer, Trouble>) {
        let is_ordered = matches!(answer, Ok(Answer::Committed(_)) | Err(_));
        let mut at = self.now.after(self.latency());
        if let Some(session) = self.sessions.get_mut(&session).filter(|_| is_ordered) {
            at = session.answered_at.never_before(at);
        }
        self.agenda.add(at, Step::Session { session, step: SessionStep::Heard(answer) });
    }
}

fn result_name(written: &Result<(), Trouble>) -> String {
    match written {
        Ok(()) => "written".into(),
        Err(trouble) => format!("not written: {trouble:?}"),
    }
}

/// A commit in one line; what it says goes into the trace's hash.
fn summary(commit: &Commit) -> String {
    let counts = [
        ("rows", commit.instances.len()),
        ("turns", commit.turns.len()),
        ("forget", commit.forget.len()),
        ("timers", commit.timers.len()),
        ("timers-", commit.timers_done.len() + commit.timers_clear.len()),
        ("pending", commit.pending.len()),
        ("pending-", commit.pending_done.len()),
        ("commands", commit.commands.len()),
        ("outbox", commit.outbox.len()),
        ("outbox-", commit.outbox_done.len()),
        ("aside", commit.aside.len()),
        ("aside-", commit.aside_done.len()),
    ];
    let mut text = format!("commit {} of {} under {}:", commit.number, commit.partition, commit.epoch);
    for (name, count) in counts.iter().filter(|(_, count)| *count > 0) {
        text += &format!(" {name} {count}");
    }
    let touched = commit.instances.iter().map(|record| format!(" {}={}/{}", record.id, record.status, record.turn));
    text.extend(touched);
    let bodies = commit.turns.iter().fold(0, |hash, turn| crate::trace::fnv1a(hash, turn.body.as_bytes()));
    text + &format!(" #{bodies:08x}")
}
