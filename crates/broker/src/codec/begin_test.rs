use warren_model::{ActionId, Outgoing, Payload, TaskScheduled};

use super::{super::fixture::*, *};
use crate::{Inbound, OwnerWord, decode_owner_word, decode_work_item};

fn item() -> WorkItem {
    let (id, input) = (ActionId(2), Payload::null());
    let task = TaskScheduled::new(id, "charge", input);
    let home = codec().partitions().of(&instance("order-1"));
    let outgoing =
        Outgoing::WorkItem { instance: instance("order-1"), execution: execution(), task, traceparent: None };
    decode_work_item(&delivered(codec().outgoing(&outgoing, home, None).unwrap())).unwrap()
}

fn asked(is_alone: bool) -> Delivery {
    let mut question = delivered(begin(&item(), "0a-1", "worker-1", is_alone));
    question.message.reply_to = Some("amq.rabbitmq.reply-to.x".into());
    question
}

#[test]
fn h18_a_question_survives_the_wire_and_so_does_every_answer() {
    assert!(
        begin(&item(), "0a-1", "worker-1", true).mandatory,
        "H6: or nobody notices a channel that is refused for ever"
    );
    for is_alone in [false, true] {
        let read = codec().decode_control(&asked(is_alone)).unwrap();
        let Inbound::Begin(question) = &read else { panic!("{read:?}") };
        assert_eq!((question.id.as_str(), question.is_alone), ("0a-1", is_alone));
        assert_eq!((question.activity.as_str(), question.worker.as_str()), ("charge", "worker-1"));
        assert_eq!(
            (&question.of.instance, question.of.task, question.of.attempt),
            (&instance("order-1"), ActionId(2), 1)
        );
        for permit in Permit::ALL {
            let progress = (permit == Permit::Go).then(|| Payload::from_bytes(b"[7]").unwrap());
            let answer = codec().permit(question, permit, progress.as_ref());
            assert_eq!((&answer.to, answer.mandatory), (&Address::Queue("amq.rabbitmq.reply-to.x".into()), false));
            assert_eq!(answer.message.correlation_id, Some(token()));
            let (question, word) = ("0a-1".into(), decode_owner_word(&delivered(answer)).unwrap());
            assert_eq!(word, OwnerWord::Permit { question, permit, progress });
        }
    }
}

#[test]
fn a_question_that_makes_no_sense_is_refused_with_a_sentence() {
    let mut cases = Vec::new();
    let mut case = |spoil: &dyn Fn(&mut Delivery), expected| {
        let mut question = asked(true);
        spoil(&mut question);
        cases.push((question, expected));
    };
    case(&|it| it.message.message_id = None, "property message_id is missing: expected a unique id");
    case(&|it| it.message.reply_to = None, "property reply_to is missing: nobody could be told");
    case(
        &|it| it.message.reply_to = Some("h.work.a".into()),
        "property reply_to names \"h.work.a\", a queue of this hub: expected a queue of the sender's own",
    );
    case(
        &|it| it.message.correlation_id = Some("x".into()),
        "correlation_id \"x\" is no token: expected that of the work item, unchanged",
    );
    case(
        &|it| drop(it.message.headers.remove("worker")),
        "header `worker` is missing: expected what the worker calls itself",
    );
    case(
        &|it| drop(it.message.headers.remove("activity")),
        "header `activity` is missing: expected the name of the activity",
    );
    refused(|it| codec().decode_control(it), cases);
}

#[test]
fn an_answer_that_makes_no_sense_is_refused() {
    let maybe = delivery("", "maybe", &[("question", text("q"))], b"");
    refused(
        decode_owner_word,
        [
            (delivery("", "go", &[], b""), "header `question` is missing: expected the id of the question"),
            (maybe, "property type is \"maybe\": expected `go`, `alone`, `wait` or `drop`"),
        ],
    );
}
