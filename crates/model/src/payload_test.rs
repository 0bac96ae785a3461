use super::*;

#[test]
fn a_payload_keeps_every_byte() {
    for text in [r#"{"b":1,  "a":"\u0000"}"#, r#""\ud800""#, "1.0e0", "\"ä\""] {
        let payload = Payload::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(payload.as_str(), text);
        let inside = serde_json::to_string(&vec![payload.clone()]).unwrap();
        assert_eq!(inside, format!("[{text}]"));
        assert_eq!(serde_json::from_str::<Vec<Payload>>(&inside).unwrap(), [payload]);
    }
}

#[test]
fn no_bytes_are_null_and_other_text_is_refused() {
    assert!(Payload::from_bytes(b"").unwrap().is_null());
    assert!(Payload::from_bytes(b"{").is_err());
    assert!(Payload::from_bytes(b"1 2").is_err());
    assert!(Payload::from_bytes(b"\"\xff\"").is_err());
}
