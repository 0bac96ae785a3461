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
        expected.headers.insert(name, text(value));
    }
    assert_eq!(publication.message, expected);
}

#[test]
fn a_long_reason_is_cut() {
    let publication = codec().dead(&delivery("k", "", &[], b""), &"ä".repeat(5000), "h.ingress");
    assert_eq!(publication.message.headers["warren-reason"], text(&"ä".repeat(1000)));
}

#[test]
fn h6_a_message_that_is_too_large_for_a_copy_is_cut_so_that_it_can_be_carried() {
    let headers: Vec<(String, HeaderValue)> =
        (0..12).map(|n| (format!("tag-{n:02}"), text(&"x".repeat(10_000)))).collect();
    let headers: Vec<(&str, HeaderValue)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let large = delivery("k", "", &headers, &vec![b'7'; 16 << 20]);
    let copy = codec().dead(&large, "the body is not JSON", "h.ingress").message;
    assert_eq!(copy.body.len(), 64 << 10);
    let reason = copy.headers["warren-reason"].clone();
    let cut = " (this copy has only the first 65536 of 16777216 bytes) (this copy has only 9 of 12 headers)";
    assert_eq!(reason, text(&format!("the body is not JSON{cut}")));
    let bytes: usize = copy.headers.iter().map(|(name, value)| name.len() + size_of(value)).sum();
    assert!(bytes < 120 * 1024, "{bytes}");
}
