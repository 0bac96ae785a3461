//! What the side that calls and the side that serves share.

use serde::{Deserialize, Serialize};
use warren::{Activity, Orchestrator};

/// Greets a traveller, by name, in five cities, one after the other.
pub const HELLO: Orchestrator<String, Vec<String>> = Orchestrator::new("hello");
/// Greets somebody in one city.
pub const GREET: Activity<Visit, String> = Activity::new("greet");

/// Somebody comes to a city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Who.
    pub name: String,
    /// Where.
    pub city: String,
}
