//! What an execution's context and its program share.

use warren_engine::Identity;
use warren_model::{Action, ActionId, Payload, Timestamp};

use crate::{mailbox::Mailbox, operations::Operations, random::SplitMix64};

/// The inside of a context. Only ever borrowed for a moment, never while code of the user runs.
pub(crate) struct State {
    /// When the turn began.
    pub(crate) now: Timestamp,
    /// Whether the turn is recorded already.
    pub(crate) replaying: bool,
    pub(crate) operations: Operations,
    pub(crate) mailbox: Mailbox,
    pub(crate) random: SplitMix64,
    /// How many uuids were made.
    pub(crate) uuids: u64,
    /// The input of the next execution, once one was asked for.
    pub(crate) continued: Option<Payload>,
    actions: Vec<Action>,
    last_id: u32,
    is_detached: bool,
}

impl State {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            replaying: false,
            operations: Operations::default(),
            mailbox: Mailbox::default(),
            random: SplitMix64::of_execution(identity.execution),
            uuids: 0,
            continued: None,
            actions: Vec::new(),
            last_id: 0,
            is_detached: false,
        }
    }

    /// Numbers an action.
    pub(crate) fn next_id(&mut self) -> ActionId {
        self.last_id += 1;
        ActionId(self.last_id)
    }

    /// Asks for an action, unless the context is detached.
    pub(crate) fn emit(&mut self, action: Action) {
        if !self.is_detached {
            self.actions.push(action);
        }
    }

    /// Makes whatever runs from now on, destructors above all, ask for nothing.
    pub(crate) fn detach(&mut self) {
        self.is_detached = true;
    }

    /// Takes out what was asked for since the last time.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Returns whether somebody waits for something that can still happen.
    pub(crate) fn is_awaited(&self) -> bool {
        self.operations.is_awaited() || self.mailbox.is_awaited()
    }
}
