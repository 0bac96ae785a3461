//! A plain HTTP client, for the demonstration and for tests: JSON over HTTP/1.1, connections kept.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Request, StatusCode, Uri},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// Calls one server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
    within: Duration,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{method} {url}: {why}")]
pub struct Error {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// What went wrong.
    pub why: String,
}

impl HttpClient {
    /// Returns a client of the server at `base`, e.g. `http://127.0.0.1:8080/api/v1`; a call may take `within`.
    pub fn new(base: &str, within: Duration) -> Result<Self, Error> {
        let base = base.trim_end_matches('/').to_owned();
        let fail = |why: &str| Error { method: Method::GET, url: base.clone(), why: why.into() };
        let uri: Uri = base.parse().map_err(|_| fail("is no URL: expected one like http://127.0.0.1:8080"))?;
        match uri.scheme_str() {
            Some("http") if uri.host().is_some() => {}
            Some(_) | None => return Err(fail("expected a URL that begins with http://")),
        }
        Ok(Self { base, client: Client::builder(TokioExecutor::new()).build_http(), within })
    }

    /// Gets what is at `path`.
    pub async fn get(&self, path: &str) -> Result<Reply, Error> {
        self.call(Method::GET, path, &[], Vec::new()).await
    }

    /// Posts JSON to `path`.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], json: Vec<u8>) -> Result<Reply, Error> {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.call(Method::POST, path, &all, json).await
    }

    /// Deletes what is at `path`.
    pub async fn delete(&self, path: &str) -> Result<Reply, Error> {
        self.call(Method::DELETE, path, &[], Vec::new()).await
    }

    /// Calls.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Reply, Error> {
        let url = format!("{}{path}", self.base);
        let fail = |why: String| Error { method: method.clone(), url: url.clone(), why };
        let mut request = Request::builder().method(method.clone()).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).map_err(|error| fail(error.to_string()))?;
        let call = async {
            let response = self.client.request(request).await.map_err(|error| fail(root(&error)))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| fail(root(&error)))?.to_bytes();
            Ok(Reply { status: parts.status, headers: parts.headers, body })
        };
        match timeout(self.within, call).await {
            Ok(reply) => reply,
            Err(_) => Err(fail(format!("no answer within {} s", self.within.as_secs()))),
        }
    }
}

impl Reply {
    /// Reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Returns the innermost reason: hyper's own are "client error (Connect)" and the like.
fn root(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => root(source),
        None => error.to_string(),
    }
}
