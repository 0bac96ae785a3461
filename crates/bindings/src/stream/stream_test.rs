use std::time::{SystemTime, UNIX_EPOCH};

use warren_broker::Envelope;
use warren_model::{Refusal, RefusalCode, Status};

use super::*;
use crate::{source::REASON, system::System, testing::Stack};

fn order(number: u32) -> String {
    format!(r#"{{"order": {number}}}"#)
}

/// Accepts the next command, which must be for this order.
async fn accept(stack: &mut Stack, number: u32) -> Envelope {
    let command = stack.owner.accept_next(Status::Running).await;
    assert_eq!(command.instance.as_str(), number.to_string(), "{command:?}");
    command
}

#[tokio::test]
async fn h1_a_message_that_was_not_accepted_is_read_again_under_the_same_id_and_no_other() {
    let system = System::streamed().await;
    for number in 0..4 {
        system.send(&order(number), None).await;
    }
    let mut first = system.read(|stream| stream.source.prefetch = 1).await;
    for number in 0..2 {
        assert_eq!(accept(&mut first, number).await.id.as_str(), format!("orders:{number}"));
    }
    assert_eq!(first.owner.next().await.id.as_str(), "orders:2");
    // The owner says nothing, and the process ends.
    drop(first);
    let mut second = system.read(|_| ()).await;
    for number in 2..4 {
        assert_eq!(accept(&mut second, number).await.id.as_str(), format!("orders:{number}"));
    }
    second.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn one_process_reads_and_another_goes_on_where_it_stopped() {
    let system = System::streamed().await;
    let (mut reader, mut other) = (system.read(|_| ()).await, None);
    for number in 0..3 {
        system.send(&order(number), None).await;
        accept(&mut reader, number).await;
        if other.is_none() {
            let stack = system.read(|_| ()).await;
            stack.says_of_bindings(|told| told == "ok").await;
            other = Some(stack);
        }
    }
    reader.stop().await;
    system.send(&order(3), None).await;
    let mut other = other.unwrap();
    accept(&mut other, 3).await;
    other.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn messages_for_one_instance_are_accepted_one_after_another_and_others_do_not_wait() {
    let system = System::streamed().await;
    for (number, event) in [(1, "a"), (1, "b"), (2, "c")] {
        system.send(&format!(r#"{{"order": {number}, "event": "{event}"}}"#), None).await;
    }
    let raise = |stream: &mut StreamBindingSettings| {
        let mapping = &mut stream.source.mapping;
        (mapping.start, mapping.raise) = (String::new(), "changed".into());
    };
    let mut stack = system.read(raise).await;
    let first = stack.owner.next().await;
    let other = stack.owner.next().await;
    let mut ids = [first.id.to_string(), other.id.to_string()];
    ids.sort();
    assert_eq!(ids, ["orders:0", "orders:2"], "the second for an instance waits for the first");
    for command in [first, other] {
        stack.owner.accept(&command, Status::Running).await;
    }
    assert_eq!(accept(&mut stack, 1).await.id.as_str(), "orders:1");
    stack.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn what_does_not_fit_or_is_refused_is_put_aside_and_the_stream_goes_on() {
    let system = System::streamed().await;
    for body in ["{", r#"{"order": 7}"#, r#"{"order": 8}"#] {
        system.send(body, None).await;
    }
    let mut stack = system
        .read(|stream| {
            stream.source.dead_letter.clone_from(&system.dead);
            stream.source.mapping.if_exists = "fail".into();
            stream.source.prefetch = 1;
        })
        .await;
    let misfit = system.next_dead().await;
    let headers = misfit.properties.headers().clone().unwrap();
    assert_eq!(headers.inner()[STREAM_OFFSET].as_long_long_int(), Some(0));
    let refused = stack.owner.next().await;
    let refusal = Refusal { code: RefusalCode::Exists, message: "instance 7 exists".into() };
    stack.owner.answer(&refused, Err(refusal)).await;
    let aside = system.next_dead().await;
    let headers = aside.properties.headers().clone().unwrap();
    assert_eq!(headers.inner()[REASON].as_long_string().unwrap().to_string(), "instance 7 exists");
    accept(&mut stack, 8).await;
    stack.stop().await;
    system.delete().await;
}

#[test]
fn without_a_queue_for_it_what_does_not_fit_is_counted_and_passed_over() {
    let page = warren_service::metrics::counted(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let system = System::streamed().await;
            system.send("{", None).await;
            system.send(&order(7), None).await;
            let mut stack = system.read(|_| ()).await;
            accept(&mut stack, 7).await;
            stack.stop().await;
            let mut again = system.read(|_| ()).await;
            system.send(&order(8), None).await;
            accept(&mut again, 8).await;
            again.says_of_bindings(|told| told == "ok").await;
            again.stop().await;
            system.delete().await;
        });
    });
    for line in [
        "warren_binding_messages_total{binding=\"orders\",result=\"misfit\"} 1",
        "warren_binding_messages_total{binding=\"orders\",result=\"accepted\"} 2",
        "warren_binding_up{binding=\"orders\"} 1",
        "warren_binding_stream_offset{binding=\"orders\"} 0",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

#[tokio::test]
async fn what_came_before_a_binding_is_left_out_if_the_settings_say_so() {
    let system = System::streamed().await;
    system.send(&order(1), None).await;
    // A stream keeps times by the chunk, and they are given in seconds.
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sent = second();
    while second() < sent + 2 {
        sleep(Duration::from_millis(20)).await;
    }
    let next = |stream: &mut StreamBindingSettings| stream.from = "next".into();
    let mut stack = system.read(next).await;
    stack.says_of_bindings(|told| told == "ok").await;
    system.send(&order(2), None).await;
    accept(&mut stack, 2).await;
    stack.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn what_comes_while_nobody_serves_a_binding_that_begins_with_the_next_message_is_read_later() {
    let system = System::streamed().await;
    let next = |stream: &mut StreamBindingSettings| stream.from = "next".into();
    let stack = system.read(next).await;
    stack.says_of_bindings(|told| told == "ok").await;
    stack.stop().await;
    system.send(&order(1), None).await;
    let mut stack = system.read(next).await;
    accept(&mut stack, 1).await;
    stack.stop().await;
    system.delete().await;
}

/// Readiness names the queue, and goes on doing so through some tries.
async fn stays_down(stack: &Stack, queue: &str) {
    stack.says_of_bindings(|told| told != "ok").await;
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(2) {
        let told = stack.says_of_bindings(|_| true).await;
        assert!(told.contains(queue), "{told}");
    }
}

#[tokio::test]
async fn a_stream_that_is_not_there_yet_is_told_by_name_and_waited_for() {
    let system = System::new().await;
    let mut stack = system.read(|_| ()).await;
    stays_down(&stack, &system.queue).await;
    system.declare_stream().await;
    system.send(&order(1), None).await;
    accept(&mut stack, 1).await;
    stack.says_of_bindings(|told| told == "ok").await;
    stack.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn a_stream_that_was_declared_anew_is_told_by_name_until_it_is_as_long_as_it_was_read() {
    let system = System::streamed().await;
    let mut stack = system.read(|_| ()).await;
    for number in 0..3 {
        system.send(&order(number), None).await;
        accept(&mut stack, number).await;
    }
    stack.stop().await;
    // As it is: nothing is wrong, although nothing new is in it.
    let stack = system.read(|_| ()).await;
    stack.says_of_bindings(|told| told == "ok").await;
    stack.stop().await;

    system.delete_stream().await;
    system.declare_stream().await;
    system.send(&order(3), None).await;
    let mut stack = system.read(|_| ()).await;
    let told = stack.says_of_bindings(|told| told != "ok").await;
    let expected = format!("stream {} was read up to offset 3 and ends at 1 now", system.queue);
    assert!(told.contains(&expected), "{told}");
    for number in 4..7 {
        system.send(&order(number), None).await;
    }
    assert_eq!(accept(&mut stack, 6).await.id.as_str(), "orders:3");
    stack.says_of_bindings(|told| told == "ok").await;
    stack.stop().await;
    system.delete().await;
}

#[tokio::test]
async fn a_queue_that_is_no_stream_is_told_by_name_and_keeps_its_messages() {
    let system = System::declared().await;
    system.send(&order(1), None).await;
    let stack = system.read(|_| ()).await;
    stays_down(&stack, &system.queue).await;
    stack.stop().await;
    system.holds(1).await;
    system.delete().await;
}
