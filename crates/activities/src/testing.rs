//! What tests of activities share.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::net::SocketAddr;

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use warren::{ActionId, ActivityContext, ExecutionId, Failure, InstanceId, Payload};

use crate::task::Task;

/// The trace context of every task.
pub(crate) const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Returns a task with this input.
pub(crate) fn task(input: &Value) -> Task {
    let ctx = ActivityContext::new(warren::Task {
        idempotency_key: "order-7:3".into(),
        queue: "charge".into(),
        traceparent: Some(TRACE.into()),
        ..warren::Task::new(InstanceId::new("order-7").unwrap(), ExecutionId::from_u128(1), ActionId(3))
    });
    Task::read(ctx, Payload::of(input).unwrap()).unwrap()
}

/// Returns what a failure tells programs.
pub(crate) fn details(failure: &Failure) -> Value {
    failure.details.as_ref().map_or(Value::Null, |details| details.parse().unwrap())
}

/// Serves these routes on this machine until the test ends.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}
