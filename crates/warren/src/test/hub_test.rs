use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Instant,
};

use warren_model::{Event as Happened, Status};

use super::*;
use crate::{
    ActivityContext, ClosePolicy, Context, Event, First, RetryPolicy, Second, all, bounded, days, hours, minutes, race,
    seconds,
};

const DOUBLE: Activity<u32, u32> = Activity::new("double");
const NOTIFY: Activity<String, ()> = Activity::new("notify");
const MAIN: Orchestrator<u32, u32> = Orchestrator::new("main");
const CHILD: Orchestrator<u32, u32> = Orchestrator::new("child");
const APPROVED: Event<String> = Event::new("approved");

async fn double(_: ActivityContext, n: u32) -> Result<u32, Failure> {
    n.checked_mul(2).ok_or_else(|| Failure::permanent("overflow", "too large"))
}

async fn doubles(ctx: Context, n: u32) -> Result<u32, Failure> {
    let doubled = all((0..n).map(|i| ctx.call(DOUBLE, i))).await?;
    Ok(doubled.into_iter().sum())
}

async fn approval(ctx: Context, _: u32) -> Result<u32, Failure> {
    ctx.set_custom_status("waiting")?;
    match race(ctx.event(APPROVED), ctx.timer(days(30))).await {
        First(approver) => ctx.call(NOTIFY, approver?).await.map(|()| 1),
        Second(()) => Ok(0),
    }
}

fn hub<F, Fut>(main: F) -> Hub
where
    F: Fn(Context, u32) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<u32, Failure>> + 'static,
{
    Hub::new(Registry::new().orchestrator(MAIN, main).activity(DOUBLE, double))
}

fn names(handle: &Handle<u32>) -> Vec<&'static str> {
    handle.history().iter().map(Happened::name).collect()
}

#[test]
fn real_activities_run_and_results_come_back() {
    assert_eq!(hub(doubles).run_blocking(MAIN, 10), Ok(90));
}

#[test]
fn a_mock_stands_in_for_an_activity_and_may_keep_count() {
    let mut calls = 0;
    let hub = hub(doubles).mock(DOUBLE, move |n| {
        calls += 1;
        if calls > 2 { Err(Failure::permanent("worn_out", "after two")) } else { Ok(n) }
    });
    assert_eq!(hub.run_blocking(MAIN, 2), Ok(1));
    assert_eq!(hub.run_blocking(MAIN, 2).unwrap_err().code, "worn_out");
    assert_eq!(hub.calls(DOUBLE), [0, 1, 0, 1]);
}

#[test]
#[should_panic(expected = "seven is no six")]
fn an_assertion_in_a_mock_fails_the_test() {
    let hub = hub(doubles).mock(DOUBLE, |_| -> Result<u32, Failure> { panic!("seven is no six") });
    let _failure = hub.run_blocking(MAIN, 1);
}

#[test]
fn thirty_days_pass_at_once_and_only_when_nothing_else_can_happen() {
    let (hub, began) = (hub(approval), Instant::now());
    let start = hub.now();
    let handle = hub.start(MAIN, 0);
    block_on(async {
        hub.settle().await.unwrap();
        assert_eq!((hub.now(), handle.status()), (start, Status::Running));
        hub.advance(days(29)).await.unwrap();
        assert_eq!((hub.now(), handle.status()), (start + days(29), Status::Running));
        assert_eq!(handle.wait().await, Ok(0));
    });
    assert_eq!(hub.now(), start + days(30));
    assert!(began.elapsed() < seconds(10));
}

#[test]
fn an_event_wins_against_the_timer_and_cancels_it() {
    let hub = hub(approval).mock(NOTIFY, |_| Ok(()));
    let (handle, start) = (hub.start_as("order-7", MAIN, 0), hub.now());
    block_on(hub.settle()).unwrap();
    assert_eq!(handle.custom_status(), Some(String::from("waiting")));
    handle.raise(APPROVED, "ada".into());
    assert_eq!(block_on(handle.wait()), Ok(1));
    assert_eq!((hub.calls(NOTIFY), hub.now()), (vec!["ada".into()], start));
    block_on(hub.advance(days(60))).unwrap();
    let history = names(&handle);
    assert!(history.contains(&"TimerCanceled") && !history.contains(&"TimerFired"), "{history:?}");
}

