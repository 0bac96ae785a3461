//! From settings to functions of a registry.

use std::{collections::BTreeSet, sync::Arc};

use warren::Registry;
use warren_service::{Settings, settings::ActivitySettings};

use crate::{
    Error, Result,
    command::Command,
    http::Http,
    publish::{Brokers, Publish},
    sql::Sql,
    task::{Kind, Task},
};

/// Adds the activities that the settings name to the registry.
///
/// Fails if one of them can't work: a variable of the environment that is not set, a name that the registry has already.
pub fn register(registry: Registry, settings: &Settings) -> Result<Registry> {
    let served: BTreeSet<String> = registry.activities().map(|activity| activity.name.to_owned()).collect();
    let mut brokers = Brokers::default();
    settings.activities.iter().try_fold(registry, |registry, (name, activity)| {
        if served.contains(name) {
            return Err(Error::Taken { name: name.clone() });
        }
        let queue = if activity.queue().is_empty() { name } else { activity.queue() };
        Ok(match activity {
            ActivitySettings::Http(http) => serve(registry, name, queue, Http::new(name, http)?),
            ActivitySettings::Command(command) => serve(registry, name, queue, Command::new(name, command)?),
            ActivitySettings::Sql(sql) => serve(registry, name, queue, Sql::new(name, sql)?),
            ActivitySettings::Publish(publish) => {
                serve(registry, name, queue, Publish::new(name, publish, settings, &mut brokers)?)
            }
        })
    })
}

fn serve(registry: Registry, name: &str, queue: &str, kind: impl Kind) -> Registry {
    let kind = Arc::new(kind);
    registry.untyped_activity(name, queue, move |ctx, input| {
        let kind = kind.clone();
        async move { kind.run(&Task::read(ctx, input)?).await }
    })
}

#[cfg(test)]
#[path = "register_test.rs"]
mod test;
