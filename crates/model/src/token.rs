//! The token by which a reply is known.

use std::{fmt, str::FromStr};

use crate::{ActionId, ExecutionId, InstanceId};

/// Names one attempt of one task of one execution, with a digest that only the hub can make.
///
/// Written `{instance}.{execution}.{task}.{attempt}.{digest}` (numbers in hexadecimal). An instance id may have dots:
/// the parts are read from the right. At most 128 + 32 + 8 + 8 + 16 + 4 = 196 bytes, so it fits a correlation id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// Whose task it is.
    pub instance: InstanceId,
    /// The execution that scheduled it.
    pub execution: ExecutionId,
    /// The task.
    pub task: ActionId,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// Keyed digest of the four with the hub's secret.
    pub digest: u64,
}

/// A text that is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this hub: {0:?}")]
pub struct TokenError(pub String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{:x}.{:x}.{:016x}", self.instance, self.execution, self.task.0, self.attempt, self.digest)
    }
}

impl FromStr for Token {
    type Err = TokenError;
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let parse = || {
            let mut parts = text.rsplitn(5, '.');
            let digest = u64::from_str_radix(parts.next()?, 16).ok()?;
            let attempt = u32::from_str_radix(parts.next()?, 16).ok()?;
            let task = ActionId(u32::from_str_radix(parts.next()?, 16).ok()?);
            let execution = parts.next()?.parse().ok()?;
            let instance = InstanceId::new(parts.next()?).ok()?;
            Some(Self { instance, execution, task, attempt, digest })
        };
        parse().ok_or_else(|| TokenError(text.into()))
    }
}

#[cfg(test)]
#[path = "token_test.rs"]
mod test;
