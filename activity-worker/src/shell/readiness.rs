//! Whether the worker should be sent work.

use warren_broker::Health as BrokerHealth;
use warren_service::health::Health;

/// The check that the broker is reached and takes replies.
const BROKER: &str = "broker";
/// The check that every queue is consumed.
const QUEUES: &str = "queues";

/// Returns the health of a worker that has yet to start.
pub fn health() -> Health {
    Health::new(&[BROKER, QUEUES])
}

/// Shows how the broker is reached.
pub(super) fn show_broker(health: &Health, broker: &BrokerHealth) {
    match broker {
        BrokerHealth::Up => health.pass(BROKER),
        BrokerHealth::Blocked(why) => health.fail(BROKER, format!("takes no messages: {why}")),
        BrokerHealth::Down(why) | BrokerHealth::Refusing(why) => health.fail(BROKER, why),
    }
}

/// Shows whether every queue is consumed.
pub(super) fn show_queues(health: &Health, unconsumed: Option<String>) {
    match unconsumed {
        None => health.pass(QUEUES),
        Some(why) => health.fail(QUEUES, why),
    }
}
