//! What a person must mend.

/// Why a binding can't be served.
#[derive(Debug, thiserror::Error)]
#[error("serve bindings.{name}: its setting {setting} {why}")]
pub struct Error {
    pub(crate) name: String,
    pub(crate) setting: &'static str,
    pub(crate) why: String,
}
