//! How much of the other side's limit is used (§7.2): paced below its target, with a reserve for others.
//!
//! One limiter for each integration and class of calls, as limits are. It knows no clock and no dice.
//!
//! **Invariant:** any window holds at most ⌊f·L⌋ + 1 of our calls.

use ids::Timestamp;
use minicbor::{Decode, Encode};

/// The lowest limit that is published, until a header says another.
const COLD_LIMIT: u64 = 60;
/// The windows that are known, in seconds.
const WINDOWS_SECS: [i64; 3] = [60, 900, 3600];
/// The least that a flood of 429s leaves of the pace, in thousandths.
const FACTOR_MIN: u64 = 50;
const FACTOR_FULL: u64 = 1000;
/// What a clean window gives back of the pace, in thousandths.
const FACTOR_STEP: u64 = 100;
/// The share of the limit that passes when others leave us nothing for two windows, in percent.
const STARVATION_PERCENT: u64 = 2;
const SECOND: i64 = 1_000_000;

/// What is known of a limit, kept across restarts.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct LimitState {
    /// Calls a window.
    #[n(0)]
    pub limit: u64,
    /// Its length, in seconds.
    #[n(1)]
    pub window_secs: i64,
    /// Calls left in it, as the last answer said.
    #[n(2)]
    pub remaining: Option<u64>,
    /// When it ends.
    #[n(3)]
    pub reset_at: Option<Timestamp>,
    #[n(4)]
    factor: u64,
    #[n(5)]
    next_at: Timestamp,
    #[n(6)]
    closed_until: Timestamp,
    #[n(7)]
    starving_since: Option<Timestamp>,
    #[n(8)]
    clean_since: Timestamp,
    #[n(9)]
    reserve_jitter: i64,
    /// The last moment that was promised to a call that waits.
    #[cbor(n(10), default)]
    promised_at: Option<Timestamp>,
}

/// What the headers of an answer say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct LimitHeaders {
    pub(crate) limit: Option<u64>,
    pub(crate) remaining: Option<u64>,
    /// Seconds since 1970.
    pub(crate) reset_secs: Option<i64>,
    pub(crate) retry_after_secs: Option<i64>,
}

/// Whether a call may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gate {
    Go,
    Wait(Timestamp),
    /// The class is closed after a 429.
    Closed(Timestamp),
    /// The service cannot be reached.
    Away(Timestamp),
}

impl Gate {
    /// Until when the call waits.
    pub(crate) fn until(self) -> Option<Timestamp> {
        match self {
            Gate::Go => None,
            Gate::Wait(until) | Gate::Closed(until) | Gate::Away(until) => Some(until),
        }
    }
}

impl LimitState {
    /// What is presumed before the first answer.
    pub(crate) fn cold(now: Timestamp) -> Self {
        LimitState {
            limit: COLD_LIMIT,
            window_secs: WINDOWS_SECS[0],
            remaining: None,
            reset_at: None,
            factor: FACTOR_FULL,
            next_at: now,
            closed_until: now,
            starving_since: None,
            clean_since: now,
            reserve_jitter: 0,
            promised_at: None,
        }
    }

    fn window(&self) -> i64 {
        self.window_secs * SECOND
    }

    /// The calls that others keep, at a target of `percent`.
    fn reserve(&self, percent: u8) -> u64 {
        (self.limit * (100 - u64::from(percent))).div_ceil(100)
    }

    /// The time from one call to the next, rounded up.
    fn interval(&self, percent: u8) -> i64 {
        let calls = (self.limit * u64::from(percent) * self.factor).max(1);
        let micros = u128::from(self.window().unsigned_abs()) * 100_000;
        i64::try_from(micros.div_ceil(u128::from(calls))).unwrap_or(i64::MAX / 4)
    }

    /// Whether a call may go at `now`; a call that goes is counted. One that waits is told when to come back.
    pub(crate) fn gate(&mut self, percent: u8, now: Timestamp) -> Gate {
        let opens_at = self.closed_until.max(self.next_at);
        if now < opens_at {
            let until = self.promise(opens_at, percent);
            return if now < self.closed_until { Gate::Closed(until) } else { Gate::Wait(until) };
        }
        let reset_at = self.reset_at.filter(|reset| now < *reset);
        let is_short = self.remaining.is_some_and(|left| left <= self.reserve(percent));
        let mut interval = self.interval(percent);
        if let (Some(reset_at), true) = (reset_at, is_short) {
            let since = *self.starving_since.get_or_insert(now);
            if now.micros() - since.micros() < 2 * self.window() {
                return Gate::Wait(reset_at.plus_micros(self.reserve_jitter));
            }
            let calls = (self.limit * STARVATION_PERCENT / 100).max(1);
            interval = interval.max(self.window() / i64::try_from(calls).unwrap_or(1));
        }
        self.next_at = now.plus_micros(interval);
        Gate::Go
    }

    /// When one more call may come back: after all that were told before, at the pace, so that of many that wait each looks
    /// once and not as often as there are others. A promise keeps nobody out; whoever comes in time goes first.
    fn promise(&mut self, opens_at: Timestamp, percent: u8) -> Timestamp {
        let last = self.promised_at.filter(|last| *last >= opens_at);
        let at = last.map_or(opens_at, |last| last.plus_micros(self.interval(percent)));
        self.promised_at = Some(at);
        at
    }

    /// Learns from an answer that came at `now`, which is `server_now` on the other side; `jitter` is below a second.
    pub(crate) fn learn(
        &mut self,
        headers: LimitHeaders,
        percent: u8,
        now: Timestamp,
        server_now: Timestamp,
        jitter: i64,
    ) {
        let (Some(limit), Some(remaining), Some(reset)) = (headers.limit, headers.remaining, headers.reset_secs) else {
            return;
        };
        let ahead = reset.saturating_mul(SECOND).saturating_sub(server_now.micros());
        if limit == 0 || remaining > limit || ahead > 2 * WINDOWS_SECS[2] * SECOND {
            return;
        }
        self.limit = limit;
        self.remaining = Some(remaining);
        self.reset_at = Some(now.plus_micros(ahead.max(0)));
        self.reserve_jitter = jitter;
        let fits = |window: &&i64| ahead <= **window * SECOND / 20 * 21;
        if !fits(&&self.window_secs) {
            self.window_secs = *WINDOWS_SECS.iter().find(fits).unwrap_or(&WINDOWS_SECS[2]);
        }
        if remaining > self.reserve(percent) {
            self.starving_since = None;
        }
    }

    /// A call was answered, and not with 429.
    pub(crate) fn passed(&mut self, now: Timestamp) {
        if self.factor < FACTOR_FULL && now.micros() - self.clean_since.micros() >= self.window() {
            self.factor = (self.factor + FACTOR_STEP).min(FACTOR_FULL);
            self.clean_since = now;
        }
    }

    /// A call was answered with 429: the class is closed until `until`, and reopens at half the pace.
    pub(crate) fn refused(&mut self, now: Timestamp, until: Timestamp) {
        if now >= self.closed_until {
            self.factor = (self.factor / 2).max(FACTOR_MIN);
        }
        self.closed_until = self.closed_until.max(until);
        self.clean_since = self.closed_until;
    }

    /// The share of the limit that was used by everybody, as the last answer said.
    pub fn utilisation(&self) -> Option<f64> {
        let used = self.limit.saturating_sub(self.remaining?);
        Some(used as f64 / self.limit.max(1) as f64)
    }

    /// The share of the pace that is left, in thousandths.
    pub fn factor(&self) -> u64 {
        self.factor
    }
}

#[cfg(test)]
mod tests;
