//! What the activities wrote down themselves, on the workers.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

/// One line of a worker's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    pub what: What,
    /// When, in milliseconds since 1970 by the worker's clock.
    pub at_ms: u64,
    /// The worker.
    pub worker: String,
    /// The instance whose task it was.
    pub instance: String,
    /// The execution, 32 hexadecimal digits.
    pub execution: String,
    /// The task.
    pub task: u32,
    /// The attempt by the caller's retry policy.
    pub attempt: u32,
    /// What all attempts and deliveries of one call share.
    pub key: String,
    /// The case that the step belongs to: the message that started its root.
    pub case: String,
    /// The step of that case.
    pub step: u32,
    /// The run: no other run of any activity has this number.
    pub run: u64,
    /// What the run returned; 0 until then.
    pub value: u32,
}

/// What happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It began.
    Began,
    /// It is about to return its value.
    Returned,
    /// It is about to fail, as it was asked to.
    Failed,
    /// It was told that nobody waits for it any more, and ends.
    Stopped,
    /// Its worker was stopped while it ran: by then nobody waited for anything.
    Interrupted,
}

/// Reads every `.jsonl` file of a folder. A last line that a killed worker did not finish is left out.
pub fn read_ledger(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        for (number, line) in text.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(entry) => entries.push(entry),
                Err(_) if !text.ends_with('\n') && number + 1 == text.lines().count() => {}
                Err(error) => {
                    let what = format!("{}, line {}: {error}", path.display(), number + 1);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
#[path = "ledger_test.rs"]
mod test;
