//! A storm over a real fleet: RabbitMQ, PostgreSQL, orchestrator-svc, activity-workers and client-apis as processes of
//! their own, under load of every shape, while they are killed, frozen and restarted by a seed; and a verdict at the end.

mod clients;
mod dice;
mod fleet;
mod plan;
mod progress;
mod queues;
mod report;
mod roles;
mod rolling;
mod run;
mod storm;
mod workload;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use warren_service::allocator::Allocator;

use crate::roles::{ServiceRole, WorkerRole};

#[global_allocator]
static MEMORY: Allocator = Allocator;

/// A storm over a real fleet, and a verdict on what it has left.
#[derive(Parser)]
#[command(name = "warren-chaos", version, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    role: Option<Part>,

    /// What decides on everything: instances, ways, faults, targets
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// How long the whole run may take, the start and the verdict included
    #[arg(long, value_name = "MINUTES", default_value_t = 8.0)]
    minutes: f64,

    /// How many instances are started at least
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000)]
    instances: u32,

    /// How many faults strike: each of the 8 kinds equally often
    #[arg(long, value_name = "NUMBER", default_value_t = 56)]
    faults: u32,

    /// How many instances are kept under way
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    in_flight: u64,

    /// Leaves RabbitMQ and PostgreSQL running, to look into them
    #[arg(long)]
    keep: bool,

    /// The repository, for deploy/local and .local/chaos
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    repository: PathBuf,

    /// Where the figures go
    #[arg(long, value_name = "FILE", default_value = "target/chaos.json")]
    out: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  warren-chaos                                            the whole storm: 8 minutes
  warren-chaos --seed 7                                   another one
  warren-chaos --minutes 3 --instances 500 --faults 8     a short one, each kind of fault once
  warren-chaos --keep                                     and look into the database afterwards

Exit codes: 0 all is well, 1 something is not (what is printed, where the logs are too), 2 the run failed.";

/// What this program does instead: the rest when the storm starts it as a part of the fleet.
#[derive(Subcommand)]
enum Part {
    /// Judges again what the last run left, if that ran with --keep
    Judge,
    /// Measures a rolling restart of orchestrator-svc under load
    Rolling(rolling::Rolling),
    /// An orchestrator-svc with the storm's orchestrators
    #[command(hide = true)]
    Orchestrator(ServiceRole),
    /// An activity-worker with the storm's activities
    #[command(hide = true)]
    Worker(WorkerRole),
    /// A client-api
    #[command(hide = true)]
    Api(ServiceRole),
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.role {
        None => async { run::run(&plan(&args)?).await }.await,
        Some(Part::Judge) => async { run::judge_again(&plan(&args)?).await }.await,
        Some(Part::Rolling(rolling)) => rolling::run(rolling).await,
        Some(Part::Orchestrator(role)) => roles::orchestrator(role).await.map(|()| true),
        Some(Part::Worker(role)) => roles::worker(role).await.map(|()| true),
        Some(Part::Api(role)) => roles::api(role).await.map(|()| true),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("warren-chaos: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn plan(args: &Args) -> anyhow::Result<run::Plan> {
    Ok(run::Plan {
        seed: args.seed,
        minutes: args.minutes,
        instances: args.instances,
        faults: args.faults,
        in_flight: args.in_flight,
        keep: args.keep,
        repository: args.repository.canonicalize()?,
        out: args.out.clone(),
    })
}
