use super::*;

fn stream() -> SplitMix64 {
    SplitMix64::of_execution(ExecutionId::from_u128(7))
}

#[test]
fn the_stream_is_that_of_the_published_generator() {
    // The first numbers of the reference implementation for the seed 1234567.
    let mut stream = SplitMix64(1_234_567);
    let first: Vec<u64> = (0..3).map(|_| stream.next()).collect();
    assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}

#[test]
fn numbers_stay_in_their_range_and_reach_its_ends() {
    let mut stream = stream();
    let dice: std::collections::BTreeSet<u64> = (0..1000).map(|_| stream.within(&(1..=6))).collect();
    assert_eq!(dice, (1..=6).collect());
    assert_eq!(stream.within(&(5..6)), 5);
    assert_eq!(stream.within(&(u64::MAX..)), u64::MAX);
    assert!((0..1000).map(|_| stream.fraction()).all(|f| (0.0..1.0).contains(&f)));
    let _any: u64 = stream.within(&..);
}

#[test]
#[should_panic(expected = "empty range")]
fn an_empty_range_is_refused() {
    stream().within(&(5..5));
}

#[test]
fn each_attempt_has_a_stream_of_its_own() {
    let of = |first, attempt| SplitMix64::of_attempt(ExecutionId::from_u128(7), ActionId(first), attempt).next();
    let mut seen = vec![of(1, 1), of(1, 2), of(2, 1), stream().next()];
    assert_eq!(of(1, 1), seen[0]);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 4);
}
