//! Tells of turns that take long, for a partition stands still meanwhile and nobody else would say why; and of those that
//! will never return.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    time::sleep,
};
use warren_broker::Broker;
use warren_engine::{Identity, Program, Programs, Reaction};
use warren_model::{Event, Partition};
use warren_store::Store;

use super::{
    Replica,
    session::{DRAIN_MAX, End, Order, Tenure},
    writes::accuse,
};

/// How long a session may take to end once it is time, unless its thread is stuck in a turn.
const END_MAX: Duration = Duration::from_secs(1);

/// Waits for the end of a session and looks at its turns meanwhile. From another thread: the session's own may be stuck, in
/// a turn of this partition or of another.
pub(super) async fn look_after<S: Store, B: Broker>(
    replica: Arc<Replica<S, B>>,
    tenure: Tenure,
    board: Board,
    orders: watch::Receiver<Order>,
    ended: oneshot::Receiver<End>,
) -> End {
    let Tenure { partition, epoch, .. } = tenure;
    tokio::select! {
        biased;
        ended = ended => ended.unwrap_or(End::Panicked),
        identity = watch_turns(board, partition, replica.turn_warn, replica.turn_limit) => {
            accuse(&replica.store, partition, epoch, &identity, replica.turn_limit.as_secs()).await;
            End::Hung(identity)
        }
        () = overdue(orders) => End::Failed(anyhow::anyhow!("its thread is stuck in a turn")),
    }
}

/// Looks at the running turn until one has run for too long.
///
/// How long a turn has run is counted in looks at it, not by the clock: a process that was frozen has not let it run.
async fn watch_turns(board: Board, partition: Partition, warn_after: Duration, limit: Duration) -> Identity {
    let pause = (warn_after / 2).min(limit / 4).max(Duration::from_millis(1));
    loop {
        sleep(pause).await;
        if let Some(identity) = board.check(partition, pause, warn_after, limit) {
            return identity;
        }
    }
}

/// Waits until a session should have ended long ago.
async fn overdue(orders: watch::Receiver<Order>) {
    let (mut stopped, mut told) = (orders.clone(), orders);
    let drained = async {
        // Nobody to give orders is as good as an order to stop.
        if told.wait_for(|order| *order != Order::Go).await.is_ok() {
            sleep(DRAIN_MAX).await;
        }
    };
    tokio::select! {
        _ = stopped.wait_for(|order| *order == Order::Stop) => {}
        () = drained => {}
    }
    sleep(END_MAX).await;
}

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
