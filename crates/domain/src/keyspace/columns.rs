//! What stands in keys, in the order that it has there.

use ids::{ActivityId, ChannelId, FeedId, Timestamp};
use store::{Corrupt, Key, key};

/// A feed in a key: group, then id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Feed(pub FeedId);

/// An activity in a key, the oldest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Id(pub ActivityId);

/// An activity in a key, the newest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Newest(pub ActivityId);

/// A moment in a key, the earliest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct At(pub Timestamp);

/// A moment in a key, the latest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Latest(pub Timestamp);

/// A channel in a key: type, then id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Chat(pub ChannelId);

impl Key for Chat {
    fn write(&self, out: &mut Vec<u8>) {
        key::text(out, self.0.kind());
        key::text(out, self.0.id());
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        let (kind, id) = (key::read_text(input)?, key::read_text(input)?);
        ChannelId::new(&kind, &id).map(Chat).map_err(|error| Corrupt::new(error.to_string()))
    }
}

impl Key for Feed {
    fn write(&self, out: &mut Vec<u8>) {
        key::text(out, self.0.group());
        key::text(out, self.0.id());
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        let (group, id) = (key::read_text(input)?, key::read_text(input)?);
        FeedId::restore(&group, &id).map(Feed).map_err(|error| Corrupt::new(error.to_string()))
    }
}

impl Key for Id {
    const WIDTH: Option<usize> = Some(16);

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_ordered_bytes());
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        Ok(Id(ActivityId::from_ordered_bytes(key::take(input)?)))
    }
}

impl Key for Newest {
    const WIDTH: Option<usize> = Some(16);

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_ordered_bytes().map(|byte| !byte));
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        Ok(Newest(ActivityId::from_ordered_bytes(key::take::<16>(input)?.map(|byte| !byte))))
    }
}

impl Key for At {
    const WIDTH: Option<usize> = Some(8);

    fn write(&self, out: &mut Vec<u8>) {
        self.0.micros().write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        Ok(At(Timestamp::from_micros(i64::read(input)?)))
    }
}

impl Key for Latest {
    const WIDTH: Option<usize> = Some(8);

    fn write(&self, out: &mut Vec<u8>) {
        // Flipping every bit of a signed number turns its order round.
        (!self.0.micros()).write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        Ok(Latest(Timestamp::from_micros(!i64::read(input)?)))
    }
}

impl PartialOrd for Newest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Newest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}

impl PartialOrd for Latest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Latest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order_is_kept<K: Key + Ord + Clone + std::fmt::Debug>(a: &K, b: &K) -> Result<(), TestCaseError> {
        let bytes = |key: &K| {
            let mut out = Vec::new();
            key.write(&mut out);
            out
        };
        prop_assert_eq!(a.cmp(b), bytes(a).cmp(&bytes(b)));
        let written = bytes(a);
        prop_assert_eq!(&K::read(&mut written.as_slice()).unwrap(), a);
        Ok(())
    }

    proptest! {
        #[test]
        fn order_in_memory_is_order_in_keys(a: [u8; 16], b: [u8; 16], groups in "[a-c_-]{1,3}", other in "[a-c_-]{1,3}", m: i32, n: i32) {
            let (a, b) = (ActivityId::from_ordered_bytes(a), ActivityId::from_ordered_bytes(b));
            let (m, n) = (Timestamp::from_micros(m.into()), Timestamp::from_micros(n.into()));
            let feeds = (Feed(FeedId::new(&groups, &other).unwrap()), Feed(FeedId::new(&other, &groups).unwrap()));
            order_is_kept(&Id(a), &Id(b))?;
            order_is_kept(&Newest(a), &Newest(b))?;
            order_is_kept(&At(m), &At(n))?;
            order_is_kept(&Latest(m), &Latest(n))?;
            order_is_kept(&feeds.0, &feeds.1)?;
            let chats = (ChannelId::new(&groups, &other).unwrap(), ChannelId::new(&other, &groups).unwrap());
            order_is_kept(&Chat(chats.0), &Chat(chats.1))?;
        }
    }
}
