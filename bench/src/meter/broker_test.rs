use super::{bytes, count};

const OVERVIEW: &str = "#{[{protocol,amqp091}] =>
      #{consumers => 838,messages_confirmed_total => 59780,
        messages_received_confirm_total => 61737,
        messages_received_total => 61771,messages_routed_total => 59284,
        publishers => 3}}";

#[test]
fn messages_are_what_the_broker_was_sent() {
    assert_eq!(count(OVERVIEW, "messages_received_total").unwrap(), 61_771);
    assert_eq!(count(OVERVIEW, "messages_received_confirm_total").unwrap(), 61_737);
    assert!(count("#{}", "messages_received_total").unwrap_err().to_string().contains("does not count"));
}

#[test]
fn bytes_are_those_of_all_connections_both_ways() {
    assert_eq!(bytes("recv_oct\tsend_oct\n100\t20\n3\t4\n"), 127);
    assert_eq!(bytes("recv_oct\tsend_oct\n"), 0);
}
