//! What a test may break.

/// The faults that are in force.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Nothing works, for this reason.
    pub(super) down: Option<String>,
    /// Publishing waits, for this reason.
    pub(super) blocked: Option<String>,
    /// Publications are refused, for this reason.
    pub(super) refusing: Option<String>,
    /// Publications arrive, but nobody is told.
    pub(super) losing_confirms: bool,
}
