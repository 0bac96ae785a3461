//! `GET /instances`: which instances there are, newest first, in pages.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use warren_client::Client;
use warren_model::InstanceRecord;
use warren_store::{Filter, Queries};

use crate::{api::Api, http::Params, problem::Problem, show::StatusBody};

/// The header by which pages are chained, both ways.
pub(super) const CONTINUATION: HeaderName = HeaderName::from_static("x-ms-continuation-token");
/// What that header says where there are no further pages.
const NO_MORE: &str = "";

/// Lists instances. Rows hold neither input nor output: with `showInput=true` each instance is read for both.
pub(crate) async fn list<Q: Queries>(
    State(api): State<Api<Q>>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shows_input = params.flag("showInput", false)?;
    let filter = filter(&params, &headers)?;
    let client = api.client()?;
    let Some(filter) = filter else { return Ok(respond(&[], NO_MORE)) };
    let page = client.list(&filter).await?;
    let mut bodies = Vec::with_capacity(page.instances.len());
    for record in page.instances {
        bodies.push(body(&client, record, shows_input).await?);
    }
    Ok(respond(&bodies, &header_of(page.next)))
}

/// Returns what the header of pages says.
pub(super) fn header_of(next: Option<String>) -> String {
    // An id may have spaces, which a header would lose at its ends.
    next.map_or_else(|| NO_MORE.into(), |next| utf8_percent_encode(&next, NON_ALPHANUMERIC).to_string())
}

/// Reads which instances are meant; `None` if only such statuses are asked for as no instance here ever has.
pub(super) fn filter(params: &Params, headers: &HeaderMap) -> Result<Option<Filter>, Problem> {
    let statuses = params.statuses("runtimeStatus")?;
    let filter = Filter {
        prefix: params.text("instanceIdPrefix").map(ToOwned::to_owned),
        statuses: statuses.clone().unwrap_or_default(),
        name: params.text("name").map(ToOwned::to_owned),
        created_from: params.time("createdTimeFrom")?,
        created_to: params.time("createdTimeTo")?,
        top: params.number("top")?.unwrap_or(0),
        after: continuation(headers)?,
    };
    Ok(Some(filter).filter(|_| statuses.is_none_or(|statuses| !statuses.is_empty())))
}

async fn body<Q: Queries>(
    client: &Client<Q>,
    record: InstanceRecord,
    shows_input: bool,
) -> Result<StatusBody, Problem> {
    if !shows_input {
        return Ok(StatusBody::of_record(record));
    }
    // It may be gone since the page was read; then its row is what is known.
    let view = client.status(&record.id).await?;
    Ok(view.map_or_else(|| StatusBody::of_record(record), |view| StatusBody::new(view, true)))
}

fn respond(bodies: &[StatusBody], next: &str) -> Response {
    ([(CONTINUATION, next)], Json(bodies)).into_response()
}

fn continuation(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(token) = headers.get(CONTINUATION).filter(|token| !token.is_empty()) else { return Ok(None) };
    let decoded = token.to_str().ok().and_then(|token| percent_decode_str(token).decode_utf8().ok());
    let decoded = decoded.ok_or_else(|| {
        Problem::invalid(format!("header {CONTINUATION} makes no sense: pass on the one that the page before gave"))
    })?;
    Ok(Some(decoded.into_owned()))
}

#[cfg(test)]
#[path = "list_test.rs"]
mod test;
