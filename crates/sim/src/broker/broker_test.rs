use super::*;

const HOLDER: Holder = Holder::Session { session: 1, replica: 0, life: 0 };

fn broker(bodies: &[u8]) -> Broker {
    let mut broker = Broker::new(Topology::new("h").unwrap(), false);
    broker.declare("q");
    bodies.iter().for_each(|body| put(&mut broker, *body));
    broker
}

fn put(broker: &mut Broker, body: u8) {
    let message = Message { body: vec![body].into(), ..Message::default() };
    broker.enqueue("q", "q", message, Time::default());
}

/// Takes what has arrived: the bodies, those that were delivered before in brackets.
fn take(broker: &mut Broker, channel: ChannelId) -> String {
    match broker.take(channel, 100) {
        Taken::End => "end".into(),
        Taken::Nothing => String::new(),
        Taken::Deliveries(deliveries) => {
            let show = |delivery: &Delivery| match delivery.redelivered {
                true => format!("[{}]", delivery.message.body[0]),
                false => delivery.message.body[0].to_string(),
            };
            deliveries.iter().map(show).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn a_consumer_holds_no_more_than_its_prefetch() {
    let mut broker = broker(&[1, 2, 3]);
    let channel = broker.consume("q", 2, HOLDER).unwrap();
    assert_eq!(take(&mut broker, channel), "1 2");
    assert_eq!(broker.ack(channel, 1, false).len(), 1);
    assert_eq!(take(&mut broker, channel), "3");
    assert_eq!(broker.ack(channel, 3, true).len(), 2);
    assert_eq!(broker.held("q").count(), 0);
}

#[test]
fn h9_what_a_lost_channel_held_comes_again_before_what_is_newer() {
    let mut broker = broker(&[1, 2, 3]);
    let channel = broker.consume("q", 2, HOLDER).unwrap();
    assert_eq!(take(&mut broker, channel), "1 2");
    broker.close(channel);
    assert_eq!(take(&mut broker, channel), "end");
    let next = broker.consume("q", 9, HOLDER).unwrap();
    assert_eq!(take(&mut broker, next), "[1] [2] 3");
}

#[test]
fn h9_while_an_old_consumer_holds_messages_the_next_one_gets_newer_ones_first() {
    let mut broker = broker(&[1, 2]);
    let old = broker.consume("q", 9, HOLDER).unwrap();
    assert_eq!(take(&mut broker, old), "1 2");
    broker.cancel(old);
    let new = broker.consume("q", 9, HOLDER).unwrap();
    put(&mut broker, 3);
    assert_eq!(take(&mut broker, new), "3");
    broker.forget(old);
    assert_eq!(take(&mut broker, new), "[1] [2]");
}

#[test]
fn one_consumer_of_the_ingress_is_active_at_a_time() {
    let topology = Topology::new("h").unwrap();
    let (mut broker, ingress) = (Broker::new(topology.clone(), false), topology.ingress_queue().name);
    broker.declare(&ingress);
    let mut consume = || broker.consume(&ingress, 1, HOLDER).unwrap();
    let (first, second) = (consume(), consume());
    for body in [1, 2] {
        let message = Message { body: vec![body].into(), ..Message::default() };
        broker.enqueue(&ingress, "start.x", message, Time::default());
    }
    assert_eq!((take(&mut broker, first), take(&mut broker, second)), ("1".into(), String::new()));
    broker.forget(first);
    assert_eq!(take(&mut broker, second), "[1]");
}

#[test]
fn only_a_queue_that_holds_nothing_is_deleted_and_its_consumers_end() {
    let mut broker = broker(&[1]);
    assert!(!broker.delete_empty("q"));
    let channel = broker.consume("q", 1, HOLDER).unwrap();
    assert!(!broker.delete_empty("q"), "it is unacknowledged");
    take(&mut broker, channel);
    broker.ack(channel, 1, false);
    assert!(broker.delete_empty("q"));
    assert_eq!(take(&mut broker, channel), "end");
}
