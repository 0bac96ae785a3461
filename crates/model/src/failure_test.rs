use super::*;

#[test]
fn any_error_becomes_a_failure_with_its_sources() {
    fn parse() -> Result<u32, Failure> {
        Ok("x".parse::<u32>()?)
    }
    assert_eq!(parse().unwrap_err(), Failure::new("error", "invalid digit found in string"));
}

#[test]
fn a_failure_is_short_on_the_wire_and_forgiving_to_read() {
    let failure = Failure::new("declined", "card expired");
    assert_eq!(serde_json::to_string(&failure).unwrap(), r#"{"code":"declined","message":"card expired"}"#);
    let read: Failure = serde_json::from_str(r#"{"code":"x","message":"y","retryable":false,"extra":1}"#).unwrap();
    assert_eq!(read, Failure::permanent("x", "y"));
}

#[test]
fn a_cause_is_shown() {
    let failure = Failure::new("outer", "a").caused_by(Failure::new("inner", "b"));
    assert_eq!(failure.to_string(), "outer: a (caused by inner: b)");
}
