//! What tokens are worth on calls that succeed, and that what is refused stores nothing (§2.1–§2.3, §2.5). The table of all
//! routes is in `access`.

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, NOW_SECONDS, Pond, SECRET, activity, sign, with};

const OUT_OF_SCOPE: &str = "You do not have permission to perform this action.";
const AGAINST_POLICY: &str = "You do not have permission to do this, you got this error because there are no policies \
    allowing this request on this application. Please consult the documentation https://getstream.io/docs/";
/// An id that no activity has.
const NOBODY: &str = "8b866680-82b8-11e8-8080-80014b9d80a2";

/// What a scope must cover.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Covers {
    /// The feed that the call is about.
    Feed,
    /// Every feed.
    App,
}

/// What a token of a user allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Users {
    /// What concerns feeds of their own.
    Own,
    /// Everything.
    All,
    /// Nothing.
    Nothing,
}

/// One route: the words of §2.3, and a call that succeeds.
struct Row {
    action: &'static str,
    resource: &'static str,
    covers: Covers,
    users: Users,
    /// A call about the feed `timeline:amy`; another user's call is the same about `timeline:bob`.
    path: &'static str,
    body: fn() -> Value,
    status: u16,
}

impl Row {
    fn method(&self) -> Method {
        match self.action {
            "read" => Method::GET,
            "write" => Method::POST,
            _ => Method::DELETE,
        }
    }

    fn feed_id(&self) -> &'static str {
        if self.covers == Covers::Feed { "timelineamy" } else { "*" }
    }
}

fn row(asks: (&'static str, &'static str, Covers, Users), path: &'static str, status: u16) -> Row {
    let (resource, action, covers, users) = asks;
    Row { action, resource, covers, users, path, body: || Value::Null, status }
}

fn nothing_to_do() -> Value {
    json!([])
}

fn one() -> Value {
    activity(json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" }))
}

/// The routes of activities and follows.
fn rows() -> Vec<Row> {
    use Covers::{App, Feed};
    use Users::{All, Nothing, Own};
    let with_body = |row: Row, body: fn() -> Value| Row { body, ..row };
    vec![
        row(("feed", "read", Feed, Own), "feed/timeline/amy/", 200),
        row(("feed", "read", Feed, Own), "enrich/feed/timeline/amy/", 200),
        with_body(row(("feed", "write", Feed, Own), "feed/timeline/amy/", 201), one),
        row(("feed", "delete", Feed, Own), "feed/timeline/amy/8b866680-82b8-11e8-8080-80014b9d80a2/", 200),
        with_body(
            row(("feed", "write", App, Nothing), "feed/add_to_many/", 201),
            || json!({ "feeds": ["timeline:amy"], "activity": one() }),
        ),
        row(("follower", "read", Feed, Own), "feed/timeline/amy/follows/", 200),
        row(("follower", "read", Feed, Own), "feed/timeline/amy/following/", 200),
        row(("follower", "read", Feed, Own), "feed/timeline/amy/followers/", 200),
        with_body(
            row(("follower", "write", Feed, Own), "feed/timeline/amy/follows/", 201),
            || json!({ "target": "user:carl" }),
        ),
        with_body(
            row(("follower", "write", Feed, Own), "feed/timeline/amy/following/", 201),
            || json!({ "target": "user:carl" }),
        ),
        row(("follower", "delete", Feed, Own), "feed/timeline/amy/follows/user:carl/", 200),
        row(("follower", "delete", Feed, Own), "feed/timeline/amy/following/user:carl/", 200),
        with_body(row(("follower", "write", App, Nothing), "follow_many/", 201), nothing_to_do),
        with_body(row(("follower", "write", App, Nothing), "unfollow_many/", 200), nothing_to_do),
        row(("follower", "read", Feed, Own), "stats/follow/?followers=timeline:amy", 200),
        with_body(
            row(("feed_targets", "write", Feed, Nothing), "feed_targets/timeline/amy/activity_to_targets/", 201),
            || json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00", "new_targets": [] }),
        ),
        row(("activities", "read", App, All), "activities/?ids=8b866680-82b8-11e8-8080-80014b9d80a2", 200),
        row(("activities", "read", App, All), "enrich/activities/?ids=8b866680-82b8-11e8-8080-80014b9d80a2", 200),
        with_body(row(("activities", "write", App, Nothing), "activities/", 201), || json!({ "activities": [one()] })),
        with_body(
            row(("activities", "write", App, Nothing), "activity/", 201),
            || json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00", "set": { "weight": 1 } }),
        ),
    ]
}

/// What a kind of token meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meets {
    Success,
    Refusal(u16, i64, Option<&'static str>),
}

use Meets::{Refusal, Success};

const NO_ENTRY: Meets = Refusal(403, 17, None);

/// A pond in which each row's call can succeed.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    pond.add("timeline:amy", one()).await;
    pond.add("timeline:bob", with(one(), json!({ "actor": "SU:bob" }))).await;
    pond
}

