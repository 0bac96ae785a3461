use super::*;

fn message(id: &str, body: &[u8]) -> Message {
    let headers = [
        ("warren", HeaderValue::Number(1)),
        ("lowest", HeaderValue::Number(i64::MIN)),
        ("yes", HeaderValue::Bool(true)),
        ("no", HeaderValue::Bool(false)),
        ("worker", HeaderValue::Text("grüße 🦀".into())),
        ("empty", HeaderValue::Text(Text::new())),
        ("long", HeaderValue::Text("x".repeat(70_000).into())),
    ];
    Message {
        kind: Some("result".into()),
        correlation_id: Some("c".repeat(255).into()),
        reply_to: None,
        message_id: Some(id.into()),
        content_type: Some(JSON.into()),
        headers: headers.into(),
        body: Bytes::copy_from_slice(body),
    }
}

fn of(parts: &[Message]) -> Message {
    pack(None, parts)
}

fn cut(pack: &Message, length: usize) -> Message {
    Message { body: pack.body.slice(..length), ..pack.clone() }
}

fn why(message: &Message) -> String {
    refuse(message).unwrap_err().reason
}

#[test]
fn messages_come_out_of_a_pack_as_they_went_in() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let other = Message { content_type: Some("text/plain".into()), ..Message::default() };
    let sent = [message("a", b"1"), Message::default(), message("b", &every_byte), other];
    let pack = of(&sent);
    assert!(is_pack(&pack) && sent.iter().all(can_be_part));
    assert_eq!(parts(&pack), sent);
}

#[test]
fn what_our_messages_repeat_is_said_once() {
    let names = NAMES.map(|name| (name, HeaderValue::Bool(true)));
    let reply = Message {
        correlation_id: Some("c".repeat(90).into()),
        message_id: Some(("c".repeat(90) + ":reply").into()),
        headers: names.into(),
        ..Message::default()
    };
    let item = Message { message_id: reply.correlation_id.clone(), ..reply.clone() };
    let pack = of(&[reply.clone(), item.clone()]);
    assert_eq!(parts(&pack), [reply, item]);
    let (ids, headers, ends) = (90 + 4 + 6, 20 * 3, LENGTH + 1);
    assert_eq!(pack.body.len(), 2 * (ids + headers + ends) - 6);
}

#[test]
fn the_bytes_of_a_part_stay_what_they_are() {
    let item = Message {
        correlation_id: Some("t".into()),
        message_id: Some("t:r".into()),
        content_type: Some(JSON.into()),
        headers: [("attempt", HeaderValue::Number(2)), ("x", HeaderValue::Text("y".into()))].into(),
        body: b"1"[..].into(),
        ..Message::default()
    };
    let bytes = [
        &[0, 0, 0, 28, 2, 1, b't', 9, 2, b':', b'r', 5, 23, 1, 0, 0, 0, 0, 0, 0, 0, 2][..],
        &[6, 1, b'x', 0, 0, 0, 1, b'y', 0, b'1'],
    ];
    assert_eq!(of(&[item]).body, bytes.concat());
    let places = "warren attempt idempotency-key timed traceparent worker took queue instance-id status orchestrator answer \
                  packs stored-outcome source sequence version event keep-unseen progress";
    assert_eq!(NAMES.join(" "), places, "they are the wire's: docs/AMQP.md");
}

#[test]
fn a_part_has_only_so_many_headers() {
    let many = |count: usize| Message {
        headers: (0..count).map(|n| (format!("tag-{n}"), HeaderValue::Bool(true))).collect(),
        ..Message::default()
    };
    assert!(can_be_part(&many(HEADERS_MAX)) && !can_be_part(&many(HEADERS_MAX + 1)));
    assert_eq!(parts(&of(&[many(HEADERS_MAX)])), [many(HEADERS_MAX)]);
    assert!(why(&of(&[many(HEADERS_MAX + 1)])).contains("more than 256 headers"));
}

#[test]
fn what_is_read_is_not_copied() {
    let pack = of(&[message("a", b"12345")]);
    let part = parts(&pack).remove(0);
    let within = |bytes: &[u8]| pack.body.as_ptr_range().contains(&bytes.as_ptr());
    assert!(within(&part.body) && within(part.kind.as_ref().unwrap().as_bytes()));
}

#[test]
fn all_parts_have_the_reply_to_of_their_pack() {
    let pack = pack(Some("amq.rabbitmq.reply-to".into()), &[message("a", b"1"), message("b", b"2")]);
    // The broker rewrites the pack's own.
    let rewritten = Message { reply_to: Some("amq.rabbitmq.reply-to.g1h2".into()), ..pack };
    let there: Vec<_> = parts(&rewritten).into_iter().map(|part| part.reply_to.unwrap()).collect();
    assert_eq!(there, ["amq.rabbitmq.reply-to.g1h2"; 2]);
}

