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
    let mut wheel = Wheel::new(at(0));
    assert_eq!(wheel.wants_more(at(0)), Some(at(300)));
    assert_eq!(wheel.wants_more(at(0)), None, "one reading at a time");
    wheel.fill(vec![row(1, 5), row(2, 9)], 10);
    wheel.add(row(3, 7));
    assert_eq!(pop_all(&mut wheel, 4), [] as [u32; 0]);
    assert_eq!((pop_all(&mut wheel, 7), wheel.next_due()), (vec![1, 3], Some(at(9))));
}

#[test]
fn h11_a_timer_beyond_the_horizon_is_read_before_it_is_due() {
    let mut wheel = Wheel::new(at(0));
    wheel.wants_more(at(0));
    wheel.fill(vec![], 10);
    wheel.add(row(1, 400));
    assert_eq!((wheel.next_due(), wheel.wants_more(at(100))), (None, None));
    assert_eq!(wheel.wants_more(at(151)), Some(at(451)));
    wheel.fill(vec![row(1, 400)], 10);
    assert_eq!(pop_all(&mut wheel, 400), [1]);
}

#[test]
fn h11_a_timer_created_while_the_store_is_read_is_not_missed() {
    let mut wheel = Wheel::new(at(0));
    wheel.wants_more(at(0));
    wheel.add(row(1, 200));
    wheel.fill(vec![row(1, 200)], 10);
    assert_eq!(pop_all(&mut wheel, 300), [1], "nor fired twice");
}

#[test]
fn a_flood_of_timers_is_read_in_parts() {
    let mut wheel = Wheel::new(at(0));
    wheel.wants_more(at(0));
    wheel.fill(vec![row(1, 1), row(2, 2)], 2);
    assert_eq!(wheel.wants_more(at(0)), None, "enough for now");
    assert_eq!(pop_all(&mut wheel, 1), [1]);
    assert_eq!(wheel.wants_more(at(1)), Some(at(301)), "there may be more behind the second");
    wheel.fill(vec![row(2, 2), row(3, 3)], 2);
    assert_eq!(pop_all(&mut wheel, 9), [2, 3]);
}
