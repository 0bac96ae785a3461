//! Packs: several messages in one, because the broker's cost per message is the largest of all.
//!
//! Only between components of ours; whoever is handed packs unpacks them before a loop sees them. Pure, and nothing in a
//! pack can make it panic: a part that makes no sense stays a message by itself, of which the codec then says what is wrong,
//! and so does what is left of a pack that ends within a part. So nothing is lost, and no part spoils another.
//!
//! ```text
//! pack  = part …                       part = u32 length of the rest, field …, 0, body
//! field = 1 type | 2 correlation_id | 3 message_id | 4 content_type, each: u8 length, text
//!       | 5 (content_type is application/json)
//!       | 6 text header: name, u32 length, text
//!       | 7 number header: name, i64
//!       | 8 truth header: name, u8
//!       | 9 message_id that begins with the correlation_id before it: u8 length, the rest of the text
//!       | 22, 23, 24: as 6, 7, 8, of a header of ours: u8 place in `NAMES` instead of the name
//! name  = u8 length, text
//! ```
//! Numbers are big-endian. All parts have the pack's own `reply_to`: the broker rewrites it where it is direct reply-to.
//!
//! What is read is not copied: texts and bodies of the parts are slices of the pack.

use bytes::Bytes;
use warren_model::limits::SHORT_STRING_BYTES_MAX;

use super::{
    Malformed,
    wire::{JSON, header},
};
use crate::{HeaderValue, Headers, Message, Text};

/// The content type of a pack, with its format's version.
pub const CONTENT_TYPE: &str = "application/vnd.warren.pack.v1";

/// How the content types of all versions begin.
const ANY_VERSION: &str = "application/vnd.warren.pack.";

/// Most parts that a reader takes from one pack. Far above what our publishers put in; without a bound, a message of the
/// largest size could become millions.
pub const PARTS_MAX: usize = 4_096;

/// Most headers of a part: far more than a message of ours has but for tags, and each is put in its place among the others.
const HEADERS_MAX: usize = 256;

/// Bytes of a length.
const LENGTH: usize = 4;

/// Marks of fields.
mod mark {
    pub(super) const END: u8 = 0;
    pub(super) const KIND: u8 = 1;
    pub(super) const CORRELATION_ID: u8 = 2;
    pub(super) const MESSAGE_ID: u8 = 3;
    pub(super) const CONTENT_TYPE: u8 = 4;
    pub(super) const IS_JSON: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const NUMBER: u8 = 7;
    pub(super) const BOOL: u8 = 8;
    pub(super) const MESSAGE_ID_REST: u8 = 9;
    /// Added to a header's mark if its name is one of ours.
    pub(super) const OURS: u8 = 16;
}

/// Headers of ours by their places: never change one, only add.
const NAMES: [&str; 20] = [
    header::FORMAT,
    header::ATTEMPT,
    header::IDEMPOTENCY_KEY,
    header::TIMED,
    header::TRACEPARENT,
    header::WORKER,
    header::TOOK,
    header::QUEUE,
    header::INSTANCE,
    header::STATUS,
    header::ORCHESTRATOR,
    header::ANSWER,
    header::PACKS,
    header::STORED,
    header::SOURCE,
    header::SEQUENCE,
    header::VERSION,
    header::EVENT,
    header::KEEP_UNSEEN,
    header::PROGRESS,
];

/// Returns whether a message is a pack that this version reads.
pub fn is_pack(message: &Message) -> bool {
    message.content_type.as_deref() == Some(CONTENT_TYPE)
}

/// Returns whether a message can be a part: AMQP could carry its properties, and it is no pack itself.
pub fn can_be_part(message: &Message) -> bool {
    let properties = [&message.kind, &message.correlation_id, &message.message_id, &message.content_type];
    let is_short = |text: &str| text.len() <= SHORT_STRING_BYTES_MAX;
    let fits = properties.into_iter().flatten().all(|text| is_short(text));
    let can_be_read = message.headers.len() <= HEADERS_MAX && message.headers.keys().all(|name| is_short(name));
    fits && can_be_read && !is_any_pack(message)
}

/// Returns about how many bytes a message takes as a part.
pub fn size(message: &Message) -> usize {
    let text = |text: &Option<Text>| text.as_ref().map_or(0, |text| text.len() + 2);
    let value = |value: &HeaderValue| match value {
        HeaderValue::Text(text) => text.len() + LENGTH,
        HeaderValue::Number(_) => 8,
        HeaderValue::Bool(_) => 1,
    };
    let name = |name: &Text| if place(name).is_some() { 1 } else { name.len() + 1 };
    let headers: usize = message.headers.iter().map(|(known, it)| name(known) + 1 + value(it)).sum();
    LENGTH
        + text(&message.kind)
        + text(&message.correlation_id)
        + rest_of_message_id(message).or(message.message_id.as_deref()).map_or(0, |text| text.len() + 2)
        + headers
        + message.body.len()
}

