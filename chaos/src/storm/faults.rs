//! Which faults strike, and when: made from the seed.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::dice::Dice;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// SIGKILL of an orchestrator-svc.
    KillOrchestrator,
    /// SIGKILL of an activity-worker.
    KillWorker,
    /// SIGKILL of a client-api.
    KillApi,
    /// SIGSTOP of an orchestrator-svc for longer than its lease, then SIGCONT.
    FreezeOrchestrator,
    /// SIGSTOP of an activity-worker, then SIGCONT.
    FreezeWorker,
    /// RabbitMQ is stopped and started.
    BrokerRestart,
    /// PostgreSQL is stopped and started.
    DatabaseRestart,
    /// SIGTERM of an orchestrator-svc, which drains and is started again.
    RollingRestart,
}

impl Kind {
    /// Those that take a partition, the broker or the database away.
    pub(crate) const HEAVY: [Self; 5] = [
        Self::KillOrchestrator,
        Self::FreezeOrchestrator,
        Self::BrokerRestart,
        Self::DatabaseRestart,
        Self::RollingRestart,
    ];
    /// The others.
    pub(crate) const LIGHT: [Self; 3] = [Self::KillWorker, Self::KillApi, Self::FreezeWorker];

    /// Returns its name in figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KillOrchestrator => "kill_orchestrator",
            Self::KillWorker => "kill_worker",
            Self::KillApi => "kill_client_api",
            Self::FreezeOrchestrator => "freeze",
            Self::FreezeWorker => "freeze_worker",
            Self::BrokerRestart => "broker_restart",
            Self::DatabaseRestart => "database_restart",
            Self::RollingRestart => "rolling_restart",
        }
    }
}

/// A fault to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// When, from the beginning of the storm.
    pub(crate) at: Duration,
    /// What.
    pub(crate) kind: Kind,
    /// How many of this kind come before it.
    pub(crate) nth: u32,
    /// Decides on its target and its details.
    pub(crate) seed: u64,
}

/// When the first fault strikes: by then there is load.
const FIRST: Duration = Duration::from_secs(15);

/// Returns so many faults, spread over `length`: each kind as often as any other, the light ones between the heavy ones.
pub(crate) fn schedule(seed: u64, count: u32, length: Duration) -> Vec<Planned> {
    let mut dice = Dice::new(seed, "faults");
    let kinds: Vec<Kind> = deal(&mut dice, count);
    let (heavy, light): (Vec<Kind>, Vec<Kind>) = kinds.into_iter().partition(|kind| Kind::HEAVY.contains(kind));
    let mut planned = spread(&mut dice, &heavy, length);
    planned.extend(spread(&mut dice, &light, length));
    planned.sort_by_key(|planned| planned.at);
    let mut seen: BTreeMap<Kind, u32> = BTreeMap::new();
    for planned in &mut planned {
        let times = seen.entry(planned.kind).or_default();
        planned.nth = std::mem::replace(times, *times + 1);
    }
    planned
}

/// Deals kinds so that none comes a second time more often than another.
fn deal(dice: &mut Dice, count: u32) -> Vec<Kind> {
    let mut kinds = Vec::new();
    while kinds.len() < count as usize {
        let mut round: Vec<Kind> = Kind::HEAVY.into_iter().chain(Kind::LIGHT).collect();
        dice.shuffle(&mut round);
        kinds.extend(round);
    }
    kinds.truncate(count as usize);
    kinds
}

/// One fault in each of as many equal spans, somewhere in its first half.
fn spread(dice: &mut Dice, kinds: &[Kind], length: Duration) -> Vec<Planned> {
    let count = u32::try_from(kinds.len()).expect("a storm has few faults").max(1);
    let span = length.saturating_sub(FIRST) / count;
    let half = u32::try_from(span.as_millis() / 2).unwrap_or(u32::MAX);
    let at = |number: u32, dice: &mut Dice| FIRST + span * number + Duration::from_millis(dice.between(0, half).into());
    (0_u32..)
        .zip(kinds)
        .map(|(number, kind)| Planned { at: at(number, dice), kind: *kind, nth: 0, seed: dice.roll() })
        .collect()
}

#[cfg(test)]
#[path = "faults_test.rs"]
mod test;
