//! What the clients write down of a run.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use warren_chaos_checker::{Answered, Asked, Case, Told};

/// What the clients write down. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Mutex<Page>>);

/// All that was written down.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// What was asked for and answered.
    pub(crate) asked: Asked,
    /// Answers that nobody should get.
    pub(crate) refused: Vec<String>,
    /// How often something was asked again, by the reason.
    pub(crate) repeated: BTreeMap<String, u64>,
    /// How many starts and events were sent again on purpose.
    pub(crate) duplicates: u64,
    /// How many events were sent, repetitions aside.
    pub(crate) events: u64,
}

impl Notes {
    fn page(&self) -> MutexGuard<'_, Page> {
        // Every note is one push or one addition: a page is whole after a panic too.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn case(&self, case: &Case) {
        self.page().asked.cases.push(case.clone());
    }

    pub(crate) fn answered(&self, answered: Answered) {
        self.page().asked.answered.push(answered);
    }

    pub(crate) fn told(&self, told: Told) {
        self.page().asked.told.push(told);
    }

    pub(crate) fn refused(&self, what: String) {
        self.page().refused.push(what);
    }

    pub(crate) fn repeated(&self, why: &str) {
        *self.page().repeated.entry(why.to_owned()).or_default() += 1;
    }

    pub(crate) fn duplicate(&self) {
        self.page().duplicates += 1;
    }

    pub(crate) fn event(&self) {
        self.page().events += 1;
    }

    /// Returns how many instances were asked for.
    pub(crate) fn cases(&self) -> usize {
        self.page().asked.cases.len()
    }

    /// Takes everything.
    pub(crate) fn take(&self) -> Page {
        std::mem::take(&mut self.page())
    }
}
