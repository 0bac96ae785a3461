//! `DELETE /instances/{id}` and `DELETE /instances`: removes instances that have ended.

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use warren_client::Purged;
use warren_store::Queries;

use super::list::{CONTINUATION, filter, header_of};
use crate::{
    api::Api,
    http::{IdempotencyKey, Params, Segments},
    problem::Problem,
};

/// How many instances are gone, as Durable Functions answers it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    instances_deleted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_complete: Option<bool>,
}

/// Removes one instance; with `recursive=true` its children go as well.
pub(crate) async fn purge<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    params: Params,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Response, Problem> {
    let id = segments.instance()?;
    let is_recursive = params.flag("recursive", false)?;
    let client = api.commander()?;
    let mut purge = client.purge(&id);
    if is_recursive {
        purge = purge.recursive();
    }
    if let Some(key) = key {
        purge = purge.message(key);
    }
    let instances_deleted = purge.send().await?;
    Ok(Json(Deleted { instances_deleted, is_complete: None }).into_response())
}

/// Removes the instances that the parameters of a list name, as many as there is time for.
pub(crate) async fn purge_all<Q: Queries>(
    State(api): State<Api<Q>>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if params.text("createdTimeFrom").is_none() {
        let why =
            "query parameter createdTimeFrom is missing: expected the earliest time of creation, 1970-01-01 for any";
        return Err(Problem::invalid(why));
    }
    let within = params.seconds("timeout", api.options().wait_max)?.unwrap_or(api.options().wait_max);
    let filter = filter(&params, &headers)?;
    let client = api.commander()?;
    let purged = match filter {
        Some(filter) => client.purge_all(filter).within(within).send().await?,
        None => Purged { is_complete: true, ..Purged::default() },
    };
    if purged.instances == 0 && purged.is_complete {
        return Err(Problem::nothing_to_purge());
    }
    let deleted = Deleted { instances_deleted: purged.instances, is_complete: Some(purged.is_complete) };
    Ok(([(CONTINUATION, header_of(purged.next))], Json(deleted)).into_response())
}

#[cfg(test)]
#[path = "purge_test.rs"]
mod test;
