//! Measures a fleet: real processes, a real RabbitMQ, a real PostgreSQL.
//!
//! It judges nothing but its own limits, and compares only what it has measured in the same run.

mod client;
mod copy;
mod driver;
mod fleet;
mod growth;
mod limit;
mod load;
mod meter;
mod million;
mod part;
mod peers;
mod plot;
mod report;
mod roles;
mod servers;
mod shape;
mod share;
mod speed;
mod statistics;
#[cfg(test)]
mod testing;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::{runtime::Builder, task::block_in_place};
use warren_service::{allocator::Allocator, cli::ServiceArgs};

#[global_allocator]
static MEMORY: Allocator = Allocator;

/// Measures a fleet.
#[derive(Parser)]
#[command(name = "warren-bench", version)]
struct Args {
    #[command(subcommand)]
    part: Role,

    /// Only looks at the arguments
    #[arg(long, global = true, hide = true)]
    check: bool,
}

#[derive(Subcommand)]
enum Role {
    /// The fleet beside what the broker alone can do
    Speed(speed::Plan),
    /// Other engines beside ours, by the commands that bench/peers writes down
    Peers(peers::Plan),
    /// What a piece of work costs, by what should not make it cost more
    Growth(growth::Plan),
    /// Draws the figures of `speed` or of `growth`
    Plot(plot::Plan),
    /// A million instances wait: what they cost, and what they take from new work
    Million(million::Plan),
    /// Work that only waits: more workers, and a quiet tenant beside one that floods
    Share(share::Plan),
    /// An orchestrator-svc with the orchestrators of this program
    #[command(hide = true)]
    Orchestrator(ServiceArgs),
    /// An activity-worker with the activities of this program
    #[command(hide = true)]
    Worker(ServiceArgs),
    /// A client-api
    #[command(hide = true)]
    Api(ServiceArgs),
    /// A client of a fleet
    #[command(hide = true)]
    Client(client::Role),
    /// A process of the limit
    #[command(hide = true)]
    Limit(limit::Role),
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.check {
        return ExitCode::SUCCESS;
    }
    // One thread does best for those that only move messages; services have the runtimes of the stock binaries.
    let mut builder = match &args.part {
        Role::Client(_) | Role::Limit(_) | Role::Orchestrator(_) => Builder::new_current_thread(),
        Role::Speed(_)
        | Role::Peers(_)
        | Role::Growth(_)
        | Role::Plot(_)
        | Role::Million(_)
        | Role::Share(_)
        | Role::Worker(_)
        | Role::Api(_) => Builder::new_multi_thread(),
    };
    let ended = match builder.enable_all().build() {
        Ok(runtime) => runtime.block_on(run(&args.part)),
        Err(error) => Err(error.into()),
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

/// Returns whether what was measured is within its limits.
async fn run(role: &Role) -> anyhow::Result<bool> {
    match role {
        Role::Speed(plan) => speed::run(plan).await?,
        Role::Peers(plan) => peers::run(plan).await?,
        Role::Growth(plan) => return growth::run(plan).await,
        Role::Share(plan) => return share::run(plan).await,
        Role::Plot(plan) => plot::run(plan)?,
        Role::Million(plan) => return million::run(plan).await,
        Role::Orchestrator(args) => roles::orchestrator(args).await?,
        Role::Worker(args) => block_in_place(|| roles::worker(args))?,
        Role::Api(args) => roles::api(args).await?,
        Role::Client(role) => client::run(role).await?,
        Role::Limit(role) => limit::run(role).await?,
    }
    Ok(true)
}
