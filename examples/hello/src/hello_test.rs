use warren::{Registry, test::Hub};

use super::{
    contract::{GREET, HELLO, Visit},
    register,
};

#[test]
fn five_cities_greet_in_turn() {
    let hub = Hub::new(register(Registry::new()));
    let greetings = hub.run_blocking(HELLO, "Alice".to_owned()).unwrap();
    assert_eq!(greetings.len(), 5);
    assert!(greetings.iter().all(|greeting| greeting.contains(", Alice! ")), "{greetings:?}");
    let cities: Vec<_> = hub.calls(GREET).into_iter().map(|visit| visit.city).collect();
    assert_eq!(cities, ["Lisbon", "Paris", "Prague", "Tallinn", "Athens"]);
}

#[test]
fn a_city_where_nobody_greets_is_named() {
    let tour = warren::Orchestrator::<Visit, String>::new("tour");
    let registry = register(Registry::new())
        .orchestrator(tour, |ctx: warren::Context, visit| async move { ctx.call(GREET, visit).await });
    let visit = Visit { name: "Alice".to_owned(), city: "Atlantis".to_owned() };
    let failure = Hub::new(registry).run_blocking(tour, visit).unwrap_err();
    assert_eq!(failure.to_string(), "unknown_city: nobody in \"Atlantis\" greets");
}

#[test]
fn replayed_after_every_turn_or_never_the_history_is_the_same() {
    let history = |hub: Hub| {
        let hello = hub.start(HELLO, "Alice".to_owned());
        warren::test::block_on(hello.wait()).unwrap();
        hello.history()
    };
    let replayed = history(Hub::new(register(Registry::new())));
    assert_eq!(replayed, history(Hub::new(register(Registry::new())).keep_alive()));
    assert_eq!(replayed.iter().filter(|event| event.name() == "TaskCompleted").count(), 5);
}
