//! `kind = "http"`: calls an endpoint, and gives what it answers.
//!
//! ```text
//! Http ──Call──▶ Client ──▶ Gate: look up, check, connect ──▶ server
//!   ▲              └─ follows redirects to allowed hosts
//!   └─Answer── 202 with a Location is asked after until it is another
//! ```

mod address;
mod answer;
mod client;
mod gate;
mod patience;
mod redirect;
mod tls;
mod trouble;

use ::http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE, USER_AGENT},
};
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;
use warren::{Failure, Payload, code};
use warren_service::{
    settings::{HttpSettings, split_header},
    template::Template,
};

use self::{
    answer::Reading,
    client::{Call, Client},
    patience::Patience,
};
use crate::{
    Error, Result,
    task::{self, Kind, Task, unfit},
};

/// What the input fills stands for itself in a path and in a query: neither `/` nor `?` of it divides anything.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~').remove(b'.');

/// An activity that calls an endpoint.
#[derive(Debug)]
pub(crate) struct Http {
    method: Method,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    /// `None`: nothing is sent.
    body: Option<String>,
    client: Client,
    reading: Reading,
    patience: Patience,
}

impl Kind for Http {
    async fn run(&self, task: &Task) -> Result<Payload, Failure> {
        let call = self.call(task)?;
        let answer = self.client.send(call.clone()).await?;
        let answer = self.patience.settle(&self.client, &self.reading, &call, answer).await?;
        self.reading.read(&answer)
    }
}

impl Http {
    /// Returns the activity of this name.
    pub(crate) fn new(name: &str, settings: &HttpSettings) -> Result<Self> {
        let wrong = |setting, why: String| Error::Setting { name: name.into(), setting, why };
        let method: Method = settings.method.parse().map_err(|_| wrong("method", "is no method".into()))?;
        let has_body = settings.body != "none" && method != Method::GET && method != Method::HEAD;
        let headers = settings.headers.iter().map(|header| {
            let (header, value) =
                split_header(header).ok_or_else(|| wrong("headers", "must be \"name: value\"".into()))?;
            let header = header.parse().map_err(|_| wrong("headers", format!("names {header:?}: it is no header")))?;
            Ok((header, task::template(name, "headers", value)?))
        });
        Ok(Self {
            url: task::template(name, "url", &settings.url)?,
            headers: headers.collect::<Result<_>>()?,
            body: has_body.then(|| settings.body.clone()),
            client: Client::new(settings).map_err(|why| wrong("root_certificates", why))?,
            reading: Reading::new(settings),
            patience: Patience::new(settings),
            method,
        })
    }

    fn call(&self, task: &Task) -> Result<Call, Failure> {
        let invalid = |why: String| Failure::permanent(code::INVALID_INPUT, why);
        let escape = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let url =
            self.url.render_escaped(|hole| task.find(hole), escape).map_err(|unfilled| unfit("url", &unfilled))?;
        if has_dots(&url) {
            return Err(invalid(
                "url: what fills it may be no `.` or `..` between slashes, which leads elsewhere".into(),
            ));
        }
        // The text may hold a secret.
        let url = Url::parse(&url).map_err(|error| invalid(format!("url: {error}")))?;
        let key = HeaderValue::from_str(task.ctx.idempotency_key());
        let mut common = HeaderMap::new();
        common.insert(USER_AGENT, HeaderValue::from_static(concat!("warren/", env!("CARGO_PKG_VERSION"))));
        common.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        common.insert("idempotency-key", key.map_err(|_| invalid("the idempotency key is no header".into()))?);
        // What is no header is no trace context either.
        if let Some(Ok(traceparent)) = task.ctx.traceparent().map(HeaderValue::from_str) {
            common.insert("traceparent", traceparent);
        }
        let body = match &self.body {
            Some(pointer) => {
                common.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Bytes::from(task.part("body", pointer)?.as_str().to_owned())
            }
            None => Bytes::new(),
        };
        let mut own = HeaderMap::new();
        for (name, value) in &self.headers {
            let value = task.render("headers", value)?;
            let value = HeaderValue::from_str(&value)
                .map_err(|_| invalid(format!("headers: what fills {name} may not stand in a header")))?;
            own.append(name, value);
        }
        Ok(Call { method: self.method.clone(), home: url.origin(), url, common, own, body })
    }
}

/// Returns whether a part of the path is one that a URL leaves out, together with the part before it, however it is written.
fn has_dots(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|part| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."))
}

#[cfg(test)]
mod test;
