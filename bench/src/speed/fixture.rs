//! Runs for tests.

use std::collections::BTreeMap;

use super::{
    bout::{Bout, Cost},
    contender::Contender,
    outcome::{Outcome, Setting},
    plan::Row,
};
use crate::{
    driver::Figures,
    shape::{Shape, Work},
};

/// Returns a run of ten instances that took so long.
pub(crate) fn bout(shape: Shape, seconds: f64) -> Bout {
    Bout {
        work: Work { shape, instances: 10, inflight: 1 },
        figures: Figures { count: 10, seconds, p50_ms: seconds * 10.0, p99_ms: seconds * 20.0 },
        cpu_us: BTreeMap::from([("client", seconds), ("broker", 100.0)]),
        others: 0.125,
        is_idle: seconds < 2.0,
        cost: (seconds < 2.0).then_some(Cost {
            messages: 4.0,
            bytes: 2_000.0,
            commits: Some(0.01),
            rows: Some(4.0),
            log_bytes: Some(3_000.0),
        }),
    }
}

/// Returns what runs of ours and of the limit have shown: medians of 5 and 10 instances per second, and 0.25 of
/// their ratios.
pub(crate) fn outcome() -> Outcome {
    let mut outcome = Outcome::new(vec![Setting::new("cores", "2")]);
    for (row, shape) in [(Row::Postgres, Shape::W1), (Row::Postgres, Shape::L1), (Row::Sqlite, Shape::W3)] {
        let ours = [1.0, 4.0, 2.0].map(|seconds| bout(shape, seconds)).to_vec();
        let limit = [1.0, 1.0, 0.5].map(|seconds| bout(shape, seconds)).to_vec();
        outcome.add(row, shape, &BTreeMap::from([(Contender::Ours, ours), (Contender::Limit, limit)]));
    }
    outcome
}
