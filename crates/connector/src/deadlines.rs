//! When an answer is due (§14): from the day the person asked, by the calendar of the law.

use ids::Timestamp;
use jiff::{Span, civil::Weekday, tz::TimeZone};

use crate::words::words;

words! {
    /// Which law sets the deadline.
    Regulation {
        /// One calendar month; two more with a reason given inside the first.
        0 Gdpr = "gdpr",
        /// 45 days; 45 more.
        1 Ccpa = "ccpa",
        /// As many days as were given.
        2 Other = "other",
    }
}

/// The days of a deadline that no law sets, when none are given.
pub const OTHER_DAYS: i64 = 30;
const CCPA_DAYS: i64 = 45;
const CCPA_ACKNOWLEDGE_BUSINESS_DAYS: u32 = 10;
/// The share of the time that has passed at each warning, in percent.
pub const WARNINGS_PERCENT: [u8; 3] = [50, 80, 100];

/// Why a deadline is not extended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// An extension is given once.
    #[error("the deadline was extended before; an extension is given once")]
    Twice,
    /// An extension is given inside the first period.
    #[error("the deadline has passed; an extension is given before it")]
    TooLate,
    /// The person is told why.
    #[error("an extension needs a reason, which the person is told")]
    NoReason,
}

/// The end of the last day on which a request received at `received_at` is answered in time.
pub fn due_at(regulation: Regulation, received_at: Timestamp, days: Option<i64>) -> Timestamp {
    let span = match regulation {
        Regulation::Gdpr => Span::new().months(1),
        Regulation::Ccpa => Span::new().days(CCPA_DAYS),
        Regulation::Other => Span::new().days(days.unwrap_or(OTHER_DAYS)),
    };
    end_of_day_after(received_at, span)
}

/// The end of the last day after an extension.
///
/// # Errors
/// [`Refused`]: an extension is given once, in time, and with a reason.
pub fn extended_due_at(
    regulation: Regulation,
    received_at: Timestamp,
    due_at: Timestamp,
    (was_extended, reason): (bool, &str),
    now: Timestamp,
) -> Result<Timestamp, Refused> {
    if was_extended {
        return Err(Refused::Twice);
    }
    if now > due_at {
        return Err(Refused::TooLate);
    }
    if reason.trim().is_empty() {
        return Err(Refused::NoReason);
    }
    Ok(match regulation {
        Regulation::Gdpr => end_of_day_after(received_at, Span::new().months(3)),
        Regulation::Ccpa => end_of_day_after(received_at, Span::new().days(2 * CCPA_DAYS)),
        Regulation::Other => due_at.plus_micros(due_at.micros() - received_at.micros()),
    })
}

/// When the receipt must be acknowledged, where a law says so.
pub fn acknowledge_by(regulation: Regulation, received_at: Timestamp) -> Option<Timestamp> {
    if regulation != Regulation::Ccpa {
        return None;
    }
    let mut date = date_of(received_at);
    let mut left = CCPA_ACKNOWLEDGE_BUSINESS_DAYS;
    while left > 0 {
        date = date.tomorrow().unwrap_or(date);
        if !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    Some(end_of(date))
}

/// How much of the time has passed, in percent; above 100 when it is overdue.
pub fn elapsed_percent(received_at: Timestamp, due_at: Timestamp, now: Timestamp) -> i64 {
    let whole = (due_at.micros() - received_at.micros()).max(1);
    (now.micros() - received_at.micros()).saturating_mul(100) / whole
}

fn date_of(at: Timestamp) -> jiff::civil::Date {
    let moment = jiff::Timestamp::from_microsecond(at.micros()).expect("the range lies inside jiff's");
    TimeZone::UTC.to_datetime(moment).date()
}

fn end_of_day_after(at: Timestamp, span: Span) -> Timestamp {
    let date = date_of(at);
    end_of(date.checked_add(span).unwrap_or(date))
}

fn end_of(date: jiff::civil::Date) -> Timestamp {
    let moment = TimeZone::UTC.to_timestamp(date.at(23, 59, 59, 0));
    moment.map_or(Timestamp::from_micros(i64::MAX), |moment| Timestamp::from_micros(moment.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn gdpr(received: &str) -> String {
        due_at(Regulation::Gdpr, at(received), None).rfc3339_short().to_string()
    }

    #[test]
    fn a23_47_a_month_ends_at_the_last_day_of_a_shorter_one() {
        assert_eq!(gdpr("2026-01-31T09:00:00Z"), "2026-02-28T23:59:59Z");
        assert_eq!(gdpr("2028-01-31T09:00:00Z"), "2028-02-29T23:59:59Z");
        assert_eq!(gdpr("2026-12-15T23:59:59Z"), "2027-01-15T23:59:59Z");
        assert_eq!(gdpr("2026-03-15T00:00:00Z"), "2026-04-15T23:59:59Z");
    }

    #[test]
    fn a23_47_ccpa_has_days_and_an_acknowledgement_in_business_days() {
        let received = at("2026-11-20T10:00:00Z");
        let due = due_at(Regulation::Ccpa, received, None);
        assert_eq!(due.rfc3339_short().to_string(), "2027-01-04T23:59:59Z");
        let acknowledge = acknowledge_by(Regulation::Ccpa, received).unwrap();
        assert_eq!(acknowledge.rfc3339_short().to_string(), "2026-12-04T23:59:59Z");
        assert_eq!(acknowledge_by(Regulation::Gdpr, received), None);
    }

    #[test]
    fn a23_47_an_extension_is_given_once_inside_the_first_month_and_with_a_reason() {
        let received = at("2026-01-31T09:00:00Z");
        let due = due_at(Regulation::Gdpr, received, None);
        let extend = |was: bool, reason: &'static str, now: &str| {
            extended_due_at(Regulation::Gdpr, received, due, (was, reason), at(now))
        };
        let extended = extend(false, "many systems", "2026-02-10T00:00:00Z").unwrap();
        assert_eq!(extended.rfc3339_short().to_string(), "2026-04-30T23:59:59Z");
        assert_eq!(extend(true, "again", "2026-02-10T00:00:00Z"), Err(Refused::Twice));
        assert_eq!(extend(false, "late", "2026-03-01T00:00:00Z"), Err(Refused::TooLate));
        assert_eq!(extend(false, " ", "2026-02-10T00:00:00Z"), Err(Refused::NoReason));
    }

    #[test]
    fn a23_47_what_is_past_its_day_is_over_a_hundred_percent() {
        let (received, due) = (at("2026-01-01T00:00:00Z"), at("2026-01-31T00:00:00Z"));
        assert_eq!(elapsed_percent(received, due, at("2026-01-16T00:00:00Z")), 50);
        assert!(elapsed_percent(received, due, at("2026-02-02T00:00:00Z")) > 100);
    }
}
