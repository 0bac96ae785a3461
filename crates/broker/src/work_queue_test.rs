use std::collections::BTreeSet;

use warren_model::{ActionId, Payload};

use super::*;
use crate::{Bodies, HeaderValue};

fn hub(rules: impl IntoIterator<Item = (&'static str, QueueRules)>) -> Topology {
    let rules = rules.into_iter().map(|(queue, rules)| (queue.to_owned(), rules));
    Topology::new("h").unwrap().with_rules(rules.collect())
}

fn task(queue: &str, key: Option<&str>, priority: Priority) -> TaskScheduled {
    let task = TaskScheduled::new(ActionId(1), queue, Payload::null());
    TaskScheduled { key: key.map(str::to_owned), priority, ..task }
}

fn names(hub: &Topology, queue: &str) -> Vec<String> {
    hub.lanes(queue).unwrap().into_iter().map(|lane| lane.name).collect()
}

#[test]
fn calls_with_a_key_go_to_a_lane_of_their_queue_and_always_to_the_same() {
    let hub = hub([("charge", QueueRules { lanes: 3, ..QueueRules::default() }), ("ship", QueueRules::default())]);
    assert_eq!(names(&hub, "charge"), ["charge", "charge~1", "charge~2", "charge~3"]);
    assert_eq!((names(&hub, "ship"), names(&hub, "x")), (vec!["ship".to_owned()], vec!["x".to_owned()]));
    for (queue, key, lane) in [
        ("charge", Some("acme"), "h.work.charge~3"),
        ("charge", Some("globex"), "h.work.charge~3"),
        ("charge", Some("initech"), "h.work.charge~1"),
        ("charge", None, "h.work.charge"),
        ("ship", Some("acme"), "h.work.ship"),
    ] {
        for priority in Priority::ALL {
            assert_eq!(hub.work_of(&task(queue, key, priority)).unwrap().name, lane, "{priority:?} says nothing here");
        }
    }
}

#[test]
fn a_priority_has_a_lane_of_its_own_and_lanes_by_key_within() {
    let rules = |lanes| QueueRules { lanes, has_priorities: true, ..QueueRules::default() };
    let hub = hub([("charge", rules(0)), ("ship", rules(2))]);
    assert_eq!(names(&hub, "charge"), ["charge", "charge~high", "charge~low"]);
    let ship = ["ship", "ship~1", "ship~2", "ship~high", "ship~high~1", "ship~high~2", "ship~low", "ship~low~1"];
    assert_eq!(names(&hub, "ship")[..8], ship);
    for (queue, key, priority, lane) in [
        ("charge", None, Priority::High, "h.work.charge~high"),
        ("charge", Some("acme"), Priority::Low, "h.work.charge~low"),
        ("charge", Some("acme"), Priority::Normal, "h.work.charge"),
        ("ship", Some("acme"), Priority::High, "h.work.ship~high~2"),
        ("ship", None, Priority::Low, "h.work.ship~low"),
    ] {
        assert_eq!(hub.work_of(&task(queue, key, priority)).unwrap().name, lane);
    }
}

#[test]
fn every_task_goes_to_a_queue_that_its_workers_serve() {
    for (lanes, has_priorities) in [(0, false), (5, false), (0, true), (5, true)] {
        let hub = hub([("charge", QueueRules { lanes, has_priorities, ..QueueRules::default() })]);
        let of = |lane: &Lane| (hub.work(&lane.name).unwrap().name, lane.priority);
        let served: Vec<_> = hub.lanes("charge").unwrap().iter().map(of).collect();
        let apart: BTreeSet<_> = served.iter().map(|(name, _)| name).collect();
        assert_eq!(apart.len(), served.len(), "no two have one name");
        for key in [None, Some("acme"), Some("globex"), Some("initech"), Some("hooli")] {
            for priority in Priority::ALL {
                let queue = hub.work_of(&task("charge", key, priority)).unwrap().name;
                let kept = if has_priorities { priority } else { Priority::Normal };
                assert!(served.contains(&(queue.clone(), kept)), "{queue}");
            }
        }
    }
}

/// Or it could be another queue's lane.
#[test]
fn no_queue_has_the_name_of_a_lane() {
    let hub = hub([("charge", QueueRules { lanes: 3, ..QueueRules::default() })]);
    let why = r#"work-item queue "charge~1" has '~' at byte 6, only characters other than '~' are allowed"#;
    assert_eq!(hub.lanes("charge~1").unwrap_err().to_string(), why);
    assert_eq!(hub.work_of(&task("charge~1", None, Priority::Normal)).unwrap_err().to_string(), why);
}

#[test]
fn what_holds_for_a_queue_holds_for_its_lanes() {
    let rules = |is_limited: bool| QueueRules { lanes: 2, has_priorities: true, is_limited, has_baton: is_limited };
    let bodies = Bodies { claim_queues: ["charge".to_owned()].into(), ..Bodies::default() };
    let hub = hub([("charge", rules(true)), ("ship", rules(false))]).with_bodies(bodies);
    let hub = hub.with_packed_queues(["ship".to_owned()].into());
    for queue in ["charge", "ship"] {
        for lane in hub.lanes(queue).unwrap() {
            let spec = hub.work(&lane.name).unwrap();
            let is_single = hub.arguments(spec.kind).get("x-single-active-consumer") == Some(&HeaderValue::Bool(true));
            assert_eq!((is_single, hub.takes_claims(&spec.name)), (queue == "charge", queue == "charge"), "{lane:?}");
            assert_eq!(hub.is_packed(&lane.name), queue == "ship", "{lane:?}");
        }
    }
}

/// Its name is no lane's and no other queue's, whatever those are called.
#[test]
fn a_queue_whose_lanes_have_a_limit_together_has_a_baton() {
    let rules = QueueRules { lanes: 2, is_limited: true, has_baton: true, ..QueueRules::default() };
    let hub = hub([("charge", rules), ("ship", QueueRules { has_baton: false, ..rules })]);
    let baton = hub.baton_of_work("charge").unwrap();
    assert_eq!((baton.name.as_str(), baton.kind), ("h.limit.charge", QueueKind::Baton));
    assert_eq!((hub.baton_of_work("ship"), hub.baton_of_work("x")), (None, None));
    assert_eq!((hub.queue_of_work(&baton.name), hub.takes_claims(&baton.name)), (None, false));
}
