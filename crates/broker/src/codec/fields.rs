//! Reads properties and headers, and says what is wrong with them in one sentence.

use std::{borrow::Cow, collections::BTreeMap};

use warren_model::{ExecutionId, InstanceId, MessageId, Payload, limits::SHORT_STRING_BYTES_MAX};

use super::{
    Claim, Malformed, claim,
    wire::{FORMAT, header},
};
use crate::{HeaderValue, Message, Text};

/// Most bytes of the tags of a start: they are part of the instance's row, which is written at every turn.
const TAG_BYTES_MAX: usize = 16 * 1024;

/// A message, read field by field.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Message);

impl<'a> Fields<'a> {
    /// Returns the message's `type`; an empty one counts as absent, as some libraries always send one.
    pub(super) fn kind(self) -> Option<&'a str> {
        self.kind_text().map(|kind| &kind[..])
    }

    /// Returns the same to keep, without a copy.
    pub(super) fn kind_text(self) -> Option<&'a Text> {
        self.0.kind.as_ref().filter(|kind| !kind.is_empty())
    }

    /// Returns the queue that answers go to.
    pub(super) fn reply_to(self) -> Result<Option<&'a Text>, Malformed> {
        short("reply_to", self.0.reply_to.as_ref())
    }

    /// Returns the sender's correlation id.
    pub(super) fn correlation_id(self) -> Result<Option<&'a Text>, Malformed> {
        short("correlation_id", self.0.correlation_id.as_ref())
    }

    /// Returns the message id.
    pub(super) fn message_id(self) -> Result<Option<MessageId>, Malformed> {
        let text = self.0.message_id.as_deref().filter(|text| !text.is_empty());
        text.map(|text| MessageId::new(text).map_err(|error| Malformed::new(format!("property {error}")))).transpose()
    }

    /// Returns the instance that the header names.
    pub(super) fn instance(self) -> Result<Option<InstanceId>, Malformed> {
        let name = header::INSTANCE;
        let Some(text) = self.text(name)? else { return Ok(None) };
        InstanceId::new(&text).map(Some).map_err(|error| Malformed::new(format!("header `{name}`: {error}")))
    }

    /// Returns the instance, which the message can't do without.
    pub(super) fn required_instance(self) -> Result<InstanceId, Malformed> {
        self.instance()?.ok_or_else(|| missing(header::INSTANCE, "the id of the instance that the message is for"))
    }

    /// Returns the execution that the header names.
    pub(super) fn execution(self) -> Result<Option<ExecutionId>, Malformed> {
        let name = header::EXECUTION;
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| Malformed::new(format!("header `{name}`: {error}")))
    }

    /// Returns a text header. A number counts as its digits: many libraries send `42` as one.
    pub(super) fn text(self, name: &str) -> Result<Option<Cow<'a, str>>, Malformed> {
        self.0.headers.get(name).map(|value| text(name, value)).transpose()
    }

    /// Returns a text header that names something: not empty, no control characters, short.
    pub(super) fn name(self, name: &str) -> Result<Option<String>, Malformed> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        check_name(&format!("header `{name}`"), &text)?;
        Ok(Some(text.into_owned()))
    }

    /// Returns a name that the message can't do without.
    pub(super) fn required_name(self, name: &str, what: &str) -> Result<String, Malformed> {
        self.name(name)?.ok_or_else(|| missing(name, what))
    }

    /// Returns a text header as it is.
    pub(super) fn maybe_text(self, name: &str) -> Result<Option<String>, Malformed> {
        Ok(self.text(name)?.map(Cow::into_owned))
    }

    /// Returns a text header as it is, without a copy.
    pub(super) fn shared(self, name: &str) -> Result<Option<Text>, Malformed> {
        let Some(value) = self.0.headers.get(name) else { return Ok(None) };
        let read = text(name, value)?;
        Ok(Some(if let HeaderValue::Text(text) = value { text.clone() } else { read.into_owned().into() }))
    }

    /// Returns a whole number that is not negative.
    pub(super) fn number<T: TryFrom<i64>>(self, name: &str) -> Result<Option<T>, Malformed> {
        let number = match self.0.headers.get(name) {
            None => return Ok(None),
            Some(HeaderValue::Number(number)) => Some(*number),
            Some(HeaderValue::Text(text)) => text.parse().ok(),
            Some(HeaderValue::Bool(_)) => None,
        };
        let fits = number.and_then(|number| T::try_from(number).ok());
        fits.map(Some).ok_or_else(|| {
            let value = show(&self.0.headers[name]);
            Malformed::new(format!("header `{name}` is {value}: expected a whole number in its range"))
        })
    }

    /// Returns a number that the message can't do without.
    pub(super) fn required_number<T: TryFrom<i64>>(self, name: &str, what: &str) -> Result<T, Malformed> {
        self.number(name)?.ok_or_else(|| missing(name, what))
    }

    /// Returns a truth value; absent is false.
    pub(super) fn flag(self, name: &str) -> Result<bool, Malformed> {
        match self.0.headers.get(name) {
            None => Ok(false),
            Some(HeaderValue::Bool(value)) => Ok(*value),
            Some(HeaderValue::Text(text)) if text == "true" => Ok(true),
            Some(HeaderValue::Text(text)) if text == "false" => Ok(false),
            Some(other @ (HeaderValue::Text(_) | HeaderValue::Number(_))) => {
                Err(Malformed::new(format!("header `{name}` is {}: expected true or false", show(other))))
            }
        }
    }

    /// Returns what the headers `tag-<name>` say.
    pub(super) fn tags(self) -> Result<BTreeMap<String, String>, Malformed> {
        let mut tags = BTreeMap::new();
        for (name, value) in self.0.headers.iter() {
            let Some(tag) = name.strip_prefix(header::TAG_PREFIX) else { continue };
            check_name(&format!("the name of tag header `{name}`"), tag)?;
            tags.insert(tag.to_owned(), text(name, value)?.into_owned());
        }
        let bytes: usize = tags.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > TAG_BYTES_MAX {
            return Err(Malformed::new(format!("the tags take {bytes} bytes: at most {TAG_BYTES_MAX} are allowed")));
        }
        Ok(tags)
    }

    /// Returns the body as the user's payload.
    pub(super) fn payload(self) -> Result<Payload, Malformed> {
        Payload::from_bytes(&self.0.body)
            .map_err(|error| Malformed::new(format!("the body is not JSON in UTF-8: {error}")))
    }

    /// Returns where the payload is, if it travels apart from the message.
    pub(super) fn claim(self) -> Result<Option<Claim>, Malformed> {
        self.text(header::CLAIM)?.map(|text| text.parse()).transpose()
    }

    /// Returns what to say of a payload that travelled apart and was not put back, for it is gone.
    pub(super) fn missing(self) -> Result<Option<String>, Malformed> {
        Ok(self.claim()?.map(claim::missing))
    }

    /// Fails if the message says it is of a format that this code does not know.
    pub(super) fn check_format(self) -> Result<(), Malformed> {
        match self.number::<i64>(header::FORMAT)? {
            None | Some(FORMAT) => Ok(()),
            Some(other) => {
                let name = header::FORMAT;
                Err(Malformed::new(format!("header `{name}` says format {other}: this version reads format {FORMAT}")))
            }
        }
    }
}

