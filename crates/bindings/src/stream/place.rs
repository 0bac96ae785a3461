//! How far a stream was read, and the message that says so.

use std::cmp::Reverse;

use jiff::Timestamp;
use warren_broker::{HeaderValue, Message, amqp::StreamStart};

/// The header with the first offset that is not done with.
const NEXT: &str = "next";
/// The header with the time, in seconds since 1970, at which a binding that has read nothing yet was first served.
const SINCE: &str = "since";

/// How far a stream was read; the greater, the further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Nothing of it yet. The binding was first served at this time: the earlier one counts.
    Unread(Reverse<u64>),
    /// All before this offset.
    Next(u64),
}

/// Where reading begins the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// With the oldest message.
    First,
    /// With what comes once the binding is served.
    Next,
    /// With what came at this time, in seconds since 1970.
    Time(u64),
}

impl From {
    /// Returns what the setting says, or what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "first" => Ok(Self::First),
            "next" => Ok(Self::Next),
            time => {
                let time = time.parse::<Timestamp>().ok().and_then(|time| u64::try_from(time.as_second()).ok());
                let wrong = || format!("= {text:?}, must be first, next, or a time as 2026-01-31T12:00:00Z");
                time.map(Self::Time).ok_or_else(wrong)
            }
        }
    }
}

impl Place {
    /// Reads a baton.
    pub(super) fn read(message: &Message) -> Option<Self> {
        let number = |header: &str| match message.headers.get(header) {
            Some(HeaderValue::Number(number)) => u64::try_from(*number).ok(),
            Some(HeaderValue::Text(_) | HeaderValue::Bool(_)) | None => None,
        };
        number(NEXT).map(Self::Next).or_else(|| number(SINCE).map(|since| Self::Unread(Reverse(since))))
    }

    /// Returns a baton.
    pub(super) fn message(self) -> Message {
        let (header, number) = match self {
            Self::Unread(Reverse(since)) => (SINCE, since),
            Self::Next(offset) => (NEXT, offset),
        };
        let number = HeaderValue::Number(number.try_into().unwrap_or(i64::MAX));
        Message { headers: [(header, number)].into(), ..Message::default() }
    }

    /// Returns where to read on.
    pub(super) fn start(self, from: From) -> StreamStart {
        match (self, from) {
            (Self::Next(offset), From::First | From::Next | From::Time(_)) => StreamStart::Offset(offset),
            (Self::Unread(_), From::First) => StreamStart::First,
            (Self::Unread(Reverse(since)), From::Next) => StreamStart::Time(since),
            (Self::Unread(_), From::Time(seconds)) => StreamStart::Time(seconds),
        }
    }
}

#[cfg(test)]
#[path = "place_test.rs"]
mod test;
