//! Rate limits: a leaky bucket for each app, endpoint and platform.
//!
//! Callers of the chat API have two more: a second takes at most a thirtieth of a minute's limit, and a user's token has a limit of
//! its own (chat §4.1).
//!
//! Each bucket is one number, the time at which it will be empty (GCRA): no counters to reset, no window edges at
//! which twice the limit passes. A bucket that has run empty is forgotten, so memory follows the traffic of the last
//! minute. The time is handed in.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use foldhash::HashMap;
use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;

/// How client libraries name themselves.
const STREAM_CLIENT: HeaderName = HeaderName::from_static("x-stream-client");
const PERIOD_MICROS: i64 = 60_000_000;
const SECOND_MICROS: i64 = 1_000_000;
/// Which part of a minute's limit may come within a second.
const BURST_PART: u32 = 30;
/// Calls of one user to one endpoint from one platform.
const USER_PER_MINUTE: u32 = 60;
const SHARDS: usize = 16;
/// When a shard has this many buckets, the empty ones are dropped before another is added.
const SHARD_BUCKETS_MAX: usize = 4096;
/// How much more generous than the published limits this server is, if nobody says otherwise.
const DEFAULT_FACTOR: f64 = 100.0;
/// The limit of an endpoint that is not in [`PER_MINUTE`].
const OTHER_PER_MINUTE: u32 = 1000;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The published limits per minute and app; others have [`OTHER_PER_MINUTE`].
const PER_MINUTE: &[(&str, u32)] = &[
    ("add_activities", 1000),
    ("remove_activity", 300),
    ("update_activities", 250),
    ("update_to_targets", 250),
    ("read_feed", 2000),
    ("follow", 500),
    ("unfollow", 250),
    ("followers", 200),
    ("following", 500),
    ("follow_many", 250),
    ("unfollow_many", 250),
    ("add_to_many", 250),
    ("collections_batch", 250),
    ("collection_object", 1000),
    ("users", 1000),
    ("reactions", 1000),
];

/// The published limits of the chat API (chat §4.1), by its operations' names.
const CHAT_PER_MINUTE: &[(u32, &[&str])] = &[
    (
        10_000,
        &["Connect", "GetApp", "GetOrCreateChannel", "MarkChannelsRead", "MarkRead", "QueryChannels", "SendEvent"],
    ),
    (
        1000,
        &[
            "CreateGuest",
            "DeleteMessage",
            "DeleteReaction",
            "GetMessage",
            "GetRateLimits",
            "GetReactions",
            "GetReplies",
            "QueryUsers",
            "RunMessageAction",
            "SendMessage",
            "SendReaction",
            "StopWatchingChannel",
            "UpdateMessage",
            "UploadFile",
            "UploadImage",
        ],
    ),
    (
        300,
        &[
            "Ban",
            "CreateDevice",
            "EditUsers",
            "Flag",
            "HideChannel",
            "Mute",
            "QueryMembers",
            "Search",
            "ShowChannel",
            "Unban",
            "Unflag",
            "Unmute",
            "UpdateChannel",
            "UpdateUsers",
            "UpdateUsersPartial",
        ],
    ),
    (
        60,
        &[
            "ActivateUser",
            "CheckPush",
            "CreateChannelType",
            "DeactivateUser",
            "DeleteChannel",
            "DeleteChannelType",
            "DeleteDevice",
            "DeleteFile",
            "DeleteUser",
            "ExportChannels",
            "ExportUser",
            "GetChannelType",
            "ListChannelTypes",
            "ListDevices",
            "TruncateChannel",
            "UpdateApp",
            "UpdateChannelType",
        ],
    ),
    (6, &["DeleteUsers"]),
];

fn chat_per_minute() -> impl Iterator<Item = (&'static str, u32)> {
    CHAT_PER_MINUTE.iter().flat_map(|(limit, names)| names.iter().map(|name| (*name, *limit)))
}

/// How strict the limits are: `off`, `default`, or a factor on the published limits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum RateLimitSetting {
    /// Nothing is refused; the headers are still written.
    Off,
    /// A hundred times the published limits.
    #[default]
    Default,
    /// This many times the published limits.
    Factor(f64),
}

