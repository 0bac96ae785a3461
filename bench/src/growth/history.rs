//! What an event costs an instance whose history has so many already.
//!
//! An instance calls activities one after the other until its history is as long as it should be, then waits for an event.
//! That sets off what is measured: some more activities, while the instance is in memory; or none, after the process was
//! started anew, so that it is read and replayed first.

use std::time::Duration;

use anyhow::ensure;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, sleep};
use warren_model::{InstanceId, Payload};

use super::{
    fleet::Fleet,
    outcome::{Series, Shown},
    plan::{Part, Plan},
};
use crate::{
    load::Load,
    workload::{GROW, Job, MORE, parcel},
};

/// How many instances of one size run at a time while it is measured: few, so that commits are small and histories matter.
const LANES: usize = 2;
/// How many instances are started at a time.
const STARTS: usize = 100;
/// Events that an activity leaves in a history: a turn, its answer, and what the orchestrator asks for next.
const EVENTS_PER_STEP: u32 = 3;
/// What is awaited meanwhile is looked at as often.
const LOOK: Duration = Duration::from_secs(3);
/// How long histories may take to become as long as they should be.
const GROWN: Duration = Duration::from_secs(900);
/// How many instances are read again per size: about as many events of each.
const EVICTED_EVENTS: u32 = 100_000;
/// More than all of them take: nothing of what is measured may be evicted.
const CACHE: [&str; 2] = ["orchestrator.cache_instances=100000", "orchestrator.cache_megabytes=8192"];

/// Instances with a history of about this many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    events: u32,
    /// Activities of each before it waits.
    before: u32,
    /// Activities of each while it is measured.
    steps: u32,
    /// Instances per round.
    instances: u32,
    /// Instances that are read again.
    evicted: u32,
}

impl Size {
    /// Returns the size with this many events, of whose instances about so many activities are measured per round.
    fn new(events: u32, steps_per_round: u32) -> Self {
        let steps = (events / EVENTS_PER_STEP).clamp(1, (steps_per_round / LANES as u32).max(1));
        // What is measured lies in the middle.
        let before = (events / EVENTS_PER_STEP).saturating_sub(steps / 2).max(1);
        let evicted = (EVICTED_EVENTS / events).clamp(2, 200);
        Self { events, before, steps, instances: (steps_per_round / steps).max(LANES as u32), evicted }
    }

    /// Returns how many events an instance has before it waits.
    fn events_before(self) -> u32 {
        EVENTS_PER_STEP * self.before + 2
    }

    /// Returns how many events are measured per round: each activity has three, and so has what sets it off.
    fn events_measured(self) -> u32 {
        self.instances * EVENTS_PER_STEP * (self.steps + 1)
    }
}

/// The instances of a size.
struct Grown {
    size: Size,
    rounds: Vec<Vec<InstanceId>>,
    evicted: Vec<InstanceId>,
}

/// Measures it: an event of an instance that is in memory, and one more event of an instance that is not.
pub(super) async fn run(plan: &Plan) -> anyhow::Result<Vec<Series>> {
    let sizes = Part::History.sizes(plan.quick).iter().map(|events| Size::new(*events, plan.steps()));
    let mut fleet = Fleet::start(plan, "history", &CACHE).await?;
    let grown = grow(&fleet, &fleet.load().await?, sizes.collect(), plan.rounds()).await?;
    let mut cached = Series::new(Shown {
        name: "history",
        title: "an event, by events of its instance's history",
        x: "events",
        unit: "us",
        cost: &["orchestrator", "database"],
        from: Some(100),
        is_limited: true,
    });
    let load = fleet.load().await?;
    for round in 0..plan.rounds() as usize {
        for Grown { size, rounds, .. } in &grown {
            let work = finish(&load, &rounds[round], *size, size.steps, LANES);
            cached.add(size.events, fleet.measure(size.events_measured(), work).await?);
        }
    }
    fleet.forget().await?;
    let load = fleet.load().await?;
    let mut evicted = Series::new(Shown {
        name: "history-evicted",
        title: "one more event of an instance that is not in memory",
        x: "events",
        unit: "us",
        cost: &["orchestrator", "database"],
        from: None,
        is_limited: false,
    });
    for Grown { size, evicted: ids, .. } in &grown {
        let work = finish(&load, ids, *size, 0, 1);
        evicted.add(size.events, fleet.measure(size.evicted, work).await?);
    }
    fleet.check().await?;
    fleet.stop().await?;
    Ok(vec![cached, evicted])
}

/// Starts the instances of all sizes, the longest first, and waits until all of them wait.
async fn grow(fleet: &Fleet, load: &Load, sizes: Vec<Size>, rounds: u32) -> anyhow::Result<Vec<Grown>> {
    let mut grown = Vec::new();
    let (mut count, mut events) = (0, 0);
    for size in sizes.into_iter().rev() {
        let per_round = size.instances as usize;
        let all = rounds * size.instances + size.evicted;
        let job = Payload::of(&Job { times: size.before, parcel: parcel(0) })?;
        let starts = (0..all).map(|_| load.start(GROW.name(), job.clone()));
        let mut ids: Vec<InstanceId> = stream::iter(starts).buffer_unordered(STARTS).try_collect().await?;
        let evicted = ids.split_off(rounds as usize * per_round);
        let rounds = ids.chunks(per_round).map(<[_]>::to_vec).collect();
        grown.insert(0, Grown { size, rounds, evicted });
        count += i64::from(all);
        events += i64::from(all) * i64::from(size.events_before());
    }
    let (rows, until) = (fleet.rows().await?, Instant::now() + GROWN);
    loop {
        let (running, recorded) = rows.events(GROW.name()).await?;
        ensure!(running == count, "{running} instances run, and {count} were started");
        if recorded >= events {
            ensure!(recorded == events, "histories have {recorded} events, and {events} were expected");
            return Ok(grown);
        }
        eprintln!("history: {recorded} of {events} events are there");
        let seconds = GROWN.as_secs();
        ensure!(Instant::now() < until, "histories are not long enough within {seconds} s: try --quick");
        sleep(LOOK).await;
    }
}

/// Sets off so many more activities of each instance, so many instances at a time, and looks at what they return.
async fn finish(load: &Load, ids: &[InstanceId], size: Size, steps: u32, lanes: usize) -> anyhow::Result<()> {
    let expected = Payload::of(&parcel(u64::from(size.before + steps)))?;
    let steps = Payload::of(&steps)?;
    let tell = |id| load.tell(id, MORE.name(), steps.clone(), &expected);
    stream::iter(ids).map(tell).buffer_unordered(lanes).try_for_each(|()| async { Ok(()) }).await
}

#[cfg(test)]
#[path = "history_test.rs"]
mod test;
