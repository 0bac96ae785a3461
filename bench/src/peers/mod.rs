//! `make bench-peers`: other engines beside ours, the same kinds of work, in one run.
//!
//! What an engine is and how it is installed is the business of `bench/peers`: here it is a command per kind of work, whose
//! last line is its figures.

mod commands;
mod report;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use crate::{
    meter::wait_for_idle,
    shape::Shape,
    speed::{self, Bout, Contender, Hub, Row},
};
use commands::{Commands, Line};
use report::Report;

/// How many seconds one run of an engine may take.
const WITHIN_SECONDS: &str = "300";
/// What ours is called.
const OURS: &str = "warren";

/// What is measured, and where.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// A line per engine and kind of work: NAME w1|w2|w3|l1|serve COMMAND…; {store} stands for the database
    #[arg(long, value_name = "FILE")]
    commands: PathBuf,

    /// Where the comparison goes
    #[arg(long, value_name = "FILE", default_value = "target/bench-peers.json")]
    table: PathBuf,

    #[command(flatten)]
    speed: speed::Plan,
}

/// What an engine says of one run.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Said {
    instances_s: f64,
    activities_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Measures all, prints a table and writes it.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<()> {
    std::fs::create_dir_all(&plan.speed.folder)?;
    let text = std::fs::read_to_string(&plan.commands).with_context(|| format!("read {}", plan.commands.display()))?;
    let commands = Commands::parse(&text, &plan.speed.store)?;
    let _servers = commands.servers().map(Server::start).collect::<anyhow::Result<Vec<_>>>()?;
    let mut report = Report::default();
    let hub = Hub::start(&plan.speed, Row::Postgres, Contender::Ours).await?;
    for shape in plan.speed.shapes() {
        for (name, figures) in in_turns(&plan.speed, &hub, shape, &commands).await? {
            report.add(shape, name, &figures);
        }
    }
    hub.check().await?;
    hub.stop().await?;
    report.print()?;
    report.write(&plan.table)
}

/// Runs ours and each engine in turns; an engine that fails is left out, and says so.
async fn in_turns(
    plan: &speed::Plan,
    hub: &Hub,
    shape: Shape,
    commands: &Commands,
) -> anyhow::Result<BTreeMap<String, Vec<Said>>> {
    let mut figures: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    let mut lines = commands.of(shape);
    for _ in 0..plan.runs(Row::Sqlite) {
        let bout = speed::bout(plan, hub, Contender::Ours, plan.work(shape), false).await?;
        figures.entry(OURS.into()).or_default().push(said_by(&bout));
        let mut left = Vec::new();
        for line in lines {
            wait_for_idle(plan.patience()).await?;
            match said(&line).await {
                Ok(said) => {
                    eprintln!("{} {:<10} {said:?}", shape.name(), line.name);
                    figures.entry(line.name.clone()).or_default().push(said);
                    left.push(line);
                }
                Err(error) => eprintln!("{} {:<10} left out: {error:#}", shape.name(), line.name),
            }
        }
        lines = left;
    }
    Ok(figures)
}

fn said_by(bout: &Bout) -> Said {
    let instances_s = f64::from(bout.work.instances) / bout.figures.seconds;
    let activities_s = instances_s * f64::from(bout.work.shape.activities());
    Said { instances_s, activities_s, p50_ms: bout.figures.p50_ms, p99_ms: bout.figures.p99_ms }
}

async fn said(line: &Line) -> anyhow::Result<Said> {
    let mut command = Command::new("timeout");
    command.arg(WITHIN_SECONDS).arg(&line.program).args(&line.arguments).stdin(Stdio::null());
    let output = spawn_blocking(move || command.output()).await?.with_context(|| format!("start {}", line.program))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!("it ended with {}: {}", output.status, told.lines().last().unwrap_or_default());
    }
    read(&String::from_utf8_lossy(&output.stdout))
}

/// Reads the last line that was printed.
fn read(output: &str) -> anyhow::Result<Said> {
    let last = output.trim_end().lines().last().context("it printed nothing")?;
    serde_json::from_str(last).with_context(|| format!("its last line is no figures: {last}"))
}

/// A process of an engine that runs all the time. Stopped when dropped.
struct Server(Child);

impl Server {
    fn start(line: &Line) -> anyhow::Result<Self> {
        let mut command = Command::new(&line.program);
        command.args(&line.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().with_context(|| format!("start {}", line.program))?))
    }
}

impl Drop for Server {
    /// Politely, since it may have children of its own.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
#[path = "peers_test.rs"]
mod test;
