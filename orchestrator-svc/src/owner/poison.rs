//! Instances that may have taken an owner down (H18): by the code that they run, or by a row that the store refuses.
//!
//! While all goes well nothing is counted. An owner that follows one which ended without a word is *wary*: before it runs
//! what that one may have been running (messages that come again, timers that were due, instances that waited), it commits
//! a mark for each instance of the batch. If it ends without a word as well, the next one finds the marks and runs those
//! instances one at a time, each marked once more; so a crash costs the innocent one commit, and the guilty is alone when
//! it strikes again. At the fourth mark it is quarantined and does not run: it has struck twice alone, which killings by others
//! hardly do.
//!
//! The broker's count of deliveries would blame a thousand innocents for one: it counts all that was prefetched.

use std::collections::{BTreeMap, BTreeSet};

use warren_engine::Programs;
use warren_model::{Condition, ConditionKind, InstanceId, Timestamp};
use warren_store::{Commit, Suspect};

use super::{
    Effect, Owner,
    flight::Flight,
    gather::{Gathered, Item},
};

/// So many marks, and an instance runs no more.
pub(crate) const CONDEMNED: u32 = 4;
/// The mark of an instance of which not even the quarantine can be written: nothing but its messages is touched.
const UNWRITABLE: u32 = CONDEMNED + 1;
/// How a mark names what an owner was doing when it ended.
const RAN: &str = "orchestrator-svc ended without a word while the instance ran";

/// What is suspected.
#[derive(Debug, Default)]
pub(super) struct Poison {
    marks: BTreeMap<InstanceId, Suspect>,
    /// Whether what the owner before may have been running is still to come.
    is_wary: bool,
    /// Timers due by then may have been running.
    begun: Timestamp,
    /// Whether those have been read.
    has_timers: bool,
    /// Instances that waited then.
    waiting: BTreeSet<InstanceId>,
}

impl Poison {
    pub(super) fn new(suspects: Vec<Suspect>, is_after_crash: bool, begun: Timestamp, waiting: &[InstanceId]) -> Self {
        let is_wary = is_after_crash || !suspects.is_empty();
        let waiting = if is_wary { waiting.iter().cloned().collect() } else { BTreeSet::new() };
        let marks = suspects.into_iter().map(|suspect| (suspect.instance.clone(), suspect)).collect();
        Self { marks, is_wary, begun, has_timers: false, waiting }
    }

    /// Notes that the timers that were due have been read.
    pub(super) fn has_read_timers(&mut self) {
        self.has_timers = true;
    }

    /// Returns whether suspects are about that must run alone.
    pub(super) fn wants_one_at_a_time(&self) -> bool {
        self.is_wary && self.marks.values().any(|mark| mark.count < CONDEMNED)
    }

    /// Returns the instances that are to be quarantined.
    pub(super) fn condemned(&self) -> impl Iterator<Item = &InstanceId> {
        self.marks.values().filter(|mark| mark.count >= CONDEMNED).map(|mark| &mark.instance)
    }

    /// Returns the quarantine of an instance that must not run.
    pub(super) fn quarantine(&self, instance: &InstanceId) -> Option<Condition> {
        let Suspect { count, reason, .. } = self.marks.get(instance).filter(|mark| mark.count >= CONDEMNED)?;
        let message =
            format!("{reason} (counted {count} times): mend the cause, then resume the instance to let it run again");
        Some(Condition { kind: ConditionKind::Quarantined, message, details: None })
    }

    /// Returns why nothing may be written of an instance, if so.
    pub(super) fn unwritable(&self, instance: &InstanceId) -> Option<&str> {
        self.marks.get(instance).filter(|mark| mark.count >= UNWRITABLE).map(|mark| mark.reason.as_str())
    }

    /// Returns whether an instance has a mark.
    pub(super) fn suspects(&self, instance: &InstanceId) -> bool {
        self.marks.contains_key(instance)
    }

    /// Forgets a mark; returns whether there was one.
    pub(super) fn absolve(&mut self, instance: &InstanceId) -> bool {
        self.marks.remove(instance).is_some()
    }

    /// Marks the instances of a batch once more.
    fn mark<'a>(&mut self, instances: impl Iterator<Item = &'a InstanceId>) -> Vec<Suspect> {
        let mut marked = BTreeMap::new();
        for instance in instances {
            let before = self.marks.get(instance);
            let (count, reason) = before.map_or((0, RAN), |mark| (mark.count, mark.reason.as_str()));
            if count < CONDEMNED {
                let mark = Suspect { instance: instance.clone(), count: count + 1, reason: reason.into() };
                marked.insert(instance.clone(), mark);
            }
        }
        self.marks.extend(marked.clone());
        marked.into_values().collect()
    }
}

