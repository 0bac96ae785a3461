//! One measurement.

use std::collections::BTreeMap;

use crate::meter::Taken;

/// What one piece of work was seen to cost, once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// By what it is of: of a process, microseconds of processor time; `wall`, microseconds.
    pub(crate) figures: BTreeMap<&'static str, f64>,
    /// Which share of the processors others took meanwhile.
    pub(crate) others: f64,
}

impl Sample {
    /// Returns what each of so many pieces took, if all of them took so long.
    pub(crate) fn per_piece(taken: &Taken, seconds: f64, pieces: f64) -> Self {
        let mut figures: BTreeMap<_, _> = taken.cpu_us.iter().map(|(name, us)| (*name, *us as f64 / pieces)).collect();
        figures.insert("wall", seconds * 1e6 / pieces);
        Self { figures, others: taken.others_share(seconds) }
    }

    /// Returns the sum of some of its figures.
    pub(crate) fn sum(&self, names: &[&str]) -> f64 {
        names.iter().filter_map(|name| self.figures.get(name)).sum()
    }
}
