//! `/health/live`, `/health/ready`, and `/metrics` beside them.
//!
//! Live: the process answers, restart it if not. Ready: every check passes, send it work. A service that has lost its
//! broker is live and not ready: restarting it would not help.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use serde::Serialize;
use tokio::{net::TcpListener, sync::watch};

use crate::{Error, Result, config::mask, metrics};

/// What a service knows about its own health. Cheap to clone; its tasks tell it what becomes of their checks.
#[derive(Clone, Debug)]
pub struct Health(watch::Sender<Checks>);

/// Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The check that fails once the service is being stopped.
const SERVICE: &str = "service";

#[derive(Clone, Debug, PartialEq, Eq)]
struct Checks(BTreeMap<&'static str, Passed>);

/// Whether a check passes, perhaps with something to be said, or why not.
type Passed = std::result::Result<Option<String>, String>;

impl Health {
    /// Returns a health whose checks (`broker`, `store` …) have all yet to pass.
    pub fn new(checks: &[&'static str]) -> Self {
        let checks = checks.iter().map(|check| (*check, Err("starting".into()))).collect();
        Self(watch::Sender::new(Checks(checks)))
    }

    /// Notes that a check passes.
    pub fn pass(&self, check: &'static str) {
        if self.note(check, Ok(None)) {
            tracing::info!(check, "health check passes");
        }
    }

    /// Notes that a check passes although something is wrong that leaves the rest of the service of use.
    pub fn pass_but(&self, check: &'static str, remark: impl AsRef<str>) {
        let remark = mask(remark.as_ref());
        if self.note(check, Ok(Some(remark.clone()))) {
            tracing::warn!(check, remark, "health check passes with a remark");
        }
    }

    /// Notes that a check fails, and why; the password of a URL in the reason is masked.
    pub fn fail(&self, check: &'static str, reason: impl AsRef<str>) {
        let reason = mask(reason.as_ref());
        if self.note(check, Err(reason.clone())) {
            tracing::warn!(check, reason, "health check fails");
        }
    }

    /// Notes that the service is being stopped: it finishes its work and should be sent none.
    pub fn drain(&self) {
        self.note(SERVICE, Err("draining".into()));
    }

    /// Returns whether every check passes.
    pub fn is_ready(&self) -> bool {
        self.0.borrow().is_ready()
    }

    /// Waits until every check passes.
    pub async fn ready(&self) {
        // It can't fail: `self` keeps the sender alive.
        let _ = self.0.subscribe().wait_for(Checks::is_ready).await;
    }

    /// Returns whether that was news.
    fn note(&self, check: &'static str, passed: Passed) -> bool {
        self.0.send_if_modified(|checks| checks.0.insert(check, passed.clone()).as_ref() != Some(&passed))
    }
}

impl Checks {
    fn is_ready(&self) -> bool {
        self.0.values().all(Passed::is_ok)
    }
}

/// Returns the routes, for a service that has an HTTP server of its own.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(|| async { ([(CONTENT_TYPE, TEXT)], metrics::render()) }))
        .with_state(health)
}

/// Serves the routes until `shutdown`, and keeps up what is counted.
pub async fn serve(
    listener: TcpListener,
    health: Health,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let serving = axum::serve(listener, router(health)).with_graceful_shutdown(shutdown);
    let served = tokio::select! {
        served = serving.into_future() => served,
        () = metrics::upkeep() => Ok(()),
    };
    served.map_err(|error| Error::SetUp { what: "health endpoints", reason: error.to_string() })
}

#[derive(Serialize)]
struct Answer {
    ready: bool,
    checks: BTreeMap<&'static str, String>,
}

async fn ready(State(health): State<Health>) -> (StatusCode, Json<Answer>) {
    let checks = health.0.borrow().clone();
    let ready = checks.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let told = |passed: Passed| match passed {
        Ok(None) => "ok".into(),
        Ok(Some(remark)) => format!("ok, but {remark}"),
        Err(why) => why,
    };
    let checks = checks.0.into_iter().map(|(check, passed)| (check, told(passed))).collect();
    (status, Json(Answer { ready, checks }))
}

#[cfg(test)]
#[path = "health_test.rs"]
mod test;
