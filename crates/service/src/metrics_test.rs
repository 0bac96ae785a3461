use super::*;

#[test]
fn what_is_counted_is_rendered_and_a_second_beginning_changes_nothing() {
    begin();
    metrics::gauge!("warren_test_things").set(3.0);
    begin();
    assert!(render().contains("warren_test_things 3"), "{}", render());
}

#[test]
fn histograms_have_buckets_so_that_processes_add_up() {
    let text = counted(|| {
        metrics::histogram!("warren_test_seconds").record(0.003);
        metrics::histogram!("warren_test_messages").record(7.0);
    });
    for line in [
        "# TYPE warren_test_seconds histogram",
        "warren_test_seconds_bucket{le=\"0.0025\"} 0",
        "warren_test_seconds_bucket{le=\"0.005\"} 1",
        "warren_test_messages_bucket{le=\"5\"} 0",
        "warren_test_messages_bucket{le=\"10\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn shares_add_up_and_go_with_their_owners() {
    let gauge = || metrics::gauge!("warren_test_shares");
    let text = counted(|| {
        let (mut one, mut other) = (Share::of(gauge()), Share::of(gauge()));
        one.set(5);
        other.set(7);
        one.set(2);
        drop(other);
        std::mem::forget(one); // it is still there
    });
    assert!(text.contains("warren_test_shares 2\n"), "{text}");
}