#[test]
fn an_input_over_the_limit_of_payloads_fails_its_call() {
    let hub = hub(|ctx, _| async move {
        let sent = ctx.call(NOTIFY, "x".repeat(5 << 20)).await;
        Ok(u32::from(sent.is_err_and(|failure| failure.code == "payload_too_large")))
    });
    assert_eq!(hub.mock(NOTIFY, |_| Ok(())).run_blocking(MAIN, 0), Ok(1));
}

#[test]
fn an_event_that_comes_before_the_wait_is_kept() {
    // H10
    let hub = hub(approval).mock(NOTIFY, |_| Ok(()));
    let handle = hub.start(MAIN, 0);
    handle.raise(APPROVED, "ada".into());
    assert_eq!(block_on(handle.wait()), Ok(1));
}

#[test]
fn a_wait_for_an_event_that_nobody_sends_is_a_failure_and_no_hang() {
    let hub = hub(|ctx, _| async move { ctx.event(APPROVED).await.map(|_| 1) });
    let failure = hub.run_blocking(MAIN, 0).unwrap_err();
    assert_eq!(failure.code, "idle");
    assert!(failure.message.contains("waits for an event that nobody has sent"), "{failure}");
}

#[test]
fn retries_take_virtual_time() {
    let hub = hub(|ctx, n| async move {
        let policy = RetryPolicy::times(4).first_delay(hours(1)).longest_delay(days(9)).jitter(0.0);
        ctx.activity(DOUBLE).retry(policy).call(n).await
    });
    let (mut failures, start) = (3, hub.now());
    let hub = hub.mock(DOUBLE, move |n| {
        failures -= 1;
        if failures >= 0 { Err(Failure::new("busy", "")) } else { Ok(n * 2) }
    });
    assert_eq!(hub.run_blocking(MAIN, 4), Ok(8));
    assert_eq!(hub.now(), start + hours(1 + 2 + 4));
}

#[test]
fn a_mock_may_take_virtual_time_and_lose_a_race() {
    let slow = |ctx: Context, n| async move {
        match race(ctx.call(DOUBLE, n), ctx.timer(minutes(5))).await {
            First(doubled) => doubled,
            Second(()) => Err(Failure::new("slow", "gave up")),
        }
    };
    let run = |takes| hub(slow).mock_taking(takes, DOUBLE, |n| Ok(n * 2)).run_blocking(MAIN, 4);
    assert_eq!(run(minutes(4)), Ok(8));
    assert_eq!(run(minutes(6)).unwrap_err().code, "slow");
}

async fn parent(ctx: Context, n: u32) -> Result<u32, Failure> {
    let named = ctx.orchestrator(CHILD).id("the-child").call(n);
    let other = ctx.orchestrator(CHILD).call(n + 1).await?;
    Ok(named.await? + other)
}

fn family<F, Fut>(child: F) -> Hub
where
    F: Fn(Context, u32) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<u32, Failure>> + 'static,
{
    Hub::new(Registry::new().orchestrator(MAIN, parent).orchestrator(CHILD, child).activity(DOUBLE, double))
}

#[test]
fn children_run_and_answer_their_parent() {
    let hub = family(|ctx: Context, n| async move { ctx.call(DOUBLE, n).await });
    assert_eq!(hub.run_blocking(MAIN, 1), Ok(2 + 4));
    let child = hub.handle::<u32>("the-child").unwrap();
    assert_eq!((child.status(), block_on(child.wait())), (Status::Completed, Ok(2)));
}

#[test]
fn a_childs_failure_is_its_parents_to_handle() {
    let hub = family(|ctx: Context, _| async move { ctx.call(DOUBLE, u32::MAX).await });
    assert_eq!(hub.run_blocking(MAIN, 1).unwrap_err().code, "overflow");
}

