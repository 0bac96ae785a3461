//! A work item that the worker holds.

use std::{collections::VecDeque, time::Duration};

use warren::ActivityContext;
use warren_broker::{Publication, Text, WorkItem};
use warren_model::Payload;

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
    /// From where it came first.
    pub(super) queue: QueueId,
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
    /// It is with the activity.
    Running(Box<Run>),
    /// Its activity has left it to something else to complete: its owner must know.
    HandingOver(Box<Run>),
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
    /// Whether an owner reads what is said of it; else somebody just wants an answer.
    pub(super) has_owner: bool,
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

/// An activity that runs.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Without its input: what is left is what the reply needs.
    pub(super) work: WorkItem,
    /// Whether an owner reads what is said of it.
    pub(super) has_owner: bool,
    pub(super) began_at: Duration,
    /// When its owner was told last.
    pub(super) said_at: Option<Duration>,
    /// Whether its owner has answered on the present channel.
    pub(super) is_held: bool,
    /// Whether its work item was acknowledged: only its owner can send it again.
    pub(super) is_released: bool,
    /// Whether nobody waits for it.
    pub(super) is_cancelled: bool,
    /// How far it has come …
    pub(super) progress: Option<Payload>,
    /// … and whether its owner may not know.
    pub(super) is_unsaid: bool,
    /// By which the word is known that something else completes it.
    pub(super) word: Option<String>,
}

impl Run {
    pub(super) fn new(work: WorkItem, has_owner: bool, began_at: Duration) -> Self {
        Self {
            work,
            has_owner,
            began_at,
            said_at: None,
            is_held: false,
            is_released: false,
            is_cancelled: false,
            progress: None,
            is_unsaid: false,
            word: None,
        }
    }
}

/// Publications of one item, one after the other; the first is on the way or waits to be tried again.
#[derive(Debug)]
pub(super) struct Letters {
    pub(super) token: Option<Text>,
    pub(super) queued: VecDeque<Publication>,
    /// Whether the work item then goes back to its queue, instead of being acknowledged.
    pub(super) gives_back: bool,
    pub(super) failures: u32,
    /// `None`: on the way.
    pub(super) retry_at: Option<Duration>,
}

impl Letters {
    pub(super) fn new(token: Option<Text>, queued: impl Into<VecDeque<Publication>>) -> Self {
        Self { token, queued: queued.into(), gives_back: false, failures: 0, retry_at: None }
    }
}

impl Item {
    /// Returns every delivery that is unacknowledged for its sake.
    pub(super) fn all_deliveries(&self) -> Vec<Held> {
        let later: &[Held] = match &self.stage {
            Stage::Asking(asking) => &asking.later,
            Stage::Waiting(_) | Stage::Running(_) | Stage::HandingOver(_) | Stage::Replying(_) | Stage::Burying(_) => {
                &[]
            }
        };
        self.deliveries.iter().chain(later).copied().collect()
    }

    /// Returns the token by which the same attempt is known again.
    pub(super) fn token(&self) -> Option<&str> {
        match &self.stage {
            Stage::Waiting(waiting) => Some(&waiting.work.token),
            Stage::Asking(asking) => Some(&asking.waiting.work.token),
            Stage::Running(run) | Stage::HandingOver(run) => Some(&run.work.token),
            Stage::Replying(letters) | Stage::Burying(letters) => letters.token.as_deref(),
        }
    }

    /// Returns what is to be published.
    pub(super) fn letters(&mut self) -> Option<&mut Letters> {
        match &mut self.stage {
            Stage::Replying(letters) | Stage::Burying(letters) => Some(letters),
            Stage::Waiting(_) | Stage::Asking(_) | Stage::Running(_) | Stage::HandingOver(_) => None,
        }
    }
}
