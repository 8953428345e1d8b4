//! Activity ids: version 1 shaped UUIDs that carry the activity's time (feeds-v1 §4.3).

use std::{fmt, io::Cursor};

use uuid::Uuid;

use crate::{Malformed, Timestamp};

/// 100 ns steps between the start of the UUID epoch (1582-10-15) and 1970.
const EPOCH_TICKS: i64 = 122_192_928_000_000_000;
/// The two bytes before the node of an id that was made from a foreign id.
const FOREIGN_CLOCK: u64 = 0x8080;

/// Names an activity; ids sort by the activity's time, then by their remaining bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivityId {
    /// The 60-bit UUID time, then the 4-bit version: so ordered, nothing of the UUID is lost.
    time: u64,
    /// The last eight bytes of the UUID.
    tail: u64,
}

impl ActivityId {
    /// Before every other id.
    pub const MIN: Self = ActivityId { time: 0, tail: 0 };
    /// After every other id.
    pub const MAX: Self = ActivityId { time: u64::MAX, tail: u64::MAX };

    fn at(time: Timestamp, tail: u64) -> Self {
        let ticks = u64::try_from(time.micros() * 10 + EPOCH_TICKS).expect("a Timestamp lies inside the UUID epoch");
        ActivityId { time: ticks << 4 | 1, tail }
    }

    /// The id of the activity with this foreign id and time.
    ///
    /// The official clients compute the same id, so the derivation is part of the contract. It hashes the foreign id to
    /// 32 bits; `collision` (0 for the first) numbers the rare other foreign ids that hash alike at the same microsecond.
    pub fn from_foreign_id(foreign_id: &str, time: Timestamp, collision: u8) -> Self {
        let hash = murmur3::murmur3_32(&mut Cursor::new(foreign_id), 0).expect("reading memory does not fail");
        let hash = i64::from(hash as i32);
        let node = if hash > 0 { hash as u64 | 0x1_0000_0000 } else { hash.unsigned_abs() };
        Self::at(time, (FOREIGN_CLOCK + u64::from(collision)) << 48 | node | 0x8000_0000_0000)
    }

    /// The id of an activity without a foreign id whose time the caller gave: the same content at the same time is the
    /// same activity, so that it shows once in a feed that follows two feeds which hold it.
    pub fn from_content(content: &[u8], time: Timestamp) -> Self {
        let hash = murmur3::murmur3_x64_128(&mut Cursor::new(content), 0).expect("reading memory does not fail");
        Self::from_seed(hash as u64, time)
    }

    /// The id of an activity without a foreign id whose time the server set; `seed` is random.
    pub fn from_seed(seed: u64, time: Timestamp) -> Self {
        // The top bits are the UUID variant. The bit below keeps these ids apart from those made from foreign ids.
        Self::at(time, seed & 0x1fff_ffff_ffff_ffff | 0xa000_0000_0000_0000)
    }

    /// The id of the group of activities that `mark` tells from others of its feed, and that began at `time`.
    pub fn of_group(mark: u64, time: Timestamp) -> Self {
        Self::at(time, mark)
    }

    /// What tells a group of this name from others of its feed: the last part of its id.
    pub fn group_mark(name: &str) -> u64 {
        let hash = murmur3::murmur3_x64_128(&mut Cursor::new(name), 0).expect("reading memory does not fail");
        // No id of an activity has these top bits.
        hash as u64 & 0x0fff_ffff_ffff_ffff | 0x9000_0000_0000_0000
    }

    /// Whether it is the id of a group, and not of an activity.
    pub fn is_of_group(self) -> bool {
        self.tail >> 60 == 9
    }

    /// The last part of the id.
    pub fn tail(self) -> u64 {
        self.tail
    }

    /// The lowest id that an activity at `time` can have.
    pub fn first_at(time: Timestamp) -> Self {
        ActivityId { time: Self::at(time, 0).time & !0xf, tail: 0 }
    }

    /// Reads a UUID in its usual form, in either case.
    ///
    /// # Errors
    /// When `text` is not a UUID.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("is not a valid activity id (a UUID)");
        let bytes = text.as_bytes();
        if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|&at| bytes[at] != b'-') {
            return Err(malformed());
        }
        let mut number: u128 = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if [8, 13, 18, 23].contains(&at) {
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or_else(malformed)?;
            number = number << 4 | u128::from(digit);
        }
        Ok(Self::from_uuid(number))
    }

    /// The id whose UUID, read as one big-endian number, is `uuid`.
    fn from_uuid(uuid: u128) -> Self {
        let head = (uuid >> 64) as u64;
        let (low, mid, high) = (head >> 32, head >> 16 & 0xffff, head & 0xffff);
        let time = (high & 0xfff) << 48 | mid << 32 | low;
        ActivityId { time: time << 4 | high >> 12, tail: uuid as u64 }
    }

    fn uuid(self) -> u128 {
        let (time, version) = (self.time >> 4, self.time & 0xf);
        let head = (time & 0xffff_ffff) << 32 | (time >> 32 & 0xffff) << 16 | version << 12 | time >> 48;
        u128::from(head) << 64 | u128::from(self.tail)
    }

    /// The time of the activity.
    pub fn time(self) -> Timestamp {
        let ticks = i64::try_from(self.time >> 4).expect("60 bits fit");
        Timestamp::from_micros((ticks - EPOCH_TICKS).div_euclid(10))
    }

    /// Sixteen bytes that sort as the ids do.
    pub fn to_ordered_bytes(self) -> [u8; 16] {
        (u128::from(self.time) << 64 | u128::from(self.tail)).to_be_bytes()
    }

    /// The id of [`ActivityId::to_ordered_bytes`].
    pub fn from_ordered_bytes(bytes: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(bytes);
        ActivityId { time: (number >> 64) as u64, tail: number as u64 }
    }
}

