//! From a binding's settings to its parts.

use warren_service::{
    settings::{BINDING_HOLES, SECRET_HOLES},
    template::Template,
};

use crate::Error;

/// Makes the parts of one binding.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a>(&'a str);

impl<'a> Maker<'a> {
    /// Returns one for the binding of this name.
    pub fn new(name: &'a str) -> Self {
        Self(name)
    }

    /// Returns what the binding is called.
    pub fn name(self) -> &'a str {
        self.0
    }

    /// Returns what is wrong with a setting.
    pub fn wrong(self, setting: &'static str, why: impl Into<String>) -> Error {
        Error { name: self.0.into(), setting, why: why.into() }
    }

    /// Returns a text that the environment fills.
    pub fn secret(self, setting: &'static str, text: &str) -> Result<String, Error> {
        let template = Template::parse(text, SECRET_HOLES).map_err(|why| self.wrong(setting, why))?;
        let template = template.with_environment(|variable| std::env::var(variable).ok()).map_err(|variable| {
            self.wrong(setting, format!("needs the environment variable {variable}, which is not set"))
        })?;
        template.render(|_| None).map_err(|unfilled| self.wrong(setting, unfilled.to_string()))
    }

    /// Returns a text with holes; `None` if there is none.
    pub(crate) fn template(self, setting: &'static str, text: &str) -> Result<Option<Template>, Error> {
        if text.is_empty() {
            return Ok(None);
        }
        Template::parse(text, BINDING_HOLES).map(Some).map_err(|why| self.wrong(setting, why))
    }
}
