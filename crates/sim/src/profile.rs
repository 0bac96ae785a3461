//! How rough a run is: how long things take and how often each goes wrong.

use crate::{
    random::Random,
    time::{MS, SECOND},
};

/// Rates of faults; those of single operations are in a million.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    /// How many operations in a million take long instead of their usual time, and how long at most.
    pub(crate) slow: u32,
    pub(crate) slow_max: u64,
    pub(crate) commit_failed: u32,
    pub(crate) commit_unknown: u32,
    pub(crate) commit_slow: u32,
    pub(crate) read_failed: u32,
    pub(crate) publication_refused: u32,
    pub(crate) publication_lost: u32,
    pub(crate) publication_duplicated: u32,
    pub(crate) answer_lost: u32,
    pub(crate) command_lost: u32,
    pub(crate) command_duplicated: u32,
    pub(crate) activity_failed: u32,
    /// How many steps in a million strike their own process.
    pub(crate) strike: u32,
    /// How many reads of an instance in a million find it unreadable.
    pub(crate) unreadable: u32,
    /// The mean time between two disasters of a kind, in microseconds; 0: never.
    pub(crate) kill: u64,
    pub(crate) freeze: u64,
    pub(crate) drain: u64,
    pub(crate) channel: u64,
    pub(crate) broker: u64,
    pub(crate) store: u64,
    pub(crate) queue: u64,
    pub(crate) purge: u64,
}

/// Nothing goes wrong, and nothing takes long.
const STILL: Profile = Profile {
    name: "still",
    slow: 0,
    slow_max: 0,
    commit_failed: 0,
    commit_unknown: 0,
    commit_slow: 0,
    read_failed: 0,
    publication_refused: 0,
    publication_lost: 0,
    publication_duplicated: 0,
    answer_lost: 0,
    command_lost: 0,
    command_duplicated: 0,
    activity_failed: 0,
    strike: 0,
    unreadable: 0,
    kill: 0,
    freeze: 0,
    drain: 0,
    channel: 0,
    broker: 0,
    store: 0,
    queue: 0,
    purge: 0,
};

/// Only duplicates, delays and the failures of activities.
const CALM: Profile = Profile {
    name: "calm",
    slow: 10_000,
    slow_max: 200 * MS,
    publication_duplicated: 10_000,
    command_duplicated: 100_000,
    answer_lost: 20_000,
    activity_failed: 200_000,
    drain: 20 * SECOND,
    ..STILL
};

/// A bit of everything.
const CHOPPY: Profile = Profile {
    name: "choppy",
    slow: 20_000,
    slow_max: SECOND,
    commit_failed: 5_000,
    commit_unknown: 5_000,
    commit_slow: 5_000,
    read_failed: 3_000,
    publication_refused: 10_000,
    publication_lost: 3_000,
    publication_duplicated: 20_000,
    answer_lost: 50_000,
    command_lost: 50_000,
    command_duplicated: 200_000,
    activity_failed: 200_000,
    strike: 1_000,
    unreadable: 3_000,
    kill: 8 * SECOND,
    freeze: 15 * SECOND,
    drain: 15 * SECOND,
    channel: 5 * SECOND,
    broker: 30 * SECOND,
    store: 30 * SECOND,
    queue: 20 * SECOND,
    purge: 4 * SECOND,
};

/// Processes die all the time.
const STORMY: Profile = Profile {
    name: "stormy",
    commit_failed: 30_000,
    commit_unknown: 40_000,
    commit_slow: 10_000,
    read_failed: 10_000,
    publication_refused: 50_000,
    publication_lost: 20_000,
    publication_duplicated: 50_000,
    answer_lost: 200_000,
    command_lost: 100_000,
    command_duplicated: 400_000,
    activity_failed: 300_000,
    strike: 5_000,
    kill: 2 * SECOND,
    freeze: 6 * SECOND,
    drain: 10 * SECOND,
    channel: 2 * SECOND,
    broker: 10 * SECOND,
    store: 15 * SECOND,
    queue: 5 * SECOND,
    purge: 2 * SECOND,
    ..CHOPPY
};

/// Processes stop and wake up later under an epoch that is over.
const FROSTY: Profile = Profile {
    name: "frosty",
    slow: 30_000,
    slow_max: 6 * SECOND,
    commit_slow: 50_000,
    publication_duplicated: 20_000,
    command_duplicated: 200_000,
    purge: 2 * SECOND,
    freeze: 2 * SECOND,
    kill: 20 * SECOND,
    strike: 1_000,
    activity_failed: 100_000,
    ..STILL
};

/// The broker comes and goes; the processes stay.
const FOGGY: Profile = Profile {
    name: "foggy",
    slow: 20_000,
    slow_max: 2 * SECOND,
    publication_refused: 100_000,
    publication_lost: 30_000,
    publication_duplicated: 100_000,
    answer_lost: 200_000,
    command_lost: 200_000,
    command_duplicated: 500_000,
    activity_failed: 100_000,
    channel: SECOND,
    broker: 8 * SECOND,
    queue: 4 * SECOND,
    purge: 2 * SECOND,
    ..STILL
};

/// The store comes and goes.
const MUDDY: Profile = Profile {
    name: "muddy",
    slow: 20_000,
    slow_max: SECOND,
    commit_failed: 60_000,
    commit_unknown: 100_000,
    commit_slow: 30_000,
    read_failed: 30_000,
    command_duplicated: 300_000,
    activity_failed: 100_000,
    strike: 500,
    unreadable: 20_000,
    kill: 15 * SECOND,
    store: 8 * SECOND,
    ..STILL
};

impl Profile {
    /// Every profile; the rougher ones find more and come more often.
    pub(crate) const ALL: [Self; 7] = [STILL, CALM, CHOPPY, STORMY, FROSTY, FOGGY, MUDDY];

    /// Returns a profile by chance.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let at = match random.below(20) {
            0 => 0,
            1..3 => 1,
            3..8 => 2,
            8..13 => 3,
            13..16 => 4,
            16..18 => 5,
            _ => 6,
        };
        Self::ALL[at].clone()
    }

    /// Returns the same without faults, for the end of a run.
    pub(crate) fn quiet(&self) -> Self {
        Self { name: self.name, ..STILL }
    }
}
