use std::{collections::BTreeSet, num::NonZeroU16};

use warren::{Activity, ActivityContext, Failure};
use warren_broker::{Message, Topology};
use warren_service::metrics::counted;

use super::{super::fixture::work, *};
use crate::worker::{ItemId, Limits, Served, ServedId};

fn registry() -> Registry {
    async fn greet(_: ActivityContext, name: String) -> Result<String, Failure> {
        Ok(name)
    }
    Registry::new().activity(Activity::new("greet").queue("people"), greet)
}

fn delivery(redelivered: bool) -> Delivery {
    let message = Message {
        kind: None,
        correlation_id: None,
        reply_to: None,
        message_id: None,
        content_type: None,
        headers: Default::default(),
        body: b""[..].into(),
    };
    Delivery { tag: 1, redelivered, routing_key: "".into(), message }
}

/// A worker that holds nothing yet.
fn worker() -> Worker {
    let second = Duration::from_secs(1);
    let limits =
        Limits { concurrency: NonZeroU16::MIN, payload_bytes: 100, drain: second, lease: second, hold: second };
    let others = Served { has_baton: true, ..Served::from("others") };
    Worker::new(Topology::new("h").unwrap(), ["people".into(), others], "worker-1", limits)
}

/// Does a little of everything.
fn page() -> String {
    counted(|| {
        describe();
        let mut worker = worker();
        let mut metrics = Metrics::new(&worker, ["people", "others"].into_iter());
        let deliveries = vec![delivery(false), delivery(true), delivery(false)];
        metrics.told(&Input::Delivered { queue: QueueId(0), deliveries });
        let fates = [Published::Confirmed, Published::Lost("gone".into()), Published::Confirmed];
        metrics.told(&Input::Published(fates.map(|fate| (ItemId(1), fate)).into()));
        metrics.told(&Input::Drain);
        let timings = Timings::new(&registry());
        timings.of("greet").note(Fate::Completed, Duration::from_millis(20));
        timings.of("greet").note(Fate::Failed, Duration::from_millis(1));
        timings.of("whatever a work item names").note(Fate::Completed, Duration::ZERO);
        let deliveries = vec![
            delivery(false),
            delivery(false),
            Delivery { message: work("greet", "people", 1).message, ..delivery(false) },
        ];
        worker.step(Input::Delivered { queue: QueueId(0), deliveries }, &mut Vec::new());
        worker.step(Input::Baton { queue: ServedId(1), is_held: true }, &mut Vec::new());
        metrics.shows(&worker);
        metrics.shows(&worker);
        std::mem::forget(metrics); // it still holds them
    })
}

#[test]
fn what_a_worker_does_is_exported_under_few_labels() {
    let page = page();
    for line in [
        "warren_work_items_total{queue=\"people\"} 3",
        "warren_work_items_total{queue=\"others\"} 0",
        "warren_work_items_redelivered_total{queue=\"people\"} 1",
        "warren_replies_total{result=\"confirmed\"} 2",
        "warren_replies_total{result=\"lost\"} 1",
        "warren_drains_total 1",
        "warren_activity_seconds_count{activity=\"greet\",queue=\"people\",outcome=\"completed\"} 1",
        "warren_activity_seconds_count{activity=\"greet\",queue=\"people\",outcome=\"failed\"} 1",
        "warren_activity_seconds_count{activity=\"greet\",queue=\"people\",outcome=\"cancelled\"} 0",
        "warren_activity_seconds_count{activity=\"unknown\",queue=\"unknown\",outcome=\"completed\"} 1",
        "warren_activities_running 1",
        "warren_work_items_held 3",
        "warren_batons_held{queue=\"others\"} 1",
        "warren_dead_messages_total{reason=\"malformed\"} 2",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
}

#[test]
fn everything_that_is_exported_is_described() {
    let page = page();
    let names = |prefix: &str| -> BTreeSet<String> {
        let lines = page.lines().filter_map(|line| line.strip_prefix(prefix));
        lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    assert_eq!(names("# TYPE "), names("# HELP "));
}
