//! Spans of runs: that of an attempt is its owner's, and each run of it, should there be several, is a part of that.

use std::time::Duration;

use warren::ActivityContext;
use warren_model::{Outcome, TraceContext};
use warren_service::traces::{Kind, Span, any_id, now_ns};

use super::metrics::Fate;

/// Returns the span of a run that begins, if somebody wants to see the trace that its work item is in.
pub(super) fn begin(activity: &str, context: &ActivityContext, traceparent: &str) -> Option<Span> {
    let trace: TraceContext = traceparent.parse().ok()?;
    trace.is_sampled().then(|| Span {
        trace: trace.trace,
        id: any_id(),
        parent: trace.span,
        name: format!("run {activity}"),
        kind: Kind::Consumer,
        start_ns: 0,
        end_ns: 0,
        attributes: vec![
            ("warren.instance", context.instance().to_string().into()),
            ("warren.execution", context.execution().to_string().into()),
            ("warren.task", context.task().to_string().into()),
            ("warren.attempt", context.attempt().into()),
        ],
        error: None,
    })
}

/// Returns the span of a run that has just ended.
pub(super) fn end(mut span: Span, fate: Fate, outcome: &Outcome, took: Duration) -> Span {
    let end_ns = now_ns();
    let start_ns = end_ns.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    let error = outcome.as_ref().err().filter(|_| fate == Fate::Failed).map(|failure| failure.code.clone());
    span.attributes.push(("warren.outcome", fate.as_str().to_owned().into()));
    Span { start_ns, end_ns, error, ..span }
}

#[cfg(test)]
#[path = "traces_test.rs"]
mod test;
