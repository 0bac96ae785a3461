//! Ways in for other systems, by settings alone: what they send as they like begins orchestrations and raises events.
//!
//! ```text
//! request ──Gatekeeper──▶ Arrival ──Mapping──▶ Order ──client──▶ the instance's owner
//! ```
//!
//! A binding decides nothing about instances: it turns what arrived into a command, whose answer is the owner's.

mod authentication;
mod http;
mod mapping;

use std::sync::Arc;

use axum::Router;
use warren_service::{
    Settings,
    settings::{BINDING_HOLES, BindingSettings, SECRET_HOLES},
    template::Template,
};
use warren_store::Queries;

use self::http::HttpBinding;
use crate::{api::Api, traces::Traces};

/// Why a binding can't be served.
#[derive(Debug, thiserror::Error)]
#[error("serve bindings.{name}: its setting {setting} {why}")]
pub struct BindingError {
    name: String,
    setting: &'static str,
    why: String,
}

/// The ways in that the settings name.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    http: Vec<Arc<HttpBinding>>,
}

impl Bindings {
    /// Returns those of the settings, or what a person must mend.
    pub fn new(settings: &Settings) -> Result<Self, BindingError> {
        let mut bindings = Self::default();
        for (name, binding) in &settings.bindings {
            match binding {
                BindingSettings::Http(http) => bindings.http.push(Arc::new(HttpBinding::new(name, http)?)),
            }
        }
        Ok(bindings)
    }

    /// Returns the routes of those that are served by HTTP.
    pub(crate) fn routes<Q: Queries>(&self, traces: &Traces) -> Router<Api<Q>> {
        http::routes(&self.http, traces)
    }
}

/// Makes the parts of one binding.
#[derive(Clone, Copy)]
struct Maker<'a>(&'a str);

impl Maker<'_> {
    fn wrong(self, setting: &'static str, why: impl Into<String>) -> BindingError {
        BindingError { name: self.0.into(), setting, why: why.into() }
    }

    /// Returns a text with holes; `None` if there is none.
    fn template(self, setting: &'static str, text: &str) -> Result<Option<Template>, BindingError> {
        if text.is_empty() {
            return Ok(None);
        }
        Template::parse(text, BINDING_HOLES).map(Some).map_err(|why| self.wrong(setting, why))
    }

    /// Returns a text that the environment fills.
    fn secret(self, setting: &'static str, text: &str) -> Result<String, BindingError> {
        let template = Template::parse(text, SECRET_HOLES).map_err(|why| self.wrong(setting, why))?;
        let template = template.with_environment(|variable| std::env::var(variable).ok()).map_err(|variable| {
            self.wrong(setting, format!("needs the environment variable {variable}, which is not set"))
        })?;
        template.render(|_| None).map_err(|unfilled| self.wrong(setting, unfilled.to_string()))
    }
}
