//! What follows from an answer that is not the one hoped for (§7.3).

use ids::Timestamp;

use super::{dialect::Meaning, throttle::LimitHeaders};
use crate::{status::Reason, surroundings::Surroundings};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;
const BASE: i64 = SECOND;
const CAP: i64 = 60 * SECOND;
const RATE_CAP: i64 = 300 * SECOND;
/// Tries with jitter, before the slow lane.
const QUICK_TRIES: u32 = 8;
const SLOW_LANE: i64 = 15 * 60 * SECOND;
const BAD_RESPONSES_MAX: u32 = 4;

/// A failure, with how long it has been going on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failing {
    pub(crate) meaning: Meaning,
    /// The failures in a row before this one.
    pub(crate) failures: u32,
    pub(crate) since: Timestamp,
    pub(crate) headers: LimitHeaders,
    /// How far the other side's clock is ahead, in microseconds.
    pub(crate) offset: i64,
    /// Whether it was a call that changes something.
    pub(crate) is_write: bool,
    /// Beyond this nobody waits for a limit or a connection.
    pub(crate) patience: Timestamp,
}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// The same call again.
    Retry(Timestamp, Reason),
    /// Find out whether it arrived.
    Reconcile(Timestamp),
    /// Stop.
    GiveUp(Reason),
}

/// What follows from `failing`.
pub(crate) fn next(failing: Failing, surroundings: &Surroundings) -> Next {
    let now = surroundings.now();
    let Failing { meaning, failures, since, is_write, patience, .. } = failing;
    let waited = now.micros() - since.micros();
    let reason = reason(meaning);
    match meaning {
        Meaning::RateLimited if now >= patience => Next::GiveUp(Reason::RateLimited),
        Meaning::RateLimited => Next::Retry(reopens_at(failing, surroundings), Reason::RateLimited),
        Meaning::KeyUnknown | Meaning::SecretWrong | Meaning::Suspended | Meaning::ClockRefused => {
            if now >= patience {
                Next::GiveUp(reason)
            } else {
                Next::Retry(now.plus_micros(SLOW_LANE), reason)
            }
        }
        Meaning::BadResponse if failures + 1 >= BAD_RESPONSES_MAX => Next::GiveUp(reason),
        Meaning::Trouble | Meaning::Unavailable | Meaning::Unsent | Meaning::Lost | Meaning::BadResponse => {
            if waited >= DAY {
                return Next::GiveUp(reason);
            }
            let mut wait = if failures < QUICK_TRIES { jitter(failures, CAP, surroundings) } else { SLOW_LANE };
            if let (Meaning::Unavailable, Some(asked)) = (meaning, failing.headers.retry_after_secs) {
                wait = wait.max(asked.clamp(0, 3600) * SECOND);
            }
            let at = now.plus_micros(wait);
            let is_sent = meaning != Meaning::Unsent;
            if is_write && is_sent { Next::Reconcile(at) } else { Next::Retry(at, reason) }
        }
        Meaning::Ok
        | Meaning::NotFound
        | Meaning::Forbidden
        | Meaning::Rejected
        | Meaning::TooLarge
        | Meaning::Redirected
        | Meaning::EndpointMissing => Next::GiveUp(reason),
    }
}

/// The stable code of a meaning.
pub(crate) fn reason(meaning: Meaning) -> Reason {
    match meaning {
        Meaning::RateLimited => Reason::RateLimited,
        Meaning::Trouble | Meaning::Unavailable => Reason::UpstreamTrouble,
        Meaning::Unsent => Reason::Unreachable,
        Meaning::Lost => Reason::Uncertain,
        Meaning::BadResponse | Meaning::Ok => Reason::BadResponse,
        Meaning::ClockRefused => Reason::ClockWrong,
        Meaning::KeyUnknown | Meaning::SecretWrong | Meaning::Suspended => Reason::IntegrationDisconnected,
        Meaning::Forbidden => Reason::PermissionMissing,
        Meaning::Rejected | Meaning::NotFound | Meaning::TooLarge => Reason::Rejected,
        Meaning::Redirected => Reason::Redirected,
        Meaning::EndpointMissing => Reason::EndpointMissing,
    }
}

