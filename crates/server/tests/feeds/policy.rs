//! What a user may do with feeds and follows (§2.4).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, Members, Pond, activity, path};

const NOBODY: &str = "8b866680-82b8-11e8-8080-80014b9d80a2";

fn by(actor: &str, fields: Value) -> Value {
    crate::pond::with(activity(json!({ "actor": actor })), fields)
}

async fn may_read(user: &Client, feed: &str) -> bool {
    let answer = user.get(&path(feed)).await;
    answer.status == 200 || answer.refusal().error != (403, 17)
}

async fn may_add(user: &Client, feed: &str, activity: Value) -> bool {
    let answer = user.post(&path(feed), activity).await;
    answer.status == 201 || answer.refusal().error != (403, 17)
}

#[tokio::test]
async fn a_user_reads_every_feed_of_their_own_and_what_others_show() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    for group in ["user", "timeline", "flat", "topic", "aggregated", "notification"] {
        assert!(may_read(&amy, &format!("{group}:amy")).await, "{group}");
    }
    assert!(may_read(&amy, "user:bob").await);
    for group in ["timeline", "flat", "secret", "aggregated", "notification"] {
        assert!(!may_read(&amy, &format!("{group}:bob")).await, "{group}");
    }
}

#[tokio::test]
async fn a_feed_of_a_group_that_is_not_there_is_closed_to_others() {
    let amy = Pond::new().await.user("amy");
    assert_eq!(amy.get("feed/nope/amy/").await.refusal().error, (400, 6));
    assert_eq!(amy.get("feed/nope/bob/").await.refusal().error, (403, 17));
}

#[tokio::test]
async fn a_user_posts_only_to_open_feeds_and_only_in_their_own_name() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    assert!(may_add(&amy, "user:amy", by("SU:amy", json!({}))).await);
    assert!(may_add(&amy, "notification:bob", by("SU:amy", json!({}))).await);
    for actor in ["SU:bob", "amy", "bob", "SU:amy2"] {
        assert!(!may_add(&amy, "user:amy", by(actor, json!({}))).await, "{actor}");
    }
    for feed in ["timeline:bob", "user:bob", "flat:bob"] {
        assert!(!may_add(&amy, feed, by("SU:amy", json!({}))).await, "{feed}");
    }
    assert_eq!(pond.objects("user:amy").await.len(), 1);
    assert!(pond.objects("timeline:bob").await.is_empty());
}

#[tokio::test]
async fn a_users_list_is_refused_whole_when_one_activity_is_not_their_own() {
    let pond = Pond::new().await;
    let body = json!({ "activities": [by("SU:amy", json!({})), by("SU:bob", json!({}))] });
    assert_eq!(pond.user("amy").refuses("feed/user/amy/", body.to_string()).await.error, (403, 17));
}

#[tokio::test]
async fn a_user_names_only_open_feeds_as_targets() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    for target in ["notification:123", "notification:bob", "timeline:amy", "user:amy"] {
        assert!(may_add(&amy, "user:amy", by("SU:amy", json!({ "to": [target] }))).await, "{target}");
    }
    for target in ["timeline:123", "user:bob"] {
        let body = by("SU:amy", json!({ "to": ["notification:123", target] }));
        assert_eq!(amy.refuses("feed/user/amy/", body.to_string()).await.error, (403, 17), "{target}");
    }
}

#[tokio::test]
async fn a_user_posts_reactions_to_open_feeds_only_whether_or_not_the_activity_is_there() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    let there = pond.add("user:bob", json!({})).await.text("id").to_owned();
    for activity in [there.as_str(), NOBODY] {
        let react = |target: &str| json!({ "kind": "like", "activity_id": activity, "target_feeds": [target] });
        for target in ["timeline:123", "user:bob"] {
            let refusal = amy.refuses("reaction/", react(target).to_string()).await;
            assert_eq!(refusal.error, (403, 17), "{target}");
        }
        for target in ["notification:123", "notification:bob", "timeline:amy"] {
            amy.post("reaction/", react(target)).await.ok(201);
        }
    }
}

#[tokio::test]
async fn a_user_removes_from_their_own_feeds_only() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    let of_amy = amy.add("user:amy", json!({ "foreign_id": "fish:1" })).await;
    let of_bob = pond.add("user:bob", json!({ "actor": "SU:bob", "foreign_id": "fish:1" })).await;
    amy.delete(&format!("feed/user/amy/{NOBODY}/")).await.ok(200);
    for name in [format!("{}/", of_bob.text("id")), "fish:1/?foreign_id=1".to_owned(), format!("{NOBODY}/")] {
        let refusal = amy.refuses_to(Method::DELETE, &format!("feed/user/bob/{name}"), "").await;
        assert_eq!(refusal.error, (403, 17), "{name}");
    }
    amy.delete(&format!("feed/user/amy/{}/", of_amy.text("id"))).await.ok(200);
    assert!(pond.objects("user:amy").await.is_empty());
    assert_eq!(pond.objects("user:bob").await, ["fish"]);
}

#[tokio::test]
async fn a_user_follows_any_flat_feed_with_their_own_feeds_only() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    for feed in ["timeline:amy", "user:amy", "notification:amy"] {
        for target in ["user:bob", "timeline:bob"] {
            amy.follow(feed, target).await;
            amy.delete(&format!("{}following/{target}/", path(feed))).await.ok(200);
        }
    }
    let body = json!({ "target": "user:amy" }).to_string();
    assert_eq!(amy.refuses("feed/timeline/bob/follows/", body).await.error, (403, 17));
    pond.follow("timeline:bob", "user:amy").await;
    let refusal = amy.refuses_to(Method::DELETE, "feed/timeline/bob/follows/user:amy/", "").await;
    assert_eq!(refusal.error, (403, 17));
}

#[tokio::test]
async fn a_user_sees_the_follows_of_their_own_feeds_only() {
    let amy = Pond::new().await.user("amy");
    for list in ["followers", "follows", "following"] {
        for group in ["user", "timeline", "notification"] {
            amy.get(&format!("feed/{group}/amy/{list}/")).await.ok(200);
            let refusal = amy.get(&format!("feed/{group}/bob/{list}/")).await.refusal();
            assert_eq!(refusal.error, (403, 17), "{group} {list}");
        }
    }
}

#[tokio::test]
async fn a_user_counts_the_follows_of_their_own_feeds_only() {
    let amy = Pond::new().await.user("amy");
    amy.get("stats/follow/?followers=user:amy&following=timeline:amy").await.ok(200);
    for query in ["followers=user:bob", "following=user:bob", "followers=user:amy&following=timeline:bob"] {
        assert_eq!(amy.get(&format!("stats/follow/?{query}")).await.refusal().error, (403, 17), "{query}");
    }
}

#[tokio::test]
async fn a_user_without_extra_rights_has_none_by_extra_claims() {
    let pond = Pond::new().await;
    let amy = pond.claims(&json!({ "user_id": "amy", "user_group": "admins", "feed_id": "*", "action": "*" }));
    amy.get("feed/timeline/amy/").await.ok(200);
    assert_eq!(amy.get("feed/timeline/bob/").await.refusal().error, (403, 17));
}
