//! Why a worker can't serve the activities that its settings name.

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says which setting a person must mend.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program itself serves the name.
    #[error(
        "serve activities.{name}: the program registers an activity of this name itself, call one of them otherwise"
    )]
    Taken {
        /// The activity's name.
        name: String,
    },
    /// A variable of the environment is not set.
    #[error(
        "serve activities.{name}: its setting {setting} needs the environment variable {variable}, which is not set"
    )]
    Variable {
        /// The activity's name.
        name: String,
        /// The setting.
        setting: &'static str,
        /// The variable.
        variable: String,
    },
    /// A setting makes no sense here.
    #[error("serve activities.{name}: its setting {setting} {why}")]
    Setting {
        /// The activity's name.
        name: String,
        /// The setting.
        setting: &'static str,
        /// What is wrong, and the remedy.
        why: String,
    },
}
