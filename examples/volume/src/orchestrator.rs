//! The order of things: one step.

use warren::{Context, Failure};

use crate::contract::{COMPUTE_VOLUME, Dimensions, Volume};

pub(crate) async fn volume(ctx: Context, dimensions: Dimensions) -> Result<Volume, Failure> {
    ctx.call(COMPUTE_VOLUME, dimensions).await
}
