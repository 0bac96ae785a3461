//! The least, the middle and the most of some figures.

use std::fmt;

use serde::Serialize;

/// The least, the middle and the most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Returns the spread of some figures; `None` of none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        Some(Self { min, median: percentile(&figures, 0.5), max })
    }
}

impl fmt::Display for Spread {
    /// Writes `MEDIAN (LEAST to MOST)`, each with as many decimals as the precision says; none without one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { min, median, max }, decimals) = (self, f.precision().unwrap_or(0));
        write!(f, "{median:.decimals$} ({min:.decimals$} to {max:.decimals$})")
    }
}

/// Returns the figure below which this share of them lies, of figures in order; the mean of two that share the middle.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

#[cfg(test)]
#[path = "statistics_test.rs"]
mod test;
