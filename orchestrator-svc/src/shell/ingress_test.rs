use std::num::NonZeroU16;

use warren_broker::{Address, Message, Topology};
use warren_model::PartitionCount;

use super::*;

fn check(key: &str, body: &[u8], to: &[&str]) -> Vec<Publication> {
    let codec = Codec::new(Topology::new("h").unwrap(), PartitionCount(NonZeroU16::MIN), [7; 16]);
    let message = Message {
        message_id: Some("m".into()),
        reply_to: Some("mine".into()),
        body: body.to_vec().into(),
        ..Message::default()
    };
    let delivery = Delivery { tag: 1, redelivered: false, routing_key: key.into(), message };
    let out = translate(&codec, &delivery, 1_000);
    let queues = out.iter().map(|publication| if let Address::Queue(name) = &publication.to { name } else { "" });
    assert_eq!(queues.collect::<Vec<_>>(), to);
    out
}

#[test]
fn a_message_goes_to_its_partition_or_to_the_dead_queue_and_its_sender_is_told() {
    check("start.p", b"1", &["h.control.00"]);
    check("begin.p", b"1", &["h.dead", "mine"]);
    check("start.p", b"{", &["h.dead", "mine"]);
}

#[test]
fn h6_a_body_over_the_limit_is_refused_before_it_can_hold_up_the_ingress() {
    let out = check("start.p", format!("\"{}\"", "x".repeat(1_000)).as_bytes(), &["h.dead", "mine"]);
    let told = String::from_utf8_lossy(&out[1].message.body).into_owned();
    assert!(told.contains("too_large") && told.contains("1002 bytes"), "{told}");
}
