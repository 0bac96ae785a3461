use super::*;

#[test]
fn the_topology_is_the_settings() {
    let mut settings = Settings::default();
    settings.hub.name = "orders".into();
    settings.broker.queue_type = settings::QueueType::Classic;
    settings.broker.delivery_limit = 7;
    settings.orchestrator.packed_queues = vec!["resize".into()];
    let topology = topology(&settings).unwrap();
    assert_eq!((topology.hub(), topology.queue_type(), topology.delivery_limit()), ("orders", QueueType::Classic, 7));
    assert!(topology.is_packed("resize") && !topology.is_packed("charge"));
}

#[test]
fn a_process_is_called_as_the_setting_says_or_by_host_and_id() {
    assert_eq!(process_name("w1"), "w1");
    assert!(process_name("").ends_with(&format!("-{}", process::id())));
}