#[test]
fn a_child_with_an_id_that_lives_under_another_parent_is_refused() {
    let hub = family(|ctx: Context, n| async move {
        ctx.timer(days(1)).await;
        Ok(n)
    });
    let (first, second) = (hub.start(MAIN, 1), hub.start(MAIN, 1));
    assert_eq!(block_on(first.wait()), Ok(3));
    assert_eq!(block_on(second.wait()).unwrap_err().code, "instance_exists");
}

#[test]
fn a_child_that_failed_is_started_again_under_its_id() {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = attempts.clone();
    let retrying = |ctx: Context, n| async move {
        ctx.orchestrator(CHILD).id("the-child").retry(RetryPolicy::times(3)).call(n).await
    };
    let flaky = |ctx: Context, n| async move { ctx.call(DOUBLE, n).await };
    let registry = Registry::new().orchestrator(MAIN, retrying).orchestrator(CHILD, flaky);
    let hub = Hub::new(registry).mock(DOUBLE, move |n| match counted.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Err(Failure::new("busy", "")),
        _ => Ok(n * 2),
    });
    assert_eq!(hub.run_blocking(MAIN, 4), Ok(8));
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
}

#[test]
fn the_id_of_a_child_is_free_again_for_its_parent_once_the_child_has_ended() {
    let twice = |in_turn: bool| {
        let parent = move |ctx: Context, n| async move {
            let first = ctx.orchestrator(CHILD).id("the-child").call(n);
            if in_turn {
                return Ok(first.await? + ctx.orchestrator(CHILD).id("the-child").call(n).await?);
            }
            all([first, ctx.orchestrator(CHILD).id("the-child").call(n)]).await.map(|both| both.iter().sum())
        };
        let child = |ctx: Context, n: u32| async move { ctx.call(DOUBLE, n).await };
        let registry = Registry::new().orchestrator(MAIN, parent).orchestrator(CHILD, child);
        Hub::new(registry.activity(DOUBLE, double)).run_blocking(MAIN, 4)
    };
    assert_eq!(twice(true), Ok(16));
    assert_eq!(twice(false).unwrap_err().code, "instance_exists");
}

#[test]
fn children_end_with_their_parent_unless_they_are_abandoned() {
    // H13
    let start = |ctx: Context, _| async move {
        let _tied = ctx.orchestrator(CHILD).id("tied").call(0);
        let _free = ctx.orchestrator(CHILD).id("free").on_close(ClosePolicy::Abandon).call(0);
        ctx.timer(days(1)).await;
        Ok::<_, Failure>(0)
    };
    let sleeper = |ctx: Context, n| async move {
        ctx.timer(days(9)).await;
        Ok::<_, Failure>(n)
    };
    let hub = Hub::new(Registry::new().orchestrator(MAIN, start).orchestrator(CHILD, sleeper));
    hub.run_blocking(MAIN, 0).unwrap();
    block_on(hub.settle()).unwrap();
    assert_eq!(hub.handle::<u32>("tied").unwrap().status(), Status::Terminated);
    let free = hub.handle::<u32>("free").unwrap();
    assert_eq!((free.status(), block_on(free.wait())), (Status::Running, Ok(0)));
}

#[test]
fn instances_send_each_other_events_even_before_they_are_started() {
    // H10
    let sender = |ctx: Context, n| async move {
        ctx.send_event("the-other", APPROVED, "from afar".into())?;
        Ok::<_, Failure>(n)
    };
    let receiver = |ctx: Context, _| async move { ctx.event(APPROVED).await.map(|text| text.len() as u32) };
    let hub = Hub::new(Registry::new().orchestrator(MAIN, sender).orchestrator(CHILD, receiver));
    hub.run_blocking(MAIN, 0).unwrap();
    assert_eq!(block_on(hub.start_as("the-other", CHILD, 0).wait()), Ok(9));
}

#[test]
fn an_orchestration_begins_anew_with_its_events() {
    // H10, H19
    let sum = |ctx: Context, sum: u32| async move {
        match ctx.event(Event::<u32>::new("add")).await? {
            0 => Ok(sum),
            n => ctx.continue_as_new(sum + n),
        }
    };
    let hub = hub(sum);
    let handle = hub.start(MAIN, 0);
    let first = handle.execution();
    for n in [1, 20, 300, 0] {
        handle.raise(Event::new("add"), n);
    }
    assert_eq!(block_on(handle.wait()), Ok(321));
    assert_eq!(handle.executions(), 4);
    assert_ne!(handle.execution(), first);
}

