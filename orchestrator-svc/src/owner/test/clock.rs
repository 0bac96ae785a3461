//! The database's clock jumps (H11): nothing is early by it, nothing goes back in a history, nothing is lost.

use warren_model::{Event, Status, Timestamp};

use super::{
    registry,
    world::{World, json},
};

/// When each turn of an instance ran.
fn turns(world: &World, instance: &str) -> Vec<Timestamp> {
    let history = world.shelf.history(world.record(instance));
    let starts = history
        .iter()
        .flat_map(|turn| &turn.events)
        .filter_map(|event| if let Event::OrchestratorStarted(started) = event { Some(started.at) } else { None });
    starts.collect()
}

#[test]
fn h11_a_clock_that_goes_back_an_hour_fires_no_timer_early_and_loses_none() {
    for is_crash in [false, true] {
        let mut world = World::new(registry());
        world.start("nap", "sleeper", "10");
        world.settle();
        world.second -= 3_600;
        if is_crash {
            world.crash();
        }
        world.wait(9);
        assert_eq!(world.record("nap").status, Status::Running);
        world.wait(3_600 + 1);
        assert_eq!(world.outcome("nap"), &Ok(json("10")));
        let turns = turns(&world, "nap");
        assert!(turns.is_sorted(), "{turns:?}");
    }
}

#[test]
fn h11_a_clock_that_jumps_ahead_and_back_again_leaves_every_instance_its_order() {
    let mut world = World::new(registry());
    world.start("nap", "sleeper", "10");
    world.settle();
    world.second += 86_400;
    world.start("late", "sleeper", "10");
    world.wait(0);
    assert_eq!(world.outcome("nap"), &Ok(json("10")));
    world.second -= 86_400;
    world.crash();
    world.settle();
    world.start("next", "twice", "3");
    world.settle();
    assert_eq!(world.outcome("next"), &Ok(json("12")), "what does not wait for the clock is not held up by it");
    world.wait(86_400 + 10);
    assert_eq!(world.outcome("late"), &Ok(json("10")));
    for instance in ["nap", "late", "next"] {
        let turns = turns(&world, instance);
        assert!(turns.is_sorted(), "{turns:?}");
    }
}
