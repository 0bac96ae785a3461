//! Tells of turns that take long, for a partition stands still meanwhile and nobody else would say why; and of those that
//! will never return.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use warren_engine::{Identity, Program, Programs, Reaction};
use warren_model::{Event, Partition};

/// What the turns of one partition are doing. Shared by their thread and the watchdog.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Option<Running>>>);

#[derive(Clone)]
struct Running {
    identity: Arc<Identity>,
    /// How long it has been seen to run.
    seen: Duration,
    is_reported: bool,
}

impl Board {
    fn set(&self, running: Option<Running>) {
        // A value that is replaced as a whole is never half written.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }

    /// Looks at the running turn, `pause` after the look before: warns once it has been seen to run for `warn_after`, and
    /// returns whose it is once that is over `limit`.
    pub(crate) fn check(
        &self,
        partition: Partition,
        pause: Duration,
        warn_after: Duration,
        limit: Duration,
    ) -> Option<Identity> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.as_mut()?;
        running.seen += pause;
        let Identity { instance, name, .. } = &*running.identity;
        let ms = running.seen.as_millis();
        if running.seen >= limit {
            tracing::error!(%partition, %instance, orchestrator = name, ms, "turn does not return, its instance is suspected and this process ends");
            return Some((*running.identity).clone());
        }
        if running.seen >= warn_after && !running.is_reported {
            running.is_reported = true;
            tracing::warn!(%partition, %instance, orchestrator = name, ms, "turn takes long, its partition waits for it");
        }
        None
    }
}

/// Programs whose turns show on a board.
pub(crate) struct Watched<P> {
    pub(crate) programs: P,
    pub(crate) board: Board,
}

impl<P: Programs> Programs for Watched<P> {
    fn resolve(&self, name: &str, version: Option<&str>) -> Result<Option<String>, String> {
        self.programs.resolve(name, version)
    }

    fn create(&self, identity: &Identity) -> Result<Box<dyn Program>, String> {
        let program = self.programs.create(identity)?;
        Ok(Box::new(WatchedProgram { program, identity: Arc::new(identity.clone()), board: self.board.clone() }))
    }
}

struct WatchedProgram {
    program: Box<dyn Program>,
    identity: Arc<Identity>,
    board: Board,
}

impl Program for WatchedProgram {
    fn react(&mut self, inputs: &[Event], replaying: bool) -> Reaction {
        self.board.set(Some(Running { identity: self.identity.clone(), seen: Duration::ZERO, is_reported: false }));
        let reaction = self.program.react(inputs, replaying);
        self.board.set(None);
        reaction
    }
}

#[cfg(test)]
#[path = "watchdog_test.rs"]
mod test;
