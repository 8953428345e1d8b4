//! Time, in microseconds (feeds-v1 §1.4).

use std::fmt;

use jiff::{civil, tz::TimeZone};

use crate::Malformed;

/// A moment in UTC: microseconds since 1970, from the year 1583 to 5235 (what a version 1 UUID can hold).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

const EARLIEST: Timestamp = Timestamp(-12_212_553_600_000_000);
const LATEST: Timestamp = Timestamp(103_035_196_799_999_999);
/// Left free above what can be read, so that a moment a little later than any given one exists.
const ROOM_MICROS: i64 = 24 * 3600 * 1_000_000;

impl Timestamp {
    /// The moment `micros` microseconds after 1970 began; moments outside the range become its nearest end.
    pub fn from_micros(micros: i64) -> Self {
        Timestamp(micros.clamp(EARLIEST.0, LATEST.0))
    }

    /// Microseconds since 1970 began.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The moment `micros` microseconds later, or earlier when negative.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Reads ISO 8601: with or without a fraction (cut to microseconds), with no zone (UTC), `Z`, `+01:00` or `+0100`.
    ///
    /// # Errors
    /// When `text` is anything else, or lies outside the years 1583 to 5235.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let moment = match text.parse::<jiff::Timestamp>() {
            Ok(moment) => moment,
            Err(_) => text
                .parse::<civil::DateTime>()
                .and_then(|time| TimeZone::UTC.to_timestamp(time))
                .map_err(|_| Malformed::new("is not an ISO 8601 time such as 2018-07-08T14:09:36.000000"))?,
        };
        let time = Timestamp(moment.as_nanosecond().div_euclid(1000).try_into().unwrap_or(i64::MAX));
        if time < EARLIEST || time > LATEST.plus_micros(-ROOM_MICROS) {
            return Err(Malformed::new("must lie between the years 1583 and 5235"));
        }
        Ok(time)
    }

    /// Nanoseconds since 1970 began, as far as 64 bits reach: from the year 1677 to 2262.
    pub fn nanos(self) -> i64 {
        self.0.saturating_mul(1000)
    }

    /// The time in UTC as the `strftime` of C writes it.
    ///
    /// # Errors
    /// When the format has a directive that is not known, or that a time without a zone does not have.
    pub fn strftime(self, format: &str) -> Result<String, Malformed> {
        let moment = jiff::Timestamp::from_microsecond(self.0).expect("the range lies inside jiff's");
        let time = TimeZone::UTC.to_datetime(moment);
        jiff::fmt::strtime::format(format, time).map_err(|error| Malformed::new(error.to_string()))
    }

    /// How activities show their `time`: no zone, exactly six fraction digits.
    pub fn activity(self) -> impl fmt::Display {
        Zoneless(self)
    }

    /// RFC 3339 in UTC with `Z` and six fraction digits.
    pub fn rfc3339(self) -> impl fmt::Display {
        Zoned(self)
    }
}

impl Timestamp {
    /// RFC 3339 in UTC with `Z`, and no zeros at the end of the fraction (chat §5A.2).
    pub fn rfc3339_short(self) -> impl fmt::Display {
        Short(self)
    }
}

struct Short(Timestamp);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let long = Written::of(self.0);
        write!(f, "{}Z", long.zoneless().trim_end_matches('0').trim_end_matches('.'))
    }
}

struct Zoneless(Timestamp);

impl fmt::Display for Zoneless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Written::of(self.0).zoneless())
    }
}

struct Zoned(Timestamp);

impl fmt::Display for Zoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Written::of(self.0).zoned())
    }
}

/// A moment as `2018-07-08T14:09:36.000000Z`: every activity and every reaction shows several, so it is made digit by digit
/// and goes out in one piece.
struct Written([u8; 27]);

impl Written {
    fn of(moment: Timestamp) -> Self {
        let moment = jiff::Timestamp::from_microsecond(moment.0).expect("the range lies inside jiff's");
        let time = TimeZone::UTC.to_datetime(moment);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        put(&mut text[0..4], time.year().unsigned_abs().into());
        put(&mut text[5..7], time.month().unsigned_abs().into());
        put(&mut text[8..10], time.day().unsigned_abs().into());
        put(&mut text[11..13], time.hour().unsigned_abs().into());
        put(&mut text[14..16], time.minute().unsigned_abs().into());
        put(&mut text[17..19], time.second().unsigned_abs().into());
        put(&mut text[20..26], time.subsec_nanosecond().unsigned_abs() / 1000);
        Written(text)
    }

    fn zoned(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are UTF-8")
    }

    fn zoneless(&self) -> &str {
        self.zoned().strip_suffix('Z').expect("it ends in the zone")
    }
}

/// Writes the last digits of `number` into all of `digits`.
fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Timestamp::parse(text).unwrap().activity().to_string()
    }

    #[test]
    fn a_time_may_have_a_fraction_of_any_length_cut_to_microseconds() {
        assert_eq!(shown("2018-07-08T14:09:36"), "2018-07-08T14:09:36.000000");
        assert_eq!(shown("2018-07-08T14:09:36.1"), "2018-07-08T14:09:36.100000");
        assert_eq!(shown("2018-07-08T14:09:36.123456789"), "2018-07-08T14:09:36.123456");
        assert_eq!(shown("1969-12-31T23:59:59.9999999"), "1969-12-31T23:59:59.999999");
    }

    #[test]
    fn a_time_may_have_no_zone_or_z_or_an_offset() {
        assert_eq!(shown("2018-07-08T14:09:36Z"), "2018-07-08T14:09:36.000000");
        assert_eq!(shown("2018-07-08T14:09:36+01:00"), "2018-07-08T13:09:36.000000");
        assert_eq!(shown("2018-07-08T14:09:36.5+0100"), "2018-07-08T13:09:36.500000");
        assert_eq!(shown("2018-07-08T14:09:36+1200"), "2018-07-08T02:09:36.000000");
        assert_eq!(shown("2018-07-08 14:09:36"), "2018-07-08T14:09:36.000000");
    }

    #[test]
    fn anything_else_is_not_a_time() {
        for text in [
            "",
            "now",
            "2018-13-01T00:00:00",
            "2018-07-08T25:00:00",
            "1531058976",
            "9999-01-01T00:00:00",
            "0001-01-01T00:00:00",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_resources_show_the_zone() {
        let time = Timestamp::parse("2018-11-29T12:03:52.792967Z").unwrap();
        assert_eq!(time.rfc3339().to_string(), "2018-11-29T12:03:52.792967Z");
    }

    #[test]
    fn a_time_is_written_in_a_format_of_the_callers() {
        let time = Timestamp::parse("2018-07-08T14:09:36").unwrap();
        assert_eq!(time.strftime("%Y-%m-%d %H:%M:%S %j %U %%").unwrap(), "2018-07-08 14:09:36 189 27 %");
        assert!(time.strftime("%!").is_err());
    }

    #[test]
    fn the_ends_of_the_range_are_the_years_that_an_activity_id_can_hold() {
        assert_eq!(shown("1583-01-01T00:00:00"), "1583-01-01T00:00:00.000000");
        assert_eq!(shown("5234-12-31T23:59:59"), "5234-12-31T23:59:59.000000");
        assert!(Timestamp::parse("1582-01-01T00:00:00").is_err());
    }
}
