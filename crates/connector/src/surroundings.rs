//! Time and chance, handed in: the only doors through which the wall clock and randomness come.

use std::sync::Arc;

use ids::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The moment.
    fn now(&self) -> Timestamp;
}

/// Makes random bytes.
pub trait Dice: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The wall clock of this machine.
#[derive(Debug)]
pub struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "the binary hands this clock in; everything else asks `Clock`")]
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

/// The randomness of the operating system.
#[derive(Debug)]
pub struct SystemDice;

impl Dice for SystemDice {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}

/// A clock and dice.
#[derive(Clone)]
pub struct Surroundings {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Surroundings {
    /// These.
    pub fn new(clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { clock, dice }
    }

    /// Those of this machine.
    pub fn system() -> Self {
        Self::new(Arc::new(WallClock), Arc::new(SystemDice))
    }

    /// The moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.dice.fill(&mut bytes);
        bytes
    }

    /// A number from 0 up to, but without, `end`; 0 when `end` is 0.
    pub fn below(&self, end: u64) -> u64 {
        let wide = u128::from(u64::from_be_bytes(self.bytes())) * u128::from(end);
        u64::try_from(wide >> 64).expect("a 64-bit number times a 64-bit number has a 64-bit upper half")
    }

    /// A new id: the prefix and a ULID, so that ids sort by time.
    pub fn id(&self, prefix: &str) -> String {
        let millis = u128::try_from(self.now().micros() / 1000).unwrap_or(0);
        let chance: [u8; 10] = self.bytes();
        let chance = chance.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        let number = millis << 80 | chance;
        let digit = |place: u32| char::from(BASE32[usize::try_from(number >> (5 * place) & 31).expect("below 32")]);
        prefix.chars().chain((0..26).rev().map(digit)).collect()
    }

    /// A new random UUID.
    pub fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_prefix_and_sort_by_time() {
        let machine = Surroundings::system();
        let id = machine.id("dsr_");
        assert_eq!(id.len(), 30);
        assert!(id.starts_with("dsr_01"), "{id}");
        assert_ne!(id, machine.id("dsr_"));
    }

    #[test]
    fn a_number_below_stays_below() {
        let machine = Surroundings::system();
        assert!((0..1000).all(|_| machine.below(7) < 7));
        assert_eq!(machine.below(0), 0);
    }
}
