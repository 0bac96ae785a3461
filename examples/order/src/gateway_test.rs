use super::*;

fn charged(card: &str, attempt: u32) -> Result<String, Refusal> {
    charge("order-1", card, attempt)
}

#[test]
fn charging_twice_gives_one_reference() {
    assert_eq!(charged("tok_visa", 1), Ok("pay_order-1".to_owned()));
    assert_eq!(charged("tok_visa", 2), charged("tok_visa", 1));
}

#[test]
fn an_unsteady_gateway_answers_after_so_many_attempts() {
    assert_eq!(charged("tok_unsteady_2", 1), Err(Refusal::Unreachable));
    assert_eq!(charged("tok_unsteady_2", 2), Err(Refusal::Unreachable));
    assert_eq!(charged("tok_unsteady_2", 3), Ok("pay_order-1".to_owned()));
}

#[test]
fn a_refused_card_stays_refused() {
    for attempt in 1..9 {
        assert!(matches!(charged("tok_declined", attempt), Err(Refusal::Declined(_))));
        assert!(matches!(charged("tok_expired", attempt), Err(Refusal::Declined(_))));
    }
}

#[test]
fn only_tokens_are_tokens() {
    assert!(is_token("tok_visa") && is_token("tok_unsteady_2"));
    assert!(!is_token("tok_") && !is_token("4111 1111 1111 1111") && !is_token("tok_a b"));
}
