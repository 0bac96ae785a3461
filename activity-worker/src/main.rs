//! The stock worker: serves the activities that its settings name, or else those of the examples. Your own is as short;
//! see the library's first page.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use warren::Registry;
use warren_activities::register;
use warren_service::{Settings, allocator::Allocator, cli::ServiceArgs, config::Flag, shutdown};

#[global_allocator]
static MEMORY: Allocator = Allocator;

/// How long activities that block their thread may hold up the exit.
const LINGER: Duration = Duration::from_secs(1);

/// Runs activities as work items arrive, and reports their results.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// How many activities run at a time (setting worker.concurrency)
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<String>,

    #[command(flatten)]
    service: ServiceArgs,
}

fn main() -> ExitCode {
    match start(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("activity-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> anyhow::Result<()> {
    let flag = |value| Flag::new("--concurrency", "worker.concurrency", value);
    let flags = args.concurrency.as_deref().map(flag).into_iter().collect();
    let Some(settings) = args.service.begin("activity-worker", flags)? else { return Ok(()) };
    let registry = registry(&settings)?;
    let runtime = activity_worker::runtime(&settings)?;
    let served = runtime.block_on(async {
        let asked_to_stop = shutdown::signal()?;
        activity_worker::run(&settings, registry, asked_to_stop).await
    });
    runtime.shutdown_timeout(LINGER);
    Ok(served?)
}

/// Who names activities of their own has no use for the examples', and their queues are to stay as they are.
fn registry(settings: &Settings) -> warren_activities::Result<Registry> {
    if !settings.activities.is_empty() {
        return register(Registry::new(), settings);
    }
    let examples =
        [example_hello::register, example_volume::register, example_fan_out::register, example_order::register];
    Ok(examples.into_iter().fold(Registry::new(), |registry, register| register(registry)))
}
