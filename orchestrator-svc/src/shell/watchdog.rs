//! Tells of turns that take long: a partition stands still meanwhile, and nobody else would say why.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use warren_engine::{Identity, Program, Programs, Reaction};
use warren_model::{Event, Partition};

/// What the turns of one partition are doing. Shared by their thread and the watchdog.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Option<Running>>>);

#[derive(Clone)]
struct Running {
    since: Instant,
    identity: Arc<Identity>,
    is_reported: bool,
}

impl Board {
    fn set(&self, running: Option<Running>) {
        // A value that is replaced as a whole is never half written.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }

    /// Warns once for each turn that has run for longer than `warn_after`.
    pub(crate) fn check(&self, partition: Partition, warn_after: Duration) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = running.as_mut().filter(|running| !running.is_reported) else { return };
        let ms = running.since.elapsed().as_millis();
        if ms >= warn_after.as_millis() {
            running.is_reported = true;
            let Identity { instance, name, .. } = &*running.identity;
            tracing::warn!(%partition, %instance, orchestrator = name, ms, "turn takes long, its partition waits for it");
        }
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
        self.board.set(Some(Running { since: Instant::now(), identity: self.identity.clone(), is_reported: false }));
        let reaction = self.program.react(inputs, replaying);
        self.board.set(None);
        reaction
    }
}

#[cfg(test)]
#[path = "watchdog_test.rs"]
mod test;
