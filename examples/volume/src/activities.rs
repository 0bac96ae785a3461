//! The step that runs on a worker.

use warren::{ActivityContext, Failure};

use crate::contract::{Dimensions, Volume};

pub(crate) async fn compute_volume(_: ActivityContext, sides: Dimensions) -> Result<Volume, Failure> {
    let Dimensions { length, width, height } = sides;
    if [length, width, height].iter().any(|side| *side < 0.0) {
        return Err(Failure::permanent("invalid_dimensions", "a side is negative"));
    }
    let millilitres = length * width * height * 1e6;
    Ok(Volume { litres: millilitres.round() / 1e3 })
}
