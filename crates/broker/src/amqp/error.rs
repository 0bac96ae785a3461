//! What lapin's errors mean to a caller, by the broker's own reply codes.
//!
//! lapin's `can_be_recovered` says yes to a wrong password.

use std::time::Duration;

use lapin::ErrorKind;

use crate::{Error, Result};

/// The broker's reply codes that only a person can mend: access refused, and a virtual host that is not there or not
/// allowed.
const REFUSALS: [u16; 2] = [403, 530];

/// The queue or exchange is not there.
const NOT_FOUND: u16 = 404;

/// The queue is there with other arguments.
const PRECONDITION_FAILED: u16 = 406;

/// The queue is there and belongs to another connection alone.
const RESOURCE_LOCKED: u16 = 405;

/// What the broker answered to a question about a queue.
#[derive(Debug)]
pub(super) enum Answer<T> {
    /// Yes.
    Done(T),
    /// It is not there.
    Absent,
    /// It is there, and differs; says how.
    Differs(String),
    /// It is not allowed; says what.
    Forbidden(String),
}

/// Asks the broker, and gives up after a while. Knows where the broker is, for errors.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) address: String,
    pub(super) timeout: Duration,
}

impl Asker {
    /// Waits for an answer.
    pub(super) async fn ask<T>(&self, question: impl Future<Output = lapin::Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.timeout, question).await {
            Ok(answer) => answer.map_err(|error| self.classify(&error)),
            Err(_) => Err(self.unavailable(format!("no answer within {:?}", self.timeout))),
        }
    }

    /// Waits for an answer to a question whose denial is an answer too.
    pub(super) async fn ask_about<T>(&self, question: impl Future<Output = lapin::Result<T>>) -> Result<Answer<T>> {
        let question = async {
            Ok(match question.await {
                Ok(value) => Answer::Done(value),
                Err(error) => match reply_code(&error) {
                    Some(NOT_FOUND) => Answer::Absent,
                    Some(PRECONDITION_FAILED | RESOURCE_LOCKED) => Answer::Differs(why(&error)),
                    Some(code) if REFUSALS.contains(&code) => Answer::Forbidden(why(&error)),
                    Some(_) | None => return Err(error),
                },
            })
        };
        self.ask(question).await
    }

    /// Returns the error as a caller should know it.
    pub(super) fn classify(&self, error: &lapin::Error) -> Error {
        match reply_code(error) {
            Some(code) if REFUSALS.contains(&code) => self.refused(why(error)),
            Some(_) | None => self.unavailable(why(error)),
        }
    }

    pub(super) fn unavailable(&self, why: String) -> Error {
        Error::Unavailable { address: self.address.clone(), why }
    }

    pub(super) fn refused(&self, why: String) -> Error {
        Error::Refused { address: self.address.clone(), why }
    }
}

/// Returns what the broker said, or else what lapin says.
pub(super) fn why(error: &lapin::Error) -> String {
    if let ErrorKind::ProtocolError(error) = error.kind() {
        return error.get_message().to_string();
    }
    if let ErrorKind::IOError(error) = error.kind() {
        return error.to_string();
    }
    if let ErrorKind::InvalidChannelState(..) | ErrorKind::InvalidConnectionState(_) = error.kind() {
        return "the channel is lost".into();
    }
    error.to_string()
}

fn reply_code(error: &lapin::Error) -> Option<u16> {
    if let ErrorKind::ProtocolError(error) = error.kind() { Some(error.get_id()) } else { None }
}
