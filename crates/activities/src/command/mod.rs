//! `kind = "command"`: runs a program; the input on its standard input, the result on its standard output.
//!
//! No shell sees anything of the input, the program gets no variable that is not named, and with it ends whatever it
//! started: when it ends itself, when its time is up, and when nobody waits for it any more.

mod failures;
mod group;
mod output;

use std::{ffi::OsString, fs, future::pending, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use tokio::time::sleep;
use warren::{ActivityContext, CancelReason, Failure, Payload, code};
use warren_service::{
    settings::{ARGUMENT_HOLES, CommandSettings},
    template::{Hole, Template},
};

use self::{
    failures::Failing,
    group::Running,
    output::{Broken, Output},
};
use crate::{
    Error, Result,
    task::{Kind, Task},
};

/// Sets limits of a process before a program begins; of util-linux. A limit can't be set here without unsafe code, and
/// set afterwards it would come too late for what the program has forked by then.
const PRLIMIT: &str = "/usr/bin/prlimit";

/// An activity that runs a program.
#[derive(Debug)]
pub(crate) struct Command {
    program: String,
    arguments: Vec<Template>,
    /// `None`: it reads nothing.
    input: Option<String>,
    gives_text: bool,
    environment: Vec<(String, OsString)>,
    folder: String,
    within: Duration,
    grace: Duration,
    output_bytes_max: usize,
    memory_bytes_max: Option<u64>,
    failing: Failing,
}

impl Kind for Command {
    async fn run(&self, task: &Task) -> Result<Payload, Failure> {
        let arguments = self.arguments(task)?;
        let input = match &self.input {
            Some(pointer) => task.part("input", pointer)?.as_str().as_bytes().to_vec(),
            None => Vec::new(),
        };
        let mut running = Running::start(self.process(task, &arguments), self.grace)
            .map_err(|error| self.failing.not_started(&error))?;
        let mut output = Output::new(self.output_bytes_max);
        let ended = tokio::select! {
            ended = running.feed_and_read(&input, &mut output) => Ended::Itself(ended),
            () = sleep(self.within) => Ended::TooLate,
            () = cancelled(&task.ctx) => Ended::Cancelled,
        };
        // In every case, and before anything is told: nothing of it runs on.
        let status = match &ended {
            Ended::Itself(Ok(())) => running.reap().await,
            Ended::Itself(Err(_)) | Ended::TooLate | Ended::Cancelled => running.stop().await,
        };
        match ended {
            Ended::Itself(Ok(())) => self.failing.status(&status, &output)?,
            Ended::Itself(Err(error)) => return Err(self.failing.broken(&error, &output)),
            Ended::TooLate => return Err(self.failing.too_slow(self.within, &output)),
            Ended::Cancelled => return Err(self.failing.cancelled(&output)),
        }
        self.result(&output)
    }
}

/// How a program's run ended.
#[derive(Debug)]
enum Ended {
    /// By itself, or by what it wrote.
    Itself(Result<(), Broken>),
    /// Its time was up.
    TooLate,
    /// Nobody waits for it any more.
    Cancelled,
}

/// Resolves once nobody waits for the activity any more. While its worker drains, it may still end by itself.
async fn cancelled(ctx: &ActivityContext) {
    match ctx.cancelled().await {
        CancelReason::Cancelled => {}
        CancelReason::WorkerStops => pending().await,
    }
}

impl Command {
    /// Returns the activity of this name.
    pub(crate) fn new(name: &str, settings: &CommandSettings) -> Result<Self> {
        let wrong = |setting, why: String| Error::Setting { name: name.into(), setting, why };
        let arguments = settings.arguments.iter().map(|argument| Template::parse(argument, ARGUMENT_HOLES));
        let environment = settings.environment.iter().map(|variable| match std::env::var_os(variable) {
            Some(value) => Ok((variable.clone(), value)),
            None => Err(Error::Variable { name: name.into(), setting: "environment", variable: variable.clone() }),
        });
        runnable(&settings.program).map_err(|why| wrong("program", why))?;
        if !Path::new(&settings.folder).is_dir() {
            return Err(wrong("folder", format!("= {:?}, which is no folder here", settings.folder)));
        }
        let megabytes = settings.memory_megabytes_max;
        if megabytes > 0 {
            runnable(PRLIMIT).map_err(|_| wrong("memory_megabytes_max", format!("needs {PRLIMIT} (of util-linux)")))?;
        }
        Ok(Self {
            program: settings.program.clone(),
            arguments: arguments.collect::<Result<_, _>>().map_err(|why| wrong("arguments", why))?,
            input: (settings.input != "none").then(|| settings.input.clone()),
            gives_text: settings.output == "text",
            environment: environment.collect::<Result<_>>()?,
            folder: settings.folder.clone(),
            within: Duration::from_secs(settings.timeout_seconds.into()),
            grace: Duration::from_secs(settings.grace_seconds.into()),
            output_bytes_max: settings.output_kilobytes_max as usize * 1024,
            memory_bytes_max: (megabytes > 0).then(|| u64::from(megabytes) * 1024 * 1024),
            failing: Failing::new(settings),
        })
    }

    fn process(&self, task: &Task, arguments: &[String]) -> tokio::process::Command {
        let mut process = match self.memory_bytes_max {
            Some(bytes) => {
                let mut limited = tokio::process::Command::new(PRLIMIT);
                limited.arg(format!("--as={bytes}:{bytes}")).arg(&self.program);
                limited
            }
            None => tokio::process::Command::new(&self.program),
        };
        process
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("WARREN_IDEMPOTENCY_KEY", task.ctx.idempotency_key())
            .env("WARREN_INSTANCE", task.ctx.instance().as_str())
            .envs(task.ctx.traceparent().map(|traceparent| ("TRACEPARENT", traceparent)));
        process
    }

    /// Fills the arguments. What the input begins may not look like an option: `--output=/etc/passwd` is no file's name.
    fn arguments(&self, task: &Task) -> Result<Vec<String>, Failure> {
        let fill = |template: &Template| {
            let argument = task.render("arguments", template)?;
            let invalid = |why: &str| Err(Failure::permanent(code::INVALID_INPUT, format!("arguments: {why}")));
            if argument.contains('\0') {
                return invalid("what fills a hole has a NUL");
            }
            match template.begins_with_hole() {
                Some(hole @ Hole::Input(_)) if argument.starts_with('-') => {
                    invalid(&format!("what fills {hole} begins with `-`, as an option does"))
                }
                Some(_) | None => Ok(argument),
            }
        };
        self.arguments.iter().map(fill).collect()
    }

    fn result(&self, output: &Output) -> Result<Payload, Failure> {
        if self.gives_text {
            let text = std::str::from_utf8(output.written());
            let text = text.map_err(|error| self.failing.invalid(&error.to_string(), output))?;
            let text = text.strip_suffix('\n').unwrap_or(text);
            return Payload::of(text).map_err(|error| self.failing.invalid(&error.to_string(), output));
        }
        Payload::from_bytes(output.written().trim_ascii())
            .map_err(|error| self.failing.invalid(&format!("no JSON: {error}"), output))
    }
}

fn runnable(program: &str) -> Result<(), String> {
    let metadata = fs::metadata(program).map_err(|error| format!("= {program:?}: {error}"))?;
    if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
        return Ok(());
    }
    Err(format!("= {program:?}, which is no program that can be run"))
}

#[cfg(test)]
mod test;
