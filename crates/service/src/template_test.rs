use serde_json::json;

use super::*;

const ALL: Allowed = Allowed { environment: true, headers: true, task: true };

/// Fills the text from one input.
fn rendered(text: &str) -> Result<String, String> {
    let input = json!({"order": {"id": 7, "name": "a/b", "open": true}, "list": [1], "none": null});
    let find = |hole: &Hole| match hole {
        Hole::Input(pointer) => input.pointer(pointer).map(Cow::Borrowed),
        Hole::Header(name) => Some(Cow::Owned(json!(format!("header {name}")))),
        Hole::IdempotencyKey => Some(Cow::Owned(json!("key"))),
        Hole::Environment(_) | Hole::Instance => None,
    };
    Template::parse(text, ALL)?.render(find).map_err(|unfilled| unfilled.to_string())
}

#[test]
fn holes_are_filled_and_doubled_braces_are_braces() {
    assert_eq!(rendered("/orders/{/order/id}/{/order/open}"), Ok("/orders/7/true".into()));
    assert_eq!(rendered("{{{/order/name}}}"), Ok("{a/b}".into()));
    assert_eq!(rendered("{header:X-Kind} {idempotency_key}"), Ok("header x-kind key".into()));
    assert_eq!(rendered(""), Ok(String::new()));
}

#[test]
fn what_is_no_text_fills_no_hole() {
    for (text, why) in [
        ("{/absent}", "{/absent} is missing"),
        ("{/none}", "{/none} is null"),
        ("{/list}", "{/list} is a list, expected text, a number, true or false"),
        ("{}", "{} is an object, expected text, a number, true or false"),
    ] {
        assert_eq!(rendered(text), Err(why.into()));
    }
}

#[test]
fn a_text_that_is_no_template_is_refused_with_the_remedy() {
    for text in ["{", "}", "a{/b", "a}b"] {
        assert_eq!(rendered(text), Err("a brace stands alone: write {{ or }} for a brace itself".into()), "{text}");
    }
    let words = "must be a JSON pointer as {/order/id}, {env:NAME}, {header:name}, {idempotency_key}, {instance}";
    assert_eq!(rendered("{id}"), Err(format!("{{id}} {words}")));
    let refused = Template::parse("{env:HOME}", Allowed::default()).unwrap_err();
    assert_eq!(refused, "{env:HOME} must be a JSON pointer as {/order/id}");
}

#[test]
fn one_hole_alone_keeps_its_type_and_escaping_leaves_the_text_alone() {
    let input = json!({"n": 7, "s": "a b"});
    let find = |hole: &Hole| match hole {
        Hole::Input(pointer) => input.pointer(pointer).map(Cow::Borrowed),
        Hole::Environment(_) | Hole::Header(_) | Hole::IdempotencyKey | Hole::Instance => None,
    };
    let parse = |text| Template::parse(text, ALL).unwrap();
    assert_eq!(parse("{/n}").value(find), Ok(json!(7)));
    assert_eq!(parse("{}").value(find), Ok(input.clone()));
    assert_eq!(parse("n{/n}").value(find), Ok(json!("n7")));
    assert_eq!(parse("a b/{/s}").render_escaped(find, |text| text.replace(' ', "%20")), Ok("a b/a%20b".into()));
}

#[test]
fn secrets_are_filled_once_and_never_shown() {
    let template = Template::parse("Bearer {env:TOKEN}", ALL).unwrap();
    assert_eq!(template.clone().with_environment(|_| None), Err("TOKEN".into()));
    let template = template.with_environment(|name| (name == "TOKEN").then(|| "hunter2".into())).unwrap();
    assert!(template.is_plain() && !format!("{template:?}").contains("hunter2"), "{template:?}");
    assert_eq!(template.render(|_| None), Ok("Bearer hunter2".into()));
}
