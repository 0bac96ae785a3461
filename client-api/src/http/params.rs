//! Query parameters. Names are taken in any case, as Durable Functions takes them; those we don't know are ignored.

use std::{borrow::Cow, fmt::Display, str::FromStr, time::Duration};

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use jiff::{Timestamp, civil, tz::TimeZone};
use warren_model::Status;

use crate::{api::Api, problem::Problem};

/// Statuses of Durable Functions that no instance here ever has.
const FOREIGN_STATUSES: [&str; 2] = ["ContinuedAsNew", "Canceled"];

/// The parameters of a request.
#[derive(Clone, Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Returns a parameter's value; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns `true` or `false`, in any case.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.text(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(wrong(name, text, "true or false")),
        }
    }

    /// Returns a whole number.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| wrong(name, text, "a whole number"))
    }

    /// Returns a time in seconds, at most `max`.
    pub(crate) fn seconds(&self, name: &str, max: Duration) -> Result<Option<Duration>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        let seconds = seconds.ok_or_else(|| wrong(name, text, "a number of seconds"))?;
        Ok(Some(Duration::from_secs_f64(seconds.min(max.as_secs_f64()))))
    }

    /// Returns a moment; without an offset it is UTC, a day alone is its begin.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let civil = || TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok();
        let time = text.parse().ok().or_else(civil);
        time.map(Some).ok_or_else(|| {
            wrong(name, text, "a time such as 2025-03-01T12:00:00Z (in a URL the `+` of an offset is written %2B)")
        })
    }

    /// Returns the statuses of a comma list or of repeated parameters: `None` if all are asked for.
    pub(crate) fn statuses(&self, name: &str) -> Result<Option<Vec<Status>>, Problem> {
        let mut asked = self.all(name).flat_map(|text| text.split(',')).map(str::trim).peekable();
        if asked.peek().is_none() {
            return Ok(None);
        }
        let mut statuses = Vec::new();
        for text in asked {
            let known = Status::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
            let is_foreign = FOREIGN_STATUSES.iter().any(|foreign| foreign.eq_ignore_ascii_case(text));
            match known {
                Some(status) => statuses.push(status),
                None if is_foreign => {}
                None => {
                    return Err(wrong(name, text, &format!("some of {}", Status::ALL.map(Status::as_str).join(", "))));
                }
            }
        }
        Ok(Some(statuses))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

fn wrong(name: &str, value: impl Display, expected: &str) -> Problem {
    let shown: Cow<'_, str> = value.to_string().into();
    Problem::invalid(format!("query parameter {name} is {shown:?}: expected {expected}"))
}

impl<Q: Clone + Send + Sync> FromRequestParts<Api<Q>> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api<Q>) -> Result<Self, Problem> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, api).await;
        let Query(pairs) = query.map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        let params = Self(pairs);
        match params.text("taskHub") {
            Some(hub) if !hub.eq_ignore_ascii_case(api.hub()) => Err(wrong("taskHub", hub, api.hub())),
            Some(_) | None => Ok(params),
        }
    }
}

#[cfg(test)]
#[path = "params_test.rs"]
mod test;
