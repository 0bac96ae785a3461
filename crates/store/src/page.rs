//! Where a page of instances ended, as clients carry it.

use warren_model::{InstanceId, InstanceRecord, Timestamp};

use crate::{Error, Result};

/// How many instances a page has if the client names no number.
pub(crate) const TOP_DEFAULT: usize = 100;
/// How many instances a page has at most: some 500 KB of rows in one short transaction.
pub(crate) const TOP_MAX: usize = 1000;

/// The place of an instance in the order of lists: newest first; of the same time, the last by id first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) created_at: Timestamp,
    pub(crate) id: InstanceId,
}

impl Place {
    /// Returns the place of an instance.
    pub(crate) fn of(record: &InstanceRecord) -> Self {
        Self { created_at: record.created_at, id: record.id.clone() }
    }

    /// Returns the place as text. Opaque to clients: only [`Place::parse`] knows what is inside.
    pub(crate) fn token(&self) -> String {
        format!("{}.{}", self.created_at.as_microsecond(), self.id)
    }

    /// Returns the place that a token names.
    pub(crate) fn parse(token: &str) -> Result<Self> {
        let parse = || {
            let (micros, id) = token.split_once('.')?;
            let created_at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
            Some(Self { created_at, id: InstanceId::new(id).ok()? })
        };
        parse()
            .ok_or_else(|| Error::Refused(format!("page token {token:?}: pass on the one that the page before gave")))
    }
}

/// Returns how many instances a page has for a client that asks for `top`.
pub(crate) fn size(top: usize) -> usize {
    if top == 0 { TOP_DEFAULT } else { top.min(TOP_MAX) }
}

#[cfg(test)]
#[path = "page_test.rs"]
mod test;