#[test]
fn an_orchestration_that_never_ends_fails_its_test_instead_of_hanging() {
    let hub = hub(|ctx, n| async move { ctx.continue_as_new(n + 1) });
    assert_eq!(hub.run_blocking(MAIN, 0).unwrap_err().code, "endless");
}

#[test]
fn a_suspended_instance_keeps_what_arrives_until_it_is_resumed() {
    let hub = hub(approval).mock(NOTIFY, |_| Ok(()));
    let handle = hub.start(MAIN, 0);
    block_on(hub.settle()).unwrap();
    handle.suspend();
    handle.raise(APPROVED, "ada".into());
    assert_eq!(block_on(handle.wait()).unwrap_err().code, "suspended");
    assert_eq!(handle.status(), Status::Suspended);
    handle.resume();
    assert_eq!(block_on(handle.wait()), Ok(1));
}

#[test]
fn a_terminated_instance_has_failed_with_the_reason() {
    let hub = hub(approval);
    let handle = hub.start(MAIN, 0);
    block_on(hub.settle()).unwrap();
    handle.terminate("enough");
    assert_eq!(block_on(handle.wait()), Err(Failure::permanent("terminated", "enough")));
    assert_eq!(handle.status(), Status::Terminated);
}

#[test]
fn code_that_is_not_deterministic_is_blocked_and_says_where() {
    let is_first = AtomicBool::new(true);
    let fickle = Arc::new(move || is_first.swap(false, Ordering::Relaxed));
    let hub = hub(move |ctx, n| {
        let fickle = fickle.clone();
        async move {
            let asked = if fickle() { n } else { n + 1 };
            ctx.call(DOUBLE, asked).await
        }
    });
    let failure = hub.run_blocking(MAIN, 4).unwrap_err();
    assert_eq!(failure.code, "blocked");
    assert!(failure.message.contains("input: 4 ≠ 5"), "{failure}");
}

#[test]
fn changed_code_is_blocked_and_goes_on_once_it_is_mended() {
    // H17
    let before = |ctx: Context, n| async move {
        ctx.timer(days(1)).await;
        ctx.call(DOUBLE, n).await
    };
    let after = |ctx: Context, n| async move {
        ctx.timer(days(2)).await;
        ctx.call(DOUBLE, n).await
    };
    let hub = hub(before);
    let handle = hub.start(MAIN, 4);
    block_on(hub.settle()).unwrap();
    hub.deploy(Registry::new().orchestrator(MAIN, after));
    assert_eq!(block_on(handle.wait()).unwrap_err().code, "blocked");
    assert_eq!(handle.condition().unwrap().kind, warren_model::ConditionKind::Blocked);
    hub.deploy(Registry::new().orchestrator(MAIN, before).activity(DOUBLE, double));
    handle.resume();
    assert_eq!(block_on(handle.wait()), Ok(8));
}

#[test]
fn a_new_version_serves_new_starts_and_the_old_one_those_that_run() {
    // H17
    let old = |ctx: Context, _| async move {
        ctx.timer(days(1)).await;
        Ok::<_, Failure>(1)
    };
    let new = |_: Context, _| async { Ok::<_, Failure>(2) };
    let hub = Hub::new(Registry::new().orchestrator(MAIN.version("1"), old));
    let running = hub.start(MAIN, 0);
    block_on(hub.settle()).unwrap();
    hub.deploy(Registry::new().orchestrator(MAIN.version("1"), old).orchestrator(MAIN.version("2"), new));
    assert_eq!(hub.run_blocking(MAIN, 0), Ok(2));
    assert_eq!(hub.run_blocking(MAIN.version("1"), 0), Ok(1));
    assert_eq!(block_on(running.wait()), Ok(1));
}

