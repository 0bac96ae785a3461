//! The token by which a reply is known.

use std::{fmt, str::FromStr};

use crate::{ActionId, ExecutionId, InstanceId, id::hex};

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
        f.pad(&self.text())
    }
}

impl Token {
    /// Returns the text that `Display` shows, without the detour by a formatter: every work item has it.
    pub fn text(&self) -> String {
        let instance = self.instance.as_str();
        let mut text = String::with_capacity(instance.len() + 70);
        text.push_str(instance);
        text.push('.');
        text.push_str(hex(self.execution.as_u128(), &mut [0; 32]));
        for number in [self.task.0, self.attempt] {
            let digits = (u32::BITS - number.leading_zeros()).div_ceil(4).max(1) as usize;
            text.push('.');
            text.push_str(hex(number.into(), &mut [0; 8][..digits]));
        }
        text.push('.');
        text.push_str(hex(self.digest.into(), &mut [0; 16]));
        text
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
