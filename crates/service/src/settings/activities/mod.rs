//! `[activities.NAME]`: activities that need no code. The table's name is the activity's.

mod command;
mod http;
mod publish;
mod sql;

use serde::{Deserialize, Serialize};

pub use command::{ARGUMENT_HOLES, CommandSettings};
pub use http::{HttpSettings, Statuses};
pub use publish::PublishSettings;
pub use sql::SqlSettings;

use crate::{
    Problems,
    template::{Allowed, Hole, Template},
};

/// What the texts of an activity's settings may be filled with.
pub const ACTIVITY_HOLES: Allowed = Allowed { environment: true, headers: false, task: true };

/// What a text that the input has no part in may be filled with.
pub const SECRET_HOLES: Allowed = Allowed { environment: true, headers: false, task: false };

/// An activity that needs no code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ActivitySettings {
    /// Calls an endpoint.
    Http(HttpSettings),
    /// Runs a program.
    Command(CommandSettings),
    /// Runs a statement on a PostgreSQL database.
    Sql(SqlSettings),
    /// Publishes a message to an exchange.
    Publish(PublishSettings),
}

impl ActivitySettings {
    /// Returns one of each kind.
    pub(super) fn defaults() -> [Self; 4] {
        [
            Self::Http(HttpSettings::default()),
            Self::Command(CommandSettings::default()),
            Self::Sql(SqlSettings::default()),
            Self::Publish(PublishSettings::default()),
        ]
    }

    /// Returns its work-item queue, without the hub's name; empty: the activity's name.
    pub fn queue(&self) -> &str {
        match self {
            Self::Http(http) => &http.queue,
            Self::Command(command) => &command.queue,
            Self::Sql(sql) => &sql.queue,
            Self::Publish(publish) => &publish.queue,
        }
    }

    pub(super) fn check(&self, name: &str, problems: &mut Problems) {
        let mut check = Check { table: format!("activities.{name}"), problems };
        match self {
            Self::Http(http) => http.check(&mut check),
            Self::Command(command) => command.check(&mut check),
            Self::Sql(sql) => sql.check(&mut check),
            Self::Publish(publish) => publish.check(&mut check),
        }
    }
}

/// Notes what is wrong with one table.
pub(super) struct Check<'a> {
    pub(super) table: String,
    pub(super) problems: &'a mut Problems,
}

impl Check<'_> {
    pub(super) fn add(&mut self, setting: &str, what: &str) {
        let key = format!("{}.{setting}", self.table);
        self.problems.add(&key, format!("{key} {what}"));
    }

    pub(super) fn range(&mut self, setting: &str, value: u32, min: u64, max: u64) {
        self.problems.range(&format!("{}.{setting}", self.table), value, min, max);
    }

    /// Checks a text with holes, and returns it.
    pub(super) fn template(&mut self, setting: &str, text: &str, allowed: Allowed) -> Option<Template> {
        let parsed = Template::parse(text, allowed);
        parsed.map_err(|why| self.add(setting, &format!("= {text:?}: {why}"))).ok()
    }

    /// Checks a list of `name: value`, whose values are texts with holes.
    pub(super) fn headers(&mut self, headers: &[String], allowed: Allowed) {
        for header in headers {
            match split_header(header) {
                Some((_, value)) => drop(self.template("headers", value, allowed)),
                // Not shown: it may be a secret.
                None => self.add("headers", "has an item that is no header, must be \"name: value\""),
            }
        }
    }
}

/// Returns whether the environment alone fills the text.
pub(super) fn is_secret(text: &str) -> bool {
    let is_secret = |template: Template| template.holes().all(|hole| matches!(hole, Hole::Environment(_)));
    Template::parse(text, SECRET_HOLES).is_ok_and(is_secret)
}

/// Returns a header's name and value.
pub fn split_header(header: &str) -> Option<(&str, &str)> {
    let (name, value) = header.split_once(':')?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_value = |c: char| c == '\t' || !c.is_control();
    let is_header = !name.is_empty() && name.chars().all(is_token) && value.chars().all(is_value);
    is_header.then(|| (name, value.trim()))
}

#[cfg(test)]
#[path = "activities_test.rs"]
mod test;
