use std::collections::BTreeMap;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

fn row(id: u32, second: i64) -> TimerRow {
    let execution = ExecutionId::from_u128(1);
    TimerRow { instance: InstanceId::new("x").unwrap(), execution, id: ActionId(id), fire_at: at(second) }
}

fn pop_all(wheel: &mut Wheel, second: i64) -> Vec<u32> {
    std::iter::from_fn(|| wheel.pop(at(second))).map(|row| row.id.0).collect()
}

#[test]
fn h11_timers_fire_when_due_in_order_and_never_early() {
    let mut wheel = Wheel::new(at(0), 10);
    assert_eq!(wheel.wants_more(at(0)), Some(at(300)));
    assert_eq!(wheel.wants_more(at(0)), None, "one reading at a time");
    wheel.fill(vec![row(1, 5), row(2, 9)]);
    wheel.add(row(3, 7));
    assert_eq!(pop_all(&mut wheel, 4), [] as [u32; 0]);
    assert_eq!((pop_all(&mut wheel, 7), wheel.next_due()), (vec![1, 3], Some(at(9))));
}

#[test]
fn h11_a_timer_beyond_the_horizon_is_read_before_it_is_due() {
    let mut wheel = Wheel::new(at(0), 10);
    wheel.wants_more(at(0));
    wheel.fill(vec![]);
    wheel.add(row(1, 400));
    assert_eq!((wheel.next_due(), wheel.wants_more(at(100))), (None, None));
    assert_eq!(wheel.wants_more(at(151)), Some(at(451)));
    wheel.fill(vec![row(1, 400)]);
    assert_eq!(pop_all(&mut wheel, 400), [1]);
}

#[test]
fn h11_a_timer_created_while_the_store_is_read_is_not_missed() {
    let mut wheel = Wheel::new(at(0), 10);
    wheel.wants_more(at(0));
    wheel.add(row(1, 200));
    wheel.fill(vec![row(1, 200)]);
    assert_eq!(pop_all(&mut wheel, 300), [1], "nor fired twice");
    wheel.wants_more(at(200));
    wheel.add(row(2, 400)); // its commit comes after the reading, which does not see it
    wheel.fill(vec![]);
    assert_eq!(pop_all(&mut wheel, 500), [2]);
}

#[test]
fn a_flood_of_timers_is_read_in_parts() {
    let mut wheel = Wheel::new(at(0), 2);
    wheel.wants_more(at(0));
    wheel.fill(vec![row(1, 1), row(2, 2)]);
    assert_eq!(wheel.wants_more(at(0)), None, "enough for now");
    assert_eq!(pop_all(&mut wheel, 1), [1]);
    assert_eq!(wheel.wants_more(at(1)), Some(at(301)), "there may be more behind the second");
    wheel.fill(vec![row(2, 2), row(3, 3)]);
    assert_eq!(pop_all(&mut wheel, 9), [2, 3]);
}

/// A store, a wheel, and timers that are made at all times: each must fire in its second.
fn check(mut seed: u64, limit: usize, per_second: u64) {
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut wheel, mut store, mut made) = (Wheel::new(at(0), limit), BTreeMap::new(), 0);
    for second in 0..1_500 {
        for _ in 0..random(per_second) {
            made += 1;
            let after = [1 + random(20), 100 + random(10), 300 + random(400)][usize::try_from(random(3)).unwrap()];
            let due = second + i64::try_from(after).unwrap();
            wheel.add(row(made, due));
            store.insert((due, made), ());
        }
        if let Some(until) = wheel.wants_more(at(second)) {
            let soonest = store.keys().filter(|(due, _)| at(*due) < until).take(limit);
            wheel.fill(soonest.map(|(due, id)| row(*id, *due)).collect());
        }
        let mut due: Vec<u32> = store.keys().filter(|(due, _)| *due <= second).map(|(_, id)| *id).collect();
        let mut fired = pop_all(&mut wheel, second);
        while let Some(until) = wheel.wants_more(at(second)) {
            // The owner asks again at once, and what has fired is gone from the store by then.
            store.retain(|(due, id), ()| !(fired.contains(id) && *due <= second));
            let soonest = store.keys().filter(|(due, _)| at(*due) < until).take(limit);
            wheel.fill(soonest.map(|(due, id)| row(*id, *due)).collect());
            fired.extend(pop_all(&mut wheel, second));
        }
        due.sort_unstable();
        fired.sort_unstable();
        assert_eq!(fired, due, "in second {second}, limit {limit}, {per_second} per second");
        store.retain(|(due, _), ()| *due > second);
        assert!(wheel.due.len() <= limit);
    }
}

#[test]
fn h11_no_timer_is_late_however_many_there_are_and_whenever_they_are_made() {
    for seed in 0..2 {
        for (limit, per_second) in [(10_000, 4), (200, 4), (50, 20), (7, 3)] {
            check(seed, limit, per_second);
        }
    }
}
