//! A connection to one integration: its credentials, what is known of its clock and its limits.

use std::{collections::BTreeMap, collections::VecDeque, io::Write};

use ids::Timestamp;
use parking_lot::Mutex;

use super::{
    address::Address,
    breaker::Breaker,
    dialect::{Dialect, Endpoint, Meaning},
    http::{Answer, Call, Http, Line},
    throttle::{Gate, LimitState},
    token,
};
use crate::{integrations::Pair, surroundings::Surroundings};

/// The answers whose clock is remembered.
const SAMPLES: usize = 5;
const SECOND: i64 = 1_000_000;

/// A connection.
pub(crate) struct Session {
    pub(crate) address: Address,
    pub(crate) dialect: Dialect,
    pair: Pair,
    percent: u8,
    known: Mutex<Known>,
    /// Held by the one call that deletes (§7.2).
    deleting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    offsets: VecDeque<i64>,
    limits: BTreeMap<Endpoint, LimitState>,
    breaker: Breaker,
}

impl Session {
    /// A connection that knows these limits from before.
    pub(crate) fn new(
        address: Address,
        dialect: Dialect,
        pair: Pair,
        percent: u8,
        limits: BTreeMap<Endpoint, LimitState>,
    ) -> Self {
        let known = Mutex::new(Known { limits, ..Known::default() });
        Session { address, dialect, pair, percent, known, deleting: tokio::sync::Mutex::default() }
    }

    /// How far the other side's clock is ahead of ours, in microseconds: the median of the last answers.
    pub(crate) fn offset(&self) -> i64 {
        let known = self.known.lock();
        let mut offsets: Vec<i64> = known.offsets.iter().copied().collect();
        offsets.sort_unstable();
        offsets.get(offsets.len() / 2).copied().unwrap_or(0)
    }

    /// Whether a call of this class may go now; one that goes is counted.
    pub(crate) fn gate(&self, endpoint: Endpoint, now: Timestamp) -> Gate {
        let mut known = self.known.lock();
        if let Some(until) = known.breaker.open_until(now) {
            return Gate::Away(until);
        }
        let gate = known.limits.entry(endpoint).or_insert_with(|| LimitState::cold(now)).gate(self.percent, now);
        if gate == Gate::Go {
            known.breaker.goes(now);
        }
        gate
    }

    /// What is known of the limit of a class.
    pub(crate) fn limit(&self, endpoint: Endpoint) -> Option<LimitState> {
        self.known.lock().limits.get(&endpoint).cloned()
    }

    /// Closes a class after a 429.
    pub(crate) fn close(&self, endpoint: Endpoint, now: Timestamp, until: Timestamp) {
        if let Some(limit) = self.known.lock().limits.get_mut(&endpoint) {
            limit.refused(now, until);
        }
    }

    /// Lets the next call see whether the service can be reached again.
    pub(crate) fn look_again(&self) {
        self.known.lock().breaker.sent();
    }

    /// Makes a call. A token that is refused for its time is made anew, then made without times (§7.1).
    pub(crate) async fn call(
        &self,
        http: &Http,
        call: &Call,
        mut sink: Option<&mut (dyn Write + Send)>,
        surroundings: &Surroundings,
    ) -> Answer {
        let _alone = match call.endpoint {
            Endpoint::DeleteUsers => Some(self.deleting.lock().await),
            _ => None,
        };
        let tokens = [Times::Learnt, Times::Learnt, Times::None];
        let mut last = None;
        for times in tokens {
            let now = surroundings.now();
            let token = match times {
                Times::Learnt => token::timed(&self.pair.secret, (now.micros() + self.offset()).div_euclid(SECOND)),
                Times::None => token::signed(&self.pair.secret, "{}"),
            };
            let request_id = surroundings.uuid();
            let (address, dialect, key) = (&self.address, &self.dialect, &self.pair.key);
            let line = Line { address, dialect, key, token: &token, request_id: &request_id };
            let answer = http.call(&line, call, sink.as_deref_mut().map(|sink| sink as _)).await;
            self.learn(call.endpoint, &answer, surroundings);
            if answer.meaning != Meaning::ClockRefused {
                return answer;
            }
            last = Some(answer);
        }
        last.expect("three tokens were tried")
    }

    fn learn(&self, endpoint: Endpoint, answer: &Answer, surroundings: &Surroundings) {
        let now = surroundings.now();
        let mut known = self.known.lock();
        match answer.meaning {
            Meaning::Unsent => known.breaker.unsent(now),
            _ => known.breaker.sent(),
        }
        if let Some(server_time) = answer.server_time {
            if known.offsets.len() == SAMPLES {
                known.offsets.pop_front();
            }
            // A clock that is refused is further off than the older samples say.
            if answer.meaning == Meaning::ClockRefused {
                known.offsets.clear();
            }
            let offset = server_time.micros() - now.micros();
            // The header has whole seconds: less than that is no difference.
            known.offsets.push_back(if offset.abs() < 2 * SECOND { 0 } else { offset });
        }
        drop(known);
        let server_now = now.plus_micros(self.offset());
        let jitter = i64::try_from(surroundings.below(1_000_000)).unwrap_or(0);
        let mut known = self.known.lock();
        let limit = known.limits.entry(endpoint).or_insert_with(|| LimitState::cold(now));
        limit.learn(answer.headers, self.percent, now, server_now, jitter);
        if answer.status.is_some() && answer.meaning != Meaning::RateLimited {
            limit.passed(now);
        }
    }
}

#[derive(Clone, Copy)]
enum Times {
    Learnt,
    None,
}
