use warren::test::Hub;

use super::Size;
use crate::workload::{GROW, Job, MORE, parcel, registry};

#[test]
fn about_as_many_activities_are_measured_at_every_size_and_the_size_lies_in_their_middle() {
    for events in [10, 100, 1_000, 10_000, 100_000] {
        let size = Size::new(events, 2_000);
        assert!((1_950..=2_000).contains(&(size.instances * size.steps)), "{size:?}");
        let middle = f64::from(size.events_before()) + 1.5 * f64::from(size.steps);
        assert!((0.9..1.35).contains(&(middle / f64::from(events))), "{size:?}: {middle}");
    }
    assert_eq!(Size::new(100_000, 2_000).instances, 2, "as many as lanes");
}

#[test]
fn a_history_has_as_many_events_as_are_counted() {
    let size = Size { events: 20, before: 5, steps: 3, instances: 1, evicted: 1 };
    let hub = Hub::new(registry());
    let handle = hub.start(GROW, Job { times: size.before, parcel: parcel(0) });
    warren::test::block_on(hub.settle()).unwrap();
    assert_eq!(handle.history().len(), size.events_before() as usize);
    handle.raise(MORE, size.steps);
    warren::test::block_on(hub.settle()).unwrap();
    assert_eq!(handle.history().len(), (size.events_before() + size.events_measured()) as usize);
    assert_eq!(warren::test::block_on(handle.wait()), Ok(parcel(8)));
}
