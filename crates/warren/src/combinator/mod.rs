//! Waiting for several things at once, always in the order of declaration.
//!
//! Of two things that are ready at the same moment the one declared first counts, in every replay: that is what sets
//! these apart from an unbiased `select!`. All are driven by wakes: what a completion costs does not grow with the
//! number of things that are still awaited.

mod all;
mod any;
mod bounded;
mod crowd;
mod join;
mod race;

pub use all::{all, settled};
pub use any::{any, race_all};
pub use bounded::bounded;
pub(crate) use crowd::Crowd;
pub use join::{join, join3};
pub use race::{Raced, race};

#[cfg(test)]
#[path = "combinator_test.rs"]
mod test;
