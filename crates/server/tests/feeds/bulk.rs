//! The largest batches, which take several transactions (§11).

use serde_json::{Value, json};

use crate::pond::{Members, Pond, activity};

#[tokio::test]
async fn an_activity_reaches_five_thousand_feeds() {
    let pond = Pond::new().await;
    let feeds: Vec<String> = (0..5000).map(|n| format!("user:{n}")).collect();
    let body = json!({ "feeds": feeds, "activity": activity(json!({ "text": "x".repeat(5000) })) });
    pond.post("feed/add_to_many/", body).await.ok(201);
    let first = pond.get("feed/user/0/").await.ok(200).list("id");
    for n in (0..5000).step_by(499).chain([4999]) {
        assert_eq!(pond.get(&format!("feed/user/{n}/")).await.ok(200).list("id"), first, "{n}");
    }
}

#[tokio::test]
async fn two_and_a_half_thousand_feeds_are_followed_and_unfollowed() {
    let pond = Pond::new().await;
    pond.add("user:2499", json!({})).await;
    let pairs: Vec<Value> =
        (0..2500).map(|n| json!({ "source": "timeline:bob", "target": format!("user:{n}") })).collect();
    let count = async || {
        pond.get("stats/follow/?following=timeline:bob").await.ok(200)["results"]["following"]["count"].clone()
    };
    pond.post("follow_many/", pairs.clone().into()).await.ok(201);
    assert_eq!(count().await, 2500);
    assert_eq!(pond.objects("timeline:bob").await, ["fish"]);
    let latest = pond.get("feed/timeline/bob/follows/?limit=2").await.ok(200);
    assert_eq!(latest.list("target_id"), ["user:2499", "user:2498"]);
    let last = pond.get("feed/timeline/bob/follows/?offset=2499").await.ok(200);
    assert_eq!(last.list("target_id"), ["user:0"]);
    pond.post("unfollow_many/", pairs.into()).await.ok(200);
    assert_eq!(count().await, 0);
    assert!(pond.objects("timeline:bob").await.is_empty());
}

#[tokio::test]
async fn one_bad_follow_at_the_end_of_a_long_list_stores_nothing() {
    let pond = Pond::new().await;
    let mut pairs: Vec<Value> =
        (0..2499).map(|n| json!({ "source": "timeline:bob", "target": format!("user:{n}") })).collect();
    pairs.push(json!({ "source": "timeline:bob", "target": "timeline:bob" }));
    assert_eq!(pond.refuses("follow_many/", Value::from(pairs).to_string()).await.error, (400, 4));
    assert_eq!(pond.get("feed/timeline/bob/follows/").await.ok(200), json!({ "results": [] }));
}
