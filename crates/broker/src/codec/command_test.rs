use super::*;
use crate::{
    HeaderValue,
    codec::{
        Inbound,
        fixture::{codec, delivered, delivery, instance, refused, text},
    },
};
use warren_model::{ExecutionId, Payload};

fn start() -> StartRequest {
    StartRequest {
        name: "process_order".into(),
        version: Some("2".into()),
        input: Payload::from_bytes(br#"{"b":1,  "a":"\u0000"}"#).unwrap(),
        tags: [("customer".to_owned(), "ä b".to_owned()), ("empty".to_owned(), String::new())].into(),
        traceparent: Some("00-1-2-01".into()),
        if_exists: IfExists::ReplaceEnded,
    }
}

fn bare(name: &str) -> StartRequest {
    StartRequest {
        version: None,
        tags: Default::default(),
        traceparent: None,
        name: name.into(),
        if_exists: IfExists::Fail,
        ..start()
    }
}

#[test]
fn every_command_survives_the_wire() {
    let raise = |keep_unseen| Command::Raise { event: "approval".into(), input: Payload::null(), keep_unseen };
    let reason = Some("because".to_owned());
    let commands = [
        Command::Start(start()),
        Command::Start(bare("p")),
        raise(true),
        raise(false),
        Command::Terminate { reason: reason.clone(), recursive: true },
        Command::Terminate { reason: None, recursive: false },
        Command::Suspend { reason: reason.clone() },
        Command::Resume { reason },
        Command::Suspend { reason: None },
        Command::Start(StartRequest { if_exists: IfExists::UseExisting, ..start() }),
        Command::Purge { execution: None },
        Command::Purge { execution: Some(ExecutionId::from_u128(7)) },
        Command::Wait,
    ];
    let to = AnswerTo {
        reply_to: "amq.rabbitmq.reply-to.x".into(),
        correlation_id: Some("c".into()),
        stored: false,
        packs: true,
    };
    for command in commands {
        for (answer_to, when, is_fresh) in
            [(None, AnswerWhen::Outcome, true), (Some(to.clone()), AnswerWhen::Accepted, false)]
        {
            let id = MessageId::new("m-1").unwrap();
            let sent =
                Envelope { id, instance: instance("order-1"), command: command.clone(), answer_to, when, is_fresh };
            let publication = codec().command(&sent);
            assert!(publication.mandatory && publication.packs);
            let read = codec().decode_control(&delivered(publication)).unwrap();
            assert_eq!(read, Inbound::Command(sent));
        }
    }
}

#[test]
fn a_command_goes_to_the_partition_of_its_instance_with_the_input_as_body() {
    let id = MessageId::new("m-1").unwrap();
    let command = Command::Start(start());
    let when = AnswerWhen::Outcome;
    let sent = Envelope { id, instance: instance("order-1"), command, answer_to: None, when, is_fresh: true };
    let publication = codec().command(&sent);
    assert_eq!(publication.to, Address::Queue("h.control.01".into()));
    assert_eq!(&*publication.message.body, br#"{"b":1,  "a":"\u0000"}"#);
    assert_eq!(publication.message.headers["tag-customer"], text("ä b"));
    assert_eq!(publication.message.headers["warren"], HeaderValue::Number(1));
}

#[test]
fn h1_a_command_that_is_sent_again_or_lies_in_the_dead_queue_is_fresh_no_more() {
    let (id, command, when) = (MessageId::new("m-1").unwrap(), Command::Start(start()), AnswerWhen::Outcome);
    let sent = Envelope { id, instance: instance("order-1"), command, answer_to: None, when, is_fresh: true };
    let first = codec().command(&sent);
    let mut again = first.clone();
    again.message.mark_repeated();
    let dead = codec().dead(&delivered(first), "nobody wants it", "h.control.01");
    let repeated = Inbound::Command(Envelope { is_fresh: false, ..sent });
    for mut publication in [again, dead] {
        publication.to = Address::Queue("h.control.01".into());
        assert_eq!(codec().decode_control(&delivered(publication)).unwrap(), repeated);
    }
}

#[test]
fn numbers_count_as_text_and_unknown_headers_are_ignored() {
    let headers = [
        ("instance-id", HeaderValue::Number(42)),
        ("orchestrator", text("p")),
        ("tag-customer", HeaderValue::Number(7)),
        ("x-other", HeaderValue::Bool(true)),
    ];
    let read = codec().decode_control(&delivery("", "start", &headers, b"1")).unwrap();
    let Inbound::Command(envelope) = &read else { panic!("{read:?}") };
    assert_eq!(envelope.instance, instance("42"));
    let Command::Start(start) = &envelope.command else { panic!("{envelope:?}") };
    assert_eq!(start.tags["customer"], "7");
}

#[test]
fn a_command_that_makes_no_sense_is_refused_with_a_sentence() {
    let id = || ("instance-id", text("order-1"));
    let name = ("orchestrator", text("p"));
    let command = |kind: &str, headers: &[(&str, HeaderValue)]| delivery("", kind, headers, b"1");
    let with = |mut delivery: Delivery, change: fn(&mut Message)| {
        change(&mut delivery.message);
        delivery
    };
    let start = || command("start", &[id(), name.clone()]);
    refused(
        |delivery| codec().decode_control(delivery),
        [
            (
                command("stop", &[id()]),
                "property type is \"stop\": expected one of `result`, `failure`, `heartbeat`, `hand-back`, `begin`, `start`, `raise`, \
                 `terminate`, `suspend`, `resume`, `complete`, `purge`, `wait`, `redispatch`, `partition`, `taken`, or none",
            ),
            (
                command("wait", &[]),
                "header `instance-id` is missing: expected the id of the instance that the message is for",
            ),
            (
                command("wait", &[("instance-id", text("@counter"))]),
                "header `instance-id`: instance id begins with `@`, which is reserved for entities",
            ),
            (
                command("wait", &[("instance-id", text("a\0"))]),
                "header `instance-id` has a NUL at byte 1: expected plain text",
            ),
            (
                command("wait", &[("instance-id", HeaderValue::Bool(true))]),
                "header `instance-id` is the truth value true: expected text",
            ),
            (command("start", &[id()]), "header `orchestrator` is missing: expected the name of an orchestrator"),
            (command("start", &[id(), ("orchestrator", text(""))]), "header `orchestrator` is empty"),
            (command("raise", &[id()]), "header `event` is missing: expected the name of an event"),
            (
                command("raise", &[id(), ("event", text("a\nb"))]),
                "header `event` has '\\n' at byte 1: expected printable characters",
            ),
            (
                command("terminate", &[id(), ("recursive", HeaderValue::Number(1))]),
                "header `recursive` is 1: expected true or false",
            ),
            (
                command("wait", &[id(), ("warren", HeaderValue::Number(2))]),
                "header `warren` says format 2: this version reads format 1",
            ),
            (
                command("wait", &[id(), ("answer", text("soon"))]),
                "header `answer` is \"soon\": expected `outcome` or `accepted`",
            ),
            (command("start", &[id(), name.clone(), ("tag-", text("x"))]), "the name of tag header `tag-` is empty"),
            (
                command("start", &[id(), name.clone(), ("start-at", text("x"))]),
                "header `start-at` is not supported: wait for a timer in the orchestrator",
            ),
            (
                with(start(), |m| m.body = b"{"[..].into()),
                "the body is not JSON in UTF-8: EOF while parsing an object at line 1 column 1",
            ),
            (with(start(), |m| m.message_id = None), "property message_id is missing: expected a unique id"),
            (
                with(start(), |m| m.message_id = Some("x".repeat(129).into())),
                "property message id has 129 bytes, at most 128 are allowed",
            ),
            (
                with(start(), |m| m.reply_to = Some("h.dead".into())),
                "property reply_to names \"h.dead\", a queue of this hub: expected a queue of the sender's own",
            ),
            (
                with(start(), |m| {
                    m.reply_to = Some("mine".into());
                    m.correlation_id = Some("x".repeat(256).into());
                }),
                "property correlation_id has 256 bytes: at most 255 are allowed",
            ),
        ],
    );
}

#[test]
fn a_command_that_came_to_another_partition_is_refused() {
    let wait = |queue| delivery(queue, "wait", &[("instance-id", text("order-1"))], b"");
    assert!(codec().decode_control(&wait("h.control.01")).is_ok());
    let refused = codec().decode_control(&wait("h.control.02")).unwrap_err().reason;
    assert_eq!(
        refused,
        "instance order-1 belongs to partition 01 of 4, but the message came to partition 02: its sender reckons with \
         another partition count"
    );
}
