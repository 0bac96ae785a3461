//! Whose turn it is: of the queues that have something to begin, the one that gets the free slot.

use warren_model::Priority;

/// So often in a row a priority is passed over, then it has its turn: a flood of a higher one slows it down, and no more.
const PASSED_MAX: u32 = 7;
const RANKS: usize = Priority::ALL.len();

/// How far the turns have come.
#[derive(Debug, Default)]
pub(super) struct Turns([Rank; RANKS]);

/// The queues of one priority.
#[derive(Clone, Copy, Debug, Default)]
struct Rank {
    /// From which queue on the next is looked for.
    next: usize,
    /// How often in a row it was passed over, while it had something to begin.
    passed: u32,
}

impl Turns {
    /// Returns which of the queues that are ready, in their order, has its turn: of the highest priority, but for one that
    /// was passed over for long. Among those of one priority each gets its turn, however full another is.
    pub(super) fn take(&mut self, ready: impl Iterator<Item = (usize, Priority)>) -> Option<usize> {
        let mut first: [Option<usize>; RANKS] = [None; RANKS];
        for (queue, priority) in ready {
            let (next, known) = (self.0[priority as usize].next, &mut first[priority as usize]);
            if known.is_none_or(|known| known < next && queue >= next) {
                *known = Some(queue);
            }
        }
        let waits = |rank: &usize| first[*rank].is_some();
        let passed_over = (0..RANKS).rev().filter(waits).filter(|rank| self.0[*rank].passed >= PASSED_MAX);
        let chosen = passed_over.max_by_key(|rank| self.0[*rank].passed).or_else(|| (0..RANKS).find(waits))?;
        (0..RANKS).filter(waits).for_each(|rank| self.0[rank].passed += 1);
        let queue = first[chosen]?;
        self.0[chosen] = Rank { next: queue + 1, passed: 0 };
        Some(queue)
    }
}

#[cfg(test)]
#[path = "turns_test.rs"]
mod test;
