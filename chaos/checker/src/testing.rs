//! What the tests of the rules begin with: a run in which all went well.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{Answered, Asked, Case, End, Entry, Hub, InstanceRow, Told, TurnRow, What};

/// The only execution of a test's instance.
pub(crate) const EXECUTION: &str = "0123456789abcdef0123456789abcdef";

/// Returns a run of a step that returned.
pub(crate) fn entry(case: &str, step: u32, run: u64) -> Entry {
    Entry {
        what: What::Returned,
        at_ms: 1,
        worker: "worker-1".into(),
        instance: "i1".into(),
        execution: EXECUTION.into(),
        task: 2,
        attempt: 1,
        key: format!("{EXECUTION}:0002"),
        case: case.into(),
        step,
        run,
        value: 40,
    }
}

/// A run with one instance, which waited for a timer and an event, called an activity and started a child.
pub(crate) struct Run {
    pub(crate) asked: Asked,
    pub(crate) hub: Hub,
    pub(crate) ledger: Vec<Entry>,
}

impl Run {
    pub(crate) fn good() -> Self {
        let report = json!({"value": 42, "runs": [7], "signals": [0]});
        let case = Case {
            message: "m1".into(),
            instance: Some("i1".into()),
            orchestrator: "shape".into(),
            steps: 1,
            continues: false,
            end: End::Returns(42),
            signals: BTreeSet::from([0]),
        };
        let answered = Answered { message: "m1".into(), instance: "i1".into(), execution: Some(EXECUTION.into()) };
        let told =
            Told { message: "m1".into(), instance: "i1".into(), status: "Completed".into(), body: report.clone() };
        let turns = turns(&report);
        let mut child = row("c1", "start-of-child", Some("parent"));
        (child.turn, child.history_events) = (1, 2);
        let hub = Hub { instances: vec![row("i1", "m1", None), child], turns, ..Hub::default() };
        let asked = Asked { cases: vec![case], answered: vec![answered], told: vec![told] };
        Self { asked, hub, ledger: vec![entry("m1", 0, 7)] }
    }

    /// Changes a turn's text; the text must be there.
    pub(crate) fn doctor(&mut self, turn: usize, from: &str, to: &str) {
        let body = &mut self.hub.turns[turn].body;
        assert!(body.contains(from), "{from} is not in {body}");
        *body = body.replace(from, to);
    }
}

fn turns(report: &serde_json::Value) -> Vec<TurnRow> {
    let bodies = [
        json!({"format": 1, "events": [
            {"OrchestratorStarted": {"at": "2025-03-01T12:00:00Z"}},
            {"ExecutionStarted": {"name": "shape", "input": {}}},
            {"TimerCreated": {"id": 1, "fire_at": "2025-03-01T12:00:05Z"}},
            {"TaskScheduled": {"id": 2, "name": "step", "input": {}}},
            {"SubOrchestrationInstanceCreated": {"id": 3, "instance": "c1", "name": "leaf", "input": {}}},
        ]}),
        json!({"format": 1, "events": [
            {"OrchestratorStarted": {"at": "2025-03-01T12:00:05Z"}},
            {"TimerFired": {"id": 1}},
            {"TaskCompleted": {"id": 2, "result": {"value": 40, "run": 7}}},
            {"EventRaised": {"name": "signal", "input": {"serial": 0, "number": 2}}},
        ]}),
        json!({"format": 1, "events": [
            {"OrchestratorStarted": {"at": "2025-03-01T12:00:06Z"}},
            {"SubOrchestrationInstanceCompleted": {"id": 3, "result": {"value": 1, "runs": [], "signals": []}}},
            {"ExecutionCompleted": {"outcome": {"Ok": report}}},
        ]}),
        json!({"format": 1, "events": [
            {"OrchestratorStarted": {"at": "2025-03-01T12:00:03Z"}},
            {"ExecutionCompleted": {"outcome": {"Ok": {"value": 1, "runs": [], "signals": []}}}},
        ]}),
    ];
    let turn = |(instance, turn, body): (&str, i64, &serde_json::Value)| TurnRow {
        instance: instance.into(),
        execution: EXECUTION.into(),
        turn,
        body: body.to_string(),
    };
    [("i1", 0, &bodies[0]), ("i1", 1, &bodies[1]), ("i1", 2, &bodies[2]), ("c1", 0, &bodies[3])].map(turn).to_vec()
}

fn row(id: &str, start: &str, parent: Option<&str>) -> InstanceRow {
    InstanceRow {
        partition: 0,
        id: id.into(),
        execution: EXECUTION.into(),
        name: "shape".into(),
        status: "Completed".into(),
        condition: None,
        turn: 3,
        history_events: 12,
        start_id: start.into(),
        parent: parent.map(Into::into),
    }
}
