//! How often what may be called (§4.1, §11.12).

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::Value;
use server::front::{Clock, RateLimitSetting};

use crate::pond::{Answer, NOW_SECONDS, Pond};

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn counters_are_live_and_stand_for_each_platform() {
    let pond = Pond::new().await;
    let limits = pond.get("rate_limits").await.ok(200);
    assert_eq!(keys(&limits), ["android", "ios", "server_side", "unity", "web"]);
    let rate = |platform: &str| {
        let rate = &limits[platform]["GetRateLimits"];
        (rate["limit"].as_i64().unwrap(), rate["remaining"].as_i64().unwrap())
    };
    assert!(rate("server_side").0 > rate("server_side").1, "{limits}");
    assert!(rate("android").0 == rate("android").1 && rate("android").0 > 0);
    assert!(limits["ios"]["SendMessage"]["reset"].is_i64());
}

/// A clock that has gone on whenever somebody looks.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now_micros(&self) -> i64 {
        self.0.fetch_add(100_000, Ordering::Relaxed)
    }
}

#[tokio::test]
async fn the_call_that_tells_the_limits_counts_itself_however_fast_they_drain() {
    let clock = Arc::new(Ticking(AtomicI64::new(NOW_SECONDS * 1_000_000)));
    let (pond, _running) = Pond::start(|options| options.clock = clock).await;
    let limits = pond.get("rate_limits?server_side=true&endpoints=GetRateLimits").await.ok(200);
    let rate = &limits["server_side"]["GetRateLimits"];
    assert_eq!(rate["limit"].as_i64().unwrap() - rate["remaining"].as_i64().unwrap(), 1, "{limits}");
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() {
    let pond = Pond::new().await;
    let path = "rate_limits?server_side=true&web=1&android=false&endpoints=SendMessage,QueryUsers,NeverCalled";
    for client in [(*pond).clone(), pond.v2()] {
        let limits = client.get(path).await.ok(200);
        assert_eq!(keys(&limits), ["server_side", "web"]);
        assert_eq!(keys(&limits["web"]), ["NeverCalled", "QueryUsers", "SendMessage"]);
        assert!(limits["web"].as_object().unwrap().values().all(|rate| rate["limit"].as_i64().unwrap() > 0));
    }
    let empty = pond.get("rate_limits?android=&endpoints=").await.ok(200);
    assert_eq!(keys(&empty).len(), 5);
}

#[tokio::test]
async fn a_user_has_a_limit_beside_that_of_the_app_and_is_told_when_to_come_back() {
    let (pond, _) = Pond::start(|options| options.rate_limits = RateLimitSetting::Factor(1.0)).await;
    let mut answers = Vec::new();
    while answers.last().is_none_or(|answer: &Answer| answer.status == 200) {
        // A second takes a thirtieth of a minute's limit.
        pond.clock.advance(31_000);
        answers.push(pond.user("amy").get("rate_limits").await);
        assert!(answers.len() < 70, "it is never refused");
    }
    let refused = answers.pop().unwrap();
    assert!((60..63).contains(&answers.len()), "{}", answers.len());
    assert_eq!((refused.refusal(), &refused.headers["x-ratelimit-limit"]), ((429, 9), &"60".parse().unwrap()));
    assert!(refused.text.contains("Too many requests") && refused.headers.contains_key("retry-after"));
    assert_eq!(answers[0].headers["x-ratelimit-limit"], "1000");
    assert_eq!(pond.user("bob").get("rate_limits").await.status, 200);
    for _ in 0..60 {
        pond.clock.advance(31_000);
        assert_eq!(pond.get("rate_limits").await.status, 200, "the app's own server has no such limit");
    }
}
