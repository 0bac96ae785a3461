use super::*;

/// Returns what becomes of a task that ends so.
async fn fate(run: impl Future<Output = ()> + Send + 'static, abort: bool) -> Failure {
    let task = tokio::spawn(run);
    if abort {
        task.abort();
    }
    failure(&task.await.unwrap_err())
}

#[tokio::test]
async fn a_panic_outside_the_registry_is_a_failure() {
    let failure = fate(async { panic!("boom") }, false).await;
    assert_eq!((failure.code.as_str(), failure.retryable), (code::PANICKED, true));
}

#[tokio::test]
async fn a_task_that_is_cut_off_is_a_failure() {
    let failure = fate(std::future::pending(), true).await;
    assert_eq!((failure.message.as_str(), failure.retryable), ("the activity was cut off", true));
}

#[tokio::test]
async fn activities_that_await_are_ended_at_the_stop() {
    let (kept, dropped) = tokio::sync::oneshot::channel::<()>();
    let mut activities = Activities::new(Registry::new(), Tracer::off());
    activities.running.spawn(async move {
        let _kept = kept;
        std::future::pending().await
    });
    activities.stop().await;
    assert!(dropped.await.is_err(), "the activity's future is dropped");
}
