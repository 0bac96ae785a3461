use std::collections::BTreeMap;

use warren_model::IfExists;

use super::*;

fn start(name: &str) -> StartRequest {
    StartRequest {
        name: name.into(),
        version: None,
        input: Payload::null(),
        tags: BTreeMap::new(),
        traceparent: None,
        if_exists: IfExists::Fail,
    }
}

#[track_caller]
fn refused(asked: Command, code: RefusalCode, message: &str) {
    let refusal = command(&asked, 10).unwrap_err();
    assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
}

#[test]
fn what_amqp_carries_is_let_through() {
    assert_eq!(command(&Command::Start(start("order")), 10), Ok(()));
    assert_eq!(command(&Command::Start(start(&"ä".repeat(127))), 10), Ok(()));
    assert_eq!(command(&Command::Wait, 0), Ok(()));
}

#[test]
fn names_are_printable_and_short() {
    refused(Command::Start(start("")), RefusalCode::Invalid, "orchestrator name is empty");
    let message = "orchestrator name has '\\n' at byte 1: expected printable characters";
    refused(Command::Start(start("a\nb")), RefusalCode::Invalid, message);
    let event = "e".repeat(256);
    let raise = Command::Raise { event, input: Payload::null(), keep_unseen: false };
    refused(raise, RefusalCode::Invalid, "event name has 256 bytes: at most 255 are allowed");
    let tags = [("".to_owned(), String::new())].into();
    refused(Command::Start(StartRequest { tags, ..start("a") }), RefusalCode::Invalid, "tag name is empty");
}

#[test]
fn texts_have_no_nul() {
    let reason = Some("why\0".to_owned());
    refused(Command::Suspend { reason }, RefusalCode::Invalid, "reason has a NUL at byte 3: expected plain text");
}

#[test]
fn a_payload_over_its_limit_is_too_large() {
    let input = Payload::of("123456789").unwrap();
    let message = "input has 11 bytes: at most 10 are allowed";
    refused(Command::Start(StartRequest { input, ..start("a") }), RefusalCode::TooLarge, message);
}
