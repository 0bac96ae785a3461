//! Sends spans by the batch, and again while the collector is away.

use std::{pin::pin, time::Duration};

use axum::{
    body::Bytes,
    http::{Request, StatusCode, Uri, header::CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use metrics::counter;
use tokio::{
    select,
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{Span, otlp};
use crate::backoff::{Backoff, chance};

/// Most spans in one request: some 300 kilobytes.
const BATCH_MAX: usize = 512;
/// How long a batch that is not full waits for more.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take.
const WITHIN: Duration = Duration::from_secs(10);
/// How often a batch is sent before it is dropped; by then the collector has been away for about half a minute.
const TRIES: u32 = 6;
/// How long the last spans may take when the process ends.
const LAST_WITHIN: Duration = Duration::from_secs(2);

/// Says what the metrics mean.
pub(super) fn describe() {
    metrics::describe_counter!(
        "warren_spans_total",
        "spans, by what became of them: exported, or dropped because the collector was away, refused them or was too slow"
    );
}

pub(super) fn dropped(count: usize) {
    counter!("warren_spans_total", "result" => "dropped").increment(count as u64);
}

/// Sends what a [`Tracer`](super::Tracer) takes.
#[derive(Debug)]
pub struct Exporter(Option<Collector>);

#[derive(Debug)]
struct Collector {
    url: Uri,
    resource: Vec<(&'static str, String)>,
    client: Client<HttpConnector, Full<Bytes>>,
    waiting: mpsc::Receiver<Span>,
}

/// Why a batch was not taken.
enum Trouble {
    /// Another try may succeed.
    Passing(String),
    /// It never will be.
    Lasting(String),
}

impl Exporter {
    pub(super) fn off() -> Self {
        Self(None)
    }

    pub(super) fn new(url: Uri, resource: Vec<(&'static str, String)>, waiting: mpsc::Receiver<Span>) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self(Some(Collector { url, resource, client, waiting }))
    }

    /// Sends spans until `stopped`; then those that wait, if the collector is there.
    pub async fn run(self, stopped: impl Future<Output = ()>) {
        let Self(Some(mut collector)) = self else { return };
        tracing::info!(url = %collector.url, "sending spans");
        let mut stopped = pin!(stopped);
        let mut batch = Vec::new();
        loop {
            select! {
                () = &mut stopped => break,
                () = collector.gather(&mut batch) => {}
            }
            // What is on its way when the process ends is sent once more below: a collector knows a span by its id.
            select! {
                () = &mut stopped => break,
                () = collector.send(&batch) => batch.clear(),
            }
        }
        collector.waiting.close();
        let last = async {
            while let Ok(span) = collector.waiting.try_recv() {
                batch.push(span);
            }
            for batch in batch.chunks(BATCH_MAX) {
                collector.send(batch).await;
            }
        };
        if timeout(LAST_WITHIN, last).await.is_err() {
            tracing::info!("collector is too slow, the last spans are dropped");
        }
    }
}

impl Collector {
    /// Waits for spans, and then a little for more. Safe to cancel: what has come is in `batch`.
    async fn gather(&mut self, batch: &mut Vec<Span>) {
        if self.waiting.recv_many(batch, BATCH_MAX).await == 0 {
            return std::future::pending().await; // nobody is left to send any
        }
        let full = async {
            while batch.len() < BATCH_MAX && self.waiting.recv_many(batch, BATCH_MAX - batch.len()).await > 0 {}
        };
        // Full or not: it leaves now.
        let _ = timeout(GATHER, full).await;
    }

    /// Sends a batch until it is taken, refused, or was sent often enough.
    async fn send(&self, batch: &[Span]) {
        let body = Bytes::from(otlp::request(&self.resource, batch));
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(15));
        loop {
            let why = match self.post(body.clone()).await {
                Ok(()) => return counter!("warren_spans_total", "result" => "exported").increment(batch.len() as u64),
                Err(Trouble::Passing(_)) if backoff.tries() + 1 < TRIES => {
                    sleep(backoff.next(chance())).await;
                    continue;
                }
                Err(Trouble::Passing(why) | Trouble::Lasting(why)) => why,
            };
            tracing::warn!(url = %self.url, why, spans = batch.len(), "collector does not take spans, they are dropped");
            return dropped(batch.len());
        }
    }

    async fn post(&self, body: Bytes) -> Result<(), Trouble> {
        match timeout(WITHIN, self.ask(body)).await {
            Ok(asked) => asked,
            Err(_) => Err(Trouble::Passing(format!("no answer within {} s", WITHIN.as_secs()))),
        }
    }

    async fn ask(&self, body: Bytes) -> Result<(), Trouble> {
        let request = Request::post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(Full::new(body));
        let request = request.map_err(|error| Trouble::Lasting(error.to_string()))?;
        let passing = |error: &dyn std::error::Error| Trouble::Passing(error.to_string());
        let response = self.client.request(request).await.map_err(|error| passing(&error))?;
        let status = response.status();
        // To its end, so that the connection may be used again.
        response.into_body().collect().await.map_err(|error| passing(&error))?;
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(Trouble::Passing(status.to_string())),
            status => Err(Trouble::Lasting(status.to_string())),
        }
    }
}
