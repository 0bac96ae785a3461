//! `/metrics`, in Prometheus' text format. Services describe and count with the `metrics` crate.
//!
//! A service makes its handles once and adds to them by the batch: to look one up takes longer than to count. Labels have
//! few values, all known beforehand; never an instance's id.

use std::{sync::OnceLock, time::Duration};

use metrics::Gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::time::sleep;

/// What this process has counted, for whoever asks.
static COUNTED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The buckets of what takes time, in seconds: from a fast commit to an activity of half an hour.
const SECONDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0, 1_800.0];
/// The buckets of how much goes together.
const SIZES: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

/// How often what histograms have been told is put into their buckets: until then it takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Begins to count. Once per process; a second call, or one after a recorder of the embedding program's own, changes
/// nothing. Handles that were made before count nothing. From then on [`upkeep`] must run.
pub fn begin() {
    COUNTED.get_or_init(|| {
        let recorder = recorder();
        let counted = recorder.handle();
        match metrics::set_global_recorder(recorder) {
            Ok(()) => Some(counted),
            Err(error) => {
                tracing::debug!(%error, "metrics go to another recorder");
                None
            }
        }
    });
}

/// Returns what was counted, in Prometheus' text format; nothing if [`begin`] was not called.
pub fn render() -> String {
    COUNTED.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

/// Keeps what is counted from taking ever more memory, also while nobody asks for it. Never returns.
pub async fn upkeep() {
    loop {
        sleep(UPKEEP).await;
        if let Some(Some(counted)) = COUNTED.get() {
            counted.run_upkeep();
        }
    }
}

/// Returns what is counted on this thread while `act` runs, in Prometheus' text format: for tests, which so see nothing of
/// what others count.
pub fn counted(act: impl FnOnce()) -> String {
    let recorder = recorder();
    metrics::with_local_recorder(&recorder, act);
    recorder.handle().render()
}

/// Histograms have buckets, by the end of their names: what several processes count can be added up then.
fn recorder() -> PrometheusRecorder {
    let buckets = [("_seconds", &SECONDS[..]), ("_messages", &SIZES[..]), ("_instances", &SIZES[..])];
    let builder = buckets.into_iter().fold(PrometheusBuilder::new(), |builder, (suffix, buckets)| {
        let matcher = Matcher::Suffix(suffix.into());
        builder.set_buckets_for_metric(matcher, buckets).expect("there are buckets")
    });
    builder.build_recorder()
}

/// What one of several (a partition's session, say) contributes to a gauge of the process; goes with it.
#[derive(Debug)]
pub struct Share {
    gauge: Gauge,
    value: u64,
}

impl Share {
    /// Returns a share of nothing yet.
    pub fn of(gauge: Gauge) -> Self {
        Self { gauge, value: 0 }
    }

    /// Sets the share.
    pub fn set(&mut self, value: u64) {
        let before = std::mem::replace(&mut self.value, value);
        if value > before {
            self.gauge.increment(number(value - before));
        } else if value < before {
            self.gauge.decrement(number(before - value));
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, which is more than there is of anything")]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
#[path = "metrics_test.rs"]
mod test;
