//! Names that a person chooses, and what the broker would not take.

use warren_model::limits::SHORT_STRING_BYTES_MAX;

/// Longest name of a hub, in bytes: it is in front of each queue's name and names the store's schema.
pub const HUB_BYTES_MAX: usize = 40;

/// A name that the broker or Warren would not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is empty.
    #[error("{what} is empty")]
    Empty {
        /// What it was to name.
        what: &'static str,
    },
    /// The name is too long.
    #[error("{what} {name:?} has {bytes} bytes, at most {max} are allowed")]
    TooLong {
        /// What it was to name.
        what: &'static str,
        /// The name.
        name: String,
        /// Its length.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// The name has a character that may not stand there.
    #[error("{what} {name:?} has {character:?} at byte {at}, only {allowed} are allowed")]
    Character {
        /// What it was to name.
        what: &'static str,
        /// The name.
        name: String,
        /// The first character that may not stand there.
        character: char,
        /// Where it stands.
        at: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// The hub is called `amq`: the broker keeps every name that begins with `amq.` for itself.
    #[error("hub name \"amq\" is reserved by the broker, choose another")]
    Reserved,
}

/// Fails if a hub can't have this name.
pub(crate) fn check_hub(hub: &str) -> Result<(), NameError> {
    let what = "hub name";
    if hub.is_empty() {
        return Err(NameError::Empty { what });
    }
    let allowed = "letters, digits, `_` and `-`";
    if let Some((at, character)) = hub.char_indices().find(|(_, c)| !c.is_ascii_alphanumeric() && !"_-".contains(*c)) {
        return Err(NameError::Character { what, name: hub.into(), character, at, allowed });
    }
    if hub.len() > HUB_BYTES_MAX {
        return Err(NameError::TooLong { what, name: hub.into(), bytes: hub.len(), max: HUB_BYTES_MAX });
    }
    if hub == "amq" { Err(NameError::Reserved) } else { Ok(()) }
}

/// Fails if a name that a person gave a work-item queue has this character.
pub(crate) fn check_without(character: char, queue: &str) -> Result<(), NameError> {
    let Some(at) = queue.find(character) else { return Ok(()) };
    let (what, allowed) = ("work-item queue", "characters other than '~'");
    Err(NameError::Character { what, name: queue.into(), character, at, allowed })
}

/// Fails if a work-item queue can't have this name; `full` is the name with the hub's prefix.
pub(crate) fn check_work_queue(queue: &str, full: &str) -> Result<(), NameError> {
    let what = "work-item queue";
    if queue.is_empty() {
        return Err(NameError::Empty { what });
    }
    if let Some((at, character)) = queue.char_indices().find(|(_, c)| c.is_control()) {
        let allowed = "printable characters";
        return Err(NameError::Character { what, name: queue.into(), character, at, allowed });
    }
    if full.len() > SHORT_STRING_BYTES_MAX {
        let max = SHORT_STRING_BYTES_MAX - (full.len() - queue.len());
        return Err(NameError::TooLong { what, name: queue.into(), bytes: queue.len(), max });
    }
    Ok(())
}
