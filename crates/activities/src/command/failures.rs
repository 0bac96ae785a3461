//! What can go wrong with a program, as failures with stable codes.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use serde_json::json;
use warren::Failure;
use warren_service::settings::CommandSettings;

use super::output::{Broken, Output};

/// It could not be started.
const NOT_STARTED: &str = "command_not_started";
/// Its exit code is not 0.
const EXIT: &str = "command_exit";
/// A signal has ended it.
const KILLED: &str = "command_killed";
/// It has not ended in time.
const TIMEOUT: &str = "command_timeout";
/// Nobody waits for it any more.
const CANCELLED: &str = "command_cancelled";
/// It has written more than it may.
const OUTPUT_TOO_LARGE: &str = "command_output_too_large";
/// What it has written is not what it should.
const INVALID_OUTPUT: &str = "command_invalid_output";

/// Makes failures of one activity's program.
#[derive(Debug)]
pub(super) struct Failing {
    program: String,
    retryable: Vec<i32>,
}

impl Failing {
    pub(super) fn new(settings: &CommandSettings) -> Self {
        let retryable = settings.retryable_exit_codes.iter().filter_map(|code| code.parse().ok()).collect();
        Self { program: settings.program.clone(), retryable }
    }

    /// Another worker may have it.
    pub(super) fn not_started(&self, error: &io::Error) -> Failure {
        Failure::new(NOT_STARTED, format!("{} was not started: {error}", self.program))
    }

    /// Fails unless the program ended well.
    pub(super) fn status(&self, status: &io::Result<ExitStatus>, output: &Output) -> Result<(), Failure> {
        let (program, complaints) = (&self.program, output.complaints());
        let status = status.as_ref().map_err(|error| Failure::new(KILLED, format!("{program} is lost: {error}")))?;
        if status.success() {
            return Ok(());
        }
        let last = complaints.lines().last().map_or_else(String::new, |line| format!(": {line}"));
        if let Some(code) = status.code() {
            let failure = Failure::new(EXIT, format!("{program} ended with exit code {code}{last}"));
            let details = json!({"exit_code": code, "stderr": complaints});
            return Err(Failure { retryable: self.retryable.contains(&code), ..failure }.with_details(&details));
        }
        let signal = status.signal().unwrap_or_default();
        let details = json!({"signal": signal, "stderr": complaints});
        Err(Failure::new(KILLED, format!("{program} was ended by signal {signal}{last}")).with_details(&details))
    }

    pub(super) fn too_slow(&self, within: Duration, output: &Output) -> Failure {
        let message = format!("{} has not ended within {} s", self.program, within.as_secs());
        Failure::new(TIMEOUT, message).with_details(&json!({"stderr": output.complaints()}))
    }

    pub(super) fn cancelled(&self, output: &Output) -> Failure {
        let failure = Failure::permanent(CANCELLED, format!("{} was stopped: nobody waits for it", self.program));
        failure.with_details(&json!({"stderr": output.complaints()}))
    }

    pub(super) fn broken(&self, why: &Broken, output: &Output) -> Failure {
        let message = format!("{}: {why}", self.program);
        let failure = match why {
            Broken::TooLarge => Failure::permanent(OUTPUT_TOO_LARGE, message),
            Broken::Pipe(_) => Failure::new(KILLED, message),
        };
        failure.with_details(&json!({"stderr": output.complaints()}))
    }

    pub(super) fn invalid(&self, why: &str, output: &Output) -> Failure {
        let message = format!("{} writes {why}", self.program);
        Failure::permanent(INVALID_OUTPUT, message).with_details(&json!({"stderr": output.complaints()}))
    }
}
