//! Path prefixes: one table of routes for all of them, and the dialect that each asks for (chat §1.1, §5A.1).

use axum::body::Body;
use http::{Request, Uri, uri::PathAndQuery};
use wire::chat::dialect::Dialect;

/// What stands before the paths of the chat routes, so that they meet no other.
pub(crate) const INSIDE: &str = "/chat";
/// Prefixes of the classic dialect, then those of the other.
const CLASSIC: [&str; 3] = ["/api/v1.0/", "/api/v1/", "/v1/"];
const V2: [&str; 2] = ["/api/v2/", "/v2/"];
/// The first segment of paths of feeds v3.
const FEEDS: &str = "feeds";
/// First segments of paths that are not the chat API's.
const OTHERS: [&str; 12] = [
    "admin",
    "analytics",
    "api",
    "faye",
    "files",
    "personalization",
    "livez",
    "readyz",
    "metrics",
    "dashboard",
    "exports",
    "openapi.json",
];
/// First segments below `/api/v1.0/` that belong to chat; the others are those of feeds v1.0.
const CHAT: [&str; 38] = [
    "app",
    "blocklists",
    "channels",
    "channeltypes",
    "chat",
    "check_push",
    "check_sns",
    "check_sqs",
    "commands",
    "connect",
    "devices",
    "drafts",
    "export",
    "export_channels",
    "guest",
    "import_urls",
    "imports",
    "longpoll",
    "members",
    "messages",
    "moderation",
    "permissions",
    "polls",
    "push_preferences",
    "push_providers",
    "query_banned_users",
    "query_future_channel_bans",
    "rate_limits",
    "reminders",
    "roles",
    "search",
    "sync",
    "tasks",
    "threads",
    "unread",
    "unread_batch",
    "usergroups",
    "users",
];

/// Sends a request for the chat API to its one table of routes, and notes the dialect that its prefix asks for.
pub(crate) fn rewrite(request: &mut Request<Body>) {
    let Some((path, dialect)) = normalised(request.uri().path()) else { return };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(target) = PathAndQuery::try_from(format!("{INSIDE}{path}{query}")) else { return };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(target);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        request.extensions_mut().insert(dialect);
    }
}

/// Whether both APIs have the path, and it is written as the clients of feeds write it: with a slash at its end.
fn is_of_feeds_by_its_slash(path: &str) -> bool {
    path == "/api/v1.0/users/"
}

/// The path without its prefixes, with single slashes and none at its end; `None` if it is not the chat API's.
fn normalised(path: &str) -> Option<(String, Dialect)> {
    if is_of_feeds_by_its_slash(path) {
        return None;
    }
    let path = format!("/{}", path.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("/"));
    let strip = |prefixes: &[&str]| prefixes.iter().find_map(|prefix| path.strip_prefix(prefix).map(str::to_owned));
    let (rest, dialect) = match (strip(&V2), strip(&CLASSIC)) {
        (Some(rest), _) => (rest, Dialect::V2),
        (None, Some(rest)) => (rest, Dialect::Classic),
        (None, None) => (path[1..].to_owned(), Dialect::Classic),
    };
    let first = rest.split('/').next().unwrap_or_default();
    let is_of_feeds = path.starts_with("/api/v1.0/") && (!CHAT.contains(&first) || is_feed_moderation(&rest));
    if OTHERS.contains(&first) || is_of_feeds || rest.is_empty() {
        return None;
    }
    // Feeds v3 have one dialect.
    let dialect = if first == FEEDS { Dialect::V2 } else { dialect };
    let rest = rest.strip_prefix("chat/").unwrap_or(&rest);
    Some((format!("/{rest}"), dialect))
}

/// Whether a path below `/api/v1.0/` is one of moderation that feeds have, too; chat has it without that prefix.
fn is_feed_moderation(rest: &str) -> bool {
    ["moderation/flag", "moderation/status", "moderation/status/batch"].contains(&rest)
        || rest.starts_with("moderation/user/cache/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_prefix_and_one_chat_segment_are_stripped_and_slashes_do_not_count() {
        for (path, inside, dialect) in [
            ("/app", "/app", Dialect::Classic),
            ("//app", "/app", Dialect::Classic),
            ("/channels/messaging/general/query/", "/channels/messaging/general/query", Dialect::Classic),
            ("/api/v1/users", "/users", Dialect::Classic),
            ("/api/v1.0/users", "/users", Dialect::Classic),
            ("/v1/users", "/users", Dialect::Classic),
            ("/api/v2/users", "/users", Dialect::V2),
            ("/v2/users", "/users", Dialect::V2),
            ("/api/v2/chat/channels", "/channels", Dialect::V2),
            ("/chat/channels", "/channels", Dialect::Classic),
            ("/api/v2/moderation/ban", "/moderation/ban", Dialect::V2),
            (
                "/api/v2/chat/channels/messaging/%21members-x/query",
                "/channels/messaging/%21members-x/query",
                Dialect::V2,
            ),
        ] {
            assert_eq!(normalised(path), Some((inside.to_owned(), dialect)), "{path}");
        }
    }

    #[test]
    fn what_belongs_to_others_is_left_alone() {
        for path in [
            "/",
            "/admin/apps",
            "/livez",
            "/metrics",
            "/api/v1.0/feed/user/amy/",
            "/api/v1.0/nothing/",
            "/api/v1.0/users/",
            "/api/v1.0/moderation/flag",
            "/api/v1.0/moderation/status/",
            "/api/v1.0/moderation/user/cache/amy/",
        ] {
            assert_eq!(normalised(path), None, "{path}");
        }
    }
}
