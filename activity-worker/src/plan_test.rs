use super::*;
use warren::{Activity, ActivityContext, Failure, Priority};
use warren_service::settings::QueueSettings;

const SEND: Activity<u32, u32> = Activity::new("send");
const RESIZE: Activity<u32, u32> = Activity::new("resize").queue("images");
const CROP: Activity<u32, u32> = Activity::new("crop").queue("images");

fn registry() -> Registry {
    async fn same(_: ActivityContext, number: u32) -> Result<u32, Failure> {
        Ok(number)
    }
    Registry::new().activity(SEND, same).activity(RESIZE, same).activity(CROP, same)
}

fn plan(queues: &[&str], registry: &Registry) -> Result<Plan> {
    let mut settings = Settings::default();
    settings.hub.name = "h".into();
    settings.worker.queues = queues.iter().map(|name| (*name).to_owned()).collect();
    Plan::new(&settings, registry)
}

fn served(queues: &[&str]) -> Vec<String> {
    plan(queues, &registry()).unwrap().queues().iter().map(|spec| spec.name.clone()).collect()
}

#[test]
fn every_queue_of_the_registry_is_served_once() {
    assert_eq!(served(&[]), ["h.work.images", "h.work.send"]);
}

#[test]
fn the_setting_narrows_the_queues() {
    assert_eq!(served(&["send", "send"]), ["h.work.send"]);
}

#[test]
fn a_queue_without_an_activity_is_refused_by_name() {
    let error = plan(&["sned"], &registry()).unwrap_err().to_string();
    assert!(error.contains(r#""sned""#) && error.contains("images, send"), "{error}");
}

#[test]
fn a_registry_without_activities_is_refused() {
    assert!(matches!(plan(&[], &Registry::new()), Err(Error::NothingToServe)));
}

#[test]
fn a_worker_without_a_name_is_called_by_host_and_process() {
    let name = plan(&[], &registry()).unwrap().name().to_owned();
    assert!(name.ends_with(&format!("-{}", std::process::id())) && name.len() > 5, "{name}");
}

#[test]
fn a_hub_name_that_amqp_cannot_carry_is_refused() {
    let mut settings = Settings::default();
    settings.hub.name = "a b".into();
    let error = Plan::new(&settings, &registry()).unwrap_err();
    assert!(error.to_string().contains("setting hub.name"), "{error}");
}

#[test]
fn every_lane_of_a_queue_is_served_with_its_priority() {
    let mut settings = Settings::default();
    settings.hub.name = "h".into();
    let rules = QueueSettings { lanes: 1, priorities: true, ..QueueSettings::default() };
    settings.queues.insert("send".into(), rules);
    let plan = Plan::new(&settings, &registry()).unwrap();
    let served: Vec<_> = lanes(&plan.served).map(|(_, lane)| (lane.name.as_str(), lane.priority)).collect();
    let [high, normal, low] = Priority::ALL;
    let send = [("send", normal), ("send~1", normal), ("send~high", high), ("send~high~1", high), ("send~low", low)];
    assert_eq!(served[0], ("images", normal));
    assert_eq!((&served[1..6], served[6]), (&send[..], ("send~low~1", low)));
    assert_eq!(plan.queues()[6].name, "h.work.send~low~1");
    let prefetches: Vec<u16> = plan.consumed().map(|lane| lane.prefetch).collect();
    assert_eq!(prefetches, [32, 64, 64, 64, 64, 32, 32], "more of what goes before others");
}

#[test]
fn lanes_that_are_limited_together_wait_for_their_baton() {
    let mut settings = Settings::default();
    settings.hub.name = "h".into();
    let rules = QueueSettings { lanes: 1, priorities: true, limit: 5, lane_limit: 3, ..QueueSettings::default() };
    settings.queues.insert("send".into(), rules);
    let plan = Plan::new(&settings, &registry()).unwrap();
    let batons: Vec<_> = plan.batons().map(|(queue, spec)| (queue, spec.name)).collect();
    assert_eq!(batons, [(ServedId(1), "h.limit.send".to_owned())]);
    let consumed: Vec<_> = plan.consumed().map(|lane| (lane.begins_paused, lane.prefetch)).collect();
    assert_eq!(consumed, [(false, 32), (true, 6), (true, 6), (true, 6), (true, 6), (true, 3), (true, 3)]);
}

#[test]
fn a_queue_with_the_name_of_a_lane_is_refused() {
    async fn same(_: ActivityContext, number: u32) -> Result<u32, Failure> {
        Ok(number)
    }
    let registry = Registry::new().activity(Activity::<u32, u32>::new("send~1"), same);
    let error = plan(&[], &registry).unwrap_err().to_string();
    assert!(error.contains(r#""send~1" has '~' at byte 4"#), "{error}");
}
