//! The plain thread on which an owner's turns run.
//!
//! Outside the tokio runtime on purpose: a stray `tokio::time::sleep` in an orchestrator fails at once and is reported,
//! and a live future never leaves the thread that made it.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};
use warren::Registry;

use super::{clock::Clock, watchdog::Watched};
use crate::owner::{Effect, Input, Owner, Session, Settings};

/// How long an owner that wants nothing sleeps at most.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// A running owner, seen from outside. Its thread ends when the handle is dropped.
///
/// Both channels are unbounded and stay small: what comes in is bounded by the consumer's prefetch and by what the owner
/// has asked for, what goes out by the commits that may be on their way.
pub(crate) struct Thread {
    pub(crate) inputs: Sender<Input>,
    pub(crate) effects: mpsc::UnboundedReceiver<Effect>,
    pub(crate) ended: oneshot::Receiver<()>,
}

impl Thread {
    /// Begins a session on a thread of its own.
    pub(crate) fn spawn(
        session: Session,
        programs: Watched<Registry>,
        settings: Settings,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let (inputs, arriving) = channel();
        let (wanted, effects) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let name = format!("turns-{}", session.partition);
        std::thread::Builder::new().name(name).spawn(move || {
            run(session, programs, settings, &clock, &arriving, &wanted);
            drop(wanted);
            let _ = end.send(());
        })?;
        Ok(Self { inputs, effects, ended })
    }
}

fn run(
    session: Session,
    programs: Watched<Registry>,
    settings: Settings,
    clock: &Clock,
    inputs: &Receiver<Input>,
    wanted: &mpsc::UnboundedSender<Effect>,
) {
    let mut effects = Vec::new();
    let mut owner = Owner::new(session, programs, settings, clock.now(), &mut effects);
    loop {
        for effect in effects.drain(..) {
            if wanted.send(effect).is_err() {
                return;
            }
        }
        let wait = Duration::try_from(owner.wakes_at().duration_since(clock.now())).unwrap_or_default();
        let input = match inputs.recv_timeout(wait.min(SLEEP_MAX)) {
            Ok(input) => input,
            Err(RecvTimeoutError::Timeout) => Input::Tick,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        owner.step(input, clock.now(), &mut effects);
    }
}