#[test]
fn a_stray_sleep_of_tokio_fails_even_where_the_test_has_a_runtime() {
    let sleepy = |_: Context, n| async move {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(n)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let failure = runtime.block_on(hub(sleepy).run(MAIN, 0)).unwrap_err();
    assert_eq!(failure.code, "panicked");
    assert!(failure.message.contains("use ctx.timer instead of a sleep"), "{failure}");
}

#[test]
fn an_activity_may_use_the_runtime_of_the_test() {
    async fn slowly(_: ActivityContext, n: u32) -> Result<u32, Failure> {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(n * 2)
    }
    let hub = Hub::new(Registry::new().orchestrator(MAIN, doubles).activity(DOUBLE, slowly));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(hub.run(MAIN, 10)), Ok(90));
}

#[test]
fn stuck_and_panicked_code_says_so() {
    let stuck = hub(|_, _| std::future::pending()).run_blocking(MAIN, 0).unwrap_err();
    assert_eq!(stuck.code, "stuck");
    let panicked = hub(|_, n| async move { if n == 0 { panic!("no zero") } else { Ok(n) } }).run_blocking(MAIN, 0);
    assert_eq!(panicked, Err(Failure::permanent("panicked", "no zero")));
}

#[test]
fn an_unknown_orchestrator_or_activity_says_what_is_known() {
    let hub = hub(|ctx, _| async move { ctx.call(Activity::<u32, u32>::new("duoble"), 1).await });
    let unknown = hub.run_blocking(CHILD, 0).unwrap_err();
    assert_eq!(unknown.code, "unknown_orchestrator");
    assert!(unknown.message.contains("(registered: `main`)"), "{unknown}");
    let unknown = hub.run_blocking(MAIN, 0).unwrap_err();
    assert!(unknown.message.contains("did you mean `double`?"), "{unknown}");
}

async fn everything(ctx: Context, n: u32) -> Result<u32, Failure> {
    if n == 0 {
        return ctx.continue_as_new(ctx.random_in(3..9));
    }
    let child = ctx.orchestrator(CHILD).call(n);
    let many = bounded(2, 0..n, |i| ctx.activity(DOUBLE).retry(RetryPolicy::times(2)).call(i)).await?;
    let approved = ctx.event(APPROVED).within(days(1)).await?;
    ctx.set_custom_status(&approved)?;
    ctx.send_event(ctx.instance().as_str(), APPROVED, ctx.uuid().to_string())?;
    ctx.event(APPROVED).await?;
    Ok(many.iter().sum::<u32>() + child.await?)
}

#[test]
fn histories_are_the_same_whether_programs_are_kept_alive_or_rebuilt() {
    let run = |keeps_alive: bool| {
        let child = |ctx: Context, n: u32| async move {
            ctx.timer(hours(n.into())).await;
            Ok::<_, Failure>(n)
        };
        let hub = Hub::new(Registry::new().orchestrator(MAIN, everything).orchestrator(CHILD, child));
        let mut calls = 0;
        let hub = hub.mock(DOUBLE, move |n| {
            calls += 1;
            if calls % 3 == 0 { Err(Failure::new("busy", "")) } else { Ok(n * 2) }
        });
        let hub = if keeps_alive { hub.keep_alive() } else { hub };
        let handle = hub.start(MAIN, 0);
        let result = block_on(handle.wait());
        (result, handle.executions(), handle.history(), handle.custom_status::<Option<String>>())
    };
    let (rebuilt, alive) = (run(false), run(true));
    assert!(rebuilt.0.is_ok() && rebuilt.1 == 2, "{rebuilt:?}");
    assert_eq!(rebuilt, alive);
}

#[test]
fn a_wide_fan_out_takes_few_turns() {
    let hub = hub(doubles).mock(DOUBLE, |_| Ok(1));
    let handle = hub.start(MAIN, 10_000);
    assert_eq!(block_on(handle.wait()), Ok(10_000));
    assert_eq!(names(&handle).iter().filter(|name| **name == "OrchestratorStarted").count(), 2);
}

#[test]
#[should_panic(expected = "the instance `order-7` exists already")]
fn an_id_is_used_once() {
    let hub = hub(approval);
    hub.start_as("order-7", MAIN, 0);
    hub.start_as("order-7", MAIN, 0);
}
