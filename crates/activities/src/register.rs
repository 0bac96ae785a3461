//! From settings to functions of a registry.

use std::{collections::BTreeSet, sync::Arc};

use warren::Registry;
use warren_service::{Settings, settings::ActivitySettings};

use crate::{Error, Result, command::Command, http::Http, task::Task};

/// Adds the activities that the settings name to the registry.
///
/// Fails if one of them can't work: a variable of the environment that is not set, a name that the registry has already.
pub fn register(registry: Registry, settings: &Settings) -> Result<Registry> {
    let served: BTreeSet<String> = registry.activities().map(|activity| activity.name.to_owned()).collect();
    settings.activities.iter().try_fold(registry, |registry, (name, activity)| {
        if served.contains(name) {
            return Err(Error::Taken { name: name.clone() });
        }
        let queue = if activity.queue().is_empty() { name } else { activity.queue() };
        match activity {
            ActivitySettings::Http(http) => {
                let http = Arc::new(Http::new(name, http)?);
                Ok(registry.untyped_activity(name, queue, move |ctx, input| {
                    let http = http.clone();
                    async move { http.run(&Task::read(ctx, input)?).await }
                }))
            }
            ActivitySettings::Command(command) => {
                let command = Arc::new(Command::new(name, command)?);
                Ok(registry.untyped_activity(name, queue, move |ctx, input| {
                    let command = command.clone();
                    async move { command.run(&Task::read(ctx, input)?).await }
                }))
            }
        }
    })
}

#[cfg(test)]
#[path = "register_test.rs"]
mod test;
