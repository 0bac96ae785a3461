//! Sends 600 orders to a running hub over HTTP, answers those that ask for approval, and checks how each one ends.

mod drive;
mod intro;
mod progress;
mod receipt;
mod summary;
mod verdict;

use std::{fs, io::Write, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use clap::Parser;
use client_api::http_client::HttpClient;
use example_order::sample::{Entry, ORDERS};

/// Longest wait for any one answer; above the 30 s that the demonstration asks the API to wait for an order's end.
const ANSWER_WITHIN: Duration = Duration::from_secs(45);

/// Sends orders to a running hub, answers those that ask for approval, and checks how each one ends.
#[derive(Parser)]
#[command(name = "warren-demo", version)]
struct Args {
    /// Where the API is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    api: String,

    /// File of orders, as examples/order/orders.json [default: those]
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,

    /// How many orders are under way at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,

    /// Sends only the first so many
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,

    /// What the instances' ids begin with [default: the time, so that each run has its own]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,

    /// After how many seconds an order that has not ended counts as lost
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    patience: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match demonstrate(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("warren-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every order ended as it should.
async fn demonstrate(args: &Args) -> anyhow::Result<bool> {
    let entries = entries(args)?;
    let origin = args.api.trim_end_matches('/');
    let api = HttpClient::new(&format!("{origin}/api/v1"), ANSWER_WITHIN)?;
    intro::check(&api, origin).await?;
    let run = args.run.clone().unwrap_or_else(|| jiff::Timestamp::now().strftime("demo-%Y%m%d-%H%M%S").to_string());
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{} orders to {origin}, {} at a time; instances {run}-order-0001 …",
        entries.len(),
        args.concurrency
    )?;
    let plan =
        drive::Plan { run: &run, concurrency: args.concurrency.into(), patience: Duration::from_secs(args.patience) };
    let driven = drive::all(&api, &entries, &plan).await;
    let is_good = summary::write(&mut out, &entries, &driven)?;
    receipt::write_three(&mut out, &driven)?;
    intro::write_further(&mut out, origin, &driven)?;
    Ok(is_good)
}

fn entries(args: &Args) -> anyhow::Result<Vec<Entry>> {
    let (text, name) = match &args.orders {
        Some(path) => {
            let name = path.display().to_string();
            (fs::read_to_string(path).with_context(|| format!("read orders from {name}"))?, name)
        }
        None => (ORDERS.to_owned(), "the built-in orders".to_owned()),
    };
    let mut entries: Vec<Entry> = serde_json::from_str(&text).with_context(|| format!("read orders from {name}"))?;
    entries.truncate(args.limit.unwrap_or(usize::MAX));
    if entries.is_empty() {
        bail!("no orders in {name}, or --limit 0");
    }
    Ok(entries)
}
