use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn no_more_run_at_a_time_than_the_limit_says() {
    let mut count = Count::new(Bound { limit: Some(2), per_minute: None });
    assert!(count.has_room(SECOND));
    count.begun = 1;
    assert!(count.has_room(SECOND));
    count.begun = 2;
    assert!(!count.has_room(1_000 * SECOND));
}

#[test]
fn no_more_begin_than_the_rate_says_however_often_it_is_asked() {
    let mut count = Count::new(Bound { limit: None, per_minute: Some(60) });
    let mut begun = 0;
    for tenth in 0..600 {
        let now = tenth * SECOND / 10;
        while count.has_room(now) {
            count.spend(now);
            begun += 1;
        }
    }
    assert!((60..=61).contains(&begun), "{begun}");
}

#[test]
fn what_has_no_bound_has_room() {
    let mut count = Count::new(Bound::default());
    count.begun = 100_000;
    count.spend(SECOND);
    assert!(count.has_room(SECOND) && !Bound::default().holds());
}
