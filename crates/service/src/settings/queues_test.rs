use super::*;

/// `(lanes, priorities, limit, lane_limit)`, with `rate` as rates.
fn rules(lanes: u16, priorities: bool, limit: u16, lane_limit: u16, rate: bool) -> QueueSettings {
    let rules = QueueSettings { lanes, priorities, ..QueueSettings::default() };
    match rate {
        true => QueueSettings { per_minute: limit.into(), lane_per_minute: lane_limit.into(), ..rules },
        false => QueueSettings { limit, lane_limit, ..rules },
    }
}

#[test]
fn a_queue_has_a_baton_if_several_of_its_lanes_are_counted_together() {
    for rate in [false, true] {
        for (rules, is_limited, has_baton) in [
            (rules(0, false, 0, 0, rate), false, false),
            (rules(8, true, 0, 0, rate), false, false),
            (rules(0, false, 4, 0, rate), true, false),
            (rules(8, false, 0, 4, rate), true, false),
            (rules(8, false, 4, 0, rate), true, true),
            (rules(8, false, 4, 2, rate), true, true),
            (rules(0, true, 4, 0, rate), true, true),
            (rules(8, true, 0, 4, rate), true, true),
        ] {
            assert_eq!((rules.is_limited(), rules.has_baton()), (is_limited, has_baton), "{rules:?}");
        }
    }
}

#[test]
fn what_could_not_be_meant_is_refused_with_what_to_do() {
    let wrong = |rules: QueueSettings| {
        let mut problems = Problems::default();
        rules.check("charge", &mut problems);
        problems.as_slice().iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(wrong(rules(8, true, 4, 4, false)), [""; 0]);
    let too_many = "queues.charge.lane_limit = 5 is more than queues.charge.limit = 4, which holds for all lanes together: lower it, or leave it out";
    assert_eq!(wrong(rules(8, false, 4, 5, false)), [too_many]);
    let no_lanes = "queues.charge.lane_per_minute without queues.charge.lanes: say queues.charge.per_minute, or how many lanes there are";
    assert_eq!(wrong(rules(0, true, 0, 5, true)), [no_lanes]);
}