async fn meets(client: &Client, row: &Row, path: &str) -> Meets {
    let answer = client.call(row.method(), path, (row.body)().to_string()).await;
    if answer.status == row.status {
        answer.ok(row.status);
        return Success;
    }
    let (refusal, known) = (answer.refusal(), [OUT_OF_SCOPE, AGAINST_POLICY]);
    let worded = known.into_iter().find(|detail| *detail == refusal.detail);
    Refusal(refusal.error.0, refusal.error.1, worded)
}

/// Every kind of caller, and what the row's call meets.
fn callers(pond: &Pond, row: &Row) -> Vec<(&'static str, Client, Meets)> {
    let (resource, action, feed) = (row.resource, row.action, row.feed_id());
    let out_of_scope = Refusal(403, 17, Some(OUT_OF_SCOPE));
    let other_resource = if resource == "follower" { "activities" } else { "follower" };
    let other_action = if action == "read" { "write,delete" } else { "read" };
    let full = json!({ "resource": "*", "action": "*", "feed_id": "*" });
    let until = |exp: i64| with(full.clone(), json!({ "exp": exp }));
    let policy = Refusal(403, 17, Some(AGAINST_POLICY));
    let own = if row.users == Users::Nothing { policy } else { Success };
    let others = if row.users == Users::All { Success } else { policy };
    vec![
        ("no key", pond.key(""), Refusal(401, 2, None)),
        ("an unknown key", pond.key("unknown"), Refusal(401, 2, None)),
        ("no token", pond.token(None), NO_ENTRY),
        ("a malformed token", pond.token(Some("a.b".into())), NO_ENTRY),
        ("a token that is no token", pond.token(Some("a.b.c".into())), NO_ENTRY),
        ("an empty token", pond.token(Some(String::new())), NO_ENTRY),
        ("another secret's token", pond.token(Some(sign("other", &full))), NO_ENTRY),
        ("an expired token", pond.claims(&until(NOW_SECONDS - 60)), NO_ENTRY),
        (
            "a token that is not valid yet",
            pond.claims(&with(full.clone(), json!({ "nbf": NOW_SECONDS + 3600 }))),
            NO_ENTRY,
        ),
        ("a token that expires later", pond.claims(&until(NOW_SECONDS + 60)), Success),
        ("a token without claims", pond.claims(&json!({})), NO_ENTRY),
        ("a resource without an action", pond.claims(&json!({ "resource": "*", "feed_id": "*" })), NO_ENTRY),
        ("another resource", pond.scope(other_resource, "*", "*"), out_of_scope),
        ("another action", pond.scope("*", other_action, "*"), out_of_scope),
        ("another feed", pond.scope("*", "*", "timelinebob"), out_of_scope),
        ("the group without the id", pond.scope("*", "*", "timeline"), out_of_scope),
        ("exactly what is asked", pond.scope(resource, action, feed), Success),
        (
            "what is asked in lists",
            pond.scope(&format!("x,{resource}"), &format!("x,{action}"), &format!("x,{feed}")),
            Success,
        ),
        ("a scope without a feed", pond.claims(&json!({ "resource": resource, "action": action })), Success),
        ("a scope with a user", pond.claims(&with(full.clone(), json!({ "user_id": "bob" }))), Success),
        ("everything", pond.claims(&full), Success),
        ("everything, as a bearer", pond.token(Some(format!("Bearer {}", sign(SECRET, &full)))), Success),
        ("the user", pond.user("amy"), own),
        ("another user", pond.user("bob"), others),
    ]
}

#[tokio::test]
async fn every_route_lets_in_whom_the_contract_names_and_nobody_else() {
    let pond = pond().await;
    for row in rows() {
        for (who, client, expected) in callers(&pond, &row) {
            let met = meets(&client, &row, row.path).await;
            let met = if expected == NO_ENTRY || met == Success { met } else { with_words(met, expected) };
            assert_eq!(met, expected, "{} {} with {who}", row.action, row.path);
        }
    }
}

/// The words count only where the contract fixes them.
fn with_words(met: Meets, expected: Meets) -> Meets {
    match (met, expected) {
        (Refusal(status, code, _), Refusal(_, _, None)) => Refusal(status, code, None),
        _ => met,
    }
}

#[tokio::test]
async fn what_is_refused_stores_nothing() {
    let pond = pond().await;
    for row in rows().into_iter().filter(|row| row.action != "read") {
        for (_, client, expected) in callers(&pond, &row) {
            if expected != Success {
                client.refuses_to(row.method(), row.path, (row.body)().to_string()).await;
            }
        }
    }
}

#[tokio::test]
async fn a_malformed_token_is_told_so() {
    let pond = Pond::new().await;
    let refusal = pond.token(Some("a.b".into())).get("feed/user/amy/").await.refusal();
    assert_eq!(refusal.detail, "token contains an invalid number of segments");
}

