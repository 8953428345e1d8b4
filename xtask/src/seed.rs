//! Dice for tests that must be repeatable: the same seed throws the same numbers.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A small generator (SplitMix64); good dice, no secrets.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound`, without `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "dice need at least one side");
        self.next() % bound
    }
}

/// A seed for a run that was given none; it is printed, so that the run can be repeated.
pub(crate) fn fresh() -> u64 {
    RandomState::new().build_hasher().finish() >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_numbers() {
        let throws = |seed| (0..5).map(|_| seed).scan(Dice::new(seed), |dice, _| Some(dice.next())).collect::<Vec<_>>();
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
    }
}
