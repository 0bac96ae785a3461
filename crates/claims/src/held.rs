//! What was fetched and not acknowledged yet: it bounds memory, and says what may be dropped.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use uuid::Uuid;

/// How many bytes of payloads are fetched for messages that are not acknowledged yet; a single one may be larger.
/// Prefetch counts messages, and some thousand large ones would fill any memory.
pub(crate) const BYTES_MAX: u64 = 256 << 20;

/// The deliveries of one consumer that had claims.
#[derive(Debug)]
pub(crate) struct Held {
    open: Mutex<BTreeMap<u64, Open>>,
    bytes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Open {
    bytes: u64,
    spent: Vec<Uuid>,
}

impl Held {
    pub(crate) fn new() -> Self {
        Self { open: Mutex::default(), bytes: watch::Sender::new(0) }
    }

    /// Waits until there is room for so many bytes.
    pub(crate) async fn room(&self, bytes: u64) {
        let fits = |held: &u64| *held == 0 || held.saturating_add(bytes) <= BYTES_MAX;
        // It can't fail: `self` keeps the sender alive.
        let _ = self.bytes.subscribe().wait_for(fits).await;
    }

    /// Notes a delivery: how much was fetched for it, and what nobody needs once it is acknowledged.
    pub(crate) fn add(&self, tag: u64, bytes: u64, spent: Vec<Uuid>) {
        self.lock().insert(tag, Open { bytes, spent });
        self.bytes.send_modify(|held| *held += bytes);
    }

    /// Notes that a delivery or, with `multiple`, every one up to it is done with; returns what nobody needs any more.
    pub(crate) fn release(&self, tag: u64, multiple: bool) -> Vec<Uuid> {
        let done: Vec<Open> = {
            let mut open = self.lock();
            if multiple {
                let rest = open.split_off(&(tag + 1));
                std::mem::replace(&mut *open, rest).into_values().collect()
            } else {
                open.remove(&tag).into_iter().collect()
            }
        };
        if !done.is_empty() {
            let bytes: u64 = done.iter().map(|open| open.bytes).sum();
            self.bytes.send_modify(|held| *held -= bytes);
        }
        done.into_iter().flat_map(|open| open.spent).collect()
    }

    /// What is inside is never half written.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
