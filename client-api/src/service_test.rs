use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use warren_client::testing::MemoryQueries;
use warren_store as store;

use crate::testing::{DEADLINE, Stack, body, problem};

#[tokio::test]
async fn until_the_store_is_there_requests_are_told_what_makes_it() {
    let (queries, is_there) = (MemoryQueries::default(), Arc::new(AtomicBool::new(false)));
    let (opened, looked) = (queries.clone(), is_there.clone());
    let open = move || {
        let away = || store::Error::Unavailable("file w.db is not there yet: orchestrator-svc makes it".into());
        let opened = if looked.load(SeqCst) { Ok(opened.clone()) } else { Err(away()) };
        async move { opened }
    };
    let mut stack = Stack::start_with(queries, open, DEADLINE).await;
    let told = loop {
        // The very first answers may come before the first look.
        let told = problem(&stack.post("/api/v1/orchestrators/order", "").await, 503, "unavailable");
        if !told.contains("is being opened") {
            break told;
        }
    };
    let why = "reach the store: file w.db is not there yet: orchestrator-svc makes it";
    assert_eq!(told, format!("failed to {why}; nothing was accepted"));
    assert_eq!(body(&stack.get("/health/ready").await, 503)["checks"]["store"], why);
    is_there.store(true, SeqCst);
    while stack.get("/health/ready").await.status != 200 {
        tokio::task::yield_now().await;
    }
    stack.post_accepted("/api/v1/orchestrators/order", "").await;
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_store_of_another_hub_ends_the_service() {
    let open = || async { Err(store::Error::Mismatch("file w.db holds hub other: set hub.name".into())) };
    let stack = Stack::start_with(MemoryQueries::default(), open, DEADLINE).await;
    let ended = stack.ended().await;
    assert_eq!(ended.unwrap_err().to_string(), "file w.db holds hub other: set hub.name");
}

#[tokio::test]
async fn a_service_stops_when_told_with_or_without_a_store() {
    Stack::start().await.stop().await.unwrap();
    let open = || async { Err(store::Error::Unavailable("not there yet".into())) };
    let stack = Stack::start_with(MemoryQueries::default(), open, DEADLINE).await;
    stack.stop().await.unwrap();
}