impl<P: Programs> Owner<P> {
    /// Runs a batch; if it may be what took the owner before down, its instances are marked first.
    pub(super) fn run_warily(&mut self, gathered: Gathered, effects: &mut Vec<Effect>) {
        if self.poison.is_wary && self.is_risky(&gathered) {
            let marks = self.poison.mark(gathered.items.iter().map(Item::instance));
            if !marks.is_empty() {
                return self.commit_marks(marks, gathered, effects);
            }
        } else if self.poison.has_timers && std::mem::take(&mut self.poison.is_wary) {
            tracing::debug!(partition = %self.me, "what the owner before may have been running is done");
        }
        self.read_and_run(gathered, effects);
    }

    fn is_risky(&mut self, gathered: &Gathered) -> bool {
        let mut is_risky = gathered.has_redelivered;
        for item in &gathered.items {
            is_risky |= self.poison.waiting.remove(item.instance());
            is_risky |= self.poison.suspects(item.instance());
            is_risky |= matches!(item, Item::Timer(row) if row.fire_at <= self.poison.begun);
        }
        is_risky
    }

    /// A commit of its own, with nothing of the batch in it: not even how far it has come with other partitions' words.
    fn commit_marks(&mut self, marks: Vec<Suspect>, gathered: Gathered, effects: &mut Vec<Effect>) {
        let commit = Commit { suspects: marks, ..self.begin_commit() };
        self.number += 1;
        effects.push(Effect::Commit(Box::new(commit)));
        self.flights.push_back(Flight::of_marks(self.number));
        self.marking = Some((self.number, gathered));
    }

    /// Runs the batch whose marks are written.
    pub(super) fn run_marked(&mut self, effects: &mut Vec<Effect>) {
        if self.marking.as_ref().is_some_and(|(number, _)| *number <= self.committed)
            && let Some((_, gathered)) = self.marking.take()
        {
            self.read_and_run(gathered, effects);
        }
    }

    /// Returns the instances whose marks go with a batch: they ran, and nothing happened; and, once nothing is left that
    /// the owner before may have been running, all that did not come.
    pub(super) fn absolve(&mut self, ran: &[Item], resumed: &BTreeSet<InstanceId>) -> Vec<InstanceId> {
        let is_over = !self.poison.is_wary;
        let ran: BTreeSet<&InstanceId> = ran.iter().map(Item::instance).collect();
        let is_innocent = |mark: &&Suspect| {
            resumed.contains(&mark.instance) || (mark.count < CONDEMNED && (is_over || ran.contains(&mark.instance)))
        };
        let innocent: Vec<InstanceId> =
            self.poison.marks.values().filter(is_innocent).map(|mark| mark.instance.clone()).collect();
        for instance in &innocent {
            self.poison.absolve(instance);
        }
        innocent
    }
}

/// Returns the marks of the instances of which rows were to be written by a commit that the store refuses for good, so that
/// the next owner runs them one at a time; one that was alone is condemned. None if the commit has rows of no instance.
pub fn blame(refused: &Commit, why: &str) -> Vec<Suspect> {
    let instances = refused.instances.iter().map(|row| &row.id);
    let turns = refused.turns.iter().map(|row| &row.key.instance);
    let others = refused.pending.iter().map(|row| &row.instance).chain(refused.timers.iter().map(|row| &row.instance));
    let named: BTreeSet<&InstanceId> = instances.chain(turns).chain(others).collect();
    let is_quarantine = refused
        .instances
        .iter()
        .any(|row| row.condition.as_ref().is_some_and(|condition| condition.kind == ConditionKind::Quarantined));
    let count = match named.len() {
        1 if is_quarantine => UNWRITABLE,
        1 => CONDEMNED,
        _ => 1,
    };
    let mark = |instance: &InstanceId| Suspect {
        instance: instance.clone(),
        count,
        reason: format!("the store refuses what is to be written of the instance: {why}"),
    };
    named.into_iter().map(mark).collect()
}

/// Returns the mark of an instance whose turn did not return. When it does so again it has been marked before it ran as
/// well, and is condemned: nobody else can be to blame.
pub fn accuse(instance: &InstanceId, before: Option<&Suspect>, seconds: u64) -> Suspect {
    let count = before.map_or(1, |mark| (mark.count + 1).min(CONDEMNED));
    let reason = format!("a turn of the instance did not return within {seconds} s (turn_limit_seconds)");
    Suspect { instance: instance.clone(), count, reason }
}
