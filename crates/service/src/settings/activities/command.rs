//! `kind = "command"`: runs a program.

use serde::{Deserialize, Serialize};

use super::Check;
use crate::template::{Allowed, is_pointer};

/// What arguments may be filled with: no secrets, since every user of a machine sees the arguments of its processes.
pub const ARGUMENT_HOLES: Allowed = Allowed { environment: false, headers: false, task: true };

/// An activity that runs a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommandSettings {
    /// Its work-item queue, without the hub's name; empty: the activity's name.
    pub queue: String,
    /// The program: an absolute path.
    pub program: String,
    /// Its arguments, each one text with holes; no shell sees them.
    pub arguments: Vec<String>,
    /// Which part of the input it reads as JSON: a JSON pointer, empty for all of it; `none`: nothing.
    pub input: String,
    /// What it writes: `json` or `text`.
    pub output: String,
    /// The variables of the worker's environment that it gets; no others.
    pub environment: Vec<String>,
    /// Its working folder.
    pub folder: String,
    /// How long it may run.
    pub timeout_seconds: u32,
    /// How long after a SIGTERM it may go on.
    pub grace_seconds: u32,
    /// How much it may write, in KiB.
    pub output_kilobytes_max: u32,
    /// How much address space it, and each process of its own, may have, in MiB; 0: as much as there is.
    pub memory_megabytes_max: u32,
    /// The exit codes after which a retry policy tries again.
    pub retryable_exit_codes: Vec<String>,
}

impl Default for CommandSettings {
    fn default() -> Self {
        Self {
            queue: String::new(),
            program: String::new(),
            arguments: Vec::new(),
            input: String::new(),
            output: "json".into(),
            environment: Vec::new(),
            folder: "/".into(),
            timeout_seconds: 60,
            grace_seconds: 5,
            output_kilobytes_max: 1024,
            memory_megabytes_max: 0,
            retryable_exit_codes: Vec::new(),
        }
    }
}

impl CommandSettings {
    pub(super) fn check(&self, check: &mut Check<'_>) {
        for (setting, path) in [("program", &self.program), ("folder", &self.folder)] {
            if !path.starts_with('/') {
                check.add(setting, &format!("= {path:?}, must be an absolute path"));
            }
        }
        for argument in &self.arguments {
            check.template("arguments", argument, ARGUMENT_HOLES);
        }
        if !is_pointer(&self.input) && self.input != "none" {
            check.add("input", &format!("= {:?}, must be a JSON pointer as /order, none, or empty", self.input));
        }
        if self.output != "json" && self.output != "text" {
            check.add("output", &format!("= {:?}, must be json or text", self.output));
        }
        if let Some(wrong) = self.environment.iter().find(|name| name.is_empty() || name.contains('=')) {
            check.add("environment", &format!("names {wrong:?}, must be names of variables"));
        }
        if let Some(wrong) = self.retryable_exit_codes.iter().find(|code| code.parse::<u8>().is_err() || *code == "0") {
            check.add("retryable_exit_codes", &format!("names {wrong:?}, must be 1 to 255"));
        }
        check.range("timeout_seconds", self.timeout_seconds, 1, 86_400);
        check.range("grace_seconds", self.grace_seconds, 0, 300);
        check.range("output_kilobytes_max", self.output_kilobytes_max, 1, 131_072);
        check.range("memory_megabytes_max", self.memory_megabytes_max, 0, 1_048_576);
    }
}
