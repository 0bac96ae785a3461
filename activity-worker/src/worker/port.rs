//! What goes into the worker's loop, and what comes out.

use std::time::Duration;

use warren::{ActivityContext, CancelReason};
use warren_broker::{Delivery, OwnerWord, Publication, Published, QueueSpec, Text};
use warren_model::{Outcome, Payload};

/// A lane of a queue that the worker serves, by its place among the lanes of all that it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub usize);

/// A queue that the worker serves, with all its lanes, by its place in the list that it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServedId(pub usize);

/// A work item that the worker holds; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub u64);

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// These arrived, in this order.
    Delivered {
        /// From where.
        queue: QueueId,
        /// What.
        deliveries: Vec<Delivery>,
    },
    /// An activity has ended.
    Finished {
        /// Which item's.
        item: ItemId,
        /// How.
        outcome: Outcome,
        /// How long it ran.
        took: Duration,
    },
    /// It is known what became of publications.
    Published(Vec<(ItemId, Published)>),
    /// An activity has said how far it has come.
    Beat {
        /// Which item's.
        item: ItemId,
        /// What it said.
        progress: Payload,
    },
    /// An activity has ended, and something else completes its task.
    HandedOver {
        /// Which item's.
        item: ItemId,
    },
    /// An owner has answered an [`Effect::Ask`], or wants an activity ended.
    Told(OwnerWord),
    /// A queue's channel is gone; what it delivered can't be acknowledged any more, and its tags begin anew.
    Lost {
        /// Whose.
        queue: QueueId,
    },
    /// The broker sends no more of a queue that was to [pause](Effect::Pause); whatever it had sent was delivered.
    Paused {
        /// Which.
        queue: QueueId,
    },
    /// The broker has given the worker a queue's baton; or the worker has it no more, or no longer asks for it.
    Baton {
        /// Whose.
        queue: ServedId,
        /// Which of the two.
        is_held: bool,
    },
    /// Time has passed.
    Tick {
        /// Since the worker began, on a clock that never goes back.
        now: Duration,
    },
    /// Take nothing more, end what runs, and stop.
    Drain,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Run an activity, and say when it is [`Input::Finished`].
    Run {
        /// For which item.
        item: ItemId,
        /// Which activity.
        activity: Text,
        /// What it may ask about its task.
        context: ActivityContext,
        /// Its input.
        input: Payload,
        /// The W3C trace context of the orchestration.
        traceparent: Option<Text>,
    },
    /// Publish this, and say what became of it with [`Input::Published`].
    Publish {
        /// For which item.
        item: ItemId,
        /// What, and where to.
        publication: Publication,
    },
    /// Tell an activity to end early; it is [`Input::Finished`] when it has.
    End {
        /// Which item's.
        item: ItemId,
        /// Why.
        reason: CancelReason,
    },
    /// Publish this question, with a `reply_to` of your own, and pass on the answer with [`Input::Told`]. If it is lost
    /// on the way, or the answer, it is asked again.
    Ask(Publication),
    /// Acknowledge a delivery.
    Ack {
        /// Of which queue.
        queue: QueueId,
        /// Which.
        tag: u64,
        /// Whether with all before it.
        multiple: bool,
    },
    /// Give a delivery back.
    Requeue {
        /// To which queue.
        queue: QueueId,
        /// Which.
        tag: u64,
    },
    /// A queue of the hub was missing when a publication came to it: make it, if that is allowed.
    Declare(QueueSpec),
    /// Ask the broker for no further deliveries. Its channel stays open for acknowledgements.
    Cancel {
        /// From which queue.
        queue: QueueId,
    },
    /// Ask the broker for no further deliveries for now, say when that is [`Input::Paused`], and consume as soon as the loop
    /// asks for it. The channel stays open for acknowledgements.
    Pause {
        /// Of which queue.
        queue: QueueId,
    },
    /// Consume a queue again, on the same channel, whether or not it was paused already.
    Consume {
        /// Which.
        queue: QueueId,
    },
    /// Ask for a queue's baton, and again after each loss.
    AskForBaton {
        /// Whose.
        queue: ServedId,
    },
    /// Give a queue's baton back, or no longer ask for it, and say so with [`Input::Baton`].
    LeaveBaton {
        /// Whose.
        queue: ServedId,
    },
    /// All is done that can be: end the activities that still run (their time is up), then close the channels, so that
    /// the broker gives what is unacknowledged to others. Nothing follows.
    Stopped {
        /// How many activities still run.
        running: usize,
        /// How many replies the broker has not confirmed.
        replying: usize,
    },
}
