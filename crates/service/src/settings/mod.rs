//! Every setting of every service, in one file: `warren.toml`. Each service takes the sections that it needs.
//!
//! One struct per section, with its defaults and bounds beside it. Nothing here acts; `deploy/warren.toml` is the
//! commented sample, and a test holds it to these defaults.

mod activities;
mod bindings;
mod broker;
mod client_api;
mod health;
mod hub;
mod log;
mod orchestrator;
mod payloads;
mod queues;
mod secret_url;
mod store;
mod telemetry;
mod worker;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use activities::{
    ACTIVITY_HOLES, ARGUMENT_HOLES, ActivitySettings, CommandSettings, HttpSettings, PublishSettings, SECRET_HOLES,
    SqlSettings, Statuses, split_header,
};
pub use bindings::{
    BINDING_HOLES, BindingSettings, HttpBindingSettings, MappingSettings, QueueBindingSettings, StreamBindingSettings,
};
pub use broker::{BrokerSettings, QueueType};
pub use client_api::ClientApiSettings;
pub use health::HealthSettings;
pub use hub::HubSettings;
pub use log::{LogFormat, LogSettings};
pub use orchestrator::OrchestratorSettings;
pub use payloads::PayloadsSettings;
pub use queues::QueueSettings;
pub use secret_url::SecretUrl;
pub use store::{Backend, StoreSettings};
pub use telemetry::TelemetrySettings;
pub use worker::WorkerSettings;

use crate::{
    Problems,
    config::{Tables, Validate},
};

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The task hub.
    pub hub: HubSettings,
    /// RabbitMQ.
    pub broker: BrokerSettings,
    /// The database.
    pub store: StoreSettings,
    /// Large payloads.
    pub payloads: PayloadsSettings,
    /// orchestrator-svc.
    pub orchestrator: OrchestratorSettings,
    /// activity-worker.
    pub worker: WorkerSettings,
    /// Rules of work-item queues, by name.
    pub queues: BTreeMap<String, QueueSettings>,
    /// Activities of activity-worker that need no code, by name.
    pub activities: BTreeMap<String, ActivitySettings>,
    /// Ways in for other systems, by name.
    pub bindings: BTreeMap<String, BindingSettings>,
    /// client-api.
    pub client_api: ClientApiSettings,
    /// Logs.
    pub log: LogSettings,
    /// Traces.
    pub telemetry: TelemetrySettings,
    /// Health endpoints.
    pub health: HealthSettings,
}

impl Validate for Settings {
    fn validate(&self, problems: &mut Problems) {
        self.hub.check(problems);
        self.broker.check(problems);
        self.store.check(problems);
        self.payloads.check(problems);
        self.orchestrator.check(problems);
        self.orchestrator.check_packed_queues(&self.hub.name, problems);
        self.worker.check(problems);
        self.queues.iter().for_each(|(name, queue)| queue.check(name, problems));
        self.activities.iter().for_each(|(name, activity)| activity.check(name, problems));
        self.bindings.iter().for_each(|(name, binding)| binding.check(name, &self.hub.name, problems));
        bindings::check_paths(self.bindings.iter(), problems);
        self.client_api.check(problems);
        self.log.check(problems);
        self.telemetry.check(problems);
        self.health.check(problems);
        self.check_heartbeat(problems);
    }

    fn tables() -> Vec<Tables> {
        vec![
            Tables::new("activities", &ActivitySettings::defaults()),
            Tables::new("bindings", &BindingSettings::defaults()),
            Tables::plain("queues", &QueueSettings::default()),
        ]
    }
}

impl Settings {
    /// A broker needs up to three heartbeats to notice that an owner is gone; its partition must not be owned by another
    /// before that, or the old owner stays the active consumer.
    fn check_heartbeat(&self, problems: &mut Problems) {
        let (heartbeat, lease) = (self.broker.heartbeat_seconds, self.orchestrator.lease_seconds);
        if u32::from(heartbeat) * 3 > u32::from(lease) {
            problems.add(
                "broker.heartbeat_seconds",
                format!(
                    "broker.heartbeat_seconds = {heartbeat}, must be at most a third of orchestrator.lease_seconds = {lease}"
                ),
            );
        }
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod test;
