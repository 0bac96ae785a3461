//! `GET /instances/{id}`: how an instance stands.

use axum::{
    Json,
    extract::State,
    http::{
        StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use warren_model::Status;
use warren_store::{InstanceView, Queries};

use crate::{
    api::Api,
    http::{Links, Params, Segments},
    problem::Problem,
    show::{QuarantinedTask, StatusBody, history},
};

/// Seconds after which a client may ask again.
const RETRY_SECONDS: u16 = 5;
/// How many turns of history one answer shows: a histories' limit is far below in practice, and each has a few events.
const HISTORY_TURNS_MAX: usize = 10_000;

/// How many quarantined tasks one answer shows.
const QUARANTINED_MAX: usize = 100;

/// Shows an instance: 200 if it has ended, 202 if not.
pub(crate) async fn status<Q: Queries>(
    State(api): State<Api<Q>>,
    segments: Segments,
    params: Params,
    links: Links,
) -> Result<Response, Problem> {
    let id = segments.instance()?;
    let shows_input = params.flag("showInput", true)?;
    let shows_history = params.flag("showHistory", false)?;
    let shows_output = params.flag("showHistoryOutput", false)?;
    let fails = params.flag("returnInternalServerErrorOnFailure", false)?;
    let client = api.client()?;
    let view = client.status(&id).await?.ok_or_else(|| Problem::no_instance(&id))?;
    let code = code(view.record.status, fails);
    let location = links.status(&id);
    let is_open = !view.record.status.is_terminal();
    let mut body = StatusBody::new(view, shows_input);
    if is_open {
        let tasks = client.queries().quarantined(Some(&id), QUARANTINED_MAX).await?;
        body.quarantined_tasks = tasks.into_iter().map(QuarantinedTask::from).collect();
    }
    if shows_history {
        let mut turns = client.history(&id, HISTORY_TURNS_MAX + 1).await?;
        body.history_truncated = turns.len() > HISTORY_TURNS_MAX;
        turns.truncate(HISTORY_TURNS_MAX);
        body.history_events = Some(history(turns, shows_input, shows_output));
    }
    Ok(respond(code, body, location))
}

/// Returns the answer that shows an instance without its history.
pub(super) fn status_answer(view: InstanceView, shows_input: bool, links: &Links) -> Response {
    let (code, location) = (code(view.record.status, false), links.status(&view.record.id));
    respond(code, StatusBody::new(view, shows_input), location)
}

fn code(status: Status, fails: bool) -> StatusCode {
    match status {
        Status::Pending | Status::Running | Status::Suspended => StatusCode::ACCEPTED,
        Status::Failed if fails => StatusCode::INTERNAL_SERVER_ERROR,
        Status::Completed | Status::Failed | Status::Terminated => StatusCode::OK,
    }
}

fn respond(code: StatusCode, body: StatusBody, location: String) -> Response {
    if code == StatusCode::ACCEPTED {
        let headers = [(LOCATION, location), (RETRY_AFTER, RETRY_SECONDS.to_string())];
        return (code, headers, Json(body)).into_response();
    }
    (code, Json(body)).into_response()
}

#[cfg(test)]
#[path = "status_test.rs"]
mod test;
