use super::*;
use warren::{Activity, ActivityContext, Failure};

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
