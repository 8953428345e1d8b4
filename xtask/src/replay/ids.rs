//! The ids that the API promises for activities with a foreign id, computed a second time and from the contract alone.

use anyhow::{Context, Result};

/// 100 ns steps from the start of the UUID calendar (1582-10-15) to 1970.
const UUID_EPOCH_STEPS: u64 = 122_192_928_000_000_000;

/// What orders activities, and with it their id: the time, then the bytes that the foreign id gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ActivityKey {
    steps: u64,
    node: u64,
}

impl ActivityKey {
    /// The key of the activity with this foreign id and time (`2018-07-08T14:09:36.123456`, UTC).
    pub(crate) fn new(foreign_id: &str, time: &str) -> Result<Self> {
        let micros =
            unix_micros(time).with_context(|| format!("`{time}` is not a time like 2018-07-08T14:09:36.000000"))?;
        let hash = murmur3(foreign_id.as_bytes()).cast_signed();
        let node = u64::from(hash.unsigned_abs()) | if hash > 0 { 0x1_0000_0000 } else { 0 };
        Ok(Self { steps: UUID_EPOCH_STEPS + micros * 10, node: node | 0x8000_0000_0000 })
    }

    /// The activity id.
    pub(crate) fn id(self) -> String {
        let (low, middle, high) = (self.steps & 0xffff_ffff, (self.steps >> 32) & 0xffff, self.steps >> 48);
        format!("{low:08x}-{middle:04x}-{:04x}-8080-{:012x}", 0x1000 | high, self.node)
    }
}

fn unix_micros(time: &str) -> Option<u64> {
    let (date, clock) = time.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, fraction) = clock.split_once('.')?;
    let mut clock = clock.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if fraction.len() != 6 || year < 1970 {
        return None;
    }
    let seconds = (days_since_1970(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000 + fraction.parse::<u64>().ok()?)
}

fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    const BEFORE_MONTH: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let month_index = usize::try_from(month.clamp(1, 12) - 1).unwrap_or(0);
    let this_leap_day = u64::from(is_leap && month > 2);
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969) + BEFORE_MONTH[month_index] + this_leap_day + day - 1
}

/// MurmurHash3, x86, 32 bits, seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    let scramble = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut blocks = bytes.chunks_exact(4);
    let mut hash = 0_u32;
    for block in &mut blocks {
        let block = block.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = (hash ^ scramble(block)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = blocks.remainder().iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    hash ^= scramble(rest);
    hash ^= u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_contract() {
        let id = |foreign_id, time| ActivityKey::new(foreign_id, time).unwrap().id();
        assert_eq!(id("123sdsd333}}}", "2015-12-28T00:00:00.000000"), "f01c0000-acf5-11e5-8080-80006a8b5bc2");
        assert_eq!(id("6621934", "2016-01-15T12:54:42.000000"), "24f9d500-bb87-11e5-8080-80012ce3cc51");
        assert_eq!(id("6621938", "2016-01-15T12:54:49.000000"), "2925f280-bb87-11e5-8080-8001597d791f");
        assert_eq!(id("467791-42-follow", "2016-12-11T17:05:21.000000"), "ffa65e80-bfc3-11e6-8080-800027086507");
    }

    #[test]
    fn leap_days_are_counted() {
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        assert_eq!(days_since_1970(2000, 3, 1), 11_017);
        assert_eq!(days_since_1970(2024, 2, 29), 19_782);
    }
}
