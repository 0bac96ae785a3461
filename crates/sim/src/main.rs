//! Runs seeds and tells what was found. See `--help`.

use std::{
    io::Write,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use warren_sim::{Faults, Mutation, Options, Report, run};

/// Runs a simulated cluster once per seed and checks its invariants.
#[derive(Parser)]
#[command(name = "warren-sim", version)]
struct Args {
    /// How many seeds to run
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    seeds: u64,

    /// The first of them
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    from: u64,

    /// Stops after so many minutes, however many seeds are left
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<u64>,

    /// How many seeds run at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    threads: u64,

    /// Runs this seed alone
    #[arg(long)]
    seed: Option<u64>,

    /// Prints every step of that seed
    #[arg(long, requires = "seed")]
    trace: bool,

    /// Makes a mistake on purpose
    #[arg(long)]
    mutation: Option<Mutation>,

    /// Goes on after a violation
    #[arg(long)]
    keep_going: bool,
}

/// What all runs came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    steps: u64,
    seconds: f64,
    turns: u64,
    faults: Faults,
    violations: Vec<Report>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    // A panic of the code under test is a violation, and is told as one.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(seed) = args.seed {
        return one(&args, seed);
    }
    let began = Instant::now();
    let sum = many(&args, began);
    tell(&args, &sum, began.elapsed())?;
    Ok(if sum.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one(args: &Args, seed: u64) -> anyhow::Result<ExitCode> {
    let report = run(Options { seed, mutation: args.mutation, keeps_trace: args.trace });
    let mut out = std::io::stdout().lock();
    for line in report.trace.iter().filter(|_| args.trace || report.violation.is_some()) {
        writeln!(out, "{line}")?;
    }
    let Report { profile, steps, seconds, turns, hash, violation, faults, .. } = report;
    writeln!(out, "seed {seed}, {profile}: {steps} steps, {turns} turns, {seconds:.1} s, trace {hash:016x}\n{faults}")?;
    match violation {
        None => Ok(ExitCode::SUCCESS),
        Some(violation) => {
            writeln!(out, "VIOLATION of {}: {}", violation.invariant, violation.text)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Runs the seeds, several at a time if asked: each run is on one thread, and none knows of another.
fn many(args: &Args, began: Instant) -> Sum {
    let (next, stopped, sum) = (AtomicU64::new(args.from), AtomicBool::new(false), Mutex::new(Sum::default()));
    let is_over = || {
        let is_late = args.minutes.is_some_and(|minutes| began.elapsed() >= Duration::from_secs(60 * minutes));
        is_late || stopped.load(Ordering::Relaxed)
    };
    let work = || {
        while !is_over() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= args.from.saturating_add(args.seeds) {
                return;
            }
            let report = run(Options { seed, mutation: args.mutation, keeps_trace: false });
            let mut sum = sum.lock().expect("nobody panics with the sum in hand");
            if report.violation.is_some() && !args.keep_going {
                stopped.store(true, Ordering::Relaxed);
            }
            sum.add(report);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(work);
        }
    });
    sum.into_inner().expect("nobody panics with the sum in hand")
}

impl Sum {
    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.steps += report.steps;
        self.seconds += report.seconds;
        self.turns += report.turns;
        self.faults.add(&report.faults);
        if report.violation.is_some() {
            self.violations.push(report);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for a person")]
fn tell(args: &Args, sum: &Sum, took: Duration) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for report in &sum.violations {
        let Some(violation) = &report.violation else { continue };
        if !args.keep_going {
            report.trace.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        let mutation = args.mutation.map_or_else(String::new, |mutation| format!(" --mutation {mutation:?}"));
        writeln!(
            out,
            "seed {} ({}) violates {}: {}",
            report.seed, report.profile, violation.invariant, violation.text
        )?;
        writeln!(out, "  again: cargo run -p warren-sim --release -- --seed {} --trace{mutation}", report.seed)?;
    }
    let Sum { seeds, steps, seconds, turns, faults, violations } = sum;
    let rate = *seeds as f64 / took.as_secs_f64();
    writeln!(
        out,
        "{seeds} seeds in {:.1} s, {rate:.1} a second; {steps} steps, {turns} turns, {seconds:.0} s simulated",
        took.as_secs_f64()
    )?;
    writeln!(out, "{} faults:\n{faults}{} violations", faults.total(), violations.len())?;
    Ok(())
}
