use super::*;

#[test]
fn waits_double_up_to_their_limit() {
    let plain = |attempt| grow(RETRY_FIRST, RETRY_MAX, attempt).as_millis();
    assert_eq!([plain(1), plain(2), plain(3), plain(6), plain(7), plain(u32::MAX)], [50, 100, 200, 1600, 2000, 2000]);
}

/// H22: those who lost the same broker do not all come back at once.
#[test]
fn neighbours_wait_differently_but_never_far_off() {
    let waits: Vec<_> = (0..100).map(|seed| answer(1, seed)).collect();
    assert!(waits.iter().all(|wait| (ANSWER_FIRST * 4 / 5..=ANSWER_FIRST * 6 / 5).contains(wait)), "{waits:?}");
    let distinct: std::collections::BTreeSet<_> = waits.into_iter().collect();
    assert!(distinct.len() > 20, "{distinct:?}");
}
