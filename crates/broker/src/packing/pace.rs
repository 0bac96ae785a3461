//! How many work items may share a message: pure, and shared with the simulation.
//!
//! A pack goes to one worker as a whole. So it holds little work: as much as one slot does in [`SHARE`] by what replies
//! say of its queue, lest one worker has a queue's tasks while another has none, or a worker that dies takes many along.
//! Other messages are as quick as they are many, and have no pace.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::lanes::PARTS_MAX;
use crate::{Address, Message, Topology, codec::time_told};

/// How much work a pack holds. Far below what a person notices, and far above what a message costs.
const SHARE: Duration = Duration::from_millis(50);
/// Parts of a pack while nothing is known of its queue: few, as they may be slow.
const PARTS_FIRST: usize = 8;
/// A task that takes longer counts as this long: it goes alone either way, and the way back must not be endless.
const SLOW: Duration = Duration::from_millis(200);
/// Which part of the way up one slower task takes what is expected: a few slow ones suffice to send others alone.
const UP: u32 = 4;
/// Which part of the way down one quicker task takes it: after hundreds of quick ones a slow one is forgotten.
const DOWN: u32 = 64;
/// Most queues that are known; the others keep [`PARTS_FIRST`].
const QUEUES_MAX: usize = 4_096;

/// What is known of the hub's work-item queues.
#[derive(Debug)]
pub struct Pace {
    topology: Arc<Topology>,
    /// How long a task is expected to take, for each queue that was asked for; `None`: not known yet.
    expected: HashMap<String, Option<Duration>>,
}

/// A pace that all publishers and consumers of a process share. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct SharedPace(Arc<Mutex<Pace>>);

impl Pace {
    /// Returns what is known of a hub's queues before anything has happened.
    pub fn new(topology: Arc<Topology>) -> Self {
        Self { topology, expected: HashMap::new() }
    }

    /// Returns how many messages a pack to this address may hold.
    pub fn parts_max(&mut self, to: &Address) -> usize {
        let Address::Queue(name) = to else { return PARTS_MAX };
        let Some(queue) = self.topology.queue_of_work(name) else { return PARTS_MAX };
        match self.expected.get(queue) {
            Some(Some(expected)) => parts(*expected),
            Some(None) => PARTS_FIRST,
            None => {
                if self.expected.len() < QUEUES_MAX {
                    self.expected.insert(queue.to_owned(), None);
                }
                PARTS_FIRST
            }
        }
    }

    /// Notes what a message says of a queue that was asked for.
    pub fn note(&mut self, message: &Message) {
        let Some((queue, took)) = time_told(message) else { return };
        let Some(expected) = self.expected.get_mut(queue) else { return };
        let took = took.min(SLOW);
        *expected = Some(match *expected {
            None => took,
            Some(expected) if took > expected => expected + (took - expected) / UP,
            Some(expected) => expected - (expected - took) / DOWN,
        });
    }
}

impl SharedPace {
    pub(super) fn new(topology: Arc<Topology>) -> Self {
        Self(Arc::new(Mutex::new(Pace::new(topology))))
    }

    /// What is inside is never half written.
    pub(super) fn lock(&self) -> MutexGuard<'_, Pace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parts(expected: Duration) -> usize {
    let parts = SHARE.as_nanos() / expected.as_nanos().max(1);
    usize::try_from(parts).unwrap_or(PARTS_MAX).clamp(1, PARTS_MAX)
}

#[cfg(test)]
#[path = "pace_test.rs"]
mod test;
