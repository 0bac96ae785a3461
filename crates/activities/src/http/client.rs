//! One request and its answer, through redirects.

use std::time::Duration;

use ::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::timeout;
use url::{Origin, Url};
use warren::Failure;
use warren_service::settings::HttpSettings;

use super::{
    gate::{Gate, Stream},
    redirect, tls, trouble,
};

/// How long an unused connection is kept: servers commonly close theirs after a minute.
const IDLE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    /// The server that the settings name: it alone is told what they say.
    pub(super) home: Origin,
    /// Headers for every server.
    pub(super) common: HeaderMap,
    /// The settings' headers.
    pub(super) own: HeaderMap,
    pub(super) body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Where it came from, after redirects.
    pub(super) url: Url,
}

/// Sends requests, and keeps connections.
#[derive(Debug)]
pub(super) struct Client {
    http: legacy::Client<Gate, Full<Bytes>>,
    within: Duration,
    body_bytes_max: usize,
    redirect_hosts: Vec<String>,
}

impl Client {
    /// Returns a client, or what is wrong with the root certificates.
    pub(super) fn new(settings: &HttpSettings) -> Result<Self, String> {
        let gate = Gate {
            tls: tls::config(&settings.root_certificates)?,
            within: Duration::from_secs(settings.connect_timeout_seconds.into()),
            private_hosts: settings.private_hosts.as_slice().into(),
        };
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        let http = builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build::<_, Full<Bytes>>(gate);
        Ok(Self {
            http,
            within: Duration::from_secs(settings.timeout_seconds.into()),
            body_bytes_max: settings.response_kilobytes_max as usize * 1024,
            redirect_hosts: settings.redirect_hosts.clone(),
        })
    }

    /// Sends a request and follows where its answers lead.
    pub(super) async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let origin = call.url.origin().ascii_serialization();
        match timeout(self.within, self.follow(call)).await {
            Ok(answer) => answer,
            Err(_) => {
                let message = format!("{origin} has not answered within {} s", self.within.as_secs());
                Err(Failure::new(trouble::TIMEOUT, message))
            }
        }
    }

    /// Returns whether an answer to `call` may lead to `url`.
    pub(super) fn may_follow(&self, call: &Call, url: &Url) -> Result<(), String> {
        redirect::check(call, url, &self.redirect_hosts)
    }

    async fn follow(&self, mut call: Call) -> Result<Answer, Failure> {
        for _ in 0..=redirect::HOPS_MAX {
            let answer = self.once(&call).await?;
            match redirect::next(&call, &answer) {
                None => return Ok(answer),
                Some(next) => {
                    let refused = |why| Failure::permanent(trouble::REFUSED_ADDRESS, why);
                    self.may_follow(&call, &next.url).map_err(refused)?;
                    call = next;
                }
            }
        }
        let message = format!("{} redirects more than {} times", call.home.ascii_serialization(), redirect::HOPS_MAX);
        Err(Failure::permanent(trouble::INVALID_RESPONSE, message))
    }

    async fn once(&self, call: &Call) -> Result<Answer, Failure> {
        let origin = call.url.origin();
        let shown = origin.ascii_serialization();
        let mut request = Request::builder().method(call.method.clone()).uri(call.url.as_str());
        if let Some(headers) = request.headers_mut() {
            headers.extend(call.common.clone());
            if origin == call.home {
                call.own.keys().for_each(|name| drop(headers.remove(name)));
                headers.extend(call.own.clone());
            }
        }
        let request = request
            .body(Full::new(call.body.clone()))
            .map_err(|error| Failure::permanent(warren::code::INVALID_INPUT, format!("url: {error}")))?;
        let response = self.http.request(request).await.map_err(|error| trouble::failure(&error, &shown))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.body_bytes_max).collect().await;
        let body = body.map_err(|error| trouble::failure(error.as_ref(), &shown))?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body, url: call.url.clone() })
    }
}

/// The connector's stream must be one that the client can keep.
const _: fn() = || {
    fn keeps<T: legacy::connect::Connection>() {}
    keeps::<Stream>();
};
