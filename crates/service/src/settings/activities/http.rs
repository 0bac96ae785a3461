//! `kind = "http"`: calls an endpoint.

use serde::{Deserialize, Serialize};

use super::{ACTIVITY_HOLES, Check, is_secret};
use crate::{config::mask, template::is_pointer};

/// The methods that an activity may use.
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

/// An activity that calls an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    /// Its work-item queue, without the hub's name; empty: the activity's name.
    pub queue: String,
    /// The method.
    pub method: String,
    /// Where to, with holes; what fills them is percent-encoded.
    pub url: String,
    /// Headers, each `name: value` with holes.
    pub headers: Vec<String>,
    /// Which part of the input is sent as JSON: a JSON pointer, empty for all of it; `none`: nothing.
    pub body: String,
    /// The statuses after which a retry policy tries again: `503`, or `5xx`.
    pub retryable_statuses: Vec<String>,
    /// How long connecting may take, with the look-up of the host and the TLS handshake.
    pub connect_timeout_seconds: u32,
    /// How long one request may take in all.
    pub timeout_seconds: u32,
    /// How long an answer 202 with a `Location` is asked after; 0: it is the result.
    pub poll_seconds_max: u32,
    /// How often, unless the answer says `Retry-After`.
    pub poll_interval_seconds: u32,
    /// Largest body of an answer, in KiB.
    pub response_kilobytes_max: u32,
    /// The hosts, besides the URL's own, to which a redirect or a `Location` may lead.
    pub redirect_hosts: Vec<String>,
    /// The hosts that may be at addresses that are not public: loopback, private and link-local ones.
    pub private_hosts: Vec<String>,
    /// A file of root certificates in PEM; empty: the system's.
    pub root_certificates: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            queue: String::new(),
            method: "POST".into(),
            url: String::new(),
            headers: Vec::new(),
            body: String::new(),
            retryable_statuses: ["408", "425", "429", "5xx"].map(String::from).into(),
            connect_timeout_seconds: 5,
            timeout_seconds: 30,
            poll_seconds_max: 600,
            poll_interval_seconds: 1,
            response_kilobytes_max: 1024,
            redirect_hosts: Vec::new(),
            private_hosts: Vec::new(),
            root_certificates: String::new(),
        }
    }
}

impl HttpSettings {
    pub(super) fn check(&self, check: &mut Check<'_>) {
        if !METHODS.contains(&self.method.as_str()) {
            check.add("method", &format!("= {:?}, must be one of: {}", self.method, METHODS.join(", ")));
        }
        self.check_url(check);
        check.headers(&self.headers, ACTIVITY_HOLES);
        if !is_pointer(&self.body) && self.body != "none" {
            check.add("body", &format!("= {:?}, must be a JSON pointer as /order, none, or empty", self.body));
        }
        if let Some(wrong) = self.retryable_statuses.iter().find(|status| Statuses::parse(status).is_none()) {
            check.add("retryable_statuses", &format!("names {wrong:?}, must be statuses as 503 or 5xx"));
        }
        for (setting, hosts) in [("redirect_hosts", &self.redirect_hosts), ("private_hosts", &self.private_hosts)] {
            if let Some(wrong) = hosts.iter().find(|host| host.is_empty() || host.contains(['/', '*'])) {
                check.add(setting, &format!("names {wrong:?}, must be hosts as api.example.com"));
            }
        }
        check.range("connect_timeout_seconds", self.connect_timeout_seconds, 1, 300);
        check.range("timeout_seconds", self.timeout_seconds, 1, 3_600);
        check.range("poll_seconds_max", self.poll_seconds_max, 0, 86_400);
        check.range("poll_interval_seconds", self.poll_interval_seconds, 1, 3_600);
        check.range("response_kilobytes_max", self.response_kilobytes_max, 1, 131_072);
    }

    /// The input must not choose the server.
    fn check_url(&self, check: &mut Check<'_>) {
        let shown = mask(&self.url);
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return check.add("url", &format!("= {shown:?}, must be a URL as https://api.example.com/orders/{{/id}}"));
        };
        if scheme != "http" && scheme != "https" {
            check.add("url", &format!("= {shown:?}, must begin with http:// or https://"));
        }
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            check.add("url", &format!("= {shown:?}, must hold no user: use headers = [\"authorization: …\"]"));
        }
        if check.template("url", &self.url, ACTIVITY_HOLES).is_none() {
            return;
        }
        // A pointer has slashes, so a hole that one fills is cut short here, and is no template.
        if host.is_empty() || !is_secret(host) {
            check.add("url", &format!("= {shown:?}, must name its host: no hole but {{env:NAME}} may stand there"));
        }
    }
}

/// One status, or all of a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// This one.
    One(u16),
    /// All that begin with this digit.
    Hundred(u16),
}

impl Statuses {
    /// Reads `503` or `5xx`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix("xx") {
            Some(digit) => digit.parse().ok().filter(|digit| (3..=5).contains(digit)).map(Self::Hundred),
            None => text.parse().ok().filter(|status| (300..=599).contains(status)).map(Self::One),
        }
    }

    /// Returns whether it is one of these.
    pub fn contains(self, status: u16) -> bool {
        match self {
            Self::One(one) => status == one,
            Self::Hundred(digit) => status / 100 == digit,
        }
    }
}
