//! Children, and the messages by which partitions speak.

use warren::{Context, Failure, Orchestrator};
use warren_model::{AnswerWhen, Status};

use super::{
    registry,
    world::{World, json, start},
};

#[test]
fn a_child_runs_and_its_parent_gets_the_result() {
    let mut world = World::new(registry());
    world.start("p", "parent", "4");
    world.settle();
    assert_eq!(world.outcome("p"), &Ok(json("16")));
    assert_eq!(world.record("child-4").parent.as_ref().unwrap().instance.as_str(), "p");
    assert_eq!(world.shelf.received, world.shelf.sent);
}

#[test]
fn h14_a_child_whose_id_is_taken_fails_its_task() {
    let mut world = World::new(registry());
    world.start("child-4", "adder", "0");
    world.settle();
    world.start("p", "parent", "4");
    world.settle();
    assert_eq!(world.outcome("p").as_ref().unwrap_err().code, "instance_exists");
    assert_eq!(world.record("child-4").status, Status::Running);
}

#[test]
fn h9_messages_between_partitions_count_once_and_in_order_however_they_arrive() {
    let mut world = World::new(registry());
    for n in 0..5 {
        world.start(&format!("p{n}"), "parent", &n.to_string());
    }
    for _ in 0..200 {
        world.deliver();
        while world.act() {}
        let mut arrived: Vec<_> = std::mem::take(&mut world.queue).into();
        arrived.extend(arrived.clone());
        arrived.reverse();
        world.queue.extend(arrived);
        if world.queue.is_empty() {
            break;
        }
    }
    for n in 0..5 {
        assert_eq!(world.outcome(&format!("p{n}")), &Ok(json(&(n * 4).to_string())));
    }
    assert!(world.shelf.aside.is_empty());
    assert_eq!(world.work_items("double"), 10);
}

#[test]
fn a_start_may_ask_to_be_told_only_that_it_was_accepted() {
    let mut world = World::new(registry());
    world.send_when("a", "m", start("twice", "1"), AnswerWhen::Accepted);
    world.settle();
    assert_eq!(world.told("m").len(), 1, "accepted, and no outcome later");
}

#[test]
fn a_child_with_a_name_that_no_row_can_hold_fails_its_task() {
    async fn odd(ctx: Context, n: i64) -> Result<i64, Failure> {
        ctx.orchestrator(Orchestrator::<i64, i64>::new("no\0name")).id("odd-child").call(n).await
    }
    let mut world = World::new(registry().orchestrator(Orchestrator::new("odd"), odd));
    world.start("p", "odd", "4");
    world.settle();
    let failure = world.outcome("p").as_ref().unwrap_err();
    assert!(failure.code == "invalid_input" && failure.message.contains("\"no\\0name\""), "{failure}");
    assert_eq!(world.shelf.instances.len(), 1);
}
