//! What OTLP calls an export request, in its JSON form (OpenTelemetry protocol 1.x): ids in hexadecimal, times as text.

use serde_json::{Value as Json, json};

use super::{Kind, Span, Value};

/// Returns the request that exports these spans of one process.
pub(super) fn request(resource: &[(&'static str, String)], spans: &[Span]) -> Vec<u8> {
    let resource: Vec<Json> = resource.iter().map(|(key, text)| attribute(key, &Value::Text(text.clone()))).collect();
    let scope = json!({"name": "warren", "version": env!("CARGO_PKG_VERSION")});
    let spans: Vec<Json> = spans.iter().map(span).collect();
    let spans = json!([{"scope": scope, "spans": spans}]);
    let request = json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": spans}]});
    request.to_string().into_bytes()
}

fn span(span: &Span) -> Json {
    let attributes: Vec<Json> = span.attributes.iter().map(|(key, value)| attribute(key, value)).collect();
    let parent = if span.parent == 0 { String::new() } else { format!("{:016x}", span.parent) };
    let mut json = json!({
        "traceId": format!("{:032x}", span.trace),
        "spanId": format!("{:016x}", span.id),
        "parentSpanId": parent,
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": span.start_ns.to_string(),
        "endTimeUnixNano": span.end_ns.to_string(),
        "attributes": attributes,
    });
    if let Some(error) = &span.error {
        json["status"] = json!({"code": 2, "message": error});
    }
    json
}

fn attribute(key: &str, value: &Value) -> Json {
    let value = match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
    };
    json!({"key": key, "value": value})
}

fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Producer => 4,
        Kind::Consumer => 5,
    }
}
