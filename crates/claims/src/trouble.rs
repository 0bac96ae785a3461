//! Whether the payload store answers, for readiness.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why the payload store was of no use when it was last asked. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// Notes what became of a call.
    pub(crate) fn note<T>(&self, answer: &warren_store::Result<T>) {
        let why = answer.as_ref().err().map(|error| format!("large payloads wait: {error}"));
        let mut last = self.lock();
        match (&*last, &why) {
            (None, Some(why)) => tracing::warn!(why, "payload store is away"),
            (Some(_), None) => tracing::info!("payload store answers again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        *last = why;
    }

    /// Returns what is wrong.
    pub(crate) fn why(&self) -> Option<String> {
        self.lock().clone()
    }

    /// It is replaced as a whole.
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
