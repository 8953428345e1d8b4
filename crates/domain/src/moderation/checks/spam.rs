//! Whether somebody says too much, or too often the same: counted by fingerprints of what they said lately.

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{Content, Hit, Pace, Repeat, policy::THRESHOLD_MAX};
use crate::{
    Result, Tx,
    keyspace::{At, SAID},
};

/// The longest time that a rule looks back, in seconds: a day.
pub const WINDOW_SECONDS_MAX: u64 = 24 * 60 * 60;

/// What is known of something that was said: enough to find the same again, and not what it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Fingerprint {
    /// Of the text, but for case and blanks.
    #[n(0)]
    pub exact: u64,
    /// Of its words: texts with many words in common differ in few bits.
    #[n(1)]
    pub similar: u64,
    /// Whether it has a link.
    #[n(2)]
    pub has_link: bool,
}

impl Fingerprint {
    /// The fingerprint of these texts together.
    pub fn of(texts: &[&str]) -> Self {
        let text = texts.join(" ").to_lowercase();
        let (mut exact, mut votes) = (FNV_START, [0_i32; 64]);
        for word in text.split_whitespace() {
            exact = fnv(fnv(exact, word.as_bytes()), b" ");
            // The low bits of such a hash hang on the last letters alone, so it is stirred.
            let hash = stirred(fnv(FNV_START, word.as_bytes()));
            for (bit, vote) in votes.iter_mut().enumerate() {
                *vote += if hash >> bit & 1 == 1 { 1 } else { -1 };
            }
        }
        let similar = votes.iter().enumerate().fold(0, |bits, (bit, vote)| bits | (u64::from(*vote > 0) << bit));
        let has_link = ["http://", "https://", "www."].iter().any(|start| text.contains(start));
        Fingerprint { exact, similar, has_link }
    }

    fn repeats(&self, other: &Self, repeat: Repeat) -> bool {
        match repeat {
            Repeat::Any => true,
            Repeat::Links => self.has_link && other.has_link,
            Repeat::Identical => self.exact == other.exact,
            Repeat::Similar(bits) => (self.similar ^ other.similar).count_ones() <= bits,
        }
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Adds bytes to an FNV-1a hash.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Spreads every bit of a hash over all of it.
fn stirred(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The rules that the content breaks, counted with what its author said before; counts it for the next time, and forgets
/// what no rule looks back to.
pub(super) async fn hits(tx: &mut Tx, paces: &[Pace], content: &Content<'_>, now: Timestamp) -> Result<Vec<Hit>> {
    let (tenant, user) = (tx.tenant(), content.creator.to_string());
    let own = Fingerprint::of(&content.texts);
    let range = SAID.prefix(tenant, &(user.clone(),));
    let rows = usize::try_from(THRESHOLD_MAX).unwrap_or(usize::MAX);
    let said = SAID.scan(tx, tenant, range.clone(), Direction::Backward, Limit::rows(rows)).await?.rows;
    let before: Vec<(Timestamp, Fingerprint)> =
        said.into_iter().filter(|((_, _, id), _)| id != content.id).map(|((_, at, _), print)| (at.0, print)).collect();
    let is_broken = |pace: &&Pace| {
        let is_allowed = content.texts.iter().all(|text| pace.allowed.contains(&text.to_lowercase()));
        if (is_allowed && !pace.allowed.is_empty()) || !own.repeats(&own, pace.repeat) {
            return false;
        }
        let since = now.plus_micros(-i64::try_from(pace.seconds * 1_000_000).unwrap_or(i64::MAX));
        let same = |(at, print): &&(Timestamp, Fingerprint)| *at > since && print.repeats(&own, pace.repeat);
        before.iter().filter(same).count() + 1 >= pace.threshold
    };
    let hit = |pace: &Pace| Hit { engine: pace.engine, rule: pace.rule.to_owned(), verdict: pace.verdict };
    let hits = paces.iter().filter(is_broken).map(hit).collect();
    let forgotten = now.plus_micros(-i64::try_from(WINDOW_SECONDS_MAX * 1_000_000).unwrap_or(i64::MAX));
    let until = SAID.key(tenant, &(user.clone(), At(forgotten), String::new()));
    tx.delete_range(range.start..until);
    SAID.put(tx, tenant, &(user, At(now), content.id.to_owned()), &own);
    Ok(hits)
}
