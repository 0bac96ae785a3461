//! What the services export while orders run: it is true, well formed, and of few labels.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use end_to_end::{Fleet, eventually, orders, promtool};
use warren_model::Event;

const SERVICES: [&str; 3] = ["orchestrator", "worker-1", "api"];

async fn page(fleet: &Fleet, service: &str) -> String {
    let reply = fleet.http(service).get("/metrics").await.unwrap();
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-type").unwrap().split(';').next()),
        (200, Some("text/plain"))
    );
    reply.text()
}

/// Adds up the series of a metric whose labels have this text.
fn sum(page: &str, metric: &str, label: &str) -> f64 {
    let series = page.lines().filter_map(|line| line.split_once(' ').filter(|(series, _)| series.contains(label)));
    let of_metric = series.filter(|(series, _)| series.split('{').next() == Some(metric));
    of_metric.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
}

/// Returns what promtool finds wrong with a page.
fn lint(page: &str) -> String {
    let mut command = Command::new(promtool());
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    assert_eq!(output.status.success(), told.is_empty(), "{}", String::from_utf8_lossy(&told));
    String::from_utf8(told).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_services_export_is_true_well_formed_and_names_no_instance() {
    let fleet = Fleet::start(&SERVICES).await;
    let entries = orders::first(12);
    for entry in &entries {
        orders::send(&fleet, entry).await;
    }
    assert_eq!(fleet.post("/orchestrators/nosuch/stray-1", "1").await.status, 202);
    for entry in &entries {
        orders::check(&fleet, entry).await;
    }
    assert_eq!(fleet.get("/instances/nobody").await.status, 404);
    let (mut turns, mut tasks) = (0, 0);
    for entry in &entries {
        let history = fleet.history(&entry.id).await;
        let events = history.iter().flat_map(|turn| &turn.events);
        turns += history.len();
        tasks += events.filter(|event| matches!(event, Event::TaskScheduled(_))).count();
    }
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());

    let owner = page(&fleet, "orchestrator").await;
    let count = |metric, label| sum(&owner, metric, label);
    assert_eq!(count("warren_instances_started_total", "orchestrator=\"order\""), 12.0);
    assert_eq!(count("warren_instances_ended_total", "orchestrator=\"order\""), 12.0);
    assert_eq!(count("warren_instances_started_total", "orchestrator=\"unknown\""), 1.0);
    assert_eq!(count("warren_instances_parked", "condition=\"unknown_orchestrator\""), 1.0);
    assert_eq!(count("warren_commands_total", "kind=\"start\""), 13.0);
    assert_eq!(count("warren_turns_total", "result=\"recorded\""), number(turns));
    assert!(count("warren_commit_seconds_count", "") >= count("warren_transaction_seconds_count", ""));
    assert!(count("warren_publications_total", "result=\"confirmed\"") > 0.0);
    eventually("the outbox is empty", || async {
        sum(&page(&fleet, "orchestrator").await, "warren_outbox_unconfirmed", "") == 0.0
    })
    .await;

    eventually("every reply is confirmed", || async {
        sum(&page(&fleet, "worker-1").await, "warren_replies_total", "confirmed") == number(tasks)
    })
    .await;
    let worker = page(&fleet, "worker-1").await;
    assert_eq!(sum(&worker, "warren_activity_seconds_count", ""), number(tasks), "{worker}");
    assert_eq!(sum(&worker, "warren_work_items_total", ""), number(tasks));
    assert_eq!((sum(&worker, "warren_activities_running", ""), sum(&worker, "warren_work_items_held", "")), (0.0, 0.0));

    let api = page(&fleet, "api").await;
    let starts = r#"{route="/orchestrators/{name}/{id}",method="POST",status="2xx"}"#;
    assert_eq!(sum(&api, "warren_http_requests_total", starts), 13.0);
    assert_eq!(sum(&api, "warren_http_requests_total", r#"{route="/instances/{id}",method="GET",status="4xx"}"#), 1.0);

    for (service, page) in SERVICES.into_iter().zip([owner, worker, api]) {
        assert_eq!(lint(&page), "", "{service}:\n{page}");
        let names = entries.iter().map(|entry| entry.id.as_str()).chain(["stray-1", "nosuch", "nobody"]);
        for name in names {
            assert!(!page.contains(name), "{service} names {name}:\n{page}");
        }
    }
}

#[test]
fn the_linter_would_find_something() {
    assert!(lint("# TYPE things counter\nthings 1\n").contains("counter metrics should have \"_total\" suffix"));
}
