//! `POST /instances/{id}/raiseEvent/{event}`: sends an instance an event.

use axum::{extract::State, response::Response};
use warren_store::Queries;

use super::lifecycle::done;
use crate::{
    api::Api,
    http::{IdempotencyKey, JsonTyped, Segments},
    problem::Problem,
};

/// Sends an instance an event.
pub(crate) async fn raise<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    IdempotencyKey(key): IdempotencyKey,
    JsonTyped(input): JsonTyped,
) -> Result<Response, Problem> {
    let id = segments.instance()?;
    let client = api.commander()?;
    done(client.raise(&id, segments.text("event"), input), key).await
}
