//! `GET /rate_limits` (chat §4.1, §11.12).

use wire::chat::app::{RateLimit, RateLimits};

use super::{error::Result, fields::Fields, gate::Call};
use crate::{
    front::{Platform, Verdict},
    reply::Reply,
};

const PLATFORMS: [(&str, Platform); 5] = [
    ("server_side", Platform::Server),
    ("android", Platform::Android),
    ("ios", Platform::Ios),
    ("web", Platform::Web),
    ("unity", Platform::Unity),
];

/// `GET /rate_limits`: how the app's operations stand, on the platforms that are asked for or on all.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let is_asked = |name: &str| matches!(call.query.get(name), Some("true" | "True" | "1"));
    let is_any_asked = PLATFORMS.iter().any(|(name, _)| is_asked(name));
    let asked = call.query.list("endpoints");
    let rates = &call.server.rates;
    let operations: Vec<&str> = if asked.is_empty() { rates.chat_operations().collect() } else { asked };
    // The call itself is counted in what it tells, however fast the limits drain (chat §11.12).
    let (app, now) = (call.tenant.app.id.0, call.admitted_micros());
    let platforms = PLATFORMS.into_iter().filter(|(name, _)| !is_any_asked || is_asked(name));
    let standing = |operation: &str, platform| {
        let Verdict { limit, remaining, reset_unix_seconds, .. } = rates.look(app, operation, platform, now);
        RateLimit { limit, remaining, reset: reset_unix_seconds }
    };
    let platforms = platforms.map(|(name, platform)| {
        (name, operations.iter().map(|operation| (*operation, standing(operation, platform))).collect())
    });
    call.answer(&RateLimits { platforms: platforms.collect() })
}
