//! Reads settings from several places, the later ones winning: defaults, a TOML file, the environment, flags.
//!
//! A key that nobody knows is refused wherever it stands, with the nearest known key; so is a value of the wrong
//! type. Never acts on a setting. Secrets are masked in everything that is printed.

mod known;
mod load;
mod origin;
mod print;
mod sources;
mod tables;
mod value;

pub use load::{Loaded, Validate, load};
pub use origin::Origins;
pub(crate) use print::changes;
pub use print::{mask, printable};
pub use sources::{Flag, SettingsFile, Sources};
pub use tables::Tables;

#[cfg(test)]
#[path = "load_test.rs"]
mod test;
