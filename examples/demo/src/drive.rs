//! Sends the orders, answers those that ask for approval, and waits for their ends.

use std::time::Duration;

use axum::http::StatusCode;
use client_api::http_client::{Error, HttpClient, Reply};
use example_order::sample::Entry;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{progress::Progress, verdict::End};

/// The first wait before a call is made again that met a hub which was away.
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// The longest one.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// How the orders are sent.
pub(crate) struct Plan<'a> {
    /// What the instances' ids begin with.
    pub(crate) run: &'a str,
    /// How many orders are under way at a time.
    pub(crate) concurrency: usize,
    /// After how long an order counts as lost.
    pub(crate) patience: Duration,
}

/// What became of all orders.
pub(crate) struct Driven {
    /// One for each entry, in their order.
    pub(crate) orders: Vec<DrivenOrder>,
    /// From the first call to the last answer.
    pub(crate) took: Duration,
}

/// What became of one order.
pub(crate) struct DrivenOrder {
    /// Its instance.
    pub(crate) instance: String,
    /// How it ended.
    pub(crate) end: End,
    /// From its start to its end.
    pub(crate) took: Duration,
}

/// Sends all orders and waits for their ends.
pub(crate) async fn all(api: &HttpClient, entries: &[Entry], plan: &Plan<'_>) -> Driven {
    let begin = Instant::now();
    let progress = Progress::new(entries.len());
    let driving = stream::iter(entries.iter().enumerate()).map(|(index, entry)| {
        let progress = &progress;
        async move {
            let instance = format!("{}-{}", plan.run, entry.id);
            let begin = Instant::now();
            let end = one(api, entry, &instance, plan.patience).await;
            progress.ended(&end);
            (index, DrivenOrder { instance, end, took: begin.elapsed() })
        }
    });
    let collecting = driving.buffer_unordered(plan.concurrency).collect::<Vec<_>>();
    let mut orders = progress.shown_while(collecting).await;
    orders.sort_by_key(|(index, _)| *index);
    Driven { orders: orders.into_iter().map(|(_, order)| order).collect(), took: begin.elapsed() }
}

async fn one(api: &HttpClient, entry: &Entry, instance: &str, patience: Duration) -> End {
    match timeout_at(Instant::now() + patience, tell(api, entry, instance)).await {
        Ok(Ok(end)) => end,
        Ok(Err(why)) => End::Lost(why),
        Err(_) => End::Lost(format!("it had not ended after {} s", patience.as_secs())),
    }
}

async fn tell(api: &HttpClient, entry: &Entry, instance: &str) -> Result<End, String> {
    // The key makes each call safe to repeat: the hub never acts twice on it.
    let start = format!("/orchestrators/order/{instance}");
    post(api, &start, &format!("{instance}-start"), entry.order.as_str().into()).await?;
    if let Some(approved) = entry.approve {
        // It may come before the order asks for it: the instance keeps it until then.
        let answer = json!({ "approved": approved, "by": "warren-demo" }).to_string().into_bytes();
        let raise = format!("/instances/{instance}/raiseEvent/approval");
        post(api, &raise, &format!("{instance}-approval"), answer).await?;
    }
    let wait = format!("/instances/{instance}/wait?timeout=30&showInput=false");
    loop {
        let reply = patiently(|| api.get(&wait)).await?;
        match reply.status {
            StatusCode::OK => return Ok(End::of_status(&reply.body)),
            StatusCode::ACCEPTED => {}
            _ => return Err(unexpected("GET", &wait, &reply)),
        }
    }
}

async fn post(api: &HttpClient, path: &str, key: &str, json: Vec<u8>) -> Result<(), String> {
    let reply = patiently(|| {
        let json = json.clone();
        async move { api.post(path, &[("idempotency-key", key)], json).await }
    })
    .await?;
    if reply.status == StatusCode::ACCEPTED { Ok(()) } else { Err(unexpected("POST", path, &reply)) }
}

/// Calls until the API answers something else than that it, or the hub behind it, is away.
async fn patiently<F>(call: impl Fn() -> F) -> Result<Reply, String>
where
    F: Future<Output = Result<Reply, Error>>,
{
    let mut pause = RETRY_FIRST;
    loop {
        match call().await {
            Ok(reply) if !is_away(reply.status) => return Ok(reply),
            // A service that is being restarted is away, too.
            Ok(_) | Err(_) => sleep(pause).await,
        }
        pause = (pause * 2).min(RETRY_MAX);
    }
}

fn is_away(status: StatusCode) -> bool {
    status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::GATEWAY_TIMEOUT
}

fn unexpected(method: &str, path: &str, reply: &Reply) -> String {
    format!("{method} {path} was answered {}: {}", reply.status, reply.text())
}
