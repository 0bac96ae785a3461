//! How each engine is run, as `bench/peers` writes it down.

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::shape::Shape;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    /// Which kind of work it does; `None`: it runs all the time.
    pub(super) shape: Option<Shape>,
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Commands(Vec<Line>);

impl Commands {
    /// Reads a file of commands; `{store}` in them becomes the database's address.
    pub(super) fn parse(text: &str, store: &str) -> anyhow::Result<Self> {
        // Both schemes mean the same, and some libraries know only the longer one.
        let store = store.replacen("postgres://", "postgresql://", 1);
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let lines = lines.map(|line| {
            line_of(&line.replace("{store}", &store)).with_context(|| {
                format!("line {line:?} is no command: expected NAME w1|w2|w3|l1|serve COMMAND ARGUMENTS…")
            })
        });
        Ok(Self(lines.collect::<anyhow::Result<_>>()?))
    }

    /// Returns those that run all the time.
    pub(super) fn servers(&self) -> impl Iterator<Item = &Line> {
        self.0.iter().filter(|line| line.shape.is_none())
    }

    /// Returns those that do this kind of work.
    pub(super) fn of(&self, shape: Shape) -> Vec<Line> {
        self.0.iter().filter(|line| line.shape == Some(shape)).cloned().collect()
    }
}

fn line_of(line: &str) -> anyhow::Result<Line> {
    let mut words = line.split_whitespace().map(ToOwned::to_owned);
    let (Some(name), Some(what), Some(program)) = (words.next(), words.next(), words.next()) else {
        bail!("it has less than three words");
    };
    let shape = match what.as_str() {
        "serve" => None,
        other => Some(Shape::from_str(other, false).map_err(|_| anyhow::anyhow!("{other:?} is no kind of work"))?),
    };
    Ok(Line { name, shape, program, arguments: words.collect() })
}

#[cfg(test)]
#[path = "commands_test.rs"]
mod test;
