//! How often what may be called (§4.1, §11.12).

use serde_json::Value;

use crate::pond::Pond;

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
