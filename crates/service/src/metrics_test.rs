use super::*;

#[test]
fn what_is_counted_is_rendered_and_a_second_beginning_changes_nothing() {
    begin();
    metrics::gauge!("warren_test_things").set(3.0);
    begin();
    assert!(render().contains("warren_test_things 3"), "{}", render());
}
