//! What a backend brings to the suite.

use crate::{HubSpec, Payloads, Queries, Result, Store, TurnKey};

/// A place of its own where one hub can live (a folder, a schema), removed with the fixture.
pub trait Fixture: Sized {
    /// The backend.
    type Store: Store;
    /// What clients read it with.
    type Reader: Queries + Payloads;

    /// Returns an empty place.
    fn fresh() -> Self;

    /// Opens the hub of the place to write, as a further process would; makes it if it is absent.
    fn open(&self, spec: &HubSpec) -> impl Future<Output = Result<Self::Store>>;

    /// Opens the hub of the place to read.
    fn reader(&self, hub_name: &str) -> impl Future<Output = Result<Self::Reader>>;

    /// Carries out SQL on what is stored, past the store; table names are the same everywhere.
    fn sql(&self, sql: &str) -> impl Future<Output = ()>;

    /// Damages a stored turn.
    fn damage(&self, turn: &TurnKey, damage: Damage<'_>) -> impl Future<Output = ()> {
        let TurnKey { instance, execution, turn } = turn;
        let key = format!("WHERE instance = '{instance}' AND execution = '{execution}' AND turn = {turn}");
        let sql = match damage {
            Damage::Body(body) => format!("UPDATE history SET body = '{body}' {key}"),
            Damage::Gone => format!("DELETE FROM history {key}"),
        };
        async move { self.sql(&sql).await }
    }
}

/// What befalls a stored turn.
#[derive(Clone, Copy, Debug)]
pub enum Damage<'a> {
    /// Its body is replaced.
    Body(&'a str),
    /// Its row goes.
    Gone,
}
