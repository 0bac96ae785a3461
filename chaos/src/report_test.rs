use warren_chaos_checker::Violation;

use super::*;
use crate::storm::{faults::Kind as FaultKind, inject::Fault, takeover::Takeovers};

fn plan() -> Plan {
    Plan {
        seed: 9,
        minutes: 8.0,
        instances: 5_000,
        faults: 1,
        in_flight: 500,
        keep: false,
        repository: PathBuf::new(),
        out: PathBuf::new(),
    }
}

fn report() -> Report {
    let fault = Fault {
        number: 0,
        kind: FaultKind::KillOrchestrator,
        target: "orchestrator-1".into(),
        at_s: 1.0,
        seed: 1,
        in_flight: 300,
        lasted_s: 1.0,
    };
    let takeover = |ms, is_polite, is_disturbed| Takeover { fault: 0, partition: 0, ms, is_polite, is_disturbed };
    let done = vec![takeover(4_000, false, false), takeover(300, true, false), takeover(20_000, false, true)];
    let mut takeovers = Takeovers::default();
    takeovers.done = done;
    let storm = Storm { faults: vec![fault], takeovers, strange: vec![], notes: crate::clients::Notes::default() };
    let verdict = Verdict { instances: 5_000, completed: 5_000, stopped: 1, ..Verdict::default() };
    Report { verdict, storm, page: Page::default(), minutes: 7.126, logs: PathBuf::new() }
}

#[test]
fn the_figures_tell_what_struck_and_what_was_lost() {
    let mut report = report();
    let of = |of: &str, kind| Violation { kind, of: of.into(), evidence: String::new() };
    // Two violations of one instance are one instance lost.
    report.verdict.violations = vec![of("i1", Kind::Lost), of("i1", Kind::Lost), of("i2", Kind::Duplicated)];
    let figures = figures(&report, &plan(), &counts(&report), &[]);
    assert_eq!((&figures["seed"], &figures["minutes"]), (&json!(9), &json!(7.13)));
    assert_eq!((&figures["lost"], &figures["duplicated"]), (&json!(1), &json!(1)));
    assert_eq!(figures["faults"]["kill_orchestrator"], json!(1));
    assert_eq!(figures["faults"]["freeze"], json!(0));
    assert_eq!(figures["takeover_ms"], json!({"count": 1, "p50": 4_000, "max": 4_000}));
    assert_eq!(figures["handover_ms"]["max"], json!(300));
    assert_eq!(figures["takeover_during_outages_ms"]["max"], json!(20_000));
}

#[test]
fn a_storm_that_was_weaker_than_it_was_to_be_is_named() {
    let (mut report, plan) = (report(), plan());
    assert_eq!(weaknesses(&report, &plan), Vec::<String>::new());
    report.storm.faults[0].in_flight = 199;
    report.verdict.instances = 4_999;
    report.verdict.stopped = 0;
    let weak = weaknesses(&report, &Plan { faults: 2, ..plan });
    assert_eq!(weak.len(), 4, "{weak:?}");
}
