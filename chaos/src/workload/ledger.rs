//! What a worker's activities write down: a file of its own, which no other process and no server touches.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use warren::ActivityContext;
use warren_chaos_checker::{Entry, What};

use super::contract::Step;

/// The ledger of one worker. What is written has reached the kernel, and survives the process.
#[derive(Debug)]
pub(crate) struct Ledger {
    worker: String,
    file: Mutex<File>,
}

impl Ledger {
    /// Opens a ledger of this process in a folder.
    pub(crate) fn open(folder: &Path, worker: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{worker}-{}.jsonl", process::id()));
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { worker: worker.to_owned(), file: Mutex::new(file) })
    }

    /// Writes one line.
    pub(crate) fn write(&self, ctx: &ActivityContext, step: &Step, what: What, run: (u64, u32)) -> io::Result<()> {
        let entry = Entry {
            what,
            at_ms: now_ms(),
            worker: self.worker.clone(),
            instance: ctx.instance().to_string(),
            execution: ctx.execution().to_string(),
            task: ctx.task().0,
            attempt: ctx.attempt(),
            key: ctx.idempotency_key().to_owned(),
            case: step.case.clone(),
            step: step.step,
            run: run.0,
            value: run.1,
        };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        // A file after a panic is as good as before: each line is written whole.
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
