//! What a replica exports: every metric of orchestrator-svc has its name and its meaning here.
//!
//! Handles are made once. Owners count by themselves, and what they have counted is added up after each of their steps.

use std::collections::{BTreeMap, HashMap, VecDeque};

use metrics::{Counter, Histogram, counter, gauge, histogram};
use tokio::time::Instant;
use warren_broker::Published;
use warren_engine::Programs;
use warren_model::Status;
use warren_service::metrics::Share;

use crate::owner::{Counts, Effect, Input, Levels, Owner};

/// What stands for every orchestrator that this process does not know: whoever starts an instance names it.
const UNKNOWN: &str = "unknown";

/// Says what the metrics mean.
pub(crate) fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    gauge!("warren_partitions_owned", "partitions that this process owns");
    gauge!("warren_replicas", "processes that share the hub's partitions, as this one sees it");
    counter!(
        "warren_partitions_acquired_total",
        "partitions acquired, by how: a handover, or a takeover from an owner that ended without a word"
    );
    counter!("warren_sessions_ended_total", "sessions of partitions that ended, by how");
    counter!("warren_deliveries_total", "messages of control queues that were delivered");
    counter!("warren_redeliveries_total", "messages of control queues that were delivered again");
    counter!("warren_turns_total", "turns, by whether they were recorded, had nothing to record, or were undone");
    histogram!("warren_batch_messages", "messages and timers that went into one commit");
    histogram!("warren_batch_instances", "instances that went into one commit");
    histogram!("warren_commit_seconds", "from when a partition's commit was ready until it was written");
    histogram!("warren_transaction_seconds", "how long the store took for a transaction, of one commit or of several");
    counter!("warren_instances_started_total", "instances that began, by orchestrator");
    counter!("warren_instances_ended_total", "instances that ended, by orchestrator and status");
    gauge!("warren_instances_parked", "instances that can't go on by themselves, by condition");
    counter!("warren_commands_total", "commands, by kind");
    counter!("warren_commands_repeated_total", "commands that had been answered before, and were again");
    counter!("warren_commands_refused_total", "commands that were refused, by code");
    counter!("warren_dead_messages_total", "messages sent to the dead queue, by the kind of reason");
    counter!("warren_publications_total", "messages published, by what the broker made of them");
    gauge!("warren_outbox_unconfirmed", "commits with messages that the broker has not confirmed");
    gauge!("warren_outbox_unheard", "commits with words that another partition has yet to take");
    gauge!("warren_runs", "tasks that run for more than a second, or that something else completes");
    counter!("warren_runs_ended_total", "runs that ended without a reply, by why");
    gauge!("warren_cached_instances", "instances in memory");
    gauge!("warren_cached_bytes", "bytes that the instances in memory take, as estimated");
    counter!("warren_cache_hits_total", "messages whose instance was in memory");
    counter!("warren_cache_misses_total", "instances that had to be read from the store");
    counter!("warren_replays_total", "instances that were brought back by replay");
    counter!("warren_replayed_events_total", "events of history that were replayed");
    histogram!("warren_timer_delay_seconds", "how late timers fired");
}

/// How many partitions the process owns, as of now.
pub(super) fn owns(partitions: usize, replicas: usize) {
    gauge!("warren_partitions_owned").set(number(partitions));
    gauge!("warren_replicas").set(number(replicas));
}

/// A partition was acquired.
pub(super) fn has_acquired(how: &'static str) {
    counter!("warren_partitions_acquired_total", "how" => how).increment(1);
}

/// A session has ended.
pub(super) fn has_ended(how: &'static str) {
    counter!("warren_sessions_ended_total", "how" => how).increment(1);
}

/// A message of the ingress makes no sense.
pub(super) fn has_buried(reason: &'static str) {
    counter!("warren_dead_messages_total", "reason" => reason).increment(1);
}

/// Returns where to note how long transactions take.
pub(super) fn transactions() -> Histogram {
    histogram!("warren_transaction_seconds")
}

/// Counters by the value of a label, each made when it is first wanted.
struct Counters {
    name: &'static str,
    label: &'static str,
    made: BTreeMap<&'static str, Counter>,
}

impl Counters {
    fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, made: BTreeMap::new() }
    }

    fn add(&mut self, tally: impl IntoIterator<Item = (&'static str, u64)>) {
        for (value, count) in tally {
            let make = || counter!(self.name, self.label => value);
            self.made.entry(value).or_insert_with(make).increment(count);
        }
    }
}

/// The handles of one session.
pub(super) struct Metrics {
    deliveries: Counter,
    redeliveries: Counter,
    turns: Counters,
    batch_messages: Histogram,
    batch_instances: Histogram,
    commit_seconds: Histogram,
    started: HashMap<&'static str, Counter>,
    ended: HashMap<&'static str, BTreeMap<&'static str, Counter>>,
    parked: BTreeMap<&'static str, Share>,
    commands: Counters,
    repeated: Counter,
    refused: Counters,
    dead: Counters,
    publications: Counters,
    unconfirmed: Share,
    unheard: Share,
    runs: Share,
    runs_ended: Counters,
    cached: Share,
    cached_bytes: Share,
    hits: Counter,
    misses: Counter,
    replays: Counter,
    replayed_events: Counter,
    timer_delay: Histogram,
    /// Commits on their way, and since when.
    flights: VecDeque<(u64, Instant)>,
}

