//! What a run says at its end: to people, and in target/chaos.json.

use std::{collections::BTreeMap, fs, io::Write, path::PathBuf};

use anyhow::Context;
use serde_json::json;
use warren_chaos_checker::{Kind, Verdict};

use crate::{
    clients::Page,
    run::{Plan, Storm},
    storm::{
        faults,
        takeover::{Spread, Takeover},
    },
};

/// How many instances must be under way at each fault, unless the run was to have fewer.
const IN_FLIGHT_MIN: u64 = 200;
/// How many violations are printed; all are in the file.
const PRINTED: usize = 40;

/// All that is known at the end of a run.
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    pub(crate) storm: Storm,
    pub(crate) page: Page,
    pub(crate) minutes: f64,
    pub(crate) logs: PathBuf,
}

/// Prints the summary and writes the file; returns whether all is well.
pub(crate) fn tell(report: &Report, plan: &Plan) -> anyhow::Result<bool> {
    let faults = counts(report);
    let weak = weaknesses(report, plan);
    let figures = figures(report, plan, &faults, &weak);
    if let Some(folder) = plan.out.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    fs::write(&plan.out, format!("{figures:#}\n")).with_context(|| format!("write {}", plan.out.display()))?;
    let mut out = std::io::stdout().lock();
    summary(&mut out, report, &faults)?;
    let strange = report.storm.strange.iter().chain(&report.page.refused).chain(&weak);
    for what in strange.clone() {
        writeln!(out, "strange: {what}")?;
    }
    violations(&mut out, &report.verdict)?;
    let is_well = report.verdict.violations.is_empty() && strange.count() == 0;
    let found = report.verdict.violations.len();
    if !is_well {
        writeln!(out, "NOT WELL: {found} violations; logs, ledgers and what was asked: {}", report.logs.display())?;
    }
    writeln!(out, "figures: {}", plan.out.display())?;
    Ok(is_well)
}

/// Prints a verdict alone.
pub(crate) fn verdict(verdict: &Verdict) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let Verdict { instances, completed, tasks, signals, .. } = verdict;
    writeln!(out, "{instances} instances asked for, {completed} as they must be; {tasks} tasks, {signals} events")?;
    violations(&mut out, verdict)
}

fn violations(out: &mut impl Write, verdict: &Verdict) -> anyhow::Result<()> {
    for violation in verdict.violations.iter().take(PRINTED) {
        writeln!(out, "{violation}")?;
    }
    let unseen = verdict.violations.len().saturating_sub(PRINTED);
    if unseen > 0 {
        writeln!(out, "and {unseen} more")?;
    }
    Ok(())
}

fn counts(report: &Report) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for kind in faults::Kind::HEAVY.into_iter().chain(faults::Kind::LIGHT) {
        let of_kind = report.storm.faults.iter().filter(|fault| fault.kind == kind).count();
        counts.insert(kind.name(), of_kind as u64);
    }
    counts
}

/// Says where the storm was weaker than it was to be: a run that proves less than it says is no success.
fn weaknesses(report: &Report, plan: &Plan) -> Vec<String> {
    let mut weak = Vec::new();
    let wanted = IN_FLIGHT_MIN.min(plan.in_flight / 2);
    for fault in report.storm.faults.iter().filter(|fault| fault.in_flight < wanted) {
        weak.push(format!("fault {} met {} instances in flight, fewer than {wanted}", fault.number, fault.in_flight));
    }
    if report.verdict.instances < plan.instances as usize {
        weak.push(format!("{} instances, fewer than {}", report.verdict.instances, plan.instances));
    }
    if report.storm.faults.len() < plan.faults as usize {
        weak.push(format!("{} faults, fewer than {}", report.storm.faults.len(), plan.faults));
    }
    if report.verdict.stopped == 0 {
        weak.push("no activity was told that nobody waits for it".into());
    }
    weak
}

fn spread(report: &Report, of: impl Fn(&Takeover) -> bool) -> Spread {
    Spread::of(report.storm.takeovers.done.iter().filter(|takeover| of(takeover)).map(|takeover| takeover.ms))
}

fn figures(report: &Report, plan: &Plan, faults: &BTreeMap<&'static str, u64>, weak: &[String]) -> serde_json::Value {
    let Report { verdict, storm, page, .. } = report;
    json!({
        "seed": plan.seed,
        "minutes": (report.minutes * 100.0).round() / 100.0,
        "instances": verdict.instances,
        "completed": verdict.completed,
        "lost": verdict.count(Kind::Lost),
        "duplicated": verdict.count(Kind::Duplicated),
        "wrong": verdict.count(Kind::Wrong),
        "leftover": verdict.count(Kind::Leftover),
        "faults": faults,
        "faults_total": storm.faults.len(),
        "in_flight_min": storm.faults.iter().map(|fault| fault.in_flight).min(),
        "takeover_ms": spread(report, |takeover| !takeover.is_polite && !takeover.is_disturbed),
        "takeover_during_outages_ms": spread(report, |takeover| !takeover.is_polite && takeover.is_disturbed),
        "handover_ms": spread(report, |takeover| takeover.is_polite && !takeover.is_disturbed),
        "instances_with_children": verdict.with_children,
        "tasks_completed": verdict.tasks,
        "events_taken": verdict.signals,
        "activity_runs": verdict.runs,
        "activity_runs_repeated": verdict.runs_repeated,
        "activity_runs_stopped": verdict.stopped,
        "payloads_left": verdict.payloads,
        "events_sent": page.events,
        "duplicates_on_purpose": page.duplicates,
        "asked_again": page.repeated,
        "outcomes_told": page.asked.told.len(),
        "strange": storm.strange.iter().chain(&page.refused).chain(weak).collect::<Vec<_>>(),
        "violations": verdict.violations,
        "each_fault": storm.faults,
        "each_takeover": storm.takeovers.done,
    })
}

fn summary(out: &mut impl Write, report: &Report, faults: &BTreeMap<&'static str, u64>) -> anyhow::Result<()> {
    let Report { verdict, storm, page, .. } = report;
    let faults: Vec<String> = faults.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let repeated = page.repeated.values().sum::<u64>();
    let takeover = spread(report, |takeover| !takeover.is_polite && !takeover.is_disturbed);
    let handover = spread(report, |takeover| takeover.is_polite && !takeover.is_disturbed);
    writeln!(out, "\n{:.1} minutes, {} faults: {}", report.minutes, storm.faults.len(), faults.join(", "))?;
    writeln!(
        out,
        "{} instances asked for ({} with children), {} completed with the right result",
        verdict.instances, verdict.with_children, verdict.completed
    )?;
    writeln!(
        out,
        "{} tasks and {} events in the histories; {} runs of activities, {} of them repetitions, {} told to stop; {} outcomes told",
        verdict.tasks,
        verdict.signals,
        verdict.runs,
        verdict.runs_repeated,
        verdict.stopped,
        page.asked.told.len()
    )?;
    writeln!(out, "clients asked again {repeated} times, and sent {} duplicates on purpose", page.duplicates)?;
    writeln!(
        out,
        "takeover p50 {} ms, max {} ms ({}); handover p50 {} ms, max {} ms ({})",
        takeover.p50, takeover.max, takeover.count, handover.p50, handover.max, handover.count
    )?;
    let count = |kind| verdict.count(kind);
    writeln!(
        out,
        "lost {}, duplicated {}, wrong {}, left over {}",
        count(Kind::Lost),
        count(Kind::Duplicated),
        count(Kind::Wrong),
        count(Kind::Leftover)
    )?;
    Ok(())
}

#[cfg(test)]
#[path = "report_test.rs"]
mod test;