impl fmt::Display for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Uuid::from_u128(self.uuid()), f)
    }
}

impl fmt::Debug for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_made_from_foreign_ids_are_those_of_the_contract() {
        let vectors = [
            ("123sdsd333}}}", 1451260800, "f01c0000-acf5-11e5-8080-80006a8b5bc2"),
            ("6621934", 1452862482, "24f9d500-bb87-11e5-8080-80012ce3cc51"),
            ("6621938", 1452862489, "2925f280-bb87-11e5-8080-8001597d791f"),
            ("6621941", 1452862492, "2aefb600-bb87-11e5-8080-8001226fe2f2"),
            ("6621945", 1452862496, "2d521000-bb87-11e5-8080-800026259780"),
            ("top_issues_summary_557dc1d9e46fea0a4c000002", 1463914800, "53dbf800-200c-11e6-8080-800023ec2877"),
            ("6625387", 1452866055, "76a65d80-bb8f-11e5-8080-8000530672db"),
            ("UserPrediction:11127278", 1480174117, "00000080-b3ed-11e6-8080-8000444ef374"),
            ("467791-42-follow", 1481475921, "ffa65e80-bfc3-11e6-8080-800027086507"),
        ];
        for (foreign_id, seconds, id) in vectors {
            let time = Timestamp::from_micros(seconds * 1_000_000);
            assert_eq!(ActivityId::from_foreign_id(foreign_id, time, 0).to_string(), id, "{foreign_id}");
        }
    }

    #[test]
    fn another_foreign_id_with_the_same_hash_gets_another_id() {
        let time = Timestamp::from_micros(0);
        assert_ne!(ActivityId::from_foreign_id("a", time, 0), ActivityId::from_foreign_id("a", time, 1));
    }

    #[test]
    fn ids_sort_by_decoded_time_and_not_as_text() {
        // time_low stands first in the text, and wraps every seven minutes.
        let early = ActivityId::from_foreign_id("x", Timestamp::parse("2016-11-26T15:28:00").unwrap(), 0);
        let late = ActivityId::from_foreign_id("x", Timestamp::parse("2016-11-26T15:28:37").unwrap(), 0);
        assert!(early < late);
        assert!(early.to_string() > late.to_string());
    }

    #[test]
    fn only_a_uuid_is_an_activity_id() {
        for text in [
            "",
            "123",
            "8b866680-82b8-11e8-8080-80014b9d80a",
            "8b866680_82b8-11e8-8080-80014b9d80a2",
            "8b866680-82b8-11e8-8080-80014b9d80ag",
        ] {
            assert!(ActivityId::parse(text).is_err(), "{text}");
        }
        let id = ActivityId::parse("8B866680-82B8-11E8-8080-80014B9D80A2").unwrap();
        assert_eq!(id.to_string(), "8b866680-82b8-11e8-8080-80014b9d80a2");
        assert_eq!(id.time().activity().to_string(), "2018-07-08T14:09:36.123456");
    }

    #[test]
    fn the_id_of_a_group_is_never_that_of_an_activity() {
        let time = Timestamp::from_micros(7);
        let group = ActivityId::of_group(ActivityId::group_mark("like_2018"), time);
        assert!(group.is_of_group() && group.time() == time && group.tail() == ActivityId::group_mark("like_2018"));
        assert!(!ActivityId::from_foreign_id("x", time, 15).is_of_group());
        assert!(!ActivityId::from_seed(u64::MAX, time).is_of_group() && !ActivityId::from_seed(0, time).is_of_group());
    }

    proptest! {
        #[test]
        fn every_uuid_survives_its_id(uuid: u128) {
            let id = ActivityId::from_uuid(uuid);
            prop_assert_eq!(id.uuid(), uuid);
            prop_assert_eq!(ActivityId::parse(&id.to_string()), Ok(id));
            prop_assert_eq!(ActivityId::from_ordered_bytes(id.to_ordered_bytes()), id);
        }

        #[test]
        fn bytes_sort_as_ids_do(a: u128, b: u128) {
            let (a, b) = (ActivityId::from_uuid(a), ActivityId::from_uuid(b));
            prop_assert_eq!(a.cmp(&b), a.to_ordered_bytes().cmp(&b.to_ordered_bytes()));
        }

        #[test]
        fn an_id_tells_its_time(micros in -12_212_553_600_000_000_i64..103_035_196_799_999_999, seed: u64) {
            let time = Timestamp::from_micros(micros);
            let id = ActivityId::from_seed(seed, time);
            prop_assert_eq!(id.time(), time);
            prop_assert!(ActivityId::first_at(time) <= id);
            prop_assert!(ActivityId::first_at(time.plus_micros(1)) > id);
        }
    }
}
