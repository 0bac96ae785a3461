use super::*;

#[test]
fn a_token_survives_text_and_fits_a_correlation_id() {
    let longest = Token {
        instance: InstanceId::new(&"a.b ".repeat(32)).unwrap(),
        execution: ExecutionId::from_u128(u128::MAX),
        task: ActionId(u32::MAX),
        attempt: u32::MAX,
        digest: u64::MAX,
    };
    assert!(longest.to_string().len() <= crate::limits::SHORT_STRING_BYTES_MAX);
    assert_eq!(longest.to_string().parse::<Token>().unwrap(), longest);
}

#[test]
fn the_text_of_a_token_stays_what_it_is() {
    let instance = InstanceId::new("a").unwrap();
    let token = Token { instance, execution: ExecutionId::from_u128(1), task: ActionId(0), attempt: 26, digest: 0xabc };
    assert_eq!(token.to_string(), "a.00000000000000000000000000000001.0.1a.0000000000000abc");
    assert_eq!(token.text(), token.to_string());
}

#[test]
fn other_text_is_no_token() {
    for text in ["", "....", "a.b.c.d.e", "x.00000000000000000000000000000001.1.1", "17"] {
        assert_eq!(text.parse::<Token>(), Err(TokenError(text.into())));
    }
}
