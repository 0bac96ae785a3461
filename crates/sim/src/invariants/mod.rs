//! What must hold, one file each: the cheap ones after every step that may break them, the expensive ones now and then
//! and at rest.

pub(crate) mod carriers;
pub(crate) mod commit_first;
pub(crate) mod events;
pub(crate) mod fence;
pub(crate) mod history;
pub(crate) mod links;
pub(crate) mod outcomes;
pub(crate) mod purged;
pub(crate) mod quiet;
pub(crate) mod replay;
pub(crate) mod rest;
pub(crate) mod rows;
pub(crate) mod timers;

use warren_store::Commit;

use crate::world::World;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: &'static str,
    /// What was found instead.
    pub text: String,
}

impl Violation {
    pub(crate) fn new(invariant: &'static str, text: impl Into<String>) -> Self {
        Self { invariant, text: text.into() }
    }
}

/// Checks what a commit that was just written may break.
pub(crate) fn committed(world: &mut World, commit: &Commit) -> Result<(), Violation> {
    fence::written(world, commit)?;
    purged::written(world, commit)?;
    history::written(world, commit)?;
    rows::written(world, commit)?;
    links::written(world, commit)?;
    quiet::written(world, commit)?;
    replay::written(world, commit)
}

/// Checks what is expensive and must hold at any moment.
pub(crate) fn at_any_moment(world: &World) -> Result<(), Violation> {
    carriers::check(world)?;
    timers::check(world)
}

/// Checks what must hold once everything has come to rest.
pub(crate) fn at_rest(world: &World) -> Result<(), Violation> {
    rest::check(world)?;
    events::check(world)?;
    outcomes::check(world)?;
    replay::check(world)
}
