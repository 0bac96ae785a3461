use serde_json::json;
use warren::{Activity, ActivityContext, Failure, Payload};
use warren_service::settings::HttpSettings;

use super::*;
use crate::testing::task;

fn settings(names: &[&str]) -> Settings {
    let http = |queue: &str| {
        let url = "http://localhost:1/{/id}".into();
        ActivitySettings::Http(HttpSettings { queue: queue.into(), url, ..HttpSettings::default() })
    };
    let activities = names.iter().map(|name| ((*name).to_owned(), http(if *name == "charge" { "" } else { "other" })));
    Settings { activities: activities.collect(), ..Settings::default() }
}

#[tokio::test]
async fn activities_of_the_settings_are_served_by_their_names_and_queues() {
    let registry = register(Registry::new(), &settings(&["charge", "ship"])).unwrap();
    let served: Vec<_> = registry.activities().map(|activity| (activity.name, activity.queue)).collect();
    assert_eq!(served, [("charge", "charge"), ("ship", "other")]);
    let outcome = registry.run_activity("charge", task(&json!(null)).ctx, Payload::null()).await;
    assert_eq!(outcome, Err(Failure::permanent("invalid_input", "url: {/id} is missing")));
}

#[test]
fn a_name_that_the_program_serves_is_refused() {
    async fn charge(_: ActivityContext, cents: u64) -> Result<u64, Failure> {
        Ok(cents)
    }
    let registry = Registry::new().activity(Activity::new("charge"), charge);
    let refused = register(registry, &settings(&["charge"])).err().unwrap();
    assert!(refused.to_string().starts_with("serve activities.charge: the program registers"), "{refused}");
}
