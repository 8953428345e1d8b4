//! Rate limits (§10).

use http::Method;
use serde_json::json;
use server::front::RateLimitSetting;

use crate::pond::{Answer, NOW_SECONDS, Pond, activity};

fn number(answer: &Answer, name: &str) -> i64 {
    answer.headers[name].to_str().unwrap().parse().unwrap()
}

/// The three headers.
fn rate(answer: &Answer) -> (i64, i64, i64) {
    let name = |name: &str| number(answer, &format!("x-ratelimit-{name}"));
    (name("limit"), name("remaining"), name("reset"))
}

/// Three adds a minute, six reads.
async fn strict() -> Pond {
    Pond::with_rate_limits(RateLimitSetting::Factor(0.003)).await
}

#[tokio::test]
async fn every_answer_tells_the_rate() {
    let pond = Pond::new().await;
    let answers = [
        pond.get("feed/user/amy/").await,
        pond.post("feed/user/amy/", activity(json!({}))).await,
        pond.post("feed/user/amy/", json!({})).await,
        pond.get("feed/nope/amy/").await,
        pond.user("amy").get("feed/timeline/bob/").await,
        pond.post("feed_targets/user/amy/activity_to_targets/", json!({ "id": "x" })).await,
        pond.get("stats/follow/").await,
        pond.call(Method::HEAD, "feed/user/amy/", "").await,
    ];
    for answer in answers {
        let (limit, remaining, reset) = rate(&answer);
        assert!(limit > remaining && remaining > 0 && reset >= NOW_SECONDS, "{answer:?}");
        assert_eq!(answer.headers.get("retry-after"), None);
    }
    let turned_away = [
        pond.key("nobody").get("feed/user/amy/").await,
        pond.token(None).get("feed/flat/amy/").await,
        pond.scope("feed", "read", "userbob").get("feed/flat/amy/").await,
        pond.get("no/such/path/").await,
        pond.call(Method::PUT, "feed/user/amy/", "").await,
    ];
    for (answer, status) in turned_away.iter().zip([401, 403, 403, 404, 405]) {
        let (limit, remaining, reset) = rate(answer);
        assert_eq!(answer.status, status);
        assert!(limit >= remaining && remaining > 0 && reset >= NOW_SECONDS, "{answer:?}");
    }
}

#[tokio::test]
async fn limits_are_a_hundred_times_the_published_ones_unless_told_otherwise() {
    for (setting, limit) in
        [(RateLimitSetting::Default, 200_000), (RateLimitSetting::Off, 200_000), (RateLimitSetting::Factor(1.0), 2000)]
    {
        let pond = Pond::with_rate_limits(setting).await;
        assert_eq!(rate(&pond.get("feed/user/amy/").await).0, limit, "{setting}");
    }
}

#[tokio::test]
async fn too_many_calls_are_refused_until_the_clock_has_moved_on() {
    let pond = strict().await;
    let add = async || pond.post("feed/user/amy/", activity(json!({}))).await;
    for remaining in [2, 1, 0] {
        let answer = add().await;
        answer.ok(201);
        assert_eq!(rate(&answer), (3, remaining, NOW_SECONDS + 20 * (3 - remaining)));
    }
    let refused = add().await;
    assert_eq!(refused.refusal().error, (429, 9));
    assert_eq!((rate(&refused), number(&refused, "retry-after")), ((3, 0, NOW_SECONDS + 60), 20));
    assert_eq!(pond.objects("user:amy").await.len(), 3);
    pond.clock.advance(20_000_000);
    add().await.ok(201);
    assert_eq!(add().await.refusal().error, (429, 9));
}

#[tokio::test]
async fn what_is_refused_for_its_rate_stores_nothing() {
    let pond = Pond::with_rate_limits(RateLimitSetting::Factor(0.001)).await;
    pond.post("feed/user/amy/", activity(json!({}))).await.ok(201);
    assert_eq!(pond.refuses("feed/user/amy/", activity(json!({})).to_string()).await.error, (429, 9));
}

#[tokio::test]
async fn each_endpoint_app_and_platform_has_its_own_rate() {
    let pond = Pond::with_rate_limits(RateLimitSetting::Factor(0.001)).await;
    let new = json!({ "key": "other", "secret": "s", "is_for_sdk_suites": true });
    assert_eq!(pond.admin(Method::POST, "apps", new).await.status, 200);
    pond.post("feed/user/amy/", activity(json!({}))).await.ok(201);
    assert_eq!(pond.post("feed/user/bob/", activity(json!({}))).await.refusal().error, (429, 9), "another feed");
    pond.get("feed/user/amy/").await.ok(200);
    pond.app("other", "s").post("feed/user/amy/", activity(json!({}))).await.ok(201);
    let phone = pond.header("x-stream-client", "stream-swift-client-1.0");
    phone.post("feed/user/amy/", activity(json!({}))).await.ok(201);
}

#[tokio::test]
async fn calls_without_a_good_token_do_not_count() {
    let pond = Pond::with_rate_limits(RateLimitSetting::Factor(0.001)).await;
    for _ in 0..5 {
        assert_eq!(pond.token(None).refuses("feed/user/amy/", "{}").await.error, (403, 17));
        assert_eq!(pond.scope("feed", "read", "*").refuses("feed/user/amy/", "{}").await.error, (403, 17));
    }
    pond.post("feed/user/amy/", activity(json!({}))).await.ok(201);
}

#[tokio::test]
async fn off_refuses_nobody() {
    let pond = Pond::with_rate_limits(RateLimitSetting::Off).await;
    for _ in 0..50 {
        pond.get("feed/user/amy/").await.ok(200);
    }
}
