use serde_json::json;
use warren_model::{InstanceId, Redispatch, Redispatched};

use crate::testing::{Stack, body, problem};

#[tokio::test]
async fn every_partition_is_asked_and_the_sum_is_told() {
    let mut stack = Stack::start().await;
    let http = stack.http.clone();
    let path = "/api/v1/Hub/redispatch?queue=charge&olderThan=60";
    let post = http.post(path, &[("idempotency-key", "k1")], vec![]);
    let serve = async {
        for tasks in [5, 3] {
            let order = stack.owner.next_order().await;
            assert_eq!(order.id.as_str(), "k1");
            let queue = Some("charge".to_owned());
            assert_eq!(order.what, Redispatch { queue, older_than_seconds: 60, instance: None });
            stack.owner.redispatched(&order, &Redispatched { instances: 2, tasks, children: 0 }).await;
        }
    };
    let (reply, ()) = tokio::join!(post, serve);
    assert_eq!(body(&reply.unwrap(), 200), json!({"instances": 4, "tasks": 8, "children": 0}));
}

#[tokio::test]
async fn what_is_of_one_instance_is_asked_of_its_partition_alone() {
    let mut stack = Stack::start().await;
    let http = stack.http.clone();
    let post = http.post("/api/v1/hub/redispatch?instanceId=order-7", &[], vec![]);
    let serve = async {
        let order = stack.owner.next_order().await;
        assert_eq!(order.what.instance, Some(InstanceId::new("order-7").unwrap()));
        stack.owner.redispatched(&order, &Redispatched { instances: 1, tasks: 1, children: 1 }).await;
    };
    let (reply, ()) = tokio::join!(post, serve);
    assert_eq!(body(&reply.unwrap(), 200), json!({"instances": 1, "tasks": 1, "children": 1}));
    assert!(stack.owner.try_next_order().is_none());
}

#[tokio::test]
async fn one_that_takes_long_may_be_asked_for_again() {
    let stack = Stack::start().await;
    let reply = stack.post("/api/v1/hub/redispatch?timeout=0.2", "").await;
    let told = problem(&reply, 504, "timeout");
    assert!(told.contains("hear from the owner of partition") && told.contains("Idempotency-Key"), "{told}");
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_refused() {
    let stack = Stack::start().await;
    for query in ["olderThan=soon", "olderThan=-1", "instanceId=@x"] {
        problem(&stack.post(&format!("/api/v1/hub/redispatch?{query}"), "").await, 400, "invalid");
    }
}
