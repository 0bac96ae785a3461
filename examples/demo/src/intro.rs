//! What a person should know before and after.

use std::io::{self, Write};

use anyhow::bail;
use axum::http::StatusCode;
use client_api::http_client::HttpClient;

use crate::{drive::Driven, verdict::End};

/// An order that needs approval: six laptops for Portugal.
const NEW_ORDER: &str = r#"{"id": "order-7", "customer": "customer-7", "country": "PT", "card": "tok_visa", "items": [{"sku": "el-101", "name": "Laptop", "kind": "standard", "quantity": 6, "unit_price_cents": 144900}]}"#;

/// Fails unless the API is there and its hub can be used.
pub(crate) async fn check(api: &HttpClient, origin: &str) -> anyhow::Result<()> {
    let remedy = "start everything with `make up`, or name the API with --api URL";
    match api.get("/hub").await {
        Ok(reply) if reply.status == StatusCode::OK => Ok(()),
        Ok(reply) => bail!("the API at {origin} can't serve its hub yet: {}; {remedy}", reply.text()),
        Err(error) => bail!("no API at {origin}: {}; {remedy}", error.why),
    }
}

/// Says how to look further.
pub(crate) fn write_further(out: &mut impl Write, origin: &str, driven: &Driven) -> io::Result<()> {
    let shown = driven.orders.iter().find(|order| matches!(order.end, End::Completed(_))).or(driven.orders.first());
    let Some(shown) = shown else { return Ok(()) };
    let api = format!("{origin}/api/v1");
    writeln!(
        out,
        "\n\
         To look further (`make up` keeps everything running, `make down` stops it):\n  \
         curl -s '{api}/instances/{instance}'\n  \
         curl -s '{api}/instances/{instance}?showHistory=true&showHistoryOutput=true'\n  \
         curl -s '{api}/instances?runtimeStatus=Failed&top=5'\n  \
         curl -s '{api}/hub'\n\
         A new order, which asks for approval, and the approval:\n  \
         curl -s {api}/orchestrators/order/my-order-1 --json '{NEW_ORDER}'\n  \
         curl -s {api}/instances/my-order-1/raiseEvent/approval --json '{{\"approved\": true, \"by\": \"me\"}}'\n  \
         curl -s '{api}/instances/my-order-1/wait?timeout=30'\n\
         Logs and the database of `make up`: .local/fleet/. All routes: docs/http.md.",
        instance = shown.instance,
    )
}
