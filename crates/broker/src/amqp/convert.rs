//! Messages to and from lapin's types, and what AMQP can't carry.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, LongString, ShortString},
};

use crate::{Address, Delivery, HeaderValue, Headers, Message, Text};

/// Written to disk.
const PERSISTENT: u8 = 2;

/// The most that properties and headers may take: they must fit one frame, whose limit is 128 KiB by default, and a
/// larger one would break the connection with all that is on it.
const HEADER_BYTES_MAX: usize = 120 * 1024;

/// Returns the exchange and the routing key of an address.
pub(super) fn exchange_and_key(to: &Address) -> (Text, Text) {
    match to.clone() {
        Address::Queue(queue) => (Text::new(), queue),
        Address::Exchange { exchange, key } => (exchange, key),
    }
}

/// Says why AMQP can't carry the message there.
pub(super) fn check(to: &Address, message: &Message, body_bytes_max: usize) -> Result<(), String> {
    let (exchange, key) = exchange_and_key(to);
    let properties = [
        ("message_id", &message.message_id),
        ("type", &message.kind),
        ("correlation_id", &message.correlation_id),
        ("reply_to", &message.reply_to),
        ("content_type", &message.content_type),
    ];
    let properties = properties.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    for (what, text) in properties.chain([("exchange", &exchange[..]), ("routing key", &key[..])]) {
        fits(what, text)?;
    }
    for name in message.headers.keys() {
        fits("name of a header", name)?;
    }
    let headers: usize = message.headers.iter().map(|(name, value)| name.len() + 2 + size(value)).sum();
    if headers > HEADER_BYTES_MAX {
        return Err(format!("the headers take {headers} bytes, at most {HEADER_BYTES_MAX} are allowed"));
    }
    let body = message.body.len();
    if body > body_bytes_max {
        return Err(format!("the body has {body} bytes, at most {body_bytes_max} are allowed"));
    }
    Ok(())
}

fn fits(what: &str, text: &str) -> Result<(), String> {
    if text.len() > warren_model::limits::SHORT_STRING_BYTES_MAX {
        return Err(format!("the {what} has {} bytes, AMQP allows 255", text.len()));
    }
    Ok(())
}

fn size(value: &HeaderValue) -> usize {
    match value {
        HeaderValue::Text(text) => text.len() + 4,
        HeaderValue::Number(_) => 8,
        HeaderValue::Bool(_) => 1,
    }
}

/// Returns the properties of a message that was checked.
pub(super) fn to_properties(message: &Message) -> BasicProperties {
    let short = |text: &Option<Text>| text.as_deref().map(ShortString::from);
    let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    if !message.headers.is_empty() {
        properties = properties.with_headers(to_table(message.headers.iter()));
    }
    if let Some(text) = short(&message.kind) {
        properties = properties.with_type(text);
    }
    if let Some(text) = short(&message.correlation_id) {
        properties = properties.with_correlation_id(text);
    }
    if let Some(text) = short(&message.reply_to) {
        properties = properties.with_reply_to(text);
    }
    if let Some(text) = short(&message.message_id) {
        properties = properties.with_message_id(text);
    }
    if let Some(text) = short(&message.content_type) {
        properties = properties.with_content_type(text);
    }
    properties
}

/// Returns headers or arguments as a table.
pub(super) fn to_table<'a>(entries: impl IntoIterator<Item = (impl AsRef<str>, &'a HeaderValue)>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        let value = match value {
            HeaderValue::Text(text) => AMQPValue::LongString(LongString::from(&text[..])),
            HeaderValue::Number(number) => AMQPValue::LongLongInt(*number),
            HeaderValue::Bool(value) => AMQPValue::Boolean(*value),
        };
        table.insert(name.as_ref().into(), value);
    }
    table
}

/// Returns what arrived.
pub(super) fn from_delivery(delivery: lapin::message::Delivery) -> Delivery {
    Delivery {
        tag: delivery.delivery_tag,
        redelivered: delivery.redelivered,
        routing_key: delivery.routing_key.as_str().into(),
        message: from_parts(&delivery.properties, delivery.data),
    }
}

fn from_parts(properties: &BasicProperties, body: Vec<u8>) -> Message {
    let text = |text: &Option<ShortString>| text.as_ref().map(|text| Text::from(text.as_str()));
    Message {
        kind: text(properties.kind()),
        correlation_id: text(properties.correlation_id()),
        reply_to: text(properties.reply_to()),
        message_id: text(properties.message_id()),
        content_type: text(properties.content_type()),
        headers: properties.headers().as_ref().map(from_table).unwrap_or_default(),
        body: body.into(),
    }
}

fn from_table(table: &FieldTable) -> Headers {
    let known = table.inner().iter().filter_map(|(name, value)| Some((name.as_str(), from_value(value)?)));
    known.collect()
}

/// Returns the value if Warren has a use for its kind. Text may come as bytes: some libraries send it so.
fn from_value(value: &AMQPValue) -> Option<HeaderValue> {
    let text = |bytes: &[u8]| HeaderValue::Text((&*String::from_utf8_lossy(bytes)).into());
    match value {
        AMQPValue::LongString(string) => Some(text(string.as_bytes())),
        AMQPValue::ShortString(string) => Some(HeaderValue::Text(string.as_str().into())),
        AMQPValue::ByteArray(bytes) => Some(text(bytes.as_slice())),
        AMQPValue::Boolean(value) => Some(HeaderValue::Bool(*value)),
        AMQPValue::ShortShortInt(number) => Some(HeaderValue::Number((*number).into())),
        AMQPValue::ShortShortUInt(number) => Some(HeaderValue::Number((*number).into())),
        AMQPValue::ShortInt(number) => Some(HeaderValue::Number((*number).into())),
        AMQPValue::ShortUInt(number) => Some(HeaderValue::Number((*number).into())),
        AMQPValue::LongInt(number) => Some(HeaderValue::Number((*number).into())),
        AMQPValue::LongUInt(number) => Some(HeaderValue::Number((*number).into())),
        AMQPValue::LongLongInt(number) => Some(HeaderValue::Number(*number)),
        AMQPValue::Timestamp(seconds) => i64::try_from(*seconds).ok().map(HeaderValue::Number),
        AMQPValue::Float(_)
        | AMQPValue::Double(_)
        | AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::Void => None,
    }
}

#[cfg(test)]
#[path = "convert_test.rs"]
mod test;
