//! A user's JSON, kept byte for byte.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// JSON text exactly as its sender wrote it (key order, spacing, `\u0000` and lone surrogate escapes included).
///
/// Cheap to clone. Two payloads are equal if their bytes are.
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

impl Payload {
    /// Returns the payload `null`.
    pub fn null() -> Self {
        static NULL: LazyLock<Payload> = LazyLock::new(|| Payload(RawValue::NULL.to_owned().into()));
        NULL.clone()
    }

    /// Returns `value` as JSON; fails as `serde_json` does (a map with keys that are no strings, an own `Serialize` that fails).
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(|raw| Self(raw.into()))
    }

    /// Returns the bytes as a payload if they are JSON in UTF-8; no bytes at all are `null`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        if bytes.is_empty() {
            return Ok(Self::null());
        }
        serde_json::from_slice::<Box<RawValue>>(bytes).map(|raw| Self(raw.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Returns the size of the text, in bytes.
    pub fn size(&self) -> usize {
        self.as_str().len()
    }

    /// Returns whether this is the payload `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }

    /// Reads the text as a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}

#[cfg(test)]
#[path = "payload_test.rs"]
mod test;
