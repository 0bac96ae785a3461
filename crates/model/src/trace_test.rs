use super::*;

const TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_context_is_what_its_text_says() {
    let context: TraceContext = TEXT.parse().unwrap();
    assert_eq!(context.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!((context.span, context.flags, context.is_sampled()), (0x00f0_67aa_0ba9_02b7, 1, true));
    assert_eq!(context.to_string(), TEXT);
    assert!(!TEXT.replace("-01", "-00").parse::<TraceContext>().unwrap().is_sampled());
}

#[test]
fn what_is_no_context_is_known_for_it() {
    for text in [
        "",
        "00-1-2-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7--1",
    ] {
        assert_eq!(text.parse::<TraceContext>(), Err(NoTraceContext), "{text}");
    }
}

#[test]
fn spans_are_made_from_what_they_are_of_and_differ() {
    let (one, other) = (ExecutionId::from_u128(1), ExecutionId::from_u128(2));
    let mut spans = vec![
        execution_span(one),
        execution_span(other),
        turn_span(one, 0),
        turn_span(one, 1),
        action_span(one, ActionId(0), 1),
        action_span(one, ActionId(1), 1),
        action_span(one, ActionId(0), 2),
        action_span(other, ActionId(0), 1),
    ];
    assert_eq!(execution_span(one), 0xa3b1_7434_1459_bdd5, "the same for ever: a fleet of two builds makes one trace");
    let count = spans.len();
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), count);
}
