//! A work item that the worker holds.

use std::{collections::VecDeque, time::Duration};

use warren::ActivityContext;
use warren_broker::{Publication, WorkItem};

use super::QueueId;

/// A delivery that is to be acknowledged with its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) queue: QueueId,
    pub(super) tag: u64,
}

/// A work item: its deliveries, and how far it has come.
#[derive(Debug)]
pub(super) struct Item {
    /// More than one if the same attempt was delivered again meanwhile; none if their channels were lost.
    pub(super) deliveries: Vec<Held>,
    pub(super) stage: Stage,
}

/// How far an item has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// For a slot.
    Waiting(Box<Waiting>),
    /// It has come again: its owner is asked whether it may begin.
    Asking(Box<Asking>),
    /// Its input is with the activity; what is left is what the reply needs.
    Running(Box<WorkItem>),
    /// Its reply is on the way.
    Replying(Letters),
    /// It can't be run: a failure for its sender is on the way, and if it made no sense, first a copy for the dead queue.
    Burying(Letters),
}

/// What waits for a slot.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) work: WorkItem,
    pub(super) context: ActivityContext,
    /// Whether its owner must be asked before it begins.
    pub(super) must_ask: bool,
}

/// What waits for its owner's word. It has a slot, since it is counted as begun before that word arrives.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) waiting: Waiting,
    /// By which the question is known.
    pub(super) question: String,
    /// Whether nothing runs beside it.
    pub(super) is_alone: bool,
    /// Deliveries since the question: not those that the answer is about.
    pub(super) later: Vec<Held>,
    /// When the owner was asked last.
    pub(super) asked_at: Duration,
}

/// Publications of one item, one after the other; the first is on the way or waits to be tried again.
#[derive(Debug)]
pub(super) struct Letters {
    pub(super) token: Option<String>,
    pub(super) queued: VecDeque<Publication>,
    pub(super) failures: u32,
    /// `None`: on the way.
    pub(super) retry_at: Option<Duration>,
}

impl Letters {
    pub(super) fn new(token: Option<String>, queued: impl Into<VecDeque<Publication>>) -> Self {
        Self { token, queued: queued.into(), failures: 0, retry_at: None }
    }
}

impl Item {
    /// Returns every delivery that is unacknowledged for its sake.
    pub(super) fn all_deliveries(&self) -> Vec<Held> {
        let later: &[Held] = match &self.stage {
            Stage::Asking(asking) => &asking.later,
            Stage::Waiting(_) | Stage::Running(_) | Stage::Replying(_) | Stage::Burying(_) => &[],
        };
        self.deliveries.iter().chain(later).copied().collect()
    }

    /// Returns the token by which the same attempt is known again.
    pub(super) fn token(&self) -> Option<&str> {
        match &self.stage {
            Stage::Waiting(waiting) => Some(&waiting.work.token),
            Stage::Asking(asking) => Some(&asking.waiting.work.token),
            Stage::Running(work) => Some(&work.token),
            Stage::Replying(letters) | Stage::Burying(letters) => letters.token.as_deref(),
        }
    }

    /// Returns what is to be published.
    pub(super) fn letters(&mut self) -> Option<&mut Letters> {
        match &mut self.stage {
            Stage::Replying(letters) | Stage::Burying(letters) => Some(letters),
            Stage::Waiting(_) | Stage::Asking(_) | Stage::Running(_) => None,
        }
    }
}
