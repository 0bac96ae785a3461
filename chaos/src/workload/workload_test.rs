use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Mutex,
};

use warren::{
    ActionId, ExecutionId, Failure, InstanceId, Task, hours,
    test::{Hub, block_on},
};
use warren_chaos_checker::{End, Report, What, read_ledger};

use super::{
    contract::{BulkDone, Done, ballast, value},
    *,
};
use crate::{
    plan::{Deed, script},
    workload::contract::SIGNAL,
};

fn done(step: &Step) -> Done {
    Done { value: value(step.carry, step.step), run: step.step.into() }
}

/// A hub that replays after every turn, whose unsteady steps fail as often as they are to.
fn hub() -> Hub {
    let attempts = Mutex::new(HashMap::new());
    let carried = |bulk: Bulk| {
        let done = done(&bulk.step);
        Ok(BulkDone { done, ballast: ballast(done.value) })
    };
    let hub = Hub::new(orchestrators()).mock(STEP, |step| Ok(done(&step))).mock(TOIL, |step| Ok(done(&step)));
    let hub = hub.mock_taking(hours(5), WATCH, |_| Err(Failure::new("forgotten", "nobody has ended it")));
    hub.mock(CARRY, carried).mock(UNSTEADY, move |step| {
        let mut attempts = attempts.lock().unwrap();
        let attempt: &mut u32 = attempts.entry((step.case.clone(), step.step)).or_default();
        *attempt += 1;
        if *attempt <= step.failures { Err(Failure::new("unsteady", "again")) } else { Ok(done(&step)) }
    })
}

#[test]
fn every_shape_returns_what_the_plan_says() {
    let hub = hub();
    let mut seen = BTreeMap::new();
    for number in 0..60 {
        let script = script("r", 3, number);
        let End::Returns(value) = script.case.end else { continue };
        let name = script.case.orchestrator.as_str();
        let known = [CHAIN, FAN, TIMERS, SIGNALS, TREE, ROUNDS, RETRIES, BULK, LONG, FICKLE];
        let orchestrator = *known.iter().find(|known| known.name() == name).unwrap();
        let handle = hub.start(orchestrator, serde_json::from_value(script.input.clone()).unwrap());
        for sent in script.events.iter().chain(&script.commands) {
            match sent.deed {
                Deed::Raise(signal) => handle.raise(SIGNAL, signal),
                Deed::Suspend => handle.suspend(),
                Deed::Resume => handle.resume(),
                Deed::Terminate => panic!("{:?} returns nothing", script.case),
            }
        }
        let report: Report = block_on(handle.wait()).unwrap();
        assert_eq!(report.value, value, "{name}");
        let steps: Vec<u64> = (0..script.case.steps.into()).collect();
        assert_eq!(report.runs, steps, "{name}");
        assert_eq!(report.signals.into_iter().collect::<BTreeSet<_>>(), script.case.signals, "{name}");
        *seen.entry(script.case.orchestrator).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}

#[tokio::test]
async fn an_activity_writes_down_what_it_did() {
    let folder = std::env::temp_dir().join(format!("warren-chaos-ledger-{}", std::process::id()));
    let ledger = Arc::new(Ledger::open(&folder, "w").unwrap());
    let context = |attempt| {
        ActivityContext::new(Task {
            attempt,
            ..Task::new(InstanceId::new("i").unwrap(), ExecutionId::from_u128(1), ActionId(attempt))
        })
    };
    let step = Step { case: "m".into(), step: 4, carry: 9, failures: 1 };
    activities::step(ledger.clone(), context(1), step.clone()).await.unwrap_err();
    let done = activities::step(ledger, context(2), step).await.unwrap();
    let entries = read_ledger(&folder).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let whats: Vec<What> = entries.iter().map(|entry| entry.what).collect();
    assert_eq!(whats, [What::Began, What::Failed, What::Began, What::Returned]);
    let last = &entries[3];
    assert_eq!((last.run, last.value, last.step, last.task, last.attempt), (done.run, done.value, 4, 2, 2));
}
