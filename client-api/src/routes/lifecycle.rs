//! `POST /instances/{id}/terminate`, `/suspend` and `/resume`.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use warren_client::Ask;
use warren_model::{Answer, InstanceId, MessageId, Status};
use warren_store::Queries;

use crate::{
    api::Api,
    http::{IdempotencyKey, Params, Segments},
    problem::Problem,
};

/// Ends an instance, and its open children unless `recursive=false`.
pub(crate) async fn terminate<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    params: Params,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Response, Problem> {
    let id = segments.instance()?;
    let recursive = params.flag("recursive", true)?;
    done(api.commander()?.terminate(&id, reason(&params), recursive), key).await
}

/// Pauses an instance.
pub(crate) async fn suspend<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    params: Params,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Response, Problem> {
    let id = segments.instance()?;
    done(api.commander()?.suspend(&id, reason(&params)), key).await
}

/// Lets a paused instance go on.
pub(crate) async fn resume<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    params: Params,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Response, Problem> {
    let id = segments.instance()?;
    done(api.commander()?.resume(&id, reason(&params)), key).await
}

fn reason(params: &Params) -> Option<String> {
    params.text("reason").map(ToOwned::to_owned)
}

/// What is known once a command is committed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    instance_id: InstanceId,
    runtime_status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Sends a command and answers how the instance stands after it.
pub(super) async fn done<Q: Queries>(ask: Ask<'_, Q>, key: Option<MessageId>) -> Result<Response, Problem> {
    let ask = match key {
        Some(key) => ask.message(key),
        None => ask,
    };
    Ok(committed(ask.send().await?))
}

/// Answers how the instance stands after a command.
pub(crate) fn committed(answer: Answer) -> Response {
    let body = Done { instance_id: answer.instance, runtime_status: answer.status, warning: answer.warning };
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

#[cfg(test)]
#[path = "lifecycle_test.rs"]
mod test;
