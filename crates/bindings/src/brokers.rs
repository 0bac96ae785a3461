//! The brokers of bindings.

use std::collections::BTreeMap;

use warren_broker::amqp::Amqp;
use warren_service::{Settings, hub};

use crate::{Error, Maker};

/// The brokers of bindings: those with the same address share its connections.
#[derive(Debug)]
pub(crate) struct Brokers<'a> {
    settings: &'a Settings,
    /// What connections are called.
    name: String,
    known: BTreeMap<String, Amqp>,
}

impl<'a> Brokers<'a> {
    /// Returns none yet, for a process of this name.
    pub(crate) fn new(settings: &'a Settings, process: &str) -> Self {
        Self { settings, name: format!("bindings {process}"), known: BTreeMap::new() }
    }

    /// Returns the broker at this address; empty: the hub's.
    pub(crate) fn at(&mut self, maker: Maker<'_>, url: &str) -> Result<Amqp, Error> {
        let url = match url {
            "" => self.settings.broker.url.as_str().to_owned(),
            url => maker.secret("url", url)?,
        };
        if let Some(known) = self.known.get(&url) {
            return Ok(known.clone());
        }
        let mut settings = self.settings.clone();
        settings.broker.url = url.as_str().into();
        let broker = hub::amqp(&settings, &self.name);
        let broker = broker.map_err(|error| maker.wrong("url", format!("is wrong: {error}")))?;
        self.known.insert(url, broker.clone());
        Ok(broker)
    }
}
