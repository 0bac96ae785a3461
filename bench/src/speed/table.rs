//! What people read.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use super::{
    bout::{Bout, Cost},
    contender::Contender,
    outcome::{Outcome, Setting, Summary, ratio},
    plan::Row,
};
use crate::{shape::Shape, statistics::Spread};

/// The processes in the order of a message's way.
const PROCESSES: [&str; 6] = ["client", "api", "orchestrator", "worker", "broker", "database"];

/// Prints everything.
pub(crate) fn print(outcome: &Outcome) -> anyhow::Result<()> {
    Ok(io::stdout().lock().write_all(show(outcome).as_bytes())?)
}

/// Returns one run as a line.
pub(crate) fn line(row: Row, contender: Contender, bout: &Bout) -> String {
    let shape = bout.work.shape;
    let (rate, decimals) = (bout.rate(), shape.decimals());
    let noise = if bout.is_idle { "" } else { ", begun on a busy machine" };
    format!(
        "{} {:<9} {:<12} {rate:>9.decimals$} {}, others took {:.0} % of the processors{noise}",
        shape.name(),
        row.name(),
        contender.name(),
        shape.unit(),
        bout.others * 1e2
    )
}

/// Returns everything as text.
pub(crate) fn show(outcome: &Outcome) -> String {
    let mut text = String::from("\n");
    for Setting { name, value } in &outcome.settings {
        let _ = writeln!(text, "{name:<30} {value}");
    }
    let _ = writeln!(
        text,
        "\n{:<3} {:<9} {:<12} {:>28} {:<14} {:<20} {:>8} {:>8}  CPU us per instance: client, api, orchestrator, worker, broker, database",
        "", "fleet", "who", "median (min to max)", "", "ratio of each run", "p50 ms", "p99 ms"
    );
    for ((row, shape), summaries) in &outcome.rows {
        for (contender, summary) in summaries {
            let ratio =
                if *contender == Contender::Ours { None } else { ratio(summaries, Contender::Ours, *contender) };
            text += &row_of(*row, *shape, *contender, summary, ratio);
        }
        if let Some(cost) = summaries.get(&Contender::Ours).and_then(|summary| summary.cost) {
            text += &cost_of(cost);
        }
    }
    text
}

fn row_of(row: Row, shape: Shape, contender: Contender, summary: &Summary, ratio: Option<Spread>) -> String {
    let rate = format!("{:.*}", shape.decimals(), summary.rate);
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    let cpu = PROCESSES.map(|name| summary.cpu_us.get(name).map_or("-".to_owned(), |us| format!("{us:.0}")));
    let noisy = summary.idle.1 - summary.idle.0;
    let noise =
        if noisy > 0 { format!("  ({noisy} of {} began on a busy machine)", summary.idle.1) } else { String::new() };
    format!(
        "{:<3} {:<9} {:<12} {rate:>28} {:<14} {ratio:<20} {:>8.2} {:>8.2}  {}{noise}\n",
        shape.name(),
        row.name(),
        contender.name(),
        shape.unit(),
        summary.p50_ms.median,
        summary.p99_ms.median,
        cpu.map(|text| format!("{text:>6}")).join(" ")
    )
}

fn cost_of(cost: Cost) -> String {
    let Cost { messages, bytes, commits, rows, log_bytes } = cost;
    let mut text = format!("    per activity: {messages:.2} messages, {bytes:.0} bytes to and from the broker");
    if let (Some(commits), Some(rows), Some(log)) = (commits, rows, log_bytes) {
        let _ = write!(text, "; {commits:.4} commits, {rows:.2} rows, {log:.0} bytes of log");
    }
    text + "\n"
}

#[cfg(test)]
#[path = "table_test.rs"]
mod test;
