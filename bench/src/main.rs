//! Measures a fleet: real processes, a real RabbitMQ, a real PostgreSQL.
//!
//! It judges nothing but its own limits, and compares only what it has measured in the same run.

mod copy;
mod fleet;
mod load;
mod million;
mod report;
mod roles;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use warren_service::cli::ServiceArgs;

/// Measures a fleet.
#[derive(Parser)]
#[command(name = "warren-bench", version)]
struct Args {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// A million instances wait: what they cost, and what they take from new work
    Million(million::Plan),
    /// An orchestrator-svc with the orchestrators of this program
    #[command(hide = true)]
    Orchestrator(ServiceArgs),
    /// An activity-worker with the activities of this program
    #[command(hide = true)]
    Worker(ServiceArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match &Args::parse().part {
        Part::Million(plan) => million::run(plan).await,
        Part::Orchestrator(args) => roles::orchestrator(args).await.map(|()| true),
        Part::Worker(args) => roles::worker(args).await.map(|()| true),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("warren-bench: {error:#}");
            ExitCode::from(2)
        }
    }
}