/// Full jitter: anything from nothing to the exponential cap.
fn jitter(failures: u32, cap: i64, surroundings: &Surroundings) -> i64 {
    let most = BASE.saturating_mul(1 << failures.min(20)).min(cap);
    i64::try_from(surroundings.below(most.unsigned_abs() + 1)).unwrap_or(0)
}

/// When a class that answered 429 reopens.
pub(crate) fn reopens_at(failing: Failing, surroundings: &Surroundings) -> Timestamp {
    let now = surroundings.now();
    let backoff = jitter(failing.failures, RATE_CAP, surroundings);
    let reset = failing.headers.reset_secs.map(|reset| reset * SECOND - failing.offset - now.micros());
    let told = match (reset, failing.headers.retry_after_secs) {
        (Some(reset), _) if (0..=HOUR).contains(&reset) => reset,
        (_, Some(after)) => after.clamp(0, 3600) * SECOND,
        _ => 0,
    };
    let spread = i64::try_from(surroundings.below(SECOND.unsigned_abs())).unwrap_or(0);
    now.plus_micros(told.max(backoff) + spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(meaning: Meaning, failures: u32) -> Failing {
        let now = Surroundings::system().now();
        let patience = now.plus_micros(DAY);
        let headers = LimitHeaders::default();
        Failing { meaning, failures, since: now, headers, offset: 0, is_write: false, patience }
    }

    #[test]
    fn a23_31_waits_are_spread_evenly_up_to_the_cap() {
        let machine = Surroundings::system();
        let mut buckets = [0_i64; 10];
        for _ in 0..10_000 {
            let wait = jitter(4, CAP, &machine);
            buckets[usize::try_from(wait * 10 / (16 * SECOND + 1)).unwrap()] += 1;
        }
        let chi_squared: f64 = buckets.iter().map(|count| ((count - 1000) as f64).powi(2) / 1000.0).sum();
        assert!(chi_squared < 50.0, "{buckets:?}");
        assert!((0..100).all(|_| jitter(30, CAP, &machine) <= CAP));
    }

    #[test]
    fn what_may_have_been_executed_is_found_out_and_not_repeated() {
        let machine = Surroundings::system();
        for meaning in [Meaning::Lost, Meaning::Trouble, Meaning::Unavailable, Meaning::BadResponse] {
            let write = Failing { is_write: true, ..failing(meaning, 0) };
            assert!(matches!(next(write, &machine), Next::Reconcile(_)), "{meaning}");
            assert!(matches!(next(failing(meaning, 0), &machine), Next::Retry(..)), "{meaning}");
        }
        for meaning in [Meaning::RateLimited, Meaning::Unsent] {
            let write = Failing { is_write: true, ..failing(meaning, 0) };
            assert!(matches!(next(write, &machine), Next::Retry(..)), "{meaning}");
        }
    }

    #[test]
    fn a_limit_is_waited_for_until_it_is_reset() {
        let machine = Surroundings::system();
        let mut limited = failing(Meaning::RateLimited, 0);
        limited.headers.reset_secs = Some(machine.now().micros() / SECOND + 120);
        let Next::Retry(at, Reason::RateLimited) = next(limited, &machine) else { panic!() };
        assert!(at.micros() / SECOND >= limited.headers.reset_secs.unwrap());
        limited.patience = machine.now();
        assert_eq!(next(limited, &machine), Next::GiveUp(Reason::RateLimited));
    }

    #[test]
    fn after_a_day_of_trouble_and_after_four_unreadable_answers_it_stops() {
        let machine = Surroundings::system();
        let mut trouble = failing(Meaning::Trouble, 50);
        let Next::Retry(at, _) = next(trouble, &machine) else { panic!() };
        assert!(at.micros() - machine.now().micros() > 14 * 60 * SECOND, "the slow lane");
        trouble.since = trouble.since.plus_micros(-DAY);
        assert_eq!(next(trouble, &machine), Next::GiveUp(Reason::UpstreamTrouble));
        assert_eq!(next(failing(Meaning::BadResponse, 3), &machine), Next::GiveUp(Reason::BadResponse));
        assert_eq!(next(failing(Meaning::Forbidden, 0), &machine), Next::GiveUp(Reason::PermissionMissing));
    }
}
