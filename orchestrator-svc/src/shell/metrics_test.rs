use jiff::SignedDuration;
use warren_service::metrics::counted;

use super::*;

/// Says whether the page has the line.
fn has(page: &str, line: &str) -> bool {
    page.lines().any(|found| found == line)
}

#[test]
fn what_an_owner_has_counted_is_exported_under_few_labels() {
    let counts = Counts {
        batches: vec![(12, 3)],
        turns: [("recorded", 3), ("idle", 1)].into(),
        started: [("hello".into(), 2), ("whatever a client calls it".into(), 1), ("another".into(), 1)].into(),
        ended: [(("hello".into(), "Failed"), 2)].into(),
        dead: [("expired", 4)].into(),
        cached: 9,
        read: 3,
        timers: vec![SignedDuration::from_millis(30), SignedDuration::from_millis(-1)],
        ..Counts::default()
    };
    let page = counted(|| Metrics::new(["hello"].into_iter()).add(counts));
    for line in [
        "warren_batch_messages_bucket{le=\"20\"} 1",
        "warren_batch_instances_sum 3",
        "warren_turns_total{result=\"recorded\"} 3",
        "warren_instances_started_total{orchestrator=\"hello\"} 2",
        "warren_instances_started_total{orchestrator=\"unknown\"} 2",
        "warren_instances_ended_total{orchestrator=\"hello\",status=\"Failed\"} 2",
        "warren_instances_ended_total{orchestrator=\"hello\",status=\"Completed\"} 0",
        "warren_dead_messages_total{reason=\"expired\"} 4",
        "warren_cache_hits_total 9",
        "warren_cache_misses_total 3",
        "warren_timer_delay_seconds_bucket{le=\"0.001\"} 1",
        "warren_timer_delay_seconds_count 2",
    ] {
        assert!(has(&page, line), "{line} is not in\n{page}");
    }
}

#[test]
fn a_commit_is_timed_until_it_is_written_and_publications_count_by_their_fate() {
    let commit = |number| {
        let (partition, epoch) = (warren_model::Partition(0), warren_store::Epoch(1));
        Effect::Commit(Box::new(warren_store::Commit::new(partition, epoch, number)))
    };
    let page = counted(|| {
        let mut metrics = Metrics::new([].into_iter());
        metrics.asked(&commit(1));
        metrics.asked(&commit(2));
        metrics.told(&Input::Committed(1));
        let results = vec![Published::Confirmed, Published::Returned, Published::Confirmed];
        metrics.told(&Input::Published { ticket: crate::owner::Ticket::Answers, results });
    });
    for line in [
        "warren_commit_seconds_count 1",
        "warren_publications_total{result=\"confirmed\"} 2",
        "warren_publications_total{result=\"returned\"} 1",
    ] {
        assert!(has(&page, line), "{line} is not in\n{page}");
    }
}

#[test]
fn everything_that_is_exported_is_described() {
    let page = counted(|| {
        describe();
        let counts = Counts { batches: vec![(1, 1)], timers: vec![SignedDuration::ZERO], ..Counts::default() };
        Metrics::new(["hello"].into_iter()).add(counts);
        owns(1, 1);
        has_acquired("takeover");
        has_ended("failed");
        transactions().record(0.1);
    });
    let names = |prefix: &str| -> std::collections::BTreeSet<String> {
        let lines = page.lines().filter_map(|line| line.strip_prefix(prefix));
        lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    let undescribed: Vec<_> = names("# TYPE ").difference(&names("# HELP ")).cloned().collect();
    assert!(undescribed.is_empty(), "{undescribed:?}\n{page}");
}
