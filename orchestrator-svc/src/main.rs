//! The stock orchestrator-svc: owns partitions of a hub and runs the orchestrators of the examples.

use std::process::ExitCode;

use clap::Parser;
use warren::Registry;
use warren_service::{allocator::Allocator, cli::ServiceArgs, shutdown};

#[global_allocator]
static MEMORY: Allocator = Allocator;

/// Runs orchestrations: owns partitions of a hub, commits every turn, publishes work items, fires timers.
#[derive(Parser)]
#[command(name = "orchestrator-svc", version)]
struct Args {
    #[command(flatten)]
    service: ServiceArgs,
}

// Turns have threads of their own; what is left, leases above all, is little.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orchestrator-svc: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let Some(settings) = args.service.begin("orchestrator-svc", Vec::new())? else { return Ok(()) };
    orchestrator_svc::run(&settings, registry(), shutdown::signal()?).await
}

/// Every orchestrator that this binary knows; a binary of your own registers yours.
fn registry() -> Registry {
    let registry = example_hello::register(Registry::new());
    let registry = example_volume::register(registry);
    let registry = example_fan_out::register(registry);
    example_order::register(registry)
}
