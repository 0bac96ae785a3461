//! A node of a RabbitMQ cluster dies in the middle of the work, the one that leads the control queues, and every order
//! still ends exactly once (H1, H5, H6, H9).
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::time::Instant;

use end_to_end::{Cluster, Fleet, eventually, orders};
use example_order::sample::Entry;
use futures_util::future::join_all;

const PARTITIONS: usize = 4;

/// Asks a node which queues of the hub have how many members, and how many of these are there.
fn members(cluster: &Cluster, node: &str, hub: &str) -> Vec<(String, usize, usize)> {
    let lines = cluster.ctl(node, &["list_queues", "--no-table-headers", "name", "members", "online"]);
    let count = |list: &str| list.matches('@').count();
    let rows = lines.iter().map(|line| line.split('\t').collect::<Vec<_>>());
    let ours = rows.filter(|row| row[0].starts_with(hub));
    ours.map(|row| (row[0].to_owned(), count(row[1]), count(row[2]))).collect()
}

/// Waits until every queue of the hub has its three members.
async fn whole(cluster: &Cluster, hub: &str) {
    eventually("every queue has three members", || async {
        let queues = members(cluster, "1", hub);
        queues.len() > PARTITIONS && queues.iter().all(|(_, all, online)| (*all, *online) == (3, 3))
    })
    .await;
}

/// Counts the instances that have not ended.
async fn in_flight(fleet: &Fleet) -> usize {
    let reply = fleet.get("/instances?runtimeStatus=Pending,Running&top=1000").await;
    reply.json::<Vec<serde_json::Value>>().unwrap_or_else(|_| panic!("{}", reply.text())).len()
}

/// Sends orders side by side; kills the node that leads the control queue while they are on their way.
async fn strike(cluster: &Cluster, fleet: &Fleet, entries: &[Entry], control: &str) -> String {
    let leader = cluster.leader(control);
    let kill = async {
        let many = || async { in_flight(fleet).await >= entries.len() / 2 };
        eventually("many orders are on their way", many).await;
        let count = in_flight(fleet).await;
        cluster.kill(&leader);
        (count, Instant::now())
    };
    let ((count, killed), _) = tokio::join!(kill, join_all(entries.iter().map(|entry| orders::send(fleet, entry))));
    let ms = killed.elapsed().as_millis();
    eprintln!(
        "killed node {leader}, which led {control}, with {count} instances in flight; all {} were accepted {ms} ms later",
        entries.len()
    );
    assert_ne!(cluster.leader(control), leader, "another node leads");
    leader
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts three RabbitMQ nodes and takes minutes: make test-cluster"]
async fn h6_every_order_ends_exactly_once_though_the_leader_of_the_control_queues_is_killed() {
    let cluster = Cluster::start();
    let mut fleet = Fleet::on(cluster.url());
    for name in ["orchestrator", "worker-1", "worker-2", "api"] {
        // Slow enough that most of a strike's orders are on their way when the node dies.
        fleet.spawn(name, &[("worker.concurrency", "1")]);
        fleet.ready(name).await;
    }
    let entries = orders::first(450);
    let control = format!("{}.control.00", fleet.hub);
    for strike_entries in entries.chunks(150) {
        whole(&cluster, &fleet.hub).await;
        let dead = strike(&cluster, &fleet, strike_entries, &control).await;
        for entry in strike_entries {
            orders::check(&fleet, entry).await;
        }
        cluster.revive(&dead);
    }
    let left = cluster.ctl("1", &["list_queues", "--no-table-headers", "name", "messages"]);
    let dead = format!("{}.dead\t0", fleet.hub);
    assert!(left.contains(&dead), "nothing was given up: {left:?}");
    for name in ["worker-1", "worker-2", "api", "orchestrator"] {
        assert!(fleet.process_mut(name).stop().await.success(), "{name} stops politely");
    }
}
