//! Chance by a seed.

/// A small generator (SplitMix64, in the public domain): the same seed, the same numbers.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Returns dice for one purpose of a run.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mut dice = Self(seed);
        for byte in purpose.bytes() {
            // Of what was rolled, not of the state: purposes that differ in a digit are to have nothing in common.
            dice.0 = dice.roll() ^ u64::from(byte);
        }
        dice
    }

    /// Returns the next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from `from` up to and without `to`.
    pub(crate) fn between(&mut self, from: u32, to: u32) -> u32 {
        let width = u64::from(to.saturating_sub(from).max(1));
        from + u32::try_from(self.roll() % width).expect("a remainder by a u32 fits a u32")
    }

    /// Returns whether something happens that happens so often in a hundred times.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.between(0, 100) < percent
    }

    /// Returns one of several.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let count = u32::try_from(of.len()).expect("few things to pick from");
        &of[self.between(0, count) as usize]
    }

    /// Puts things into another order.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            let other = self.roll() % (at as u64 + 1);
            things.swap(at, usize::try_from(other).expect("less than a usize"));
        }
    }
}

#[cfg(test)]
#[path = "dice_test.rs"]
mod test;
