//! `POST /tasks/{token}/complete`, `/fail` and `/heartbeat`: of a task that a worker has handed over.

use axum::{Json, extract::State, response::Response};
use serde::Serialize;
use warren_model::{Failure, InstanceId, Payload, Token};
use warren_store::Queries;

use super::lifecycle::done;
use crate::{
    api::Api,
    http::{IdempotencyKey, JsonTyped, Segments},
    problem::Problem,
};

/// Ends a task with a result.
pub(crate) async fn complete<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    IdempotencyKey(key): IdempotencyKey,
    JsonTyped(result): JsonTyped,
) -> Result<Response, Problem> {
    done(api.commander()?.complete(token(&segments)?, Ok(result)), key).await
}

/// Ends a task with a failure.
pub(crate) async fn fail<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    IdempotencyKey(key): IdempotencyKey,
    JsonTyped(failure): JsonTyped,
) -> Result<Response, Problem> {
    let token = token(&segments)?;
    done(api.commander()?.complete(token, Err(read(&failure)?)), key).await
}

/// What whoever does a task is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Heard {
    instance_id: InstanceId,
    is_awaited: bool,
}

/// Says that a task is still being done.
pub(crate) async fn heartbeat<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    JsonTyped(progress): JsonTyped,
) -> Result<Json<Heard>, Problem> {
    let token = token(&segments)?;
    let progress = Some(progress).filter(|progress| *progress != Payload::null());
    let is_awaited = api.commander()?.heartbeat(&token, progress).await?;
    Ok(Json(Heard { instance_id: token.instance, is_awaited }))
}

fn token(segments: &Segments) -> Result<Token, Problem> {
    let text = segments.text("token");
    text.parse()
        .map_err(|_| Problem::invalid(format!("{text:?} is no token: expected that of the work item, unchanged")))
}

fn read(failure: &Payload) -> Result<Failure, Problem> {
    failure.parse().map_err(|error| {
        Problem::invalid(format!(
            r#"the body is no failure: {error}; expected {{"code": "…", "message": "…"}}, with "retryable": false if no \
               further attempt can succeed"#
        ))
    })
}

#[cfg(test)]
#[path = "complete_test.rs"]
mod test;
