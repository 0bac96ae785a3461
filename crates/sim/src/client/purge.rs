//! Instances whose outcome is known are purged now and then, while late duplicates of everything are on their way.

use warren_model::InstanceId;

use super::{Ask, Move};
use crate::{time::SECOND, world::World};

impl World {
    /// Now and then purges an instance that has ended, if it is told to begin only once.
    pub(super) fn may_purge(&mut self, instance: &InstanceId) {
        if !self.ledger.expected.iter().any(|(expected, _)| expected == instance) || !self.random.one_in(4) {
            return;
        }
        let begins = |ask: &Ask| matches!(ask, Ask::Start { instance: begun, .. } if begun == instance);
        let asked = self.clients.requests.values().filter(|request| begins(&request.ask)).count();
        let to_ask = self.clients.threads.iter().flatten().filter(|next| begins(&next.ask)).count();
        if asked + to_ask != 1 {
            return;
        }
        self.clients.threads.push([Move { after: self.random.below(4 * SECOND), ask: purge(instance) }].into());
        self.plan_move(self.clients.threads.len() - 1);
    }

    /// Returns whether what is asked for is of an instance that was purged.
    pub(super) fn is_purged(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Start { instance, .. }
            | Ask::Raise { instance, .. }
            | Ask::Suspend { instance }
            | Ask::Resume { instance }
            | Ask::Terminate { instance, .. }
            | Ask::Purge { instance }
            | Ask::Wait { instance } => self.ledger.purged.contains(instance),
            Ask::Redispatch { .. } | Ask::Nonsense { .. } => false,
        }
    }
}

fn purge(instance: &InstanceId) -> Ask {
    Ask::Purge { instance: instance.clone() }
}
