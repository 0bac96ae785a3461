//! `kind = "http"`: requests to a path.

use serde::{Deserialize, Serialize};

use super::MappingSettings;
use crate::settings::activities::{Check, is_secret};

/// How a sender may show who it is.
const AUTHENTICATIONS: [&str; 4] = ["bearer", "hmac", "none", "stripe"];
/// The methods that a sender may use.
const METHODS: [&str; 3] = ["PATCH", "POST", "PUT"];
/// Where client-api has routes of its own.
const TAKEN: [&str; 4] = ["/api", "/runtime", "/health", "/metrics"];

/// Requests to a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HttpBindingSettings {
    /// The path.
    pub path: String,
    /// The method.
    pub method: String,
    /// How the sender shows who it is: `hmac`, `stripe`, `bearer`, or `none`.
    pub authentication: String,
    /// The secret of that: `{env:NAME}`.
    pub secret: String,
    /// Of `hmac`: the header that holds the signature in hexadecimal digits, also after `sha256=`.
    pub signature_header: String,
    /// What becomes of it.
    #[serde(flatten)]
    pub mapping: MappingSettings,
}

impl Default for HttpBindingSettings {
    fn default() -> Self {
        Self {
            path: String::new(),
            method: "POST".into(),
            authentication: String::new(),
            secret: String::new(),
            signature_header: "x-hub-signature-256".into(),
            mapping: MappingSettings::default(),
        }
    }
}

impl HttpBindingSettings {
    pub(super) fn check(&self, check: &mut Check<'_>) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        let is_under =
            |base: &str| self.path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if self.path.len() < 2 || !self.path.starts_with('/') || !self.path.chars().all(is_plain) {
            check.add("path", &format!("= {:?}, must be a path as /hooks/github", self.path));
        } else if TAKEN.iter().any(|base| is_under(base)) {
            check.add("path", &format!("= {:?}, must be outside of {}", self.path, TAKEN.join(", ")));
        }
        if !METHODS.contains(&self.method.as_str()) {
            check.add("method", &format!("= {:?}, must be one of: {}", self.method, METHODS.join(", ")));
        }
        let authentication = &self.authentication;
        if !AUTHENTICATIONS.contains(&authentication.as_str()) {
            check.add(
                "authentication",
                &format!("= {authentication:?}, must be one of: {}", AUTHENTICATIONS.join(", ")),
            );
        } else if authentication == "none" && !self.secret.is_empty() {
            check.add("secret", "is of no use with authentication = \"none\": leave it out, or say how it is shown");
        } else if authentication != "none" && !(self.secret.contains("{env:") && is_secret(&self.secret)) {
            check.add("secret", "must come from the environment: {env:NAME}");
        }
        if self.signature_header.is_empty() {
            check.add("signature_header", "is empty, must name a header");
        }
        self.mapping.check(check);
    }
}
