//! Whose turn it is: of the lanes that have something to begin, the one that gets the free slot.

use std::collections::{BTreeMap, BTreeSet};

use warren_model::Priority;

/// So often in a row a priority is passed over, then it has its turn: a flood of a higher one slows it down, and no more.
const PASSED_MAX: u32 = 7;
const RANKS: usize = Priority::ALL.len();

/// How far the turns have come.
#[derive(Debug, Default)]
pub(super) struct Turns {
    ranks: [Rank; RANKS],
    /// The number of each lane's last turn; 0 if it had none.
    last: BTreeMap<usize, u64>,
    /// How many turns there were.
    count: u64,
}

/// The lanes of one priority.
#[derive(Debug, Default)]
struct Rank {
    /// Those that may have something to begin, by their last turn.
    waiting: BTreeSet<(u64, usize)>,
    /// How often in a row it was passed over, while it had something to begin.
    passed: u32,
}

/// What a lane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// Something that may begin.
    Yes,
    /// Something that may not begin now.
    NotNow,
    /// Nothing.
    Empty,
}

impl Turns {
    /// Lets a lane that has something to begin wait for its turn.
    pub(super) fn list(&mut self, lane: usize, priority: Priority) {
        let last = self.last.get(&lane).copied().unwrap_or_default();
        self.ranks[priority as usize].waiting.insert((last, lane));
    }

    /// Returns which of the lanes that are ready has its turn: of the highest priority, but for one that was passed over for
    /// long; of those the one whose last turn is longest ago, however full another is.
    pub(super) fn take(&mut self, mut ready: impl FnMut(usize) -> Ready) -> Option<usize> {
        let ranks = &mut self.ranks;
        let first: [Option<(u64, usize)>; RANKS] = ranks.each_mut().map(|rank| rank.first(&mut ready));
        let waits = |rank: &usize| first[*rank].is_some();
        let passed_over = (0..RANKS).rev().filter(waits).filter(|rank| ranks[*rank].passed >= PASSED_MAX);
        let chosen = passed_over.max_by_key(|rank| ranks[*rank].passed).or_else(|| (0..RANKS).find(waits))?;
        (0..RANKS).filter(waits).for_each(|rank| ranks[rank].passed += 1);
        let (last, lane) = first[chosen]?;
        self.count += 1;
        ranks[chosen].passed = 0;
        ranks[chosen].waiting.remove(&(last, lane));
        ranks[chosen].waiting.insert((self.count, lane));
        self.last.insert(lane, self.count);
        Some(lane)
    }
}

impl Rank {
    /// Returns the first lane that is ready.
    fn first(&mut self, ready: &mut impl FnMut(usize) -> Ready) -> Option<(u64, usize)> {
        while let Some((_, lane)) = self.waiting.first()
            && ready(*lane) == Ready::Empty
        {
            self.waiting.pop_first();
        }
        self.waiting.iter().find(|(_, lane)| ready(*lane) == Ready::Yes).copied()
    }
}

#[cfg(test)]
#[path = "turns_test.rs"]
mod test;