#[test]
fn what_amqp_could_not_carry_and_packs_are_no_parts() {
    assert!(can_be_part(&message("a", b"1")));
    assert!(!can_be_part(&Message { kind: Some("k".repeat(256).into()), ..Message::default() }));
    assert!(!can_be_part(&Message {
        headers: [("h".repeat(256), HeaderValue::Bool(true))].into(),
        ..Message::default()
    }));
    assert!(!can_be_part(&of(&[message("a", b"1")])));
}

#[test]
fn the_estimate_of_a_part_is_close() {
    for part in [message("a", b"12345"), Message::default()] {
        let (estimate, is) = (size(&part), of(std::slice::from_ref(&part)).body.len());
        assert!(estimate.abs_diff(is) < 10, "{estimate} for {is}");
    }
}

#[test]
fn a_part_that_makes_no_sense_stays_by_itself_with_a_reason() {
    let good = [message("a", b"1"), message("b", b"2")];
    let (first, last) = (of(&good[..1]), of(&good[1..]));
    // Nobody could carry it to the dead queue.
    let long = [&[2, 200][..], &[b'c'; 200], &[9, 56], &[b'r'; 56], &[0]].concat();
    let cases: [(&[u8], &str); 10] = [
        (&long, "has a message_id of more than 255 bytes"),
        (&[10, 0], "a message of the pack has a field 10, which this version knows nothing of"),
        (&[25, 0, 0], "a field 25, which this version knows nothing of"),
        (&[9, 2, b':', b'r', 0], "has the rest of a message_id and no correlation_id"),
        (&[23, 20, 0], "has a header 20: expected 0 to 19"),
        (&[], "ends within a field: 1 bytes are announced, 0 are there"),
        (&[1, 200, b'x'], "ends within a field: 200 bytes are announced, 1 are there"),
        (&[1, 1, 0xff, 0], "is not UTF-8"),
        (&[6, 1, b'h', 255, 255, 255, 255, b'v'], "4294967295 bytes are announced, 1 are there"),
        (&[7, 1, b'h', 0], "8 bytes are announced, 1 are there"),
    ];
    for (bad, reason) in cases {
        let length = u32::try_from(bad.len()).unwrap().to_be_bytes();
        let frame = [&length, bad].concat();
        let body = [&first.body[..], &frame, &last.body[..]].concat();
        let parts = parts(&Message { body: body.into(), ..first.clone() });
        let [one, unread, two] = &parts[..] else { panic!("{} parts", parts.len()) };
        assert_eq!((one, two), (&good[0], &good[1]));
        assert_eq!(*unread.body, frame[..]);
        assert!(why(unread).contains(reason), "{}", why(unread));
    }
}

#[test]
fn wherever_a_pack_is_cut_what_is_whole_comes_out_and_the_rest_says_why() {
    let sent: Vec<Message> = (0..3).map(|n| Message { body: vec![n; 5].into(), ..Message::default() }).collect();
    let pack = of(&sent);
    for length in 1..pack.body.len() {
        let parts = parts(&cut(&pack, length));
        let (whole, rest) = (length / 10, length % 10);
        assert_eq!(parts[..whole], sent[..whole], "cut at {length}");
        assert_eq!(parts.len(), whole + usize::from(rest > 0), "cut at {length}");
        if rest > 0 {
            assert!(why(&parts[whole]).contains("the pack ends within a message"), "cut at {length}");
        }
    }
}

#[test]
fn any_bytes_are_taken_apart_without_a_loss() {
    let mut seed = 1_u64;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..seed % 40)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if seed.is_multiple_of(3) { (seed >> 40) as u8 % 12 } else { (seed >> 33) as u8 }
            })
            .collect();
        seed = seed.wrapping_add(1);
        let message = Message { content_type: Some(CONTENT_TYPE.into()), body: bytes.into(), ..Message::default() };
        for part in parts(&message) {
            // Either a message, or something with a reason.
            assert!(!is_pack(&part) || !why(&part).contains("only Warren's own"), "{:?}", message.body);
        }
    }
}

#[test]
fn a_pack_of_nothing_of_too_many_or_in_a_pack_is_refused_whole() {
    let empty = of(&[]);
    assert_eq!((parts(&empty), why(&empty)), (vec![empty.clone()], "the pack is empty".into()));
    let many = of(&vec![Message::default(); PARTS_MAX + 1]);
    assert_eq!(parts(&many), std::slice::from_ref(&many));
    assert_eq!(why(&many), "the pack holds more than 4096 messages");
    assert_eq!(parts(&of(&vec![Message::default(); PARTS_MAX])).len(), PARTS_MAX);
    let inner = of(&[message("a", b"1")]);
    assert_eq!(parts(&of(std::slice::from_ref(&inner))), std::slice::from_ref(&inner));
    assert!(why(&inner).contains("never in another pack"));
}

#[test]
fn another_version_is_named() {
    let next = Message { content_type: Some("application/vnd.warren.pack.v2".into()), ..of(&[message("a", b"1")]) };
    assert!(!is_pack(&next));
    assert_eq!(
        why(&next),
        "content_type is \"application/vnd.warren.pack.v2\": this version reads packs of application/vnd.warren.pack.v1"
    );
    assert_eq!(refuse(&message("a", b"1")), Ok(()));
}
