//! The status of an instance.

use std::collections::BTreeMap;

use jiff::{Timestamp, Unit};
use serde::Serialize;
use warren_model::{Condition, ConditionKind, ExecutionId, Failure, InstanceRecord, Outcome, Payload, Status};
use warren_store::InstanceView;

use super::{HistoryItem, QuarantinedTask};

/// The status of an instance: what Durable Functions shows, then what is ours.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusBody {
    name: String,
    instance_id: String,
    runtime_status: Status,
    /// `null` if it was not asked for.
    input: Option<Payload>,
    custom_status: Option<Payload>,
    /// The result; a text that says why there is none; `null` before the end.
    output: Option<Payload>,
    created_time: String,
    last_updated_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) history_events: Option<Vec<HistoryItem>>,
    /// Says that `historyEvents` holds only the first ones.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) history_truncated: bool,
    execution_id: ExecutionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    /// Why it failed, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// What keeps it from going on; nothing does once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionBody>,
    /// Its tasks that no worker begins any more, since they took too many workers down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) quarantined_tasks: Vec<QuarantinedTask>,
}

/// What keeps an instance from going on.
#[derive(Debug, Serialize)]
struct ConditionBody {
    kind: ConditionKind,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Payload>,
}

impl From<Condition> for ConditionBody {
    fn from(Condition { kind, message, details }: Condition) -> Self {
        Self { kind, message, details }
    }
}

impl StatusBody {
    /// Returns how an instance is shown; without its input if that is not asked for.
    pub(crate) fn new(view: InstanceView, shows_input: bool) -> Self {
        let InstanceView { record, input, outcome } = view;
        let failure =
            outcome.as_ref().and_then(|outcome| outcome.as_ref().err()).filter(|_| record.status == Status::Failed);
        Self {
            input: input.filter(|_| shows_input),
            failure: failure.cloned(),
            output: outcome.map(|outcome| output(record.status, outcome)),
            ..Self::of_record(record)
        }
    }

    /// Returns what the instance's row alone says: neither input nor output.
    pub(crate) fn of_record(record: InstanceRecord) -> Self {
        Self {
            name: record.name,
            instance_id: record.id.into(),
            runtime_status: record.status,
            input: None,
            custom_status: record.custom_status,
            output: None,
            created_time: second(record.created_at),
            last_updated_time: second(record.updated_at),
            history_events: None,
            history_truncated: false,
            execution_id: record.execution,
            version: record.version,
            tags: record.tags,
            failure: None,
            quarantined_tasks: Vec::new(),
            condition: record.condition.filter(|_| !record.status.is_terminal()).map(ConditionBody::from),
        }
    }
}

/// Durable Functions shows why there is no result in its place, as text.
fn output(status: Status, outcome: Outcome) -> Payload {
    outcome.unwrap_or_else(|failure| {
        let text = if status == Status::Terminated { failure.message } else { failure.to_string() };
        Payload::of(&text).expect("a text is JSON")
    })
}

/// Returns the time to the second, `…Z`.
fn second(time: Timestamp) -> String {
    let floor = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Floor);
    time.round(floor).unwrap_or(time).to_string()
}

#[cfg(test)]
#[path = "status_test.rs"]
mod test;
