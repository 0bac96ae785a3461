//! What requests are read with, and what every answer gets.

mod body;
mod canonical;
mod identify;
mod links;
mod params;
mod route;
mod segments;
mod unrouted;

pub(crate) use body::{Json, JsonTyped, parse, read};
pub(crate) use canonical::{BASES, canonical};
pub(crate) use identify::identify;
pub(crate) use links::{InstanceLinks, Links};
pub(crate) use params::Params;
pub(crate) use route::route;
pub(crate) use segments::{IdempotencyKey, Segments};
pub(crate) use unrouted::{no_binding, no_method, no_route, panicked};
