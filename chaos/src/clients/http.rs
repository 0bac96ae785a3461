//! Clients by HTTP: of whichever client-api answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use client_api::http_client::{HttpClient, Reply};
use serde_json::Value;

use warren_chaos_checker::Answered;

use super::{Attempt, Order, StartOrder, answered, body, bytes, event_name};
use crate::plan::Deed;

/// How long a client waits for an answer. Shorter than client-api's own patience now and then, so that answers get lost.
const WITHIN: Duration = Duration::from_secs(10);
/// How long it waits for an end before it asks again.
const WAIT_SECONDS: u64 = 20;

/// Clients of all client-apis in turn. Cheap to clone.
#[derive(Clone)]
pub(super) struct Http {
    apis: Arc<[HttpClient]>,
    waiting: Arc<[HttpClient]>,
    turn: Arc<AtomicUsize>,
}

impl Http {
    pub(super) fn new(apis: &[String]) -> anyhow::Result<Self> {
        let clients = |within| -> anyhow::Result<Arc<[HttpClient]>> {
            let clients = apis.iter().map(|api| HttpClient::new(&format!("{api}/api/v1"), within));
            Ok(clients.collect::<Result<Vec<_>, _>>()?.into())
        };
        let waiting = clients(Duration::from_secs(WAIT_SECONDS + 5))?;
        Ok(Self { apis: clients(WITHIN)?, waiting, turn: Arc::default() })
    }

    pub(super) async fn start(&self, order: &StartOrder<'_>) -> Attempt<Answered> {
        let case = &order.script.case;
        let path = match &case.instance {
            Some(id) => format!("/orchestrators/{}/{id}", case.orchestrator),
            None => format!("/orchestrators/{}", case.orchestrator),
        };
        let reply = self.post(&path, &case.message, bytes(&order.script.input)).await;
        match reply {
            Attempt::Done(reply) => match reply.json::<Value>().ok().as_ref().and_then(|body| body["id"].as_str()) {
                Some(id) => Attempt::Done(answered(&case.message, id.to_owned(), None)),
                None => Attempt::Refused(format!("the answer names no instance: {}", reply.text())),
            },
            Attempt::Again(why) => Attempt::Again(why),
            Attempt::Refused(why) => Attempt::Refused(why),
        }
    }

    pub(super) async fn send(&self, order: &Order<'_>) -> Attempt<()> {
        let (what, body) = match order.deed {
            Deed::Raise(signal) => (format!("raiseEvent/{}", event_name()), body(signal)),
            Deed::Suspend => ("suspend?reason=storm".into(), Vec::new()),
            Deed::Resume => ("resume?reason=calm".into(), Vec::new()),
            Deed::Terminate => ("terminate?reason=storm".into(), Vec::new()),
        };
        self.post(&format!("/instances/{}/{what}", order.instance), order.message, body).await.map(|_| ())
    }

    /// Waits for an end; `None`: ask again.
    pub(super) async fn ended(&self, instance: &str) -> Option<(String, Value)> {
        let path = format!("/instances/{instance}/wait?timeout={WAIT_SECONDS}");
        let reply = match self.next(&self.waiting).get(&path).await {
            Ok(reply) if reply.status == 200 => reply,
            Ok(reply) if reply.status == 202 => return None,
            Ok(_) | Err(_) => {
                tokio::time::sleep(super::AGAIN).await;
                return None;
            }
        };
        let body: Value = reply.json().ok()?;
        Some((body["runtimeStatus"].as_str()?.to_owned(), body["output"].clone()))
    }

    async fn post(&self, path: &str, message: &str, body: Vec<u8>) -> Attempt<Reply> {
        match self.next(&self.apis).post(path, &[("idempotency-key", message)], body).await {
            Ok(reply) if reply.status.is_success() => Attempt::Done(reply),
            Ok(reply) if reply.status.is_server_error() => Attempt::Again(format!("http {}", reply.status.as_u16())),
            Ok(reply) => Attempt::Refused(format!("{} {}", reply.status, reply.text())),
            Err(_) => Attempt::Again("http no answer".into()),
        }
    }

    fn next<'a>(&self, of: &'a [HttpClient]) -> &'a HttpClient {
        &of[self.turn.fetch_add(1, Ordering::Relaxed) % of.len()]
    }
}
