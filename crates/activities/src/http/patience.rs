//! An answer 202 with a `Location` says where the result will be: it is asked after, for a while.

use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;
use warren::Failure;
use warren_service::settings::HttpSettings;

use super::{
    answer::Reading,
    client::{Answer, Call, Client},
    redirect::{get, location},
    trouble,
};

/// How long, and how often, a result is asked after.
#[derive(Debug)]
pub(super) struct Patience {
    within: Duration,
    interval: Duration,
}

impl Patience {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        Self {
            within: Duration::from_secs(settings.poll_seconds_max.into()),
            interval: Duration::from_secs(settings.poll_interval_seconds.into()),
        }
    }

    /// Returns the answer that is not 202 any more. One that may be different the next time is asked for again meanwhile:
    /// the retry of the whole activity would begin anew what the server works at.
    pub(super) async fn settle(
        &self,
        client: &Client,
        reading: &Reading,
        call: &Call,
        first: Answer,
    ) -> Result<Answer, Failure> {
        let Some(mut place) = self.promised(client, call, &first)? else { return Ok(first) };
        let deadline = Instant::now() + self.within;
        let mut latest = Ok(first);
        loop {
            let pause = latest.as_ref().ok().and_then(|answer| retry_after(&answer.headers)).unwrap_or(self.interval);
            if Instant::now() + pause > deadline {
                return Err(self.too_late(latest));
            }
            sleep(pause).await;
            let call = Call { url: place.clone(), ..get(call) };
            latest = match timeout_at(deadline, client.send(call.clone())).await {
                Ok(answer) => answer,
                Err(_) => return Err(self.too_late(latest)),
            };
            match &latest {
                Ok(answer) if answer.status == StatusCode::ACCEPTED => {
                    place = self.promised(client, &call, answer)?.unwrap_or(place);
                }
                Ok(answer) if reading.is_retryable(answer.status) => {}
                Err(failure) if failure.retryable => {}
                Ok(_) | Err(_) => return latest,
            }
        }
    }

    /// Returns where the result will be, if the answer says so.
    fn promised(&self, client: &Client, call: &Call, answer: &Answer) -> Result<Option<Url>, Failure> {
        if answer.status != StatusCode::ACCEPTED || self.within.is_zero() {
            return Ok(None);
        }
        let place = location(answer);
        if let Some(place) = &place {
            let refused = |why| Failure::permanent(trouble::REFUSED_ADDRESS, why);
            client.may_follow(call, place).map_err(refused)?;
        }
        Ok(place)
    }

    fn too_late(&self, latest: Result<Answer, Failure>) -> Failure {
        let failure = Failure::new(trouble::TIMEOUT, format!("no result within {} s", self.within.as_secs()));
        match latest {
            Ok(answer) => failure.with_details(&trouble::Details {
                status: answer.status.as_u16(),
                body: trouble::shown(&answer.body),
                retry_after_seconds: retry_after(&answer.headers).map(|pause| pause.as_secs()),
            }),
            Err(cause) => failure.caused_by(cause),
        }
    }
}

/// Returns how long the server wants to be left alone: a number of seconds, or a time.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}
