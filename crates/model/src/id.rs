//! Ids, each a type of its own, checked where it enters.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::limits::{INSTANCE_ID_BYTES_MAX, MESSAGE_ID_BYTES_MAX};

/// Says why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("{what} is empty")]
    Empty {
        /// Which id it was to be.
        what: &'static str,
    },
    /// The text is longer than the id may be.
    #[error("{what} has {bytes} bytes, at most {max} are allowed")]
    TooLong {
        /// Which id it was to be.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// The text has a character outside printable ASCII.
    #[error("{what} has {character:?} at byte {at}, only printable ASCII is allowed")]
    Character {
        /// Which id it was to be.
        what: &'static str,
        /// The first character that may not stand there.
        character: char,
        /// Where it stands.
        at: usize,
    },
    /// The id begins with `@`, which is kept for entities.
    #[error("{what} begins with `@`, which is reserved for entities")]
    Reserved {
        /// Which id it was to be.
        what: &'static str,
    },
    /// The text is not 32 hexadecimal digits.
    #[error("{what} is not 32 hexadecimal digits: {value:?}")]
    NotHex {
        /// Which id it was to be.
        what: &'static str,
        /// The text.
        value: String,
    },
}

fn check(what: &'static str, text: &str, max: usize) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { what });
    }
    if let Some((at, character)) = text.char_indices().find(|(_, c)| !(' '..='~').contains(c)) {
        return Err(IdError::Character { what, character, at });
    }
    if text.len() > max {
        return Err(IdError::TooLong { what, bytes: text.len(), max });
    }
    Ok(())
}

/// The id of an orchestration: at most 128 bytes of printable ASCII, not beginning with `@`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// Returns the id, or why the text is none.
    pub fn new(text: &str) -> Result<Self, IdError> {
        check("instance id", text, INSTANCE_ID_BYTES_MAX)?;
        if text.starts_with('@') {
            return Err(IdError::Reserved { what: "instance id" });
        }
        Ok(Self(text.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id by which a duplicate of a message is known: at most 128 bytes of printable ASCII. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// Returns the id, or why the text is none.
    pub fn new(text: &str) -> Result<Self, IdError> {
        check("message id", text, MESSAGE_ID_BYTES_MAX)?;
        Ok(Self(text.into()))
    }

    /// Returns the id that this UUID spells.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.to_string().into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_id {
    ($id:ident) => {
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl FromStr for $id {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $id {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }
        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0.as_ref().into()
            }
        }
    };
}
text_id!(InstanceId);
text_id!(MessageId);

/// The id of one execution of an instance; written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ExecutionId(u128);

impl ExecutionId {
    /// Returns the id with this value.
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// Returns the value, for deriving further ids from it.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(hex(self.0, &mut [0; 32]))
    }
}
impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for ExecutionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(hex(self.0, &mut [0; 32]))
    }
}
impl FromStr for ExecutionId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError::NotHex { what: "execution id", value: text.into() };
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| error())
    }
}
impl TryFrom<String> for ExecutionId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}
/// Writes the last digits of a number, as many as `digits` has room for, and returns them. Ids are in every message, and the
/// formatter of the standard library takes several times as long for 128 bits.
pub(crate) fn hex(number: u128, digits: &mut [u8]) -> &str {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[usize::from((rest & 0xf) as u8)];
        rest >>= 4;
    }
    std::str::from_utf8(digits).expect("digits are ASCII")
}

/// The id of an action: its sequence number in the execution, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub u32);

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl fmt::Debug for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The namespace of every UUID that Warren derives (a random constant; to change it would change all derived ids).
const NAMESPACE: Uuid = Uuid::from_u128(0x7d0c_3f0e_5b1c_4a5e_9d52_6f3b_1c8e_a417);

pub(crate) fn derive(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, parts.join("\0").as_bytes())
}

/// Returns a derived id that is as old as its cause. If that begins with a UUID of version 7, which begins with its time, or
/// with one of version 8, as they are derived from those, the result begins with the same 48 bits and is of version 8 (RFC
/// 9562): ids of the same time stand beside each other in a database's indexes.
fn derive_of(cause: &str, parts: &[&str]) -> Uuid {
    let derived = derive(parts);
    let uuid = |length| cause.get(..length).and_then(|text| Uuid::try_parse(text).ok());
    match uuid(36).or_else(|| uuid(32)).filter(|uuid| matches!(uuid.get_version_num(), 7 | 8)) {
        Some(cause) => {
            let mut bytes = derived.into_bytes();
            bytes[..6].copy_from_slice(&cause.as_bytes()[..6]);
            bytes[6] = (bytes[6] & 0x0f) | 0x80;
            Uuid::from_bytes(bytes)
        }
        None => derived,
    }
}

/// Returns the instance id for a start that names none, derived from its message id, so that a redelivery makes no second
/// instance: a UUID of version 5, or 8 if the message id is one of version 7.
pub fn instance_id_for(message: &MessageId) -> InstanceId {
    InstanceId(derive_of(message.as_str(), &["instance", message.as_str()]).to_string().into())
}

/// Returns the id of the execution that `cause` begins for `instance`: a start's message id, or the execution that
/// continued as new; of the versions of [`instance_id_for`]. The same cause gives the same id, so a turn that is computed
/// twice is the same turn.
pub fn execution_id(instance: &InstanceId, cause: &str) -> ExecutionId {
    ExecutionId(derive_of(cause, &["execution", instance.as_str(), cause]).as_u128())
}

/// Returns the default id of a child: `{execution}:{task:04x}` of the action that first asked for it.
pub fn child_id(execution: ExecutionId, action: ActionId) -> InstanceId {
    InstanceId(format!("{execution}:{:04x}", action.0).into())
}

#[cfg(test)]
#[path = "id_test.rs"]
mod test;
