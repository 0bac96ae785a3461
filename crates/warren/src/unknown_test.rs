use super::*;

#[test]
fn the_nearest_name_is_suggested() {
    assert_eq!(
        unknown("orchestrator", "chekout", ["checkout", "ship"].into_iter()),
        "orchestrator `chekout` is not registered; did you mean `checkout`? (registered: `checkout`, `ship`); \
         add it with Registry::orchestrator"
    );
}

#[test]
fn nothing_is_suggested_where_nothing_is_near() {
    let message = unknown("activity", "charge", ["ship"].into_iter());
    assert_eq!(message, "activity `charge` is not registered (registered: `ship`); add it with Registry::activity");
}

#[test]
fn an_empty_registry_and_a_large_one_read_well() {
    assert!(unknown("activity", "x", [].into_iter()).contains("(registered: nothing)"));
    assert!(unknown("activity", "x", ["y"; 25].into_iter()).contains("`y` and 5 more)"));
}
