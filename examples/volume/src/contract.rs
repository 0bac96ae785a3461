//! What the side that calls and the side that serves share.

use serde::{Deserialize, Serialize};
use warren::{Activity, Orchestrator};

/// Gives the volume of a box.
pub const VOLUME: Orchestrator<Dimensions, Volume> = Orchestrator::new("volume");
/// Computes it.
pub const COMPUTE_VOLUME: Activity<Dimensions, Volume> = Activity::new("compute_volume");

/// A box's sides, in metres.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dimensions {
    /// How long.
    pub length: f64,
    /// How wide.
    pub width: f64,
    /// How high.
    pub height: f64,
}

/// What fits in, to the millilitre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// In litres.
    pub litres: f64,
}
