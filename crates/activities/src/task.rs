//! What an activity is given, and what of it fills the holes of its settings' texts.

use std::borrow::Cow;

use serde_json::Value;
use warren::{ActivityContext, Failure, Payload, code};
use warren_service::{
    settings::{ACTIVITY_HOLES, SECRET_HOLES},
    template::{Allowed, Hole, Template, Unfilled},
};

use crate::{Error, Result};

/// What an activity without code can be.
pub(crate) trait Kind: Send + Sync + 'static {
    /// Runs one task.
    fn run(&self, task: &Task) -> impl Future<Output = Result<Payload, Failure>> + Send;
}

/// One task.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) ctx: ActivityContext,
    /// The input as it came.
    pub(crate) payload: Payload,
    input: Value,
}

impl Task {
    /// Reads the input.
    pub(crate) fn read(ctx: ActivityContext, payload: Payload) -> Result<Self, Failure> {
        let input = payload.parse().map_err(|error| Failure::permanent(code::INVALID_INPUT, error.to_string()))?;
        Ok(Self { ctx, payload, input })
    }

    /// Returns what fills a hole.
    pub(crate) fn find(&self, hole: &Hole) -> Option<Cow<'_, Value>> {
        match hole {
            Hole::Input(pointer) => self.input.pointer(pointer).map(Cow::Borrowed),
            Hole::IdempotencyKey => Some(Cow::Owned(self.ctx.idempotency_key().into())),
            Hole::Instance => Some(Cow::Owned(self.ctx.instance().as_str().into())),
            // Filled at start, and not allowed.
            Hole::Environment(_) | Hole::Header(_) => None,
        }
    }

    /// Returns the text of a setting with its holes filled.
    pub(crate) fn render(&self, setting: &str, template: &Template) -> Result<String, Failure> {
        template.render(|hole| self.find(hole)).map_err(|unfilled| unfit(setting, &unfilled))
    }

    /// Returns what fills the only hole of a setting's text, or the text.
    pub(crate) fn value(&self, setting: &str, template: &Template) -> Result<Value, Failure> {
        template.value(|hole| self.find(hole)).map_err(|unfilled| unfit(setting, &unfilled))
    }

    /// Returns a part of the input as JSON.
    pub(crate) fn part(&self, setting: &str, pointer: &str) -> Result<Payload, Failure> {
        if pointer.is_empty() {
            return Ok(self.payload.clone());
        }
        let missing = || Failure::permanent(code::INVALID_INPUT, format!("{setting}: the input has no {pointer}"));
        let part = self.input.pointer(pointer).ok_or_else(missing)?;
        Payload::of(part).map_err(|error| Failure::permanent(code::INVALID_INPUT, error.to_string()))
    }
}

/// Says that an input leaves a hole of a setting open.
pub(crate) fn unfit(setting: &str, unfilled: &Unfilled) -> Failure {
    Failure::permanent(code::INVALID_INPUT, format!("{setting}: {unfilled}"))
}

/// Reads a text of the settings that the environment alone fills.
pub(crate) fn secret(name: &str, setting: &'static str, text: &str) -> Result<String> {
    let wrong = |why: String| Error::Setting { name: name.into(), setting, why };
    let template = filled(name, setting, text, SECRET_HOLES)?;
    template.render(|_| None).map_err(|unfilled| wrong(unfilled.to_string()))
}

/// Reads a text of the settings, with what the environment fills.
pub(crate) fn template(name: &str, setting: &'static str, text: &str) -> Result<Template> {
    filled(name, setting, text, ACTIVITY_HOLES)
}

fn filled(name: &str, setting: &'static str, text: &str, allowed: Allowed) -> Result<Template> {
    let wrong = |why| Error::Setting { name: name.into(), setting, why };
    let template = Template::parse(text, allowed).map_err(wrong)?;
    template.with_environment(|variable| std::env::var(variable).ok()).map_err(|variable| Error::Variable {
        name: name.into(),
        setting,
        variable,
    })
}
