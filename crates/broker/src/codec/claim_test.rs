use std::collections::{BTreeMap, BTreeSet};

use warren_model::{
    ActionId, AnswerTo, AnswerWhen, ChildStart, Command, EventRaised, ExecutionStarted, Failure, IfExists, MessageId,
    Outgoing, Parent, StartRequest, Status, TaskScheduled, code,
};

use super::{super::fixture::*, *};
use crate::{Bodies, Codec, Envelope, Inbound, codec::reply, decode_client_reply, decode_work_item};

/// A codec for which 100 bytes are large, and the workers of queue `resize` take claims.
fn small() -> Codec {
    let claim_queues = BTreeSet::from(["resize".to_owned()]);
    let bodies = Bodies { bytes_max: 1_000, inline_bytes_max: 100, claim_queues };
    Codec::new(Topology::new("h").unwrap().with_bodies(bodies), codec().partitions(), [7; 16])
}

fn json(bytes: usize) -> Payload {
    Payload::of(&"x".repeat(bytes - 2)).unwrap()
}

fn start(input: Payload) -> Publication {
    let request = StartRequest {
        name: "order".into(),
        version: None,
        input,
        tags: BTreeMap::new(),
        traceparent: None,
        if_exists: IfExists::Fail,
    };
    small().command(&Envelope {
        id: MessageId::new("m-1").unwrap(),
        instance: instance("order-1"),
        command: Command::Start(request),
        answer_to: None,
        when: AnswerWhen::Accepted,
        is_fresh: false,
    })
}

fn task(queue: &str, input: Payload) -> Outgoing {
    let task = TaskScheduled { queue: Some(queue.into()), ..TaskScheduled::new(ActionId(2), "resize", input) };
    Outgoing::WorkItem { instance: instance("order-1"), execution: execution(), task, traceparent: None }
}

fn parent() -> Parent {
    Parent { instance: instance("parent"), execution: execution(), task: ActionId(3), attempt: 1 }
}

fn to_partition(message: PartitionMessage) -> Publication {
    small().outgoing(&Outgoing::ToPartition(message), Partition(0), Some((Partition(0), 7))).unwrap()
}

fn child_start(input: Payload) -> PartitionMessage {
    let started = ExecutionStarted {
        name: "order".into(),
        version: None,
        input,
        parent: Some(parent()),
        answer_to: None,
        tags: BTreeMap::new(),
        traceparent: None,
    };
    PartitionMessage::ChildStart(ChildStart { instance: instance("child"), started })
}

fn raise(input: Payload) -> PartitionMessage {
    PartitionMessage::Raise { instance: instance("other"), event: EventRaised { name: "paid".into(), input } }
}

/// Takes a payload out of its message, and puts it back at the other end.
fn there_and_back(publication: Publication) -> (Parcel, Publication, Delivery) {
    let topology = small().topology().clone();
    let (light, parcel) = check_out(&topology, &publication).expect("it is large and its receiver takes claims");
    assert!(light.message.body.len() <= 400, "what travels is small");
    let mut delivery = delivered(light.clone());
    assert_eq!(claim(&delivery.message), Some(Claim { id: parcel.id, bytes: parcel.body.len() as u64 }));
    assert_eq!(partition(&topology, &delivery), Some(parcel.partition));
    put_back(&topology, &mut delivery, parcel.body.clone());
    assert_eq!(claim(&delivery.message), None);
    (parcel, light, delivery)
}

#[test]
fn a_large_command_travels_in_two_parts_and_is_the_same_again() {
    let whole = start(json(101));
    let (parcel, light, back) = there_and_back(whole.clone());
    assert_eq!(
        (&*parcel.body, parcel.instance.as_str(), parcel.execution),
        (json(101).as_str().as_bytes(), "order-1", None)
    );
    assert_eq!(parcel.partition, small().partitions().of(&instance("order-1")));
    assert_eq!(back, delivered(whole.clone()));
    // The same message has the same payload under the same id; another payload has another.
    assert_eq!(check_out(small().topology(), &whole), Some((light, parcel.clone())));
    assert_ne!(check_out(small().topology(), &start(json(102))).unwrap().1.id, parcel.id);
    assert_eq!(check_out(small().topology(), &start(json(100))), None, "what is small travels whole");
}

