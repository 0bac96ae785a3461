//! Processes die in the middle of the work, and every order still ends exactly once (H1, H3, H4, H5, H8).
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use end_to_end::{Fleet, orders};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_ends_exactly_once_though_processes_are_killed() {
    let mut fleet = Fleet::start(&["orchestrator", "worker-1", "worker-2", "api"]).await;
    let entries = orders::first(240);
    for (number, entry) in entries.iter().enumerate() {
        orders::send(&fleet, entry).await;
        match number {
            40 => fleet.process_mut("worker-1").kill(),
            80 => {
                fleet.process_mut("orchestrator").kill();
                fleet.spawn("orchestrator", &[]);
                fleet.spawn("worker-1", &[]);
            }
            120 => {
                fleet.process_mut("worker-2").kill();
                fleet.process_mut("orchestrator").kill();
                fleet.spawn("orchestrator", &[]);
            }
            160 => {
                assert!(fleet.process_mut("orchestrator").stop().await.success(), "it drains and exits with 0");
                fleet.spawn("orchestrator", &[]);
                fleet.spawn("worker-2", &[]);
            }
            200 => {
                fleet.process_mut("orchestrator").kill();
                fleet.spawn("orchestrator", &[]);
            }
            _ => {}
        }
    }
    for entry in &entries {
        orders::check(&fleet, entry).await;
    }
    for name in ["worker-1", "worker-2", "api", "orchestrator"] {
        assert!(fleet.process_mut(name).stop().await.success(), "{name} stops politely");
    }
}
