//! A worker that serves the greetings of `hello`, and aborts when it is to greet somebody called `poison`.

use std::process::ExitCode;

use clap::Parser;
use example_hello::contract::{GREET, Visit};
use warren::{ActivityContext, Failure, Registry};
use warren_service::{cli::ServiceArgs, shutdown};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    service: ServiceArgs,
}

async fn greet(_: ActivityContext, visit: Visit) -> Result<String, Failure> {
    if visit.name == "poison" {
        std::process::abort();
    }
    Ok(format!("Hello {} from {}!", visit.name, visit.city))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match serve(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fragile: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: &Args) -> anyhow::Result<()> {
    let Some(settings) = args.service.begin("fragile", Vec::new())? else { return Ok(()) };
    activity_worker::run(&settings, Registry::new().activity(GREET, greet), shutdown::signal()?).await?;
    Ok(())
}