#[test]
fn words_between_partitions_are_small_without_their_payloads() {
    let failure = Failure::new("x", "y".repeat(200));
    let ended = |outcome| PartitionMessage::ChildEnded { parent: parent(), outcome };
    for word in [child_start(json(300)), raise(json(300)), ended(Ok(json(300))), ended(Err(failure))] {
        let target = word.target().clone();
        let (parcel, _, back) = there_and_back(to_partition(word.clone()));
        assert_eq!((parcel.instance, parcel.execution), (target, None));
        let expected = Inbound::Partition { source: Partition(0), sequence: 7, message: word };
        assert_eq!(small().decode_control(&back).unwrap(), expected);
    }
}

#[test]
fn a_large_work_item_travels_so_only_to_workers_that_take_claims() {
    let item = small().outgoing(&task("resize", json(300)), Partition(3), None).unwrap();
    let (parcel, _, back) = there_and_back(item);
    assert_eq!((parcel.partition, parcel.execution), (Partition(3), Some(execution())));
    let work = decode_work_item(&back).unwrap();
    assert_eq!((&work.input, work.missing.clone()), (&json(300), None));
    // The reply names the payload, so that it goes with the commit of the reply; a large reply brings its own.
    let answer = reply(&work, &Ok(json(300)), "worker-1");
    let (own, light, answer) = there_and_back(answer);
    assert_eq!(spent(&light.message).collect::<Vec<_>>(), [own.id, parcel.id]);
    assert_eq!(spent(&answer.message).collect::<Vec<_>>(), [parcel.id]);

    let foreign = small().outgoing(&task("foreign", json(300)), Partition(3), None).unwrap();
    assert_eq!(check_out(small().topology(), &foreign), None);
}

#[test]
fn a_work_item_over_the_broker_s_limit_is_too_large_for_workers_without_claims() {
    assert_eq!(small().too_large(&task("foreign", json(1_000))), None);
    assert_eq!(small().too_large(&task("resize", json(1_001))), None);
    let failure = small().too_large(&task("foreign", json(1_001))).unwrap();
    assert_eq!((failure.code.as_str(), failure.retryable), (code::PAYLOAD_TOO_LARGE, false));
    assert!(failure.message.contains("1001 bytes") && failure.message.contains("payloads.queues"), "{failure}");
    let everybody = Bodies { claim_queues: BTreeSet::from(["*".to_owned()]), ..small().topology().bodies().clone() };
    assert!(everybody.has_claims("foreign"));
}

#[test]
fn answers_and_dead_letters_never_travel_so() {
    let topology = small().topology().clone();
    for queue in ["mine", "h.dead", "h.ingress", "amq.rabbitmq.reply-to.x", "h.control.07x"] {
        let publication = Publication { to: Address::Queue(queue.into()), ..start(json(300)) };
        assert_eq!(check_out(&topology, &publication), None, "{queue}");
    }
}

#[test]
fn a_large_outcome_stays_in_the_store_for_who_reads_it_there() {
    let tell = |stored, bytes| {
        let to = AnswerTo { reply_to: "mine".into(), correlation_id: Some("c".into()), stored, packs: false };
        let (instance, execution, status) = (instance("order-1"), execution(), Status::Completed);
        let outgoing = Outgoing::Outcome { to, instance, execution, status, outcome: Ok(json(bytes)) };
        decode_client_reply(&delivered(small().outgoing(&outgoing, Partition(0), None).unwrap())).unwrap().1
    };
    use crate::ClientReply::{Outcome, Stored};
    assert!(matches!(tell(true, 100), Outcome { outcome: Ok(_), .. }));
    assert_eq!(tell(true, 2_000), Stored { instance: instance("order-1"), status: Status::Completed });
    assert!(matches!(tell(false, 1_000), Outcome { outcome: Ok(_), .. }));
    let Outcome { status, outcome: Err(failure), .. } = tell(false, 1_001) else { panic!("it can't travel") };
    assert_eq!((status, failure.code.as_str()), (Status::Completed, code::PAYLOAD_TOO_LARGE));
}

