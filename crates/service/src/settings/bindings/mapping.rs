//! What becomes of what arrives: the same for every way in.

use serde::{Deserialize, Serialize};

use crate::{
    settings::activities::Check,
    template::{Allowed, is_pointer},
};

/// What the texts of a binding may be filled with, besides what a pointer finds in the body.
pub const BINDING_HOLES: Allowed = Allowed { environment: false, headers: true, task: false };

/// What `if_exists` may say.
const IF_EXISTS: [&str; 3] = ["fail", "replace-ended", "use-existing"];

/// What becomes of what arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MappingSettings {
    /// The orchestrator that is started; empty: an event is raised.
    pub start: String,
    /// Its version; empty: the newest.
    pub version: String,
    /// The event that is raised; empty: an orchestration is started.
    pub raise: String,
    /// The instance's id, with holes; empty: a start makes one.
    pub instance: String,
    /// Which part of the body is the input, or the event's data: a JSON pointer, empty for all of it.
    pub input: String,
    /// What a duplicate is known by, with holes; empty: what its sender calls it.
    pub message_id: String,
    /// What becomes of a start if its instance ran before: `fail`, `replace-ended` or `use-existing`.
    pub if_exists: String,
}

impl Default for MappingSettings {
    fn default() -> Self {
        Self {
            start: String::new(),
            version: String::new(),
            raise: String::new(),
            instance: String::new(),
            input: String::new(),
            message_id: String::new(),
            if_exists: "use-existing".into(),
        }
    }
}

impl MappingSettings {
    pub(super) fn check(&self, check: &mut Check<'_>) {
        match (self.start.is_empty(), self.raise.is_empty()) {
            (true, true) => check.add("start", "is empty, must name an orchestrator, or raise an event"),
            (false, false) => check.add("raise", "stands beside start, must be one of the two"),
            (true, false) if self.instance.is_empty() => {
                check.add("instance", "is empty, must say which instance gets the event");
            }
            (true, false) | (false, true) => {}
        }
        check.template("instance", &self.instance, BINDING_HOLES);
        check.template("message_id", &self.message_id, BINDING_HOLES);
        if !is_pointer(&self.input) {
            check.add("input", &format!("= {:?}, must be a JSON pointer as /order, or empty", self.input));
        }
        if !IF_EXISTS.contains(&self.if_exists.as_str()) {
            check.add("if_exists", &format!("= {:?}, must be one of: {}", self.if_exists, IF_EXISTS.join(", ")));
        }
    }
}
