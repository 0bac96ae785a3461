use warren_model::{Command, Refusal, RefusalCode, Status};
use warren_service::{Settings, settings::BindingSettings};

use super::*;
use crate::{Consumers, source::REASON, system::System};

#[tokio::test]
async fn h1_a_message_is_acknowledged_once_the_hub_has_accepted_it_and_comes_again_until_then() {
    let system = System::declared().await;
    system.send(r#"{"order": 7}"#, Some("m-1")).await;
    let mut first = system.bound(|_| ()).await;
    let command = first.owner.next().await;
    assert_eq!((command.instance.as_str(), command.id.as_str()), ("7", "orders:m-1"));
    let Command::Start(start) = &command.command else { panic!("{command:?}") };
    assert_eq!((start.name.as_str(), start.input.as_str()), ("ship", r#"{"order": 7}"#));
    // The owner says nothing, and the process ends.
    drop(first);
    system.holds(1).await;
    let mut second = system.bound(|_| ()).await;
    assert_eq!(second.owner.accept_next(Status::Running).await.id, command.id, "a duplicate is known");
    second.stop().await;
    system.holds(0).await;
    system.delete().await;
}

#[tokio::test]
async fn a_message_that_the_mapping_does_not_fit_is_dead_lettered_and_holds_up_no_other() {
    let system = System::declared().await;
    system.send("{", Some("m-1")).await;
    system.send(r#"{"no": "order"}"#, Some("m-2")).await;
    system.send(r#"{"order": 8}"#, Some("m-3")).await;
    let mut stack = system.bound(|queue| queue.prefetch = 1).await;
    assert_eq!(stack.owner.accept_next(Status::Running).await.instance.as_str(), "8");
    for expected in ["{", r#"{"no": "order"}"#] {
        let dead = system.next_dead().await;
        assert_eq!(String::from_utf8_lossy(&dead.data), expected);
        let headers = dead.properties.headers().clone().unwrap();
        let reason = headers.inner().get("x-first-death-reason").and_then(|value| value.as_long_string()).unwrap();
        assert_eq!(reason.to_string(), "rejected");
    }
    stack.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn what_is_put_aside_may_go_to_a_queue_of_the_settings_with_the_reason() {
    let system = System::declared().await;
    system.send(r#"{"no": "order"}"#, Some("m-1")).await;
    let stack = system.bound(|queue| queue.dead_letter = system.dead.clone()).await;
    let dead = system.next_dead().await;
    let headers = dead.properties.headers().clone().unwrap();
    let reason = headers.inner().get(REASON).and_then(|value| value.as_long_string()).unwrap();
    assert_eq!(reason.to_string(), "instance: {/order} is missing");
    assert_eq!(dead.properties.message_id().as_ref().unwrap().as_str(), "m-1");
    stack.stop().await;
    system.holds(0).await;
    system.delete().await;
}

#[tokio::test]
async fn what_the_hub_refuses_is_dead_lettered() {
    let system = System::declared().await;
    system.send(r#"{"order": 7}"#, Some("m-1")).await;
    let mut stack = system.bound(|queue| queue.mapping.if_exists = "fail".into()).await;
    let command = stack.owner.next().await;
    let refusal = Refusal { code: RefusalCode::Exists, message: "instance 7 exists".into() };
    stack.owner.answer(&command, Err(refusal)).await;
    assert_eq!(system.next_dead().await.data, br#"{"order": 7}"#);
    stack.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn a_message_that_could_act_twice_needs_an_id() {
    let system = System::declared().await;
    system.send(r#"{"order": 7}"#, None).await;
    let mut stack = system.bound(|_| ()).await;
    assert_eq!(stack.owner.accept_next(Status::Running).await.instance.as_str(), "7", "known by its instance");
    stack.stop().await;
    system.send(r#"{"order": 7}"#, None).await;
    let event = |queue: &mut QueueBindingSettings| {
        (queue.mapping.start, queue.mapping.raise) = (String::new(), "shipped".into());
    };
    let stack = system.bound(event).await;
    system.next_dead().await;
    stack.stop().await;
    system.send(r#"{"order": 7, "id": "s-1"}"#, None).await;
    let mut stack = system
        .bound(|queue| {
            event(queue);
            queue.mapping.message_id = "{/id}".into();
        })
        .await;
    assert_eq!(stack.owner.accept_next(Status::Running).await.id.as_str(), "orders:s-1");
    stack.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn a_queue_that_is_not_there_yet_is_waited_for() {
    let system = System::new().await;
    let mut stack = system.bound(|_| ()).await;
    let told = stack.says_of_bindings(|told| told.starts_with("ok, but orders takes no messages: ")).await;
    assert!(told.contains(&system.queue), "{told}");
    system.declare().await;
    system.send(r#"{"order": 7}"#, Some("m-1")).await;
    assert_eq!(stack.owner.accept_next(Status::Running).await.instance.as_str(), "7");
    stack.says_of_bindings(|told| told == "ok").await;
    stack.stop().await;
    system.delete().await;
}

#[test]
fn messages_are_counted_by_what_became_of_them() {
    let page = warren_service::metrics::counted(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let system = System::declared().await;
            system.send("{", Some("m-1")).await;
            let mut stack = system.bound(|_| ()).await;
            system.next_dead().await;
            system.send(r#"{"order": 7}"#, Some("m-2")).await;
            stack.owner.accept_next(Status::Running).await;
            stack.stop().await;
            system.delete().await;
        });
    });
    for line in [
        "warren_binding_messages_total{binding=\"orders\",result=\"misfit\"} 1",
        "warren_binding_messages_total{binding=\"orders\",result=\"accepted\"} 1",
        "warren_binding_up{binding=\"orders\"} 1",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

#[test]
fn a_broker_s_address_that_makes_no_sense_is_refused_by_name() {
    let mut settings = Settings::default();
    let binding = QueueBindingSettings { url: "amqp://u:hunter2@:port/v".into(), ..QueueBindingSettings::default() };
    settings.bindings.insert("orders".into(), BindingSettings::Queue(binding));
    let refused = Consumers::new(&settings, "test").unwrap_err().to_string();
    assert!(refused.starts_with("serve bindings.orders: its setting url is wrong"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}