impl RateLimitSetting {
    fn factor(self) -> f64 {
        match self {
            Self::Off | Self::Default => DEFAULT_FACTOR,
            Self::Factor(factor) => factor,
        }
    }
}

/// A rate limit setting that cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is not a rate limit; use off, default, or a factor above 0 such as 2.5")]
pub struct ParseError(String);

impl FromStr for RateLimitSetting {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "default" => Ok(Self::Default),
            _ => match text.parse::<f64>() {
                Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Self::Factor(factor)),
                _ => Err(ParseError(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for RateLimitSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Default => f.write_str("default"),
            Self::Factor(factor) => write!(f, "{factor}"),
        }
    }
}

/// The kind of client, each with its own bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// A backend; also whoever does not say.
    Server,
    /// A browser.
    Web,
    /// An Android device.
    Android,
    /// An iOS device.
    Ios,
    /// A Unity or Unreal client.
    Unity,
}

impl Platform {
    /// The platform that the `X-Stream-Client` header names.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let name = headers.get(STREAM_CLIENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if name.is_empty() {
            Self::Server
        } else if has(&["unity", "unreal"]) {
            Self::Unity
        } else if has(&["android", "kotlin"]) {
            Self::Android
        } else if has(&["ios", "swift"]) {
            Self::Ios
        } else if has(&["browser", "react", "angular", "web"]) {
            Self::Web
        } else {
            Self::Server
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Requests per minute.
    pub limit: u32,
    /// Requests that would be allowed right now.
    pub remaining: u32,
    /// When the whole limit is available again.
    pub reset_unix_seconds: i64,
    /// Whether this request may go on; if not, answer 429 with code 9.
    pub allowed: bool,
    /// How long to wait before the next attempt; 0 if this one is allowed.
    pub retry_after_seconds: i64,
}

impl Verdict {
    /// Writes `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(self.reset_unix_seconds));
        if !self.allowed {
            headers.insert(http::header::RETRY_AFTER, HeaderValue::from(self.retry_after_seconds));
        }
    }
}

/// Whose calls a bucket counts, and over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    /// All of them in a minute.
    Everybodys,
    /// All of them in a second.
    EverybodysInASecond,
    /// Those of the user whose id has this hash in a minute.
    Users(u64),
}

