//! Clients that wait for the end of an instance. Only in memory: who is forgotten asks again.

use std::collections::{BTreeMap, VecDeque};

use jiff::SignedDuration;
use warren_broker::{Envelope, Publication};
use warren_engine::Programs;
use warren_model::{AnswerTo, AnswerWhen, Command, InstanceId, MessageId, Timestamp};

use super::Owner;

/// Most clients that wait for one instance; the oldest is forgotten beyond it.
const WAITERS_MAX: usize = 1_000;
/// How long a client is remembered: much longer than the few seconds after which ours ask again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// Who waits for what, and since when.
#[derive(Debug, Default)]
pub(super) struct Waiters(BTreeMap<InstanceId, VecDeque<(Timestamp, AnswerTo)>>);

impl Waiters {
    pub(super) fn add(&mut self, instance: &InstanceId, to: AnswerTo, now: Timestamp) {
        let waiters = self.0.entry(instance.clone()).or_default();
        waiters.retain(|(_, waiter)| *waiter != to);
        if waiters.len() >= WAITERS_MAX {
            waiters.pop_front();
        }
        waiters.push_back((now, to));
    }

    /// Takes all who wait for this instance.
    pub(super) fn take(&mut self, instance: &InstanceId) -> impl Iterator<Item = AnswerTo> {
        self.0.remove(instance).into_iter().flatten().map(|(_, to)| to)
    }

    /// Takes everybody, each with the instance whose end is waited for.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = (InstanceId, AnswerTo)> + use<> {
        let all = std::mem::take(&mut self.0).into_iter();
        all.flat_map(|(instance, waiters)| waiters.into_iter().map(move |(_, to)| (instance.clone(), to)))
    }

    /// Forgets those who have not asked again for long.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        self.0.retain(|_, waiters| {
            waiters.retain(|(since, _)| now.duration_since(*since) < REMEMBERED);
            !waiters.is_empty()
        });
    }
}

impl<P: Programs> Owner<P> {
    /// Asks the next owner to tell those who wait, in their names: they would ask again by themselves, but only seconds
    /// later. Who gets lost on the way does so.
    pub(super) fn pass_waiters_on(&mut self) -> Vec<Publication> {
        let (epoch, waiters) = (self.epoch, self.waiters.take_all());
        let asks = waiters.enumerate().filter_map(|(at, (instance, to))| {
            let id = MessageId::new(&format!("wait-{}-{epoch}-{at}", self.me)).ok()?;
            let (command, when) = (Command::Wait, AnswerWhen::Outcome);
            Some(self.codec.command(&Envelope { id, instance, command, answer_to: Some(to), when, is_fresh: false }))
        });
        asks.collect()
    }
}
