use super::*;
use crate::codec::{
    ClientReply, Inbound, decode_client_reply,
    fixture::{codec, delivered, delivery, instance, refused, text},
};

fn order(what: Redispatch) -> RedispatchOrder {
    let answer_to =
        AnswerTo { reply_to: "client".into(), correlation_id: Some("c".into()), stored: false, packs: true };
    RedispatchOrder { id: MessageId::new("m-1").unwrap(), what, answer_to: Some(answer_to) }
}

#[test]
fn an_order_survives_the_wire_whatever_it_names() {
    let order_1 = instance("order-1");
    let home = codec().partitions().of(&order_1);
    for what in [
        Redispatch::default(),
        Redispatch { queue: Some("charge".into()), older_than_seconds: 60, instance: None },
        Redispatch { instance: Some(order_1), ..Redispatch::default() },
    ] {
        let publication = codec().redispatch(home, &order(what.clone()));
        let inbound = codec().decode_control(&delivered(publication)).unwrap();
        assert_eq!(inbound, Inbound::Redispatch(order(what)));
    }
}

#[test]
fn an_answer_survives_the_wire() {
    let redispatched = Redispatched { instances: 2, tasks: 7, children: 1 };
    let answer = codec().redispatched(order(Redispatch::default()).answer_to.as_ref().unwrap(), &redispatched);
    let read = decode_client_reply(&delivered(answer)).unwrap();
    assert_eq!(read, (Some("c".into()), ClientReply::Redispatched(redispatched)));
}

#[test]
fn an_order_that_makes_no_sense_is_refused_with_a_sentence() {
    let mut without = delivery("", "redispatch", &[], b"");
    without.message.message_id = None;
    let negative = delivery("", "redispatch", &[("older-than", text("-1"))], b"");
    refused(
        |delivery| codec().decode_control(delivery),
        [
            (without, "property message_id is missing: expected a unique id"),
            (negative, "header `older-than` is \"-1\": expected a whole number in its range"),
        ],
    );
}