impl Metrics {
    /// Returns handles for a session of a process that knows these orchestrators.
    pub(super) fn new(orchestrators: impl Iterator<Item = &'static str>) -> Self {
        let orchestrators: Vec<&'static str> = orchestrators.chain([UNKNOWN]).collect();
        let started = |name: &'static str| counter!("warren_instances_started_total", "orchestrator" => name);
        let ended = |name: &'static str| {
            let ended = Status::ALL.into_iter().filter(|status| status.is_terminal()).map(Status::as_str);
            let counter = |status| counter!("warren_instances_ended_total", "orchestrator" => name, "status" => status);
            ended.map(|status| (status, counter(status))).collect()
        };
        Self {
            deliveries: counter!("warren_deliveries_total"),
            redeliveries: counter!("warren_redeliveries_total"),
            turns: Counters::new("warren_turns_total", "result"),
            batch_messages: histogram!("warren_batch_messages"),
            batch_instances: histogram!("warren_batch_instances"),
            commit_seconds: histogram!("warren_commit_seconds"),
            started: orchestrators.iter().map(|name| (*name, started(name))).collect(),
            ended: orchestrators.iter().map(|name| (*name, ended(name))).collect(),
            parked: BTreeMap::new(),
            commands: Counters::new("warren_commands_total", "kind"),
            repeated: counter!("warren_commands_repeated_total"),
            refused: Counters::new("warren_commands_refused_total", "code"),
            dead: Counters::new("warren_dead_messages_total", "reason"),
            publications: Counters::new("warren_publications_total", "result"),
            unconfirmed: Share::of(gauge!("warren_outbox_unconfirmed")),
            unheard: Share::of(gauge!("warren_outbox_unheard")),
            runs: Share::of(gauge!("warren_runs")),
            runs_ended: Counters::new("warren_runs_ended_total", "why"),
            cached: Share::of(gauge!("warren_cached_instances")),
            cached_bytes: Share::of(gauge!("warren_cached_bytes")),
            hits: counter!("warren_cache_hits_total"),
            misses: counter!("warren_cache_misses_total"),
            replays: counter!("warren_replays_total"),
            replayed_events: counter!("warren_replayed_events_total"),
            timer_delay: histogram!("warren_timer_delay_seconds"),
            flights: VecDeque::new(),
        }
    }

    /// Notes what an owner is told.
    pub(super) fn told(&mut self, input: &Input) {
        match input {
            Input::Delivered(deliveries) => {
                self.deliveries.increment(deliveries.len() as u64);
                let again = deliveries.iter().filter(|delivery| delivery.redelivered).count();
                if again > 0 {
                    self.redeliveries.increment(again as u64);
                }
            }
            Input::Committed(number) => {
                while let Some((_, since)) = self.flights.pop_front_if(|(flight, _)| *flight <= *number) {
                    self.commit_seconds.record(since.elapsed());
                }
            }
            Input::Published { results, .. } => self.publications.add(tally(results)),
            Input::Loaded(_)
            | Input::Turns { .. }
            | Input::Timers(_)
            | Input::Expired(_)
            | Input::Swept { .. }
            | Input::Tick
            | Input::Drain => {}
        }
    }

    /// Notes what an owner wants done.
    pub(super) fn asked(&mut self, effect: &Effect) {
        if let Effect::Commit(commit) = effect {
            self.flights.push_back((commit.number, Instant::now()));
        }
    }

    /// Adds up what an owner has counted in a step, and shows how much it holds.
    pub(super) fn stepped<P: Programs>(&mut self, owner: &mut Owner<P>) {
        if let Some(counts) = owner.take_counts() {
            self.add(counts);
        }
        let Levels { cached, cached_bytes, unconfirmed, unheard, runs } = owner.levels();
        self.runs.set(runs as u64);
        self.cached.set(cached as u64);
        self.cached_bytes.set(cached_bytes);
        self.unconfirmed.set(unconfirmed as u64);
        self.unheard.set(unheard as u64);
        for (condition, count) in owner.parked() {
            let make = || Share::of(gauge!("warren_instances_parked", "condition" => condition));
            self.parked.entry(condition).or_insert_with(make).set(count);
        }
    }

    fn add(&mut self, counts: Counts) {
        for (messages, instances) in counts.batches {
            self.batch_messages.record(number(messages));
            self.batch_instances.record(number(instances));
        }
        self.turns.add(counts.turns);
        for (orchestrator, count) in &counts.started {
            known(&self.started, orchestrator).increment(*count);
        }
        for ((orchestrator, status), count) in &counts.ended {
            if let Some(counter) = known(&self.ended, orchestrator).get(status) {
                counter.increment(*count);
            }
        }
        self.commands.add(counts.commands);
        self.refused.add(counts.refused);
        self.dead.add(counts.dead);
        self.runs_ended.add(counts.runs_ended);
        let plain = [
            (&self.repeated, counts.repeated),
            (&self.hits, counts.cached),
            (&self.misses, counts.read),
            (&self.replays, counts.replays),
            (&self.replayed_events, counts.replayed_events),
        ];
        for (counter, count) in plain.into_iter().filter(|(_, count)| *count > 0) {
            counter.increment(count);
        }
        for late in counts.timers {
            self.timer_delay.record(late.as_secs_f64().max(0.0));
        }
    }
}

/// Returns what counts for an orchestrator.
fn known<'m, T>(made: &'m HashMap<&'static str, T>, orchestrator: &str) -> &'m T {
    made.get(orchestrator).unwrap_or_else(|| &made[UNKNOWN])
}

fn tally(results: &[Published]) -> BTreeMap<&'static str, u64> {
    let mut tally = BTreeMap::new();
    for result in results {
        let result = match result {
            Published::Confirmed => "confirmed",
            Published::Returned => "returned",
            Published::Refused(_) => "refused",
            Published::Lost(_) => "lost",
        };
        *tally.entry(result).or_default() += 1;
    }
    tally
}

#[expect(clippy::cast_precision_loss, reason = "a batch has far fewer than 2^53 messages")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
#[path = "metrics_test.rs"]
mod test;
