//! `[bindings.NAME]`: what other systems send as they like begins orchestrations and raises events.

mod http;
mod mapping;
mod queue;
mod stream;

use serde::{Deserialize, Serialize};

pub use http::HttpBindingSettings;
pub use mapping::{BINDING_HOLES, MappingSettings};
pub use queue::QueueBindingSettings;
pub use stream::StreamBindingSettings;

use super::activities::Check;
use crate::Problems;

/// A way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum BindingSettings {
    /// Requests to a path.
    Http(HttpBindingSettings),
    /// Messages of another system's queue.
    Queue(QueueBindingSettings),
    /// Messages of another system's stream.
    Stream(StreamBindingSettings),
}

impl BindingSettings {
    /// Returns one of each kind.
    pub(super) fn defaults() -> [Self; 3] {
        [
            Self::Http(HttpBindingSettings::default()),
            Self::Queue(QueueBindingSettings::default()),
            Self::Stream(StreamBindingSettings::default()),
        ]
    }

    pub(super) fn check(&self, name: &str, hub: &str, problems: &mut Problems) {
        let mut check = Check { table: format!("bindings.{name}"), problems };
        match self {
            Self::Http(http) => http.check(&mut check),
            Self::Queue(queue) => queue.check(hub, &mut check),
            Self::Stream(stream) => stream.check(name, hub, &mut check),
        }
    }
}

/// Checks what one binding alone can't tell: no two take the same requests.
pub(super) fn check_paths<'a>(
    bindings: impl Iterator<Item = (&'a String, &'a BindingSettings)>,
    problems: &mut Problems,
) {
    let mut seen = std::collections::BTreeMap::new();
    for (name, binding) in bindings {
        let BindingSettings::Http(http) = binding else { continue };
        if let Some(first) = seen.insert((&http.method, &http.path), name) {
            let key = format!("bindings.{name}.path");
            problems.add(&key, format!("{key} = {:?}, which bindings.{first} takes already", http.path));
        }
    }
}

#[cfg(test)]
#[path = "bindings_test.rs"]
mod test;
