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
use crate::{integrations::Pair, leases::HELD, surroundings::Surroundings};

/// The answers whose clock is remembered.
const SAMPLES: usize = 5;
const SECOND: i64 = 1_000_000;
/// How long a deletion waits for the one before it, in microseconds: one goes at a time (§7.2). A worker that stands still in the
/// middle of one holds up others for as long as its lease.
const DELETION_PAUSE: i64 = SECOND / 4;

/// A connection.
pub(crate) struct Session {
    pub(crate) address: Address,
    pub(crate) dialect: Dialect,
    pair: Pair,
    percent: u8,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    offsets: VecDeque<i64>,
    limits: BTreeMap<Endpoint, LimitState>,
    breaker: Breaker,
    /// Until when the one call that deletes is under way at the latest.
    deleting_until: Option<Timestamp>,
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
        Session { address, dialect, pair, percent, known: Mutex::new(Known { limits, ..Known::default() }) }
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
        let is_deletion = endpoint == Endpoint::DeleteUsers;
        if is_deletion && known.deleting_until.is_some_and(|until| now < until) {
            return Gate::Wait(now.plus_micros(DELETION_PAUSE));
        }
        let gate = known.limits.entry(endpoint).or_insert_with(|| LimitState::cold(now)).gate(self.percent, now);
        if gate == Gate::Go {
            known.breaker.goes(now);
            if is_deletion {
                known.deleting_until = Some(now.plus_micros(HELD));
            }
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
        let tokens = [Times::Learnt, Times::Learnt, Times::None];
        let mut last = None;
        for (clock_refusals, times) in (0..).zip(tokens) {
            let now = surroundings.now();
            let token = match times {
                Times::Learnt => token::timed(&self.pair.secret, (now.micros() + self.offset()).div_euclid(SECOND)),
                Times::None => token::signed(&self.pair.secret, "{}"),
            };
            let request_id = surroundings.uuid();
            let (address, dialect, key) = (&self.address, &self.dialect, &self.pair.key);
            let line = Line { address, dialect, key, token: &token, request_id: &request_id };
            let answer = http.call(&line, call, sink.as_deref_mut().map(|sink| sink as _)).await;
            let answer = Answer { clock_refusals, ..answer };
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
        if endpoint == Endpoint::DeleteUsers {
            known.deleting_until = None;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn a_deletion_waits_for_the_one_before_it_but_no_longer_than_a_lease() {
        let address = Address::parse("http://127.0.0.1:1", true).unwrap();
        let pair = Pair { key: Secret::new("key".to_owned()), secret: Secret::new("secret".to_owned()) };
        let session = Session::new(address, Dialect::built_in().remove(0), pair, 100, BTreeMap::new());
        let at = |micros: i64| Timestamp::from_micros(micros);
        assert_eq!(session.gate(Endpoint::DeleteUsers, at(0)), Gate::Go);
        let wait = Gate::Wait(at(SECOND + DELETION_PAUSE));
        assert_eq!(session.gate(Endpoint::DeleteUsers, at(SECOND)), wait);
        assert_ne!(session.gate(Endpoint::ExportUser, at(SECOND)), wait, "others go");
        assert_ne!(session.gate(Endpoint::DeleteUsers, at(HELD)), Gate::Wait(at(HELD + DELETION_PAUSE)));
    }
}
