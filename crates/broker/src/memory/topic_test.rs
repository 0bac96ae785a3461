use super::*;

#[test]
fn patterns_match_as_amqp_says() {
    for (pattern, yes, no) in [
        ("start.order", &["start.order"][..], &["start", "start.order.x", "", "raise.order"][..]),
        ("start.*", &["start.order", "start.x"], &["start", "start.a.b", ""]),
        ("start.#", &["start", "start.order", "start.a.b"], &["raise.a", "", "starts"]),
        ("*.order", &["start.order", "raise.order"], &["order", "a.b.order"]),
        ("#", &["", "a", "a.b.c"], &[]),
        ("#.b.#", &["b", "a.b", "b.c", "a.b.c.d", "a.a.b"], &["", "a", "a.c"]),
        ("*.#", &["a", "a.b"], &[""]),
        ("", &[""], &["a"]),
    ] {
        for key in yes {
            assert!(matches(pattern, key), "{pattern} should match {key}");
        }
        for key in no {
            assert!(!matches(pattern, key), "{pattern} should not match {key}");
        }
    }
}
