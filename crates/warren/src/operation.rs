//! One activity, child or timer that was asked for, as the future that collects it holds it.

use std::task::{self, Poll};

use warren_model::{Action, ActionId, Outcome};

use crate::Context;

/// Collects the outcome of one action. Dropped, it leaves the action to itself.
pub(crate) struct Operation {
    pub(crate) ctx: Context,
    pub(crate) id: ActionId,
}

impl Operation {
    /// Asks for an action that has an outcome.
    pub(crate) fn begin(ctx: &Context, action: impl FnOnce(ActionId) -> Action) -> Self {
        let mut state = ctx.state();
        let id = state.next_id();
        state.operations.open(id);
        state.emit(action(id));
        Self { ctx: ctx.clone(), id }
    }

    pub(crate) fn poll(&self, cx: &task::Context<'_>) -> Poll<Outcome> {
        self.ctx.state().operations.poll(self.id, cx.waker())
    }

    /// Forgets the operation. Returns whether it was still going on.
    pub(crate) fn close(&self) -> bool {
        self.ctx.state().operations.close(self.id)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        self.close();
    }
}
