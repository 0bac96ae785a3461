use futures_util::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use warren_model::{ActionId, ExecutionId, InstanceId};

use super::*;
use crate::Task;

const DOUBLE: Activity<u32, u32> = Activity::new("double").queue("numbers");
const COUNT: Activity<Order, usize> = Activity::new("count");
const HELLO: Orchestrator<String, String> = Orchestrator::new("hello");

#[derive(Deserialize)]
struct Order {
    items: Vec<Item>,
}
#[derive(Deserialize)]
struct Item {
    #[serde(rename = "quantity")]
    _quantity: u32,
}

fn ctx() -> ActivityContext {
    ActivityContext::new(Task {
        attempt: 2,
        idempotency_key: "key".into(),
        queue: "numbers".into(),
        ..Task::new(InstanceId::new("order-7").unwrap(), ExecutionId::from_u128(1), ActionId(3))
    })
}

async fn double(ctx: ActivityContext, n: u32) -> Result<u32, Failure> {
    assert_eq!((ctx.instance().as_str(), ctx.task(), ctx.attempt()), ("order-7", ActionId(3), 2));
    assert_eq!((ctx.idempotency_key(), ctx.queue(), ctx.execution()), ("key", "numbers", ExecutionId::from_u128(1)));
    n.checked_mul(2).ok_or_else(|| Failure::permanent("overflow", "too large"))
}
async fn count(_: ActivityContext, order: Order) -> Result<usize, Failure> {
    Ok(order.items.len())
}
async fn hello(_: Context, name: String) -> Result<String, Failure> {
    Ok(name)
}

fn run(registry: &Registry, name: &str, input: &str) -> Outcome {
    let running: BoxFuture<'static, Outcome> =
        registry.run_activity(name, ctx(), Payload::from_bytes(input.as_bytes()).unwrap());
    running.now_or_never().expect("these activities never wait")
}

fn registry() -> Registry {
    Registry::new().activity(DOUBLE, double).activity(COUNT, count)
}

#[test]
fn a_registry_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>(_: T) {}
    shared(registry());
}

#[test]
fn activities_are_listed_with_their_queues() {
    let registry = registry();
    let listed: Vec<_> = registry.activities().map(|activity| (activity.name, activity.queue)).collect();
    assert_eq!(listed, [("count", "count"), ("double", "numbers")]);
}

#[test]
fn an_activity_gives_its_result_or_its_failure() {
    assert_eq!(run(&registry(), "double", "21"), Ok(Payload::of(&42).unwrap()));
    assert_eq!(run(&registry(), "double", "4294967295"), Err(Failure::permanent("overflow", "too large")));
}

#[test]
fn a_name_that_is_known_only_at_run_time_is_served_with_payloads_as_they_are() {
    let name = String::from("echo");
    let registry = registry().untyped_activity(&name, "any", |_, input| async move { Ok(input) }).untyped_activity(
        "torn",
        "any",
        |_, _| -> BoxFuture<'static, Outcome> { panic!("at once") },
    );
    drop(name);
    assert_eq!(run(&registry, "echo", "{ \"b\": 1 }"), Ok(Payload::from_bytes(b"{ \"b\": 1 }").unwrap()));
    assert_eq!(run(&registry, "torn", "null"), Err(Failure::new("panicked", "at once")));
    let listed: Vec<_> = registry.activities().map(|activity| (activity.name, activity.queue)).collect();
    assert_eq!(listed, [("count", "count"), ("double", "numbers"), ("echo", "any"), ("torn", "any")]);
}

#[test]
#[should_panic(expected = "activity `double` is registered twice")]
fn a_name_is_served_once_whether_it_is_known_early_or_late() {
    let _ = registry().untyped_activity("double", "any", |_, input| async move { Ok(input) });
}

#[test]
fn an_input_of_the_wrong_shape_names_the_field_and_is_not_retryable() {
    let message = r#"items[0].quantity: invalid type: string "two", expected u32"#;
    let wrong = run(&registry(), "count", r#"{"items":[{"quantity":"two"}]}"#);
    let failure =
        Failure::permanent("invalid_input", message).with_details(&serde_json::json!({"field": "items[0].quantity"}));
    assert_eq!(wrong, Err(failure));
}

#[test]
fn a_panic_is_a_retryable_failure_wherever_it_happens() {
    const LATE: Activity<(), ()> = Activity::new("late");
    const EARLY: Activity<(), ()> = Activity::new("early");
    let registry = Registry::new()
        .activity(LATE, |_, ()| async { if true { panic!("number {}", 7) } else { Ok::<_, Failure>(()) } })
        .activity(EARLY, |_, ()| -> BoxFuture<'static, Result<(), Failure>> { panic!("at once") });
    assert_eq!(run(&registry, "late", "null"), Err(Failure::new("panicked", "number 7")));
    assert_eq!(run(&registry, "early", "null"), Err(Failure::new("panicked", "at once")));
}

#[test]
fn a_result_that_is_no_json_is_a_failure() {
    const MAP: Activity<(), BTreeMap<Vec<u8>, u8>> = Activity::new("map");
    let registry = Registry::new().activity(MAP, |_, ()| async { Ok::<_, Failure>(BTreeMap::from([(vec![1], 1)])) });
    assert_eq!(run(&registry, "map", "null").unwrap_err().code, "invalid_result");
}

#[test]
fn an_unknown_activity_is_a_failure_that_another_worker_may_mend() {
    let failure = run(&registry(), "duoble", "1").unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("unknown_activity", true));
    assert!(failure.message.contains("did you mean `double`?"), "{failure}");
}

#[test]
fn a_start_gets_the_last_registered_version_unless_it_names_one() {
    let registry = Registry::new()
        .orchestrator(HELLO, hello)
        .orchestrator(HELLO.version("3"), hello)
        .orchestrator(HELLO.version("2"), hello);
    assert_eq!(registry.resolve("hello", None), Ok(Some("2".into())));
    assert_eq!(registry.resolve("hello", Some("3")), Ok(Some("3".into())));
    let unknown = registry.resolve("hello", Some("4")).unwrap_err();
    assert_eq!(
        unknown,
        "orchestrator `hello` version `4` is not registered, but `hello` without a version, `hello` version `3`, \
         `hello` version `2`; register it too"
    );
    assert_eq!(registry.orchestrators().count(), 3);
}

#[test]
fn a_program_is_made_for_exactly_the_pinned_version() {
    let identity = |version: Option<&str>| Identity {
        instance: InstanceId::new("i").unwrap(),
        execution: ExecutionId::from_u128(1),
        name: "hello".into(),
        version: version.map(str::to_owned),
    };
    let registry = Registry::new().orchestrator(HELLO.version("2"), hello);
    assert!(registry.create(&identity(Some("2"))).is_ok());
    assert!(registry.create(&identity(None)).is_err(), "an instance without a version must not change to one");
    let unknown = registry.resolve("helo", None).unwrap_err();
    assert!(unknown.contains("did you mean `hello`?"), "{unknown}");
}

#[test]
#[should_panic(expected = "activity `double` is registered twice")]
fn an_activity_is_registered_once() {
    let _ = registry().activity(DOUBLE, double);
}

#[test]
#[should_panic(expected = "orchestrator `hello` version `2` is registered twice; give each its own version")]
fn a_version_is_registered_once() {
    let _ = Registry::new().orchestrator(HELLO.version("2"), hello).orchestrator(HELLO.version("2"), hello);
}

#[test]
#[should_panic(expected = "activity name is empty")]
fn a_name_that_is_none_is_refused() {
    let _ = Registry::new().activity(Activity::new(""), double);
}