/// Returns a pack of messages that can be parts and have the same `reply_to`.
pub fn pack<'a>(reply_to: Option<Text>, parts: impl IntoIterator<Item = &'a Message>) -> Message {
    let mut body = Vec::new();
    for part in parts {
        let begin = body.len();
        body.extend([0; LENGTH]);
        write(&mut body, part);
        let length = u32::try_from(body.len() - begin - LENGTH).expect("a part is smaller than a message may be");
        body[begin..begin + LENGTH].copy_from_slice(&length.to_be_bytes());
    }
    Message { content_type: Some(Text::from_static(CONTENT_TYPE)), reply_to, body: body.into(), ..Message::default() }
}

/// Returns the messages that one is: the parts of a pack, and of any other itself.
pub fn unpack(message: Message) -> Vec<Message> {
    if is_pack(&message) { parts(&message) } else { vec![message] }
}

/// Returns the parts of a pack, in order. A part that makes no sense stays a pack of its own, and so does all from where
/// the pack makes none; so does a pack of nothing or of too many: then the only part is the pack.
pub fn parts(pack: &Message) -> Vec<Message> {
    if check_count(&pack.body).is_err() {
        return vec![pack.clone()];
    }
    let unread = |bytes: &[u8]| Message { reply_to: None, body: pack.body.slice_ref(bytes), ..pack.clone() };
    let (mut parts, mut rest) = (Vec::new(), &pack.body[..]);
    while !rest.is_empty() {
        let Ok((part, after)) = split(rest) else {
            parts.push(unread(rest));
            break;
        };
        let message = read(&pack.body, part).map(|message| Message { reply_to: pack.reply_to.clone(), ..message });
        parts.push(message.unwrap_or_else(|_| unread(&rest[..LENGTH + part.len()])));
        rest = after;
    }
    parts
}

/// Fails if a message is a pack: whoever reads single messages was handed one because it makes no sense.
pub(super) fn refuse(message: &Message) -> Result<(), Malformed> {
    if !is_any_pack(message) {
        return Ok(());
    }
    if !is_pack(message) {
        let given = message.content_type.as_deref().unwrap_or_default();
        return Err(Malformed::new(format!("content_type is {given:?}: this version reads packs of {CONTENT_TYPE}")));
    }
    check_count(&message.body)?;
    let mut rest = &message.body[..];
    while !rest.is_empty() {
        let (part, after) = split(rest)?;
        read(&message.body, part)?;
        rest = after;
    }
    Err(Malformed::new(
        "the message is a pack, which only Warren's own components send and take apart, and never in another pack; to a \
         work queue they come if orchestrator.packed_queues names it",
    ))
}

fn is_any_pack(message: &Message) -> bool {
    message.content_type.as_deref().is_some_and(|text| text.starts_with(ANY_VERSION))
}

fn check_count(body: &[u8]) -> Result<(), Malformed> {
    if body.is_empty() {
        return Err(Malformed::new("the pack is empty"));
    }
    let (mut rest, mut count) = (body, 0);
    while let Ok((_, after)) = split(rest) {
        (rest, count) = (after, count + 1);
        if count > PARTS_MAX {
            return Err(Malformed::new(format!("the pack holds more than {PARTS_MAX} messages")));
        }
    }
    Ok(())
}

/// Takes the first part off; fails at the end, or if the length says more than there is.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let ends = |needs: usize| {
        let there = bytes.len();
        Malformed::new(format!("the pack ends within a message: {needs} bytes are announced, {there} are there"))
    };
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH>() else { return Err(ends(LENGTH)) };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at_checked(length).ok_or_else(|| ends(length.saturating_add(LENGTH)))
}

fn write(to: &mut Vec<u8>, message: &Message) {
    for (mark, text) in [(mark::KIND, &message.kind), (mark::CORRELATION_ID, &message.correlation_id)] {
        write_property(to, mark, text.as_deref());
    }
    match rest_of_message_id(message) {
        Some(rest) => write_property(to, mark::MESSAGE_ID_REST, Some(rest)),
        None => write_property(to, mark::MESSAGE_ID, message.message_id.as_deref()),
    }
    match message.content_type.as_deref() {
        Some(JSON) => to.push(mark::IS_JSON),
        other => write_property(to, mark::CONTENT_TYPE, other),
    }
    for (name, value) in message.headers.iter() {
        write_header(to, name, value);
    }
    to.push(mark::END);
    to.extend(&message.body[..]);
}

/// Returns what stands behind the correlation id in a message id that begins with it, as ours of work items and replies do.
fn rest_of_message_id(message: &Message) -> Option<&str> {
    message.message_id.as_deref()?.strip_prefix(message.correlation_id.as_deref()?)
}

/// Returns the place of a header of ours.
fn place(name: &str) -> Option<u8> {
    let at = NAMES.iter().position(|known| *known == name)?;
    Some(u8::try_from(at).expect("there are few"))
}

