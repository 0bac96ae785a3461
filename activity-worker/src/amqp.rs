//! The broker that the settings name.

use std::time::Duration;

use warren_broker::amqp::{Amqp, AmqpConfig};
use warren_service::Settings;

use crate::{
    Result,
    plan::{Plan, topology},
};

/// Returns the broker, not connected yet; fails only if its address makes no sense.
pub(crate) fn broker(settings: &Settings, plan: &Plan) -> Result<Amqp> {
    let name = format!("activity-worker {}", plan.name());
    let mut config = AmqpConfig::new(settings.broker.url.as_str(), name, topology(settings)?);
    config.heartbeat = Duration::from_secs(settings.broker.heartbeat_seconds.into());
    Ok(Amqp::connect_lazily(config)?)
}
