//! A part of an input as a statement's parameter: its text, which the server reads as the type that it expects.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use serde_json::Value;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter(pub(super) Value);

impl Parameter {
    /// Returns whether it has a text for this type: a list or an object is JSON and nothing else.
    pub(super) fn fits(&self, expected: &Type) -> bool {
        !matches!(self.0, Value::Array(_) | Value::Object(_)) || is_json(expected)
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, expected: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        if self.0.is_null() {
            return Ok(IsNull::Yes);
        }
        match self.0.as_str().filter(|_| !is_json(expected)) {
            Some(text) => out.put_slice(text.as_bytes()),
            None => out.put_slice(self.0.to_string().as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

fn is_json(expected: &Type) -> bool {
    *expected == Type::JSON || *expected == Type::JSONB
}