/// Says that a header is missing, and what it would hold.
pub(super) fn missing(name: &str, what: &str) -> Malformed {
    Malformed::new(format!("header `{name}` is missing: expected {what}"))
}

/// Fails if the text can't name a thing: it goes into routing keys, queue names and rows of the store.
pub(super) fn check_name(what: &str, text: &str) -> Result<(), Malformed> {
    if text.is_empty() {
        return Err(Malformed::new(format!("{what} is empty")));
    }
    if let Some((at, character)) = text.char_indices().find(|(_, c)| c.is_control()) {
        return Err(Malformed::new(format!("{what} has {character:?} at byte {at}: expected printable characters")));
    }
    if text.len() > SHORT_STRING_BYTES_MAX {
        let bytes = text.len();
        return Err(Malformed::new(format!("{what} has {bytes} bytes: at most {SHORT_STRING_BYTES_MAX} are allowed")));
    }
    Ok(())
}

fn short<'a>(what: &str, text: Option<&'a Text>) -> Result<Option<&'a Text>, Malformed> {
    let text = text.filter(|text| !text.is_empty());
    match text.map_or(0, |text| text.len()) {
        bytes if bytes > SHORT_STRING_BYTES_MAX => Err(Malformed::new(format!(
            "property {what} has {bytes} bytes: at most {SHORT_STRING_BYTES_MAX} are allowed"
        ))),
        _ => Ok(text),
    }
}

/// Reads a text header. A number counts as its digits: many libraries send `42` as one.
fn text<'a>(name: &str, value: &'a HeaderValue) -> Result<Cow<'a, str>, Malformed> {
    match value {
        HeaderValue::Text(text) => match text.bytes().position(|byte| byte == 0) {
            None => Ok(Cow::Borrowed(text)),
            Some(at) => Err(Malformed::new(format!("header `{name}` has a NUL at byte {at}: expected plain text"))),
        },
        HeaderValue::Number(number) => Ok(Cow::Owned(number.to_string())),
        HeaderValue::Bool(value) => {
            Err(Malformed::new(format!("header `{name}` is the truth value {value}: expected text")))
        }
    }
}

fn show(value: &HeaderValue) -> String {
    match value {
        HeaderValue::Text(text) => format!("{text:?}"),
        HeaderValue::Number(number) => number.to_string(),
        HeaderValue::Bool(value) => value.to_string(),
    }
}
