//! The HTTP API of a hub: start, query, wait, raise, terminate, suspend, resume.
//!
//! The routes are those that users of Durable Functions know, under its base and under one of our own; `docs/http.md`
//! has each of them. A handler reads the request, asks the [`warren_client`] and shows the answer, and decides nothing:
//! what may be done to an instance is the owner's word, given after its commit. Nothing here writes to a store.

mod api;
mod bindings;
mod http;
pub mod http_client;
mod metrics;
mod problem;
mod router;
mod routes;
mod run;
mod service;
mod show;
mod standing;
#[cfg(test)]
mod testing;
mod traces;

pub use api::ApiOptions;
pub use bindings::Bindings;
pub use run::{run, serve_paths};
pub use service::{Error, Service, Surface};
