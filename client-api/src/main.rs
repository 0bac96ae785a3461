//! The HTTP API of a hub; see the library's first page and `docs/http.md`.

use std::process::ExitCode;

use clap::Parser;
use warren_service::{allocator::Allocator, cli::ServiceArgs, config::Flag, shutdown};

#[global_allocator]
static MEMORY: Allocator = Allocator;

/// Serves the HTTP API of a hub: start, query, wait, raise, terminate, suspend, resume.
#[derive(Parser)]
#[command(name = "client-api", version)]
struct Args {
    /// Address and port (setting client_api.listen), e.g. 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    #[command(flatten)]
    service: ServiceArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    match start(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("client-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(args: &Args) -> anyhow::Result<()> {
    let flag = |value| Flag::new("--listen", "client_api.listen", value);
    let flags = args.listen.as_deref().map(flag).into_iter().collect();
    let Some(settings) = args.service.begin("client-api", flags)? else { return Ok(()) };
    client_api::run(&settings, shutdown::signal()?).await
}
