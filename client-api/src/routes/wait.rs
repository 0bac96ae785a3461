//! `GET /instances/{id}/wait`: how an instance stands once it has ended, or after a while.

use std::time::Duration;

use axum::{extract::State, response::Response};
use tokio::select;
use warren_client::Client;
use warren_model::InstanceId;
use warren_store::Queries;

use super::{start::End, status::status_answer};
use crate::{
    api::Api,
    http::{Links, Params, Segments},
    metrics,
    problem::Problem,
};

/// How long a request waits that does not say: below the 60 s at which proxies commonly give up.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Waits for the end of an instance: 200 if it has ended, 202 if not.
pub(crate) async fn wait<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    params: Params,
    links: Links,
) -> Result<Response, Problem> {
    let id = segments.instance()?;
    let shows_input = params.flag("showInput", true)?;
    let max = api.options().wait_max;
    let timeout = params.seconds("timeout", max)?.unwrap_or(TIMEOUT_DEFAULT.min(max));
    let client = api.client()?;
    let view = client.status(&id).await?.ok_or_else(|| Problem::no_instance(&id))?;
    if view.record.status.is_terminal() {
        return Ok(status_answer(view, shows_input, &links));
    }
    wait_for_end(&api, &client, &id, timeout).await?;
    let view = client.status(&id).await?.ok_or_else(|| Problem::no_instance(&id))?;
    Ok(status_answer(view, shows_input, &links))
}

/// Waits for the end of an instance; `None` if it has not ended by then, or the API stops before.
pub(super) async fn wait_for_end<Q: Queries>(
    api: &Api<Q>,
    client: &Client<Q>,
    id: &InstanceId,
    timeout: Duration,
) -> Result<Option<End>, Problem> {
    let _wait = metrics::waits();
    select! {
        ended = client.wait(id, timeout) => Ok(ended?.map(|ended| (ended.status, ended.outcome))),
        () = api.stopping() => Ok(None),
    }
}

#[cfg(test)]
#[path = "wait_test.rs"]
mod test;
