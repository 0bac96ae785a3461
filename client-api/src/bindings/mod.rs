//! Ways in for other systems, by settings alone: requests to paths of their own, and what [`warren_bindings`] takes.

mod authentication;
mod http;

use std::sync::Arc;

use axum::Router;
use warren_bindings::{Consumers, Error};
use warren_service::{Settings, settings::BindingSettings};
use warren_store::Queries;

use self::http::HttpBinding;
use crate::{api::Api, traces::Traces};

/// The ways in that the settings name.
#[derive(Debug, Default)]
pub struct Bindings {
    http: Vec<Arc<HttpBinding>>,
    pub(crate) consumers: Consumers,
}

impl Bindings {
    /// Returns those of the settings, or what a person must mend.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self { consumers: Consumers::new(settings, &settings.client_api.listen)?, ..Self::paths(settings)? })
    }

    /// Returns those that requests come by.
    pub fn paths(settings: &Settings) -> Result<Self, Error> {
        let mut http = Vec::new();
        for (name, binding) in &settings.bindings {
            match binding {
                BindingSettings::Http(binding) => http.push(Arc::new(HttpBinding::new(name, binding)?)),
                BindingSettings::Queue(_) | BindingSettings::Stream(_) => {}
            }
        }
        Ok(Self { http, consumers: Consumers::default() })
    }

    /// Returns the routes of those that are served by HTTP.
    pub(crate) fn routes<Q: Queries>(&self, traces: &Traces) -> Router<Api<Q>> {
        http::routes(&self.http, traces)
    }
}