#[tokio::test]
async fn tokens_with_another_algorithm_or_none_are_refused() {
    let pond = Pond::new().await;
    let claims = "eyJyZXNvdXJjZSI6IioiLCJhY3Rpb24iOiIqIiwiZmVlZF9pZCI6IioifQ";
    let tail = sign(SECRET, &json!({})).rsplit('.').next().unwrap().to_owned();
    // {"alg":"none"}, {"alg":"HS512"}, {"alg":"RS256"}
    for head in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzUxMiJ9", "eyJhbGciOiJSUzI1NiJ9"] {
        for tail in ["", tail.as_str()] {
            let token = format!("{head}.{claims}.{tail}");
            assert_eq!(
                pond.token(Some(token.clone())).get("feed/user/amy/").await.refusal().error,
                (403, 17),
                "{token}"
            );
        }
    }
}

#[tokio::test]
async fn the_published_tokens_of_the_contract_are_taken() {
    let pond = Pond::new().await;
    let new = json!({ "key": "docs", "secret": "secret", "is_for_sdk_suites": true });
    pond.admin(Method::POST, "apps", new).await;
    let head = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";
    let claims =
        "eyJyZXNvdXJjZSI6IioiLCJhY3Rpb24iOiIqIiwiZmVlZF9pZCI6IioifQ.JLzxiezjRTarkHDNdi9R_HGJF1JbMQh2tFU8UFvonEk";
    pond.key("docs").token(Some(format!("{head}.{claims}"))).get("feed/user/amy/").await.ok(200);
    let claims = "eyJ1c2VyX2lkIjoiYm9iX2pvaG5zb25fMSJ9.SZS5WCWaNlk3_vckQvi34ScZm71xHDcE7-5-pG75G1o";
    pond.key("docs").token(Some(format!("{head}.{claims}"))).get("feed/timeline/bob_johnson_1/").await.ok(200);
}

#[tokio::test]
async fn a_token_expires_when_the_clock_has_moved_on() {
    let pond = Pond::new().await;
    let soon = pond.claims(&json!({ "user_id": "amy", "exp": NOW_SECONDS + 60, "iat": NOW_SECONDS }));
    soon.get("feed/user/amy/").await.ok(200);
    pond.clock.advance(120_000_000);
    assert_eq!(soon.get("feed/user/amy/").await.refusal().error, (403, 17));
}

#[tokio::test]
async fn the_key_may_come_in_a_header_and_the_kind_of_token_may_be_unsaid() {
    let pond = Pond::new().await;
    pond.key("").header("x-api-key", crate::pond::KEY).get("feed/user/amy/").await.ok(200);
    assert_eq!(pond.key("").header("x-api-key", "unknown").get("feed/user/amy/").await.refusal().error, (401, 2));
}

#[tokio::test]
async fn a_scope_may_name_its_feed_with_a_colon() {
    let pond = Pond::new().await;
    pond.scope("feed", "read", "user:amy,user:bob").get("feed/user/bob/").await.ok(200);
    assert_eq!(pond.scope("feed", "read", "user:amy").get("feed/user/bob/").await.refusal().error, (403, 17));
}

#[tokio::test]
async fn follow_statistics_ask_for_every_feed_that_is_named() {
    let pond = Pond::new().await;
    let one = pond.scope("*", "*", "useramy");
    one.get("stats/follow/?followers=user:amy&following=user:amy").await.ok(200);
    let refusal = one.get("stats/follow/?followers=user:amy&following=timeline:amy").await.refusal();
    assert_eq!((refusal.error, refusal.detail.as_str()), ((403, 17), OUT_OF_SCOPE));
}

#[tokio::test]
async fn the_checks_come_in_the_order_of_the_contract() {
    let pond = Pond::new().await;
    let bad = || json!({ "target": 1, "activity_copy_limit": -1 }).to_string();
    let path = "feed/nope/amy/follows/";
    assert_eq!(pond.key("unknown").token(None).refuses(path, bad()).await.error, (401, 2));
    assert_eq!(pond.token(None).refuses(path, bad()).await.error, (403, 17));
    assert_eq!(pond.scope("feed", "*", "*").refuses(path, bad()).await.error, (403, 17));
    assert_eq!(pond.user("bob").refuses(path, bad()).await.error, (403, 17));
    assert_eq!(pond.refuses(path, "{").await.error, (400, 4));
    assert_eq!(pond.refuses(path, bad()).await.error, (400, 4));
    assert_eq!(pond.refuses(path, json!({ "target": "user:bob" }).to_string()).await.error, (400, 6));
    let missing = json!({ "id": NOBODY, "added_targets": ["nope:1"] }).to_string();
    assert_eq!(pond.refuses("feed_targets/user/amy/activity_to_targets/", missing).await.error, (400, 6));
    let missing = json!({ "id": NOBODY, "added_targets": ["user:1"] }).to_string();
    assert_eq!(pond.refuses("feed_targets/user/amy/activity_to_targets/", missing).await.error, (404, 16));
}
