use super::*;

fn hub() -> Topology {
    Topology::new("orders").unwrap()
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::Text(value.into())
}

#[test]
fn every_name_begins_with_the_hub() {
    let hub = hub();
    assert_eq!(hub.ingress_exchange(), "orders.ingress");
    assert_eq!(hub.events_exchange(), "orders.events");
    assert_eq!(hub.ingress_queue().name, "orders.ingress");
    assert_eq!(hub.control(Partition(3)).name, "orders.control.03");
    assert_eq!(hub.control(Partition(123)).name, "orders.control.123");
    assert_eq!(hub.work("calculate_tax").unwrap().name, "orders.work.calculate_tax");
    assert_eq!(hub.dead().name, "orders.dead");
    assert_eq!(hub.queue_of_work("orders.work.calculate_tax"), Some("calculate_tax"));
    for other in ["orders.control.03", "orders.dead", "other.work.a", "work.a"] {
        assert_eq!(hub.queue_of_work(other), None);
    }
}

#[test]
fn a_hub_has_a_short_plain_name() {
    for good in ["a", "orders", "Orders_2-b", &"x".repeat(40)] {
        assert_eq!(Topology::new(good).unwrap().hub(), good);
    }
    for (bad, why) in [
        ("", "hub name is empty"),
        ("a.b", r#"hub name "a.b" has '.' at byte 1, only letters, digits, `_` and `-` are allowed"#),
        ("ä", r#"hub name "ä" has 'ä' at byte 0, only letters, digits, `_` and `-` are allowed"#),
        ("amq", r#"hub name "amq" is reserved by the broker, choose another"#),
    ] {
        assert_eq!(Topology::new(bad).unwrap_err().to_string(), why);
    }
    let long = Topology::new(&"x".repeat(41)).unwrap_err().to_string();
    assert!(long.ends_with("has 41 bytes, at most 40 are allowed"), "{long}");
}

#[test]
fn a_work_queue_has_a_name_that_amqp_can_carry() {
    let hub = hub();
    let longest = "x".repeat(255 - "orders.work.".len());
    assert_eq!(hub.work(&longest).unwrap().name.len(), 255);
    for (bad, why) in [
        ("", "work-item queue is empty".to_owned()),
        ("a\nb", r#"work-item queue "a\nb" has '\n' at byte 1, only printable characters are allowed"#.to_owned()),
        (&format!("{longest}x"), format!("work-item queue \"{longest}x\" has 244 bytes, at most 243 are allowed")),
    ] {
        assert_eq!(hub.work(bad).unwrap_err().to_string(), why);
    }
}

#[test]
fn queues_of_the_hub_are_known_by_name() {
    let hub = hub();
    for own in [
        "orders.ingress",
        "orders.dead",
        "orders.control.00",
        "orders.control.x",
        "orders.work.a.b",
        "orders.binding.a",
        "orders.limit.a.b",
    ] {
        assert!(hub.is_engine_queue(own), "{own}");
        assert_eq!(hub.is_inner_queue(own), own != "orders.ingress", "{own}");
    }
    for foreign in ["orders", "orders.replies", "orders2.dead", "my.orders.dead", "amq.rabbitmq.reply-to.x", ""] {
        assert!(!hub.is_engine_queue(foreign) && !hub.is_inner_queue(foreign), "{foreign}");
    }
}

#[test]
fn a_control_queue_names_its_partition() {
    let hub = hub();
    for partition in [0, 7, 10, 63, 100, 65_535].map(Partition) {
        assert_eq!(hub.partition_of_control(&hub.control(partition).name), Some(partition));
    }
    let unpadded = ["orders.control.7", "orders.control.007", "orders.control.+7", "orders.control.65536"];
    let others = ["orders.control.", "orders.control.x", "orders.control.0x", "other.control.07", "orders.dead"];
    for other in unpadded.into_iter().chain(others) {
        assert_eq!(hub.partition_of_control(other), None, "{other}");
    }
}

#[test]
fn a_quorum_queue_never_loses_a_message_by_the_delivery_limit() {
    let arguments = hub().arguments(QueueKind::Control);
    let expected = Arguments::from([
        ("x-queue-type", text("quorum")),
        ("x-delivery-limit", HeaderValue::Number(1_000_000)),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text("orders.dead")),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]);
    assert_eq!(arguments, expected);
    assert_eq!(hub().arguments(QueueKind::Work), expected);
}

#[test]
fn a_classic_queue_has_no_arguments_of_quorum_queues() {
    let arguments = hub().with_queue_type(QueueType::Classic).arguments(QueueKind::Control);
    let expected = Arguments::from([
        ("x-queue-type", text("classic")),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text("orders.dead")),
    ]);
    assert_eq!(arguments, expected);
}

#[test]
fn the_dead_queue_is_not_dead_lettered() {
    let arguments = hub().arguments(QueueKind::Dead);
    assert!(arguments.keys().all(|key| !key.starts_with("x-dead-letter")), "{arguments:?}");
}

#[test]
fn only_the_ingress_and_batons_have_one_active_consumer_and_only_the_ingress_a_binding() {
    let hub = hub();
    let baton = hub.baton("clicks");
    assert_eq!((baton.name.as_str(), baton.kind), ("orders.binding.clicks", QueueKind::Baton));
    assert_eq!(hub.arguments(baton.kind), hub.arguments(QueueKind::Ingress));
    assert_eq!(hub.binding(baton.kind), None);
    assert_eq!(hub.arguments(QueueKind::Ingress)["x-single-active-consumer"], HeaderValue::Bool(true));
    let binding = hub.binding(QueueKind::Ingress).unwrap();
    assert_eq!((binding.exchange.as_str(), binding.keys), ("orders.ingress", vec!["#"]));
    for kind in [QueueKind::Control, QueueKind::Work, QueueKind::Dead] {
        assert!(!hub.arguments(kind).contains_key("x-single-active-consumer"));
        assert_eq!(hub.binding(kind), None);
    }
}

#[test]
fn configuration_reads_a_topology_and_refuses_a_bad_name() {
    let read = |text: &str| serde_json::from_str::<Topology>(text);
    assert_eq!(read(r#"{"hub":"orders"}"#).unwrap(), hub());
    let classic = read(r#"{"hub":"orders","queue_type":"classic","delivery_limit":7}"#).unwrap();
    assert_eq!((classic.queue_type(), classic.delivery_limit()), (QueueType::Classic, 7));
    assert!(read(r#"{"hub":"a b"}"#).unwrap_err().to_string().contains("hub name \"a b\" has ' '"));
    assert!(read(r#"{"hub":"a","queues":1}"#).is_err());
    assert_eq!(read(&serde_json::to_string(&classic).unwrap()).unwrap(), classic);
}
