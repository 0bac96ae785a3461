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

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Paper(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_an_activity_logs_says_of_which_attempt_of_which_task_it_is() {
    async fn charge(_: ActivityContext, (): ()) -> Result<(), Failure> {
        tracing::info!("charging");
        Ok(())
    }
    let paper = Paper::default();
    let writer = paper.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let registry = Registry::new().activity(warren::Activity::new("charge"), charge);
    let task = warren::Task::new(
        warren_model::InstanceId::new("order-7").unwrap(),
        warren_model::ExecutionId::from_u128(1),
        warren_model::ActionId(3),
    );
    let context = ActivityContext::new(warren::Task { attempt: 2, ..task });
    let mut activities = Activities::new(registry, Tracer::off());
    let (item, activity, input) = (ItemId(1), "charge".into(), Payload::null());
    activities.start(Job { item, activity, context, input, traceparent: Some("00-1".into()) });
    assert!(activities.next().await.outcome.is_ok());
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let span = &line["span"];
    assert_eq!(
        (&span["activity"], &span["instance"], &span["task"], &span["attempt"], &span["traceparent"]),
        (&"charge".into(), &"order-7".into(), &"3".into(), &2.into(), &"00-1".into()),
        "{line}"
    );
}
