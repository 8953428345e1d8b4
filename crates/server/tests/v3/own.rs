//! `enrich_own_fields` (§1): what the caller's user has to do with the feeds in an answer.

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

async fn pond() -> Pond {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    pond.make("timeline:bob", "visible").await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.post("follows", json!({ "source": "timeline:bob", "target": "user:amy" })).await;
    pond
}

/// Whether bob is told what he has to do with this feed: that it is his, or that his timeline follows it.
fn is_told(feed: &Value) -> bool {
    assert!(feed["feed"].is_string(), "{feed}");
    feed["own_capabilities"].is_array() && feed["own_follows"].is_array()
}

#[tokio::test]
async fn follows_tell_it_of_both_ends_when_asked() {
    let pond = pond().await;
    let bob = pond.user("bob");
    let pair = json!({ "source": "timeline:bob", "target": "user:amy", "enrich_own_fields": true });
    let follows = json!({ "follows": [{ "source": "timeline:bob", "target": "user:amy" }], "enrich_own_fields": true });
    let answers = [
        bob.post("follows/upsert", pair.clone()).await["follow"].take(),
        bob.patch("follows", pair.clone()).await["follow"].take(),
        bob.post("follows/batch", follows.clone()).await["follows"][0].take(),
        bob.post("unfollow/batch", follows.clone()).await["follows"][0].take(),
        bob.post("follows", pair.clone()).await["follow"].take(),
        bob.post("unfollow/upsert", pair.clone()).await["follow"].take(),
        bob.post("follows/batch/upsert", follows).await["created"][0].take(),
        bob.delete("follows/timeline%3Abob/user%3Aamy?enrich_own_fields=true").await["follow"].take(),
    ];
    for follow in &answers {
        assert!(is_told(&follow["source_feed"]) && is_told(&follow["target_feed"]), "{follow}");
    }
    let plain = bob.post("follows", json!({ "source": "timeline:bob", "target": "user:amy" })).await;
    assert!(plain["follow"]["target_feed"].get("own_follows").is_none(), "{plain}");
}

#[tokio::test]
async fn activities_tell_it_of_a_feed_that_holds_them_when_asked() {
    let pond = pond().await;
    let draft = |id: &str| json!({ "id": id, "type": "post", "feeds": ["user:amy"], "user_id": "amy" });
    let with = |mut body: Value| {
        body["enrich_own_fields"] = json!(true);
        body
    };
    let batch = json!({ "activities": [draft("a3")], "user_id": "amy" });
    let pin = "feed_groups/user/feeds/amy/activities/a1/pin";
    let amy = json!({ "user_id": "amy" });
    let answers = [
        pond.post("activities", with(draft("a2"))).await["activity"].take(),
        pond.post("activities/batch", with(batch)).await["activities"][0].take(),
        pond.put("activities/a2", with(json!({ "user_id": "amy", "text": "x" }))).await["activity"].take(),
        pond.patch("activities/a2", with(json!({ "user_id": "amy", "set": { "text": "y" } }))).await["activity"].take(),
        pond.post("activities/query", with(amy.clone())).await["activities"][0].take(),
        pond.post(pin, with(amy.clone())).await["activity"].take(),
        pond.post("feed_groups/user/feeds/amy/pinned_activities/query", with(amy.clone())).await["pinned_activities"]
            [0]["activity"]
            .take(),
        pond.delete(&format!("{pin}?user_id=amy&enrich_own_fields=true")).await["activity"].take(),
    ];
    for activity in &answers {
        assert!(is_told(&activity["current_feed"]), "{activity}");
    }
    pond.post("activities/a1/bookmarks", json!({ "user_id": "bob" })).await;
    let found = pond.user("bob").post("bookmarks/query", json!({ "enrich_own_fields": true })).await;
    let feed = &found["bookmarks"][0]["activity"]["current_feed"];
    assert!(is_told(feed) && feed["own_follows"][0]["source_feed"]["feed"] == "timeline:bob", "{feed}");
    pond.delete("activities/a1").await;
    let restored = pond.post("activities/a1/restore?enrich_own_fields=true", amy).await;
    assert!(is_told(&restored["activity"]["current_feed"]), "{restored}");
}

#[tokio::test]
async fn feeds_tell_it_when_asked() {
    let pond = pond().await;
    let feeds = json!([{ "feed_group_id": "user", "feed_id": "amy" }]);
    let many = pond.post("feeds/batch", json!({ "feeds": feeds, "enrich_own_fields": true, "user_id": "bob" })).await;
    assert_eq!(many["feeds"][0]["own_follows"][0]["source_feed"]["feed"], "timeline:bob", "{many}");
    let found = pond.user("bob").post("feeds/query", json!({ "enrich_own_fields": true })).await;
    assert!(found["feeds"].as_array().unwrap().iter().all(is_told), "{found}");
}

#[tokio::test]
async fn it_is_refused_where_nobody_asks() {
    let pond = pond().await;
    let body = json!({ "enrich_own_fields": true });
    for path in ["feeds/query", "activities/query", "bookmarks/query"] {
        assert_eq!(pond.refuses_post(path, body.clone()).await, (400, 4), "{path}");
    }
    let path = "follows/timeline%3Abob/user%3Aamy?enrich_own_fields=true";
    assert_eq!(pond.refuses(Method::DELETE, path, json!(null)).await, (400, 4));
}

#[tokio::test]
async fn a_read_leaves_out_what_is_skipped() {
    let pond = pond().await;
    pond.post("activities/a1/reactions", json!({ "type": "like", "user_id": "bob" })).await;
    let comment = json!({ "object_id": "a1", "object_type": "activity", "comment": "hi", "user_id": "bob" });
    pond.post("comments", comment).await;
    let read = async |options: Value| {
        let body = json!({ "user_id": "bob", "enrichment_options": options });
        pond.post("feed_groups/user/feeds/amy", body).await
    };
    let whole = read(json!({ "enrich_own_followings": true })).await;
    let activity = &whole["activities"][0];
    assert!(activity["comments"][0].is_object() && activity["own_reactions"][0].is_object(), "{activity}");
    assert!(whole["feed"]["own_followings"].is_array() && is_told(&whole["feed"]), "{whole}");
    let options = json!({
        "skip_activity_comments": true, "skip_activity_reactions": true, "skip_own_follows": true
    });
    let less = read(options).await;
    let activity = &less["activities"][0];
    let left = (&activity["comments"], &activity["own_reactions"], &activity["latest_reactions"]);
    assert_eq!(left, (&json!([]), &json!([]), &json!([])));
    assert_eq!((&activity["comment_count"], &activity["reaction_count"]), (&json!(1), &json!(1)));
    let feed = &less["feed"];
    assert!(feed["own_capabilities"].is_array() && feed.get("own_follows").is_none(), "{feed}");
}
