use serde_json::json;

use super::*;

const PUSH: &str = r#"{"repository": {"full_name": "a/b"}, "after": "c0ffee", "commits": [{"id": 1}]}"#;

fn settings() -> MappingSettings {
    MappingSettings {
        start: "build".into(),
        instance: "{/repository/full_name}-{/after}".into(),
        message_id: "{header:x-delivery}".into(),
        ..MappingSettings::default()
    }
}

/// Maps a body that came with the header `x-delivery: 7`.
fn order(settings: &MappingSettings, body: &str) -> Result<Order, String> {
    let header = |name: &str| (name == "x-delivery").then(|| "7".to_owned());
    let body = Payload::from_bytes(body.as_bytes()).unwrap();
    let arrival = Arrival { body, header: &header, id: Some("own".into()), traceparent: Some("trace".into()) };
    Mapping::new(Maker::new("github"), settings).unwrap().order(arrival)
}

#[test]
fn a_start_is_made_of_what_arrived() {
    let order = order(&settings(), PUSH).unwrap();
    let what = What::Start { name: "build".into(), version: None, if_exists: IfExists::UseExisting };
    assert_eq!(order.what, what);
    assert_eq!(order.instance.unwrap().as_str(), "a/b-c0ffee");
    assert_eq!(order.message.unwrap().as_str(), "github:7");
    assert_eq!(order.input.as_str(), PUSH, "byte for byte");
    assert_eq!(order.traceparent.as_deref(), Some("trace"));
}

#[test]
fn an_event_gets_the_part_that_the_settings_name() {
    let event = MappingSettings {
        start: String::new(),
        raise: "pushed".into(),
        input: "/commits/0".into(),
        message_id: String::new(),
        ..settings()
    };
    let order = order(&event, PUSH).unwrap();
    assert_eq!((order.what, order.input.as_str()), (What::Raise { event: "pushed".into() }, r#"{"id":1}"#));
    assert_eq!(order.message.unwrap().as_str(), "github:own", "its sender's own name for it");
}

#[test]
fn what_does_not_fit_says_where() {
    let check = |settings: MappingSettings, body: &str, why: &str| assert_eq!(order(&settings, body), Err(why.into()));
    check(settings(), r#"{"after": 1}"#, "instance: {/repository/full_name} is missing");
    check(
        settings(),
        r#"{"after": {}, "repository": {"full_name": 1}}"#,
        "instance: {/after} is an object, expected text, a number, true or false",
    );
    let long = json!({"after": "x".repeat(130), "repository": {"full_name": ""}}).to_string();
    check(settings(), &long, "instance: instance id has 131 bytes, at most 128 are allowed");
    check(
        MappingSettings { instance: "@{/after}".into(), ..settings() },
        PUSH,
        "instance: instance id begins with `@`, which is reserved for entities",
    );
    check(
        MappingSettings { message_id: "{header:x-other}".into(), ..settings() },
        PUSH,
        "message_id: {header:x-other} is missing",
    );
    check(
        MappingSettings { message_id: "{/after}ä".into(), ..settings() },
        PUSH,
        "message_id: message id has 'ä' at byte 13, only printable ASCII is allowed",
    );
    check(MappingSettings { input: "/none".into(), ..settings() }, PUSH, "input: the body has no /none");
}
