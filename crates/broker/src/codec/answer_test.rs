use super::*;
use crate::{
    Address, HeaderValue,
    codec::fixture::{codec, delivered, delivery, execution, instance, refused, text},
};
use warren_model::{Failure, Outgoing, Partition, Payload, RefusalCode};

fn to() -> AnswerTo {
    AnswerTo { reply_to: "mine".into(), correlation_id: Some("c".into()), stored: false, packs: true }
}

#[test]
fn answers_survive_the_wire() {
    let (instance, execution) = (instance("order-1"), execution());
    let accepted = Answer { instance, execution, status: Status::Pending, warning: Some("nobody serves it".into()) };
    let refusal = Refusal { code: RefusalCode::Gone, message: "order-1 has ended".into() };
    for answer in [Ok(accepted), Err(refusal)] {
        let publication = codec().answer(&to(), &answer);
        let foreign = codec().answer(&AnswerTo { packs: false, ..to() }, &answer);
        assert_eq!((publication.packs, foreign.packs), (true, false), "only who says so takes packs");
        assert_eq!((&publication.to, publication.mandatory), (&Address::Queue("mine".into()), false));
        let expected = match answer {
            Ok(answer) => ClientReply::Answer(answer),
            Err(refusal) => ClientReply::Refused(refusal),
        };
        assert_eq!(decode_client_reply(&delivered(publication)).unwrap(), (Some("c".into()), expected));
    }
}

#[test]
fn outcomes_survive_the_wire() {
    let (instance, execution) = (instance("order-1"), execution());
    for (status, outcome) in [
        (Status::Completed, Ok(Payload::from_bytes(b"[1,  2]").unwrap())),
        (Status::Failed, Err(Failure::new("x", "y"))),
        (Status::Terminated, Err(Failure::permanent("terminated", "by hand"))),
    ] {
        let (instance, outcome) = (instance.clone(), outcome);
        let sent =
            Outgoing::Outcome { to: to(), instance: instance.clone(), execution, status, outcome: outcome.clone() };
        let sent = codec().outgoing(&sent, Partition(0), None).unwrap();
        let expected = ClientReply::Outcome { instance, status, outcome };
        assert_eq!(decode_client_reply(&delivered(sent)).unwrap(), (Some("c".into()), expected));
    }
}

#[test]
fn a_reply_that_makes_no_sense_is_refused_with_a_sentence() {
    let id = || ("instance-id", text("order-1"));
    let status = |status: &str| ("status", text(status));
    refused(
        decode_client_reply,
        [
            (
                delivery("", "accepted", &[], b"{}"),
                "the body is no answer: missing field `instance` at line 1 column 2",
            ),
            (delivery("", "refused", &[], b"no"), "the body is no refusal: expected ident at line 1 column 2"),
            (
                delivery("", "pong", &[], b"1"),
                "property type is \"pong\": expected `accepted`, `refused`, `redispatched`, `held`, `cancel`, `result` or `failure`",
            ),
            (
                delivery("", "result", &[status("Completed")], b"1"),
                "header `instance-id` is missing: expected the id of the instance that the message is for",
            ),
            (delivery("", "result", &[id()], b"1"), "header `status` is missing: expected how the instance stands"),
            (
                delivery("", "result", &[id(), status("Done")], b"1"),
                "header `status` is \"Done\": expected a status such as `Completed`",
            ),
            (
                delivery("", "result", &[id(), ("warren", HeaderValue::Number(2))], b"1"),
                "header `warren` says format 2: this version reads format 1",
            ),
        ],
    );
}
