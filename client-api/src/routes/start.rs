//! `POST /orchestrators/{name}` and `POST /orchestrators/{name}/{id}`: begins an instance.

use std::time::Duration;

use axum::{
    Json as JsonAnswer,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use warren_client::Client;
use warren_model::{Answer, IfExists, InstanceId, Outcome, Payload, Status};
use warren_store::Queries;

use super::{status::status_answer, wait::wait_for_end};
use crate::{
    api::Api,
    http::{IdempotencyKey, InstanceLinks, Json, Links, Params, Segments},
    problem::Problem,
    traces::traceparent,
};

/// Seconds after which a client may ask how a new instance fares.
const RETRY_SECONDS: u16 = 10;

/// Begins an instance; with `timeout` it waits for the end and answers the bare output.
pub(crate) async fn start<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    params: Params,
    links: Links,
    IdempotencyKey(key): IdempotencyKey,
    headers: HeaderMap,
    Json(input): Json,
) -> Result<Response, Problem> {
    let client = api.commander()?;
    let id = segments.maybe_instance()?;
    let timeout = params.seconds("timeout", api.options().wait_max)?;
    params.number::<f64>("pollingInterval")?;
    let mut start = client.start(segments.text("name"), input);
    if let Some(id) = id.clone() {
        start = start.id(id);
    }
    if let Some(key) = key {
        start = start.message(key);
    }
    if let Some(version) = params.text("version") {
        start = start.version(version);
    }
    if let Some(choice) = if_exists(&params)? {
        start = start.if_exists(choice);
    }
    if let Some(trace) = traceparent(&headers) {
        start = start.traceparent(trace.to_string());
    }
    let answer = match start.send().await {
        Ok(answer) => answer,
        Err(error) => return Err(conflict(&client, id, &links, error.into()).await),
    };
    match timeout {
        Some(timeout) => finish(&api, &client, &answer, &links, timeout).await,
        None => Ok(accepted(&answer, &links)),
    }
}

/// Waits for the end: the bare output, the status of what failed, or the links if it goes on for longer.
async fn finish<Q: Queries>(
    api: &Api<Q>,
    client: &Client<Q>,
    answer: &Answer,
    links: &Links,
    timeout: Duration,
) -> Result<Response, Problem> {
    match wait_for_end(api, client, &answer.instance, timeout).await? {
        Some((Status::Completed, Ok(output))) => Ok(bare(&output)),
        Some(_) => {
            let view = client.status(&answer.instance).await?.ok_or_else(|| Problem::no_instance(&answer.instance))?;
            Ok(status_answer(view, true, links))
        }
        None => Ok(accepted(answer, links)),
    }
}

/// Where a new instance can be asked after, as Durable Functions answers a start.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Accepted<'a> {
    id: &'a InstanceId,
    #[serde(flatten)]
    links: InstanceLinks,
    runtime_status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'a str>,
}

fn accepted(answer: &Answer, links: &Links) -> Response {
    let links = links.instance(&answer.instance);
    let location = links.status_query_get_uri.clone();
    let body =
        Accepted { id: &answer.instance, links, runtime_status: answer.status, warning: answer.warning.as_deref() };
    let headers = [(LOCATION, location), (RETRY_AFTER, RETRY_SECONDS.to_string())];
    (StatusCode::ACCEPTED, headers, JsonAnswer(body)).into_response()
}

fn bare(output: &Payload) -> Response {
    ([(CONTENT_TYPE, "application/json")], output.as_str().to_owned()).into_response()
}

/// Says how the instance stands whose id is in use.
async fn conflict<Q: Queries>(client: &Client<Q>, id: Option<InstanceId>, links: &Links, problem: Problem) -> Problem {
    let (true, Some(id)) = (problem.is_conflict(), id) else { return problem };
    let problem = problem.with("instanceId", id.as_str()).with("statusQueryGetUri", links.status(&id));
    match client.status(&id).await {
        Ok(Some(view)) => problem.with("runtimeStatus", view.record.status.as_str()),
        // The conflict is true all the same.
        Ok(None) | Err(_) => problem,
    }
}

/// Returns what becomes of the start if its id ran before.
fn if_exists(params: &Params) -> Result<Option<IfExists>, Problem> {
    let Some(text) = params.text("ifExists") else { return Ok(None) };
    let choice = IfExists::ALL.into_iter().find(|choice| choice.as_str().eq_ignore_ascii_case(text));
    choice.map(Some).ok_or_else(|| {
        let names = IfExists::ALL.map(IfExists::as_str).join(", ");
        Problem::invalid(format!("query parameter ifExists is {text:?}: expected one of {names}"))
    })
}

/// How an instance ended.
pub(super) type End = (Status, Outcome);

#[cfg(test)]
#[path = "start_test.rs"]
mod test;
