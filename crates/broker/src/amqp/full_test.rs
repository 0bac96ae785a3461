use super::*;

#[test]
fn a_queue_is_told_of_until_it_takes_a_message_or_nobody_tries() {
    let (full, now) = (Full::default(), Instant::now());
    assert_eq!(full.which(now), None);
    full.refused("b", now);
    full.clone().refused("a", now + Duration::from_secs(1));
    assert_eq!(full.which(now).as_deref(), Some("a"));
    full.taken("a");
    assert_eq!(full.which(now).as_deref(), Some("b"));
    full.refused("b", now + Duration::from_secs(20));
    assert_eq!(full.which(now + Duration::from_secs(40)).as_deref(), Some("b"));
    assert_eq!(full.which(now + Duration::from_secs(51)), None);
}
