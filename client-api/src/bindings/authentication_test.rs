use axum::http::HeaderValue;

use super::*;

/// Tests can't set a variable of their own: any that is there is a secret.
fn secret() -> String {
    std::env::var("PATH").unwrap()
}

fn gatekeeper(authentication: &str) -> Gatekeeper {
    let settings = HttpBindingSettings {
        authentication: authentication.into(),
        secret: if authentication == "none" { String::new() } else { "{env:PATH}".into() },
        ..HttpBindingSettings::default()
    };
    Gatekeeper::new(Maker::new("hook"), &settings).unwrap()
}

fn knows(gatekeeper: &Gatekeeper, name: &'static str, value: &str) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    gatekeeper.knows(&headers, b"body", 1_000)
}

fn signed(secret: &str, text: &str) -> String {
    let tag = sign(&Key::new(HMAC_SHA256, secret.as_bytes()), text.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_signature_is_the_one_that_github_documents() {
    let expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(signed("It's a Secret to Everybody", "Hello, World!"), expected);
}

#[test]
fn a_signature_of_the_body_lets_in() {
    let hmac = gatekeeper("hmac");
    let good = signed(&secret(), "body");
    for value in [format!("sha256={good}"), good.clone(), good.to_uppercase()] {
        assert!(knows(&hmac, "x-hub-signature-256", &value), "{value}");
    }
    let other = signed("guess", "body");
    for value in [&*other, "", "sha256=", "sha256=zz", &good[..62], &good[1..], &signed(&secret(), "other body")] {
        assert!(!knows(&hmac, "x-hub-signature-256", value), "{value}");
    }
    assert!(!knows(&hmac, "x-signature", &good));
    assert!(!hmac.knows(&HeaderMap::new(), b"body", 1_000));
}

#[test]
fn a_signature_of_stripe_s_lets_in_while_it_is_fresh() {
    let stripe = gatekeeper("stripe");
    let at = |time: &str, signature: &str| format!("t={time},v1={signature},v0=00");
    let good = |time: &str| signed(&secret(), &format!("{time}.body"));
    assert!(knows(&stripe, "stripe-signature", &at("1000", &good("1000"))));
    assert!(knows(&stripe, "stripe-signature", &at("700", &good("700"))));
    assert!(knows(&stripe, "stripe-signature", &format!("t=1000,v1={},v1={}", signed("old", "x"), good("1000"))));
    assert!(!knows(&stripe, "stripe-signature", &at("699", &good("699"))), "too old");
    assert!(!knows(&stripe, "stripe-signature", &at("1000", &good("999"))), "of another time");
    assert!(!knows(&stripe, "stripe-signature", &format!("v1={}", good("1000"))));
    assert!(!knows(&stripe, "stripe-signature", "t=x,v1=00"));
}

#[test]
fn a_bearer_token_lets_in() {
    let bearer = gatekeeper("bearer");
    assert!(knows(&bearer, "authorization", &format!("Bearer {}", secret())));
    assert!(knows(&bearer, "authorization", &format!("bearer  {}", secret())));
    for value in ["Bearer guess", "Bearer ", "Bearer", "", &secret(), &format!("Basic {}", secret())] {
        assert!(!knows(&bearer, "authorization", value), "{value}");
    }
}

#[test]
fn everybody_comes_in_only_where_the_settings_say_so() {
    assert!(gatekeeper("none").knows(&HeaderMap::new(), b"", 0));
    assert!(!format!("{:?}", gatekeeper("bearer")).contains(&secret()));
}

#[test]
fn a_secret_that_is_not_set_is_refused_by_name() {
    let settings = HttpBindingSettings {
        authentication: "hmac".into(),
        secret: "{env:OF_NOBODY_AT_ALL}".into(),
        ..HttpBindingSettings::default()
    };
    let expect =
        "serve bindings.hook: its setting secret needs the environment variable OF_NOBODY_AT_ALL, which is not set";
    assert_eq!(Gatekeeper::new(Maker::new("hook"), &settings).unwrap_err().to_string(), expect);
}
