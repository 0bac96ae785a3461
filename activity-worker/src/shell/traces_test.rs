use warren::Task;
use warren_model::{ActionId, ExecutionId, Failure, InstanceId, Payload};

use super::*;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn context() -> ActivityContext {
    let task = Task::new(InstanceId::new("order-7").unwrap(), ExecutionId::from_u128(1), ActionId(3));
    ActivityContext::new(Task { attempt: 2, ..task })
}

#[test]
fn a_run_is_a_part_of_its_attempt_and_lasts_as_long_as_it_took() {
    let begun = begin("charge", &context(), TRACE).unwrap();
    assert_eq!((begun.trace, begun.parent), (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7));
    let again = begin("charge", &context(), TRACE).unwrap();
    assert_ne!(begun.id, again.id, "two runs of an attempt are two");
    let span = end(begun, Fate::Completed, &Ok(Payload::null()), Duration::from_millis(30));
    assert_eq!((span.name.as_str(), span.end_ns - span.start_ns, span.error), ("run charge", 30_000_000, None));
    let attributes = span.attributes;
    assert!(attributes.contains(&("warren.instance", "order-7".to_owned().into())), "{attributes:?}");
    assert!(attributes.contains(&("warren.attempt", 2.into())), "{attributes:?}");
    let failed = end(again, Fate::Failed, &Err(Failure::new("declined", "no funds")), Duration::ZERO);
    assert_eq!(failed.error.as_deref(), Some("declined"));
}

#[test]
fn a_trace_that_nobody_wants_and_what_is_none_make_no_span() {
    for traceparent in [TRACE.replace("-01", "-00"), "00-1".into()] {
        assert_eq!(begin("charge", &context(), &traceparent), None);
    }
}
