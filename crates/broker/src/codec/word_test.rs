use warren_model::{Outgoing, TaskScheduled, Timeouts};

use super::{super::fixture::*, *};
use crate::{Address, ClientReply, decode_client_reply, decode_work_item};

fn limited() -> TaskScheduled {
    let timeouts = Timeouts { start_to_close_ms: Some(7_200_000), heartbeat_ms: Some(30_000), ..Timeouts::default() };
    TaskScheduled {
        timeouts,
        progress: Some(json("[3]")),
        ..TaskScheduled::new(ActionId(2), "charge", Payload::null())
    }
}

fn json(text: &str) -> Payload {
    Payload::from_bytes(text.as_bytes()).unwrap()
}

fn item(task: TaskScheduled) -> WorkItem {
    let home = codec().partitions().of(&instance("order-1"));
    let outgoing =
        Outgoing::WorkItem { instance: instance("order-1"), execution: execution(), task, traceparent: None };
    decode_work_item(&delivered(codec().outgoing(&outgoing, home, None).unwrap())).unwrap()
}

fn read(publication: Publication) -> Inbound {
    assert!(publication.mandatory && !publication.packs);
    codec().decode_control(&delivered(publication)).unwrap()
}

#[test]
fn a_work_item_says_how_long_it_may_take_and_how_far_it_had_come() {
    let (task, item) = (limited(), item(limited()));
    assert_eq!((item.timeouts, item.progress), (task.timeouts, task.progress));
    let mut foreign = delivery("h.work.charge", "charge", &[("progress", text("{no"))], b"");
    (foreign.message.correlation_id, foreign.message.reply_to) = (Some(token()), Some("h.control.01".into()));
    refused(decode_work_item, [(foreign, "header `progress` is no JSON: key must be a string at line 1 column 2")]);
}

#[test]
fn h7_a_heartbeat_survives_the_wire_and_so_do_its_answers() {
    let beat = Beat {
        lease: Some(Duration::from_secs(20)),
        is_workers: false,
        is_handed_over: true,
        progress: Some(json(r#"{"rows":7}"#)),
    };
    for beat in [beat, Beat { is_workers: true, ..Beat::default() }, Beat::default()] {
        let mut sent = heartbeat(&item(limited()), "w-1", &beat, Some("3:1"));
        sent.message.reply_to = Some("amq.rabbitmq.reply-to.x".into());
        let Inbound::Heartbeat(heard) = read(sent) else { panic!("no heartbeat") };
        let of = Attempt { instance: instance("order-1"), execution: execution(), task: ActionId(2), attempt: 1 };
        assert_eq!((&heard.of, &heard.beat), (&of, &beat));
        assert_eq!((heard.activity.as_str(), heard.worker.as_str()), ("charge", "w-1"));
        let to = heard.answer_to.unwrap();
        let held = codec().held(&to, heard.id.as_ref());
        assert_eq!((&held.to, held.mandatory), (&Address::Queue("amq.rabbitmq.reply-to.x".into()), false));
        assert_eq!(decode_owner_word(&delivered(held)), Ok(OwnerWord::Held { token: token(), id: Some("3:1".into()) }));
        let cancel = delivered(codec().cancel(&to));
        assert_eq!(decode_owner_word(&cancel), Ok(OwnerWord::Cancel { token: token() }));
    }
}

#[test]
fn who_has_only_the_token_is_heard_and_answered_too() {
    let beat = Beat { progress: Some(json("3")), ..Beat::default() };
    let mut sent = codec().beat(&token().parse().unwrap(), "a script", &beat);
    sent.message.reply_to = Some("amq.rabbitmq.reply-to.x".into());
    let Inbound::Heartbeat(heard) = read(sent) else { panic!("no heartbeat") };
    let of = Attempt { instance: instance("order-1"), execution: execution(), task: ActionId(2), attempt: 1 };
    assert_eq!((heard.of, heard.beat, heard.worker.as_str()), (of, beat, "a script"));
    let to = heard.answer_to.unwrap();
    for (word, is_awaited) in [(codec().held(&to, None), true), (codec().cancel(&to), false)] {
        let read = decode_client_reply(&delivered(word));
        assert_eq!(read, Ok((Some(token().into()), ClientReply::Awaited(is_awaited))));
    }
}

/// A worker in another language need not say more than its token.
#[test]
fn a_bare_heartbeat_will_do() {
    let mut bare = delivery("h.control.03", "heartbeat", &[], b"");
    bare.message.correlation_id = Some(token());
    bare.routing_key = codec().control_queue(codec().partitions().of(&instance("order-1")));
    let Ok(Inbound::Heartbeat(heard)) = codec().decode_control(&bare) else { panic!("no heartbeat") };
    assert_eq!((heard.beat, heard.answer_to), (Beat::default(), None));
    bare.message.body = b"{no"[..].into();
    bare.message.headers.insert("lease-ms", text("soon"));
    refused(
        |it| codec().decode_control(it),
        [(bare, "header `lease-ms` is \"soon\": expected a whole number in its range")],
    );
}

#[test]
fn what_a_worker_hands_back_survives_the_wire() {
    for (must_resend, progress) in [(true, Some(json("4"))), (false, None)] {
        let sent = hand_back(&item(limited()), "w-1", must_resend, progress.as_ref());
        let Inbound::HandBack(heard) = read(sent) else { panic!("nothing is handed back") };
        assert_eq!((heard.of.task, heard.must_resend, heard.progress), (ActionId(2), must_resend, progress));
    }
}
