use super::*;
use crate::codec::fixture::{codec, codec_with, delivery, execution, instance, token};

#[test]
fn a_token_is_verified_by_the_hub_that_made_it_only() {
    let verified = codec().verify(&token()).unwrap();
    assert_eq!(
        (verified.instance, verified.execution, verified.task, verified.attempt),
        (instance("order-1"), execution(), ActionId(2), 1)
    );
    let other = codec_with([8; 16]).verify(&token()).unwrap_err().reason;
    assert!(other.ends_with("is a token with a wrong digest: hub h did not make it"), "{other}");
}

#[test]
fn a_token_with_any_part_changed_is_refused() {
    let good = token();
    let changes = [
        good.replacen("order-1", "order-2", 1),
        good.replacen("abc.", "abd.", 1),
        good.replacen(".2.1.", ".3.1.", 1),
        good.replacen(".2.1.", ".2.2.", 1),
        format!("x{good}"),
    ];
    for changed in changes {
        assert_ne!(changed, good[..]);
        assert!(codec().verify(&changed).is_err(), "{changed}");
    }
}

#[test]
fn the_digest_is_siphash_2_4_and_never_changes() {
    assert_eq!(token(), "order-1.00000000000000000000000000000abc.2.1.5fa4a493b090b635");
}

#[test]
fn text_that_is_no_token_is_refused_with_a_sentence() {
    assert_eq!(
        codec().verify("17").unwrap_err().reason,
        r#"correlation_id "17" is no token: expected that of the work item, unchanged"#
    );
}

#[test]
fn an_answer_never_goes_to_a_queue_of_the_hub() {
    let mut message = delivery("k", "", &[], b"");
    for (reply_to, expected) in [("h.control.00", None), ("h.work.x", None), ("", None), ("mine", Some("mine"))] {
        message.message.reply_to = Some(reply_to.into());
        let found = codec().answer_to(&message).map(|to| to.reply_to);
        assert_eq!(found.as_deref(), expected);
    }
}

#[test]
fn the_secret_is_not_shown() {
    let shown = format!("{:?}", codec_with([211; 16]));
    assert!(!shown.contains("211"), "{shown}");
}
