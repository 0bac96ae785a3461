//! Which bindings can't take their messages at the moment, and why: for operators, who else would see a wrong name of a
//! queue in the log alone.

use std::collections::BTreeMap;

use tokio::sync::watch;
use warren_service::health::Health;

use crate::metrics;

/// The check of the service's readiness that tells. It always passes: the rest of the service is of use.
const CHECK: &str = "bindings";

/// How all bindings stand. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Standings {
    health: Health,
    troubles: watch::Sender<BTreeMap<String, String>>,
}

/// How one binding stands.
#[derive(Debug)]
pub(crate) struct Standing {
    all: Standings,
    binding: String,
}

impl Standings {
    pub(crate) fn new(health: Health) -> Self {
        Self { health, troubles: watch::Sender::default() }
    }

    /// Returns the standing of a binding, of which nothing is known yet.
    pub(crate) fn of(&self, binding: &str) -> Standing {
        Standing { all: self.clone(), binding: binding.into() }
    }
}

impl Standing {
    /// Notes that messages are taken, or will be as soon as it is this process's turn.
    pub(crate) fn up(&self) {
        self.note(None);
    }

    /// Notes why no messages can be taken.
    pub(crate) fn down(&self, why: String) {
        self.note(Some(why));
    }

    fn note(&self, trouble: Option<String>) {
        metrics::binding_up(&self.binding, trouble.is_none());
        // Told while nobody else can change it, or an older state could be told last.
        self.all.troubles.send_modify(|troubles| {
            match trouble {
                Some(why) => troubles.insert(self.binding.clone(), why),
                None => troubles.remove(&self.binding),
            };
            if troubles.is_empty() {
                self.all.health.pass(CHECK);
            } else {
                let told = troubles.iter().map(|(binding, why)| format!("{binding} takes no messages: {why}"));
                self.all.health.pass_but(CHECK, told.collect::<Vec<_>>().join("; "));
            }
        });
    }
}