#[test]
fn a_payload_that_is_gone_is_said_so_to_each_as_fits() {
    let gone = |publication: Publication| {
        let (light, parcel) = check_out(small().topology(), &publication).unwrap();
        (delivered(light), parcel.id.to_string())
    };
    let (command, id) = gone(start(json(300)));
    assert!(matches!(small().decode_control(&command).unwrap(), Inbound::Command(_)), "a duplicate is known");
    assert!(small().missing(&command).unwrap().contains(&id));
    assert_eq!(small().missing(&delivered(start(json(50)))), None);

    let home = small().partitions().of(&instance("order-1"));
    let (item, id) = gone(small().outgoing(&task("resize", json(300)), home, None).unwrap());
    let work = decode_work_item(&item).unwrap();
    assert!(work.missing.as_ref().unwrap().contains(&id) && work.input.is_null());

    let (answer, _) = gone(reply(&work, &Ok(json(300)), "worker-1"));
    let Inbound::Reply { ended, .. } = small().decode_control(&answer).unwrap() else { panic!("{answer:?}") };
    let failure = ended.outcome.as_ref().unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), (code::PAYLOAD_MISSING, true));

    let word_of = |word| {
        let inbound = small().decode_control(&gone(to_partition(word)).0).unwrap();
        let Inbound::Partition { message, .. } = inbound else { panic!("{inbound:?}") };
        message
    };
    for word in [child_start(json(300)), raise(json(300))] {
        let PartitionMessage::Vanished { word: left, .. } = word_of(word.clone()) else { panic!("{word:?}") };
        assert_eq!(left.target(), word.target());
    }
    let ended = word_of(PartitionMessage::ChildEnded { parent: parent(), outcome: Ok(json(300)) });
    assert!(matches!(ended, PartitionMessage::ChildEnded { outcome: Err(f), .. } if f.code == code::PAYLOAD_MISSING));
}

#[test]
fn a_claim_that_makes_no_sense_is_refused_with_the_reason() {
    let claims = |value: &str| [("claim", text(value)), ("instance-id", text("order-1")), ("orchestrator", text("o"))];
    let key = small().topology().control(small().partitions().of(&instance("order-1"))).name;
    let expected = |value: &str| format!("header `claim` is {value:?}: expected a UUID and a size in bytes");
    for value in ["", "x", "123:", "6f1c4e4e-0000-4000-8000-000000000000", "6f1c4e4e-0000-4000-8000-000000000000:-1"] {
        let start = delivery(&key, "start", &claims(value), b"");
        assert_eq!(claim(&start.message), None, "nobody looks for it");
        assert_eq!(small().decode_control(&start).unwrap_err().reason, expected(value));
        let ingress = delivery("start.order", "", &claims(value), b"1");
        assert_eq!(small().decode_ingress(&ingress).unwrap_err().reason, expected(value));
        let mut answer = delivery(&key, "", &claims(value), b"");
        answer.message.correlation_id = Some(super::super::fixture::token());
        assert_eq!(small().decode_control(&answer).unwrap_err().reason, expected(value));
    }
    let good = format!("{}:5", uuid::Uuid::nil());
    let ingress = delivery("start.order", "", &claims(&good), b"1");
    assert!(small().decode_ingress(&ingress).unwrap_err().reason.contains("own components"));
}

#[test]
fn a_payload_of_another_size_is_not_put_back() {
    let (light, parcel) = check_out(small().topology(), &start(json(300))).unwrap();
    let mut delivery = delivered(light.clone());
    put_back(small().topology(), &mut delivery, parcel.body[..299].into());
    assert_eq!(delivery, delivered(light));
}