/// One bucket: app, endpoint, platform, whose calls.
type Key = (u32, &'static str, Platform, Whose);

/// A bucket that is to take one more request.
#[derive(Clone, Copy)]
struct Bucket {
    key: Key,
    /// How many requests it holds.
    limit: u32,
    /// How long it takes to run empty.
    period: i64,
}

/// Some of the buckets.
#[derive(Debug)]
struct Shard {
    /// When each will be empty.
    buckets: HashMap<Key, i64>,
    /// With how many the empty ones are looked for next.
    sweep_at: usize,
}

impl Default for Shard {
    fn default() -> Self {
        Shard { buckets: HashMap::default(), sweep_at: SHARD_BUCKETS_MAX }
    }
}

impl Shard {
    /// When the bucket will be empty, now and with one more request; whether that one finds room.
    fn look(&self, bucket: Bucket, now_micros: i64) -> (i64, i64, bool) {
        let empty_at = self.buckets.get(&bucket.key).copied().unwrap_or(now_micros).max(now_micros);
        let filled = empty_at + interval(bucket.limit, bucket.period);
        // The tolerance is one period: a whole period's limit may come at once.
        (empty_at, filled, filled - now_micros <= bucket.period)
    }

    fn fill(&mut self, key: Key, filled: i64, now_micros: i64) {
        if self.buckets.len() >= self.sweep_at {
            self.buckets.retain(|_, empty_at| *empty_at > now_micros);
            // Where they are in use, they are not looked through with each request.
            self.sweep_at = SHARD_BUCKETS_MAX.max(2 * self.buckets.len());
        }
        self.buckets.insert(key, filled);
    }
}

/// The rate limits of one server.
#[derive(Debug)]
pub struct RateLimits {
    is_off: bool,
    /// Whether a second takes a part of a minute's limit only: where somebody said how strict the limits are.
    has_bursts: bool,
    per_minute: HashMap<&'static str, u32>,
    other_per_minute: u32,
    user_per_minute: u32,
    /// Hashes ids of users in a way that nobody else can foresee.
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

impl RateLimits {
    /// Limits as strict as `setting` says.
    #[must_use]
    pub fn new(setting: RateLimitSetting) -> Self {
        let factor = setting.factor();
        Self {
            is_off: setting == RateLimitSetting::Off,
            has_bursts: matches!(setting, RateLimitSetting::Factor(_)),
            per_minute: PER_MINUTE
                .iter()
                .copied()
                .chain(chat_per_minute())
                .map(|(name, limit)| (name, scaled(limit, factor)))
                .collect(),
            other_per_minute: scaled(OTHER_PER_MINUTE, factor),
            user_per_minute: scaled(USER_PER_MINUTE, factor),
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }

    /// Sets the limit of one endpoint, whatever the factor.
    #[must_use]
    pub fn with_limit(mut self, endpoint: &'static str, per_minute: u32) -> Self {
        self.per_minute.insert(endpoint, per_minute.max(1));
        self
    }

    /// Counts one request at `now_micros` and says whether it may go on.
    pub fn check(&self, app: u32, endpoint: &'static str, platform: Platform, now_micros: i64) -> Verdict {
        self.check_all(&[], self.bucket((app, endpoint, platform)), now_micros)
    }

    /// The same for a call of the chat API by this user, or by the app's own server: a second takes a part of a minute's limit,
    /// and the user has a limit beside that of everybody. What one of them refuses counts in none.
    pub fn check_chat(
        &self,
        (app, endpoint, platform): (u32, &'static str, Platform),
        user: Option<&str>,
        now_micros: i64,
    ) -> Verdict {
        let minute = self.bucket((app, endpoint, platform));
        let burst = Bucket {
            key: (app, endpoint, platform, Whose::EverybodysInASecond),
            limit: (minute.limit / BURST_PART).max(1),
            period: SECOND_MICROS,
        };
        let own = |user: &str| Bucket {
            key: (app, endpoint, platform, Whose::Users(self.hasher.hash_one(user))),
            limit: self.user_per_minute,
            period: PERIOD_MICROS,
        };
        match (self.has_bursts, user.map(own)) {
            _ if self.is_off => self.check_all(&[], minute, now_micros),
            (true, Some(own)) => self.check_all(&[burst, own], minute, now_micros),
            (true, None) => self.check_all(&[burst], minute, now_micros),
            (false, Some(own)) => self.check_all(&[own], minute, now_micros),
            (false, None) => self.check_all(&[], minute, now_micros),
        }
    }

    fn bucket(&self, (app, endpoint, platform): (u32, &'static str, Platform)) -> Bucket {
        Bucket { key: (app, endpoint, platform, Whose::Everybodys), limit: self.limit(endpoint), period: PERIOD_MICROS }
    }

    /// Counts one request in `last` and in all `before` it, if each has room; what the answer tells is how `last` stands, or
    /// the first that has none.
    fn check_all(&self, before: &[Bucket], last: Bucket, now_micros: i64) -> Verdict {
        let (app, endpoint, ..) = last.key;
        let mut shard = self.shards[shard(app, endpoint)].lock();
        // What is off counts all the same, because clients read the counters back.
        let refused = |bucket, empty_at| verdict(bucket, empty_at, now_micros, self.is_off);
        for bucket in before {
            let (empty_at, _, has_room) = shard.look(*bucket, now_micros);
            if !has_room {
                return refused(*bucket, empty_at);
            }
        }
        let (empty_at, filled_last, has_room) = shard.look(last, now_micros);
        if !has_room {
            return refused(last, empty_at);
        }
        for bucket in before {
            let (_, filled, _) = shard.look(*bucket, now_micros);
            shard.fill(bucket.key, filled, now_micros);
        }
        shard.fill(last.key, filled_last, now_micros);
        verdict(last, filled_last, now_micros, true)
    }

    /// What [`RateLimits::check`] would leave behind, without counting.
    pub fn look(&self, app: u32, endpoint: &str, platform: Platform, now_micros: i64) -> Verdict {
        // What no limit names was counted only if a route has the name; then it is looked up among the buckets.
        let shard = self.shards[shard(app, endpoint)].lock();
        let whose = Whose::Everybodys;
        let bucket = match self.per_minute.get_key_value(endpoint) {
            Some((name, _)) => shard.buckets.get(&(app, *name, platform, whose)),
            None => {
                let known = shard.buckets.iter().find(|(key, _)| **key == (app, endpoint, platform, whose));
                known.map(|(_, empty_at)| empty_at)
            }
        };
        let empty_at = bucket.copied().unwrap_or(now_micros).max(now_micros);
        drop(shard);
        let bucket = Bucket { key: (app, "", platform, whose), limit: self.limit(endpoint), period: PERIOD_MICROS };
        verdict(bucket, empty_at, now_micros, true)
    }

    /// The operations of the chat API that have a limit of their own.
    pub fn chat_operations(&self) -> impl Iterator<Item = &'static str> {
        chat_per_minute().map(|(name, _)| name)
    }

    /// Requests per minute that `endpoint` allows.
    #[must_use]
    pub fn limit(&self, endpoint: &str) -> u32 {
        self.per_minute.get(endpoint).copied().unwrap_or(self.other_per_minute)
    }
}

fn shard(app: u32, endpoint: &str) -> usize {
    endpoint.bytes().fold(app as usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte))) % SHARDS
}

/// How long one request takes to leak out of a bucket that does so in `period`.
fn interval(limit: u32, period: i64) -> i64 {
    (period / i64::from(limit)).max(1)
}

fn verdict(Bucket { limit, period, .. }: Bucket, empty_at: i64, now_micros: i64, allowed: bool) -> Verdict {
    let free_micros = period - (empty_at - now_micros);
    let remaining = u32::try_from(free_micros / interval(limit, period)).unwrap_or(0).min(limit);
    let wait_micros = empty_at + interval(limit, period) - period - now_micros;
    Verdict {
        limit,
        remaining,
        reset_unix_seconds: ceil_seconds(empty_at),
        allowed,
        retry_after_seconds: if allowed { 0 } else { ceil_seconds(wait_micros).max(1) },
    }
}

fn ceil_seconds(micros: i64) -> i64 {
    micros.saturating_add(999_999).div_euclid(1_000_000)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32")]
fn scaled(limit: u32, factor: f64) -> u32 {
    (f64::from(limit) * factor).round().clamp(1.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000_000;

    fn limits(per_minute: u32) -> RateLimits {
        RateLimits::new(RateLimitSetting::Default).with_limit("follow", per_minute)
    }

    fn check(limits: &RateLimits, now: i64) -> Verdict {
        limits.check(1, "follow", Platform::Server, now)
    }

    #[test]
    fn a_whole_minute_may_come_at_once_and_then_no_more() {
        let limits = limits(3);
        let remaining: Vec<_> = (0..3).map(|_| check(&limits, NOW)).map(|v| (v.allowed, v.remaining)).collect();
        assert_eq!(remaining, [(true, 2), (true, 1), (true, 0)]);
        let refused = check(&limits, NOW);
        assert_eq!((refused.allowed, refused.remaining, refused.retry_after_seconds), (false, 0, 20));
        assert_eq!(refused.reset_unix_seconds, NOW / 1_000_000 + 60);
    }

    #[test]
    fn the_bucket_leaks_evenly() {
        let limits = limits(3);
        (0..3).for_each(|_| assert!(check(&limits, NOW).allowed));
        assert!(!check(&limits, NOW + 19_999_999).allowed);
        assert!(check(&limits, NOW + 20_000_000).allowed);
        assert!(!check(&limits, NOW + 20_000_000).allowed);
    }

    #[test]
    fn apps_endpoints_and_platforms_have_their_own_buckets() {
        let limits = limits(1);
        assert!(check(&limits, NOW).allowed);
        assert!(!check(&limits, NOW).allowed);
        assert!(limits.check(2, "follow", Platform::Server, NOW).allowed);
        assert!(limits.check(1, "follow", Platform::Web, NOW).allowed);
        assert!(limits.check(1, "unfollow", Platform::Server, NOW).allowed);
    }

    #[test]
    fn off_refuses_nothing_and_counts_all_the_same() {
        let limits = RateLimits::new(RateLimitSetting::Off).with_limit("follow", 2);
        let found: Vec<_> = (0..4).map(|_| check(&limits, NOW)).map(|v| (v.allowed, v.remaining)).collect();
        assert_eq!(found, [(true, 1), (true, 0), (true, 0), (true, 0)]);
    }

    #[test]
    fn empty_buckets_are_forgotten_when_a_shard_is_full() {
        let limits = limits(60);
        let apps = u32::try_from(SHARD_BUCKETS_MAX * SHARDS * 2).unwrap();
        for app in 0..apps {
            limits.check(app, "follow", Platform::Server, NOW + i64::from(app) * 1_000_000);
        }
        assert!(limits.shards.iter().all(|shard| shard.lock().buckets.len() <= SHARD_BUCKETS_MAX));
    }

    #[test]
    fn a_second_takes_a_thirtieth_of_a_minute_and_what_is_refused_is_not_counted() {
        let limits = RateLimits::new(RateLimitSetting::Factor(1.0)).with_limit("follow", 60);
        let check = |now| limits.check_chat((1, "follow", Platform::Server), None, now);
        assert!(check(NOW).allowed && check(NOW).allowed);
        let refused = check(NOW);
        assert_eq!((refused.allowed, refused.limit, refused.remaining, refused.retry_after_seconds), (false, 2, 0, 1));
        let later = check(NOW + SECOND_MICROS);
        assert_eq!((later.allowed, later.limit, later.remaining), (true, 60, 58));
    }

    #[test]
    fn each_user_has_a_limit_beside_that_of_everybody() {
        let limits = RateLimits::new(RateLimitSetting::Factor(1.0)).with_limit("follow", 60_000);
        let check = |user, now| limits.check_chat((1, "follow", Platform::Web), user, now);
        for n in 0..USER_PER_MINUTE {
            assert!(check(Some("amy"), NOW).allowed, "{n}");
        }
        let refused = check(Some("amy"), NOW);
        assert_eq!((refused.allowed, refused.limit, refused.remaining, refused.retry_after_seconds), (false, 60, 0, 1));
        assert!(check(Some("bob"), NOW).allowed && check(None, NOW).allowed);
        assert!(check(Some("amy"), NOW + SECOND_MICROS).allowed);
        let everybody = limits.look(1, "follow", Platform::Web, NOW + SECOND_MICROS);
        assert!(everybody.remaining > 59_000, "{everybody:?}");
    }

    #[test]
    fn off_refuses_no_user_and_no_burst() {
        let limits = RateLimits::new(RateLimitSetting::Off).with_limit("follow", 30);
        for _ in 0..100 {
            assert!(limits.check_chat((1, "follow", Platform::Web), Some("amy"), NOW).allowed);
        }
    }

    #[test]
    fn settings_are_read_and_written_alike() {
        for text in ["off", "default", "2.5"] {
            assert_eq!(text.parse::<RateLimitSetting>().unwrap().to_string(), text);
        }
        for text in ["0", "-1", "NaN", "inf", "much"] {
            assert!(text.parse::<RateLimitSetting>().is_err(), "{text}");
        }
    }

    #[test]
    fn headers_are_written_in_full() {
        let mut headers = HeaderMap::new();
        check(&limits(3), NOW).write_headers(&mut headers);
        assert_eq!(headers["x-ratelimit-limit"], "3");
        assert_eq!(headers["x-ratelimit-remaining"], "2");
        assert_eq!(headers["x-ratelimit-reset"], (NOW / 1_000_000 + 20).to_string());
    }

    #[test]
    fn the_platform_is_read_from_the_client_header() {
        for (name, expected) in [
            ("stream-javascript-client-node-8.14.0", Platform::Server),
            ("stream-javascript-client-browser-8.14.0", Platform::Web),
            ("stream-python-client-5.3.1", Platform::Server),
            ("stream-chat-android-6.0", Platform::Android),
            ("stream-chat-swift-client-v4", Platform::Ios),
            ("stream-chat-unity-client", Platform::Unity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-stream-client", name.parse().unwrap());
            assert_eq!(Platform::of(&headers), expected, "{name}");
        }
    }
}