fn write_property(to: &mut Vec<u8>, mark: u8, text: Option<&str>) {
    if let Some(text) = text {
        to.push(mark);
        write_short(to, text);
    }
}

fn write_header(to: &mut Vec<u8>, name: &str, value: &HeaderValue) {
    let mark = match value {
        HeaderValue::Text(_) => mark::TEXT,
        HeaderValue::Number(_) => mark::NUMBER,
        HeaderValue::Bool(_) => mark::BOOL,
    };
    match place(name) {
        Some(place) => to.extend([mark | mark::OURS, place]),
        None => {
            to.push(mark);
            write_short(to, name);
        }
    }
    match value {
        HeaderValue::Text(text) => {
            let length = u32::try_from(text.len()).expect("a header is smaller than a message may be");
            to.extend(length.to_be_bytes());
            to.extend(text.as_bytes());
        }
        HeaderValue::Number(number) => to.extend(number.to_be_bytes()),
        HeaderValue::Bool(value) => to.push(u8::from(*value)),
    }
}

fn write_short(to: &mut Vec<u8>, text: &str) {
    to.push(u8::try_from(text.len()).expect("a part has short properties and names"));
    to.extend(text.as_bytes());
}

/// Reads a part of a pack.
fn read(pack: &Bytes, part: &[u8]) -> Result<Message, Malformed> {
    let (mut from, mut message) = (Reader { pack, rest: part }, Message::default());
    loop {
        match from.byte()? {
            mark::END => break,
            mark::KIND => message.kind = Some(from.short()?),
            mark::CORRELATION_ID => message.correlation_id = Some(from.short()?),
            mark::MESSAGE_ID => message.message_id = Some(from.short()?),
            mark::MESSAGE_ID_REST => message.message_id = Some(from.message_id(message.correlation_id.as_ref())?),
            mark::CONTENT_TYPE => message.content_type = Some(from.short()?),
            mark::IS_JSON => message.content_type = Some(Text::from_static(JSON)),
            mark => from.header(mark, &mut message.headers)?,
        }
    }
    message.body = pack.slice_ref(from.rest);
    Ok(message)
}

/// What is left of a part, and the pack that its texts are slices of.
struct Reader<'a> {
    pack: &'a Bytes,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            let there = self.rest.len();
            let why =
                format!("a message of the pack ends within a field: {count} bytes are announced, {there} are there");
            return Err(Malformed::new(why));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        Ok(self.bytes(N)?.try_into().expect("as many bytes were taken"))
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    fn number(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn short(&mut self) -> Result<Text, Malformed> {
        let length = self.byte()?;
        self.text(length.into())
    }

    fn long(&mut self) -> Result<Text, Malformed> {
        let length = u32::from_be_bytes(self.array()?);
        self.text(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn text(&mut self, length: usize) -> Result<Text, Malformed> {
        let bytes = self.bytes(length)?;
        Text::try_from(self.pack.slice_ref(bytes))
            .map_err(|error| Malformed::new(format!("a message of the pack has a field that is not UTF-8: {error}")))
    }

    fn header(&mut self, mark: u8, headers: &mut Headers) -> Result<(), Malformed> {
        let kind = mark & !mark::OURS;
        if !matches!(kind, mark::TEXT | mark::NUMBER | mark::BOOL) {
            return Err(Malformed::new(format!(
                "a message of the pack has a field {mark}, which this version knows nothing of"
            )));
        }
        if headers.len() == HEADERS_MAX {
            return Err(Malformed::new(format!("a message of the pack has more than {HEADERS_MAX} headers")));
        }
        let name = if mark == kind { self.short()? } else { self.name_of_ours()? };
        let value = match kind {
            mark::TEXT => HeaderValue::Text(self.long()?),
            mark::NUMBER => HeaderValue::Number(self.number()?),
            _ => HeaderValue::Bool(self.byte()? != 0),
        };
        headers.insert(name, value);
        Ok(())
    }

    fn message_id(&mut self, correlation_id: Option<&Text>) -> Result<Text, Malformed> {
        let rest = self.short()?;
        match correlation_id {
            Some(id) if rest.is_empty() => Ok(id.clone()),
            Some(id) if id.len() + rest.len() <= SHORT_STRING_BYTES_MAX => Ok([id, &rest[..]].concat().into()),
            Some(_) => Err(Malformed::new(format!(
                "a message of the pack has a message_id of more than {SHORT_STRING_BYTES_MAX} bytes"
            ))),
            None => Err(Malformed::new("a message of the pack has the rest of a message_id and no correlation_id")),
        }
    }

    fn name_of_ours(&mut self) -> Result<Text, Malformed> {
        let place = self.byte()?;
        let name = NAMES.get(usize::from(place)).copied().map(Text::from_static);
        name.ok_or_else(|| {
            let last = NAMES.len() - 1;
            Malformed::new(format!("a message of the pack has a header {place}: expected 0 to {last}"))
        })
    }
}

#[cfg(test)]
#[path = "pack_test.rs"]
mod test;
