use super::*;
use crate::codec::fixture::{codec, delivery, text};

#[test]
fn a_dead_message_keeps_all_it_had_and_says_why() {
    let mut message = delivery("start.p", "t", &[("tag-a", text("b"))], b"{");
    message.message.reply_to = Some("mine".into());
    message.message.correlation_id = Some("c".into());
    let publication = codec().dead(&message, "the body is not JSON", "h.ingress");
    assert_eq!((publication.to, publication.mandatory), (Address::Queue("h.dead".into()), true));
    let mut expected = message.message;
    for (name, value) in
        [("warren-reason", "the body is not JSON"), ("warren-queue", "h.ingress"), ("warren-routing-key", "start.p")]
    {
        expected.headers.insert(name.into(), text(value));
    }
    assert_eq!(publication.message, expected);
}

#[test]
fn a_long_reason_is_cut() {
    let publication = codec().dead(&delivery("k", "", &[], b""), &"ä".repeat(5000), "h.ingress");
    assert_eq!(publication.message.headers["warren-reason"], text(&"ä".repeat(1000)));
}
