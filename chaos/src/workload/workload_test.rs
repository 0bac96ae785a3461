use std::{collections::BTreeMap, path::PathBuf};

use warren::test::{Hub, block_on};
use warren_chaos_checker::{Report, read_ledger};
use warren_model::Payload;

use super::*;
use crate::{plan::script, workload::contract::SIGNAL};

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("warren-chaos-{name}-{}", std::process::id()))
}

/// Runs scripts, without any storm, in the test hub, which replays after every turn.
#[test]
fn every_shape_returns_what_the_plan_says() {
    let folder = folder("shapes");
    let registry = activities(orchestrators(), Ledger::open(&folder, "w").unwrap());
    let hub = Hub::new(registry);
    let mut seen = BTreeMap::new();
    for number in 0..60 {
        let script = script("r", 3, number);
        let input = Payload::of(&script.input).unwrap();
        let _ = input;
        let job: contract::Job = serde_json::from_value(script.input.clone()).unwrap();
        let by_name = [CHAIN, FAN, TIMERS, SIGNALS, TREE, ROUNDS, RETRIES];
        let orchestrator = *by_name.iter().find(|known| known.name() == script.case.orchestrator).unwrap();
        let handle = hub.start(orchestrator, job);
        for event in &script.events {
            handle.raise(SIGNAL, event.signal);
        }
        let report: Report = block_on(handle.wait()).unwrap();
        assert_eq!(report.value, script.case.value, "{}", script.case.orchestrator);
        assert_eq!(report.runs.len(), script.case.steps as usize, "{}", script.case.orchestrator);
        assert_eq!(report.signals.into_iter().collect::<std::collections::BTreeSet<_>>(), script.case.signals);
        *seen.entry(script.case.orchestrator).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert!(!read_ledger(&folder).unwrap().is_empty());
    std::fs::remove_dir_all(folder).unwrap();
}
