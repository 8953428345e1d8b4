//! `/activities` (§3.3).

use http::Method;
use serde_json::json;

use crate::pond::{NOW, Pond, ids, timeless};

#[tokio::test]
async fn an_activity_has_every_member_that_the_contract_always_sends() {
    let pond = Pond::new().await;
    let body = json!({ "id": "a1", "type": "post", "text": "hi", "feeds": ["user:john"], "user_id": "john" });
    let answer = pond.post("activities", body).await;
    assert_eq!(answer["mention_notifications_created"], 0);
    let mut activity = timeless(answer["activity"].clone());
    let user = activity["user"].take();
    assert_eq!(
        activity,
        json!({
            "id": "a1", "type": "post", "text": "hi", "visibility": "public", "restrict_replies": "everyone",
            "feeds": ["user:john"], "user": null, "attachments": [], "mentioned_users": [], "filter_tags": [],
            "interest_tags": [], "custom": {}, "search_data": {}, "collections": {}, "comments": [], "comment_count": 0,
            "latest_reactions": [], "own_reactions": [], "reaction_groups": {}, "reaction_count": 0,
            "own_bookmarks": [], "bookmark_count": 0, "share_count": 0, "popularity": 0, "score": 0.0,
            "hidden": false, "preview": false, "created_at": NOW, "updated_at": NOW
        })
    );
    assert_eq!(
        user,
        json!({
            "id": "john", "role": "user", "language": "", "teams": [], "banned": false, "shadow_banned": false,
            "online": false, "invisible": false, "blocked_user_ids": [], "custom": {}, "created_at": NOW, "updated_at": NOW
        })
    );
}

#[tokio::test]
async fn without_an_id_an_activity_gets_one_and_nulls_are_not_given() {
    let pond = Pond::new().await;
    let body = json!({
        "type": "post", "feeds": ["user:amy"], "user_id": "amy", "attachments": null, "custom": null,
        "filter_tags": null, "search_data": null, "mentioned_user_ids": null, "collection_refs": null
    });
    let added = pond.post("activities", body).await["activity"].take();
    let id = added["id"].as_str().unwrap();
    assert_eq!(id.len(), 36);
    assert_eq!(pond.get(&format!("activities/{id}")).await["activity"]["id"], id);
}

#[tokio::test]
async fn what_an_activity_needs_is_asked_for() {
    let pond = Pond::new().await;
    for body in [
        json!({ "feeds": ["user:amy"], "user_id": "amy" }),
        json!({ "type": "post", "user_id": "amy" }),
        json!({ "type": "post", "feeds": [], "user_id": "amy" }),
        json!({ "type": "post", "feeds": ["amy"], "user_id": "amy" }),
        json!({ "type": "post", "feeds": ["user:amy"] }),
        json!({ "type": "post", "feeds": ["user:amy"], "user_id": "" }),
        json!({ "type": "post", "feeds": ["user:amy"], "user_id": "amy", "visibility": "tag" }),
        json!({ "type": "post", "feeds": ["user:amy"], "user_id": "amy", "mentioned_user_ids": ["nobody"] }),
    ] {
        assert_eq!(pond.refuses_post("activities", body.clone()).await, (400, 4), "{body}");
    }
    let unknown = json!({ "type": "post", "feeds": ["nothing:amy"], "user_id": "amy" });
    assert_eq!(pond.refuses_post("activities", unknown).await, (404, 16));
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let pond = Pond::new().await;
    assert_eq!(pond.refuses_post("stats/usage", json!({})).await.0, 501);
}

#[tokio::test]
async fn as_much_as_an_activity_may_say_can_stand_in_as_many_feeds_as_it_may() {
    let pond = Pond::new().await;
    let feeds: Vec<String> = (0..25).map(|n| format!("user:u{n}")).collect();
    for feed in &feeds {
        pond.make(feed, "visible").await;
    }
    let text = "x".repeat(64 * 1024);
    let large = json!({ "id": "a1", "type": "post", "user_id": "u0", "feeds": feeds, "text": text });
    pond.post("activities", large.clone()).await;
    pond.post("activities", large).await;
    let picture = json!({ "type": "image", "image_url": "y".repeat(39_000) });
    let comment = json!({ "id": "c1", "comment": "z".repeat(20_000), "user_id": "u1", "object_id": "a1",
        "object_type": "activity", "attachments": [picture] });
    pond.post("comments", comment).await;
    pond.post("activities/a1/reactions", json!({ "type": "like", "user_id": "u2" })).await;
    pond.delete("activities/a1").await;
    pond.post("activities/a1/restore", json!({})).await;
    pond.delete("activities/a1?hard_delete=true").await;
    assert_eq!(pond.read("user:u24").await, "");
}

#[tokio::test]
async fn a_batch_adds_and_changes_all_or_none() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let item = |id: &str, author: &str| json!({ "id": id, "type": "post", "feeds": ["user:amy"], "user_id": author });
    let both = json!({ "activities": [item("a1", "amy"), item("a2", "amy")] });
    assert_eq!(ids(&pond.post("activities/batch", both).await["activities"]), "a1 a2");
    // The second is another user's.
    let one_bad = json!({ "activities": [item("a3", "amy"), item("a1", "bob")] });
    assert_eq!(pond.refuses_post("activities/batch", one_bad).await, (400, 4));
    assert_eq!(pond.read("user:amy").await, "a2 a1");
}

#[tokio::test]
async fn an_unknown_activity_is_absent() {
    let pond = Pond::new().await;
    let answer = pond.call(Method::GET, "activities/none", "").await;
    assert!(answer.refused()["message"].as_str().unwrap().contains("not found"));
    assert_eq!(pond.refuses(Method::PUT, "activities/none", json!({ "user_id": "amy" })).await, (404, 16));
}

#[tokio::test]
async fn a_put_replaces_what_it_says_and_a_patch_changes_single_fields() {
    let pond = Pond::new().await;
    let body = json!({
        "id": "a1", "type": "post", "text": "hi", "feeds": ["user:amy"], "user_id": "amy",
        "filter_tags": ["lake"], "custom": { "km": 12, "by": { "foot": true } }, "interest_tags": [" Hiking "]
    });
    let added = pond.post("activities", body).await["activity"].take();
    assert_eq!(added["interest_tags"], json!(["hiking"]));
    let patch = json!({ "user_id": "amy", "set": { "text": "ho", "custom.by.foot": false }, "unset": ["filter_tags"] });
    let patched = pond.patch("activities/a1", patch).await["activity"].take();
    assert_eq!((&patched["text"], &patched["filter_tags"]), (&json!("ho"), &json!([])));
    assert_eq!(patched["custom"], json!({ "km": 12, "by": { "foot": false } }));
    let put = json!({ "user_id": "amy", "text": "new", "custom": { "a": 1 } });
    let replaced = pond.put("activities/a1", put).await["activity"].take();
    assert_eq!((&replaced["text"], &replaced["custom"]), (&json!("new"), &json!({ "a": 1 })));
    assert_eq!((&replaced["type"], &replaced["feeds"]), (&json!("post"), &json!(["user:amy"])));
    for patch in [json!({ "set": { "id": "b" } }), json!({ "unset": ["text"] }), json!({ "set": { "color": 1 } })] {
        let mut body = patch.clone();
        body["user_id"] = json!("amy");
        assert_eq!(pond.refuses(Method::PATCH, "activities/a1", body).await, (400, 4), "{patch}");
    }
}

#[tokio::test]
async fn a_batch_of_patches_leaves_out_what_is_not_there_and_what_does_not_change() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.add("a2", "amy", &["user:amy"]).await;
    let change = |id: &str, text: &str| json!({ "activity_id": id, "set": { "text": text } });
    let body = json!({ "changes": [change("a1", "new"), change("a2", "a2"), change("none", "x")] });
    assert_eq!(ids(&pond.patch("activities/batch/partial", body).await["activities"]), "a1");
    let bad = json!({ "changes": [{ "activity_id": "a1", "set": { "search_data": {} } }] });
    assert_eq!(pond.refuses(Method::PATCH, "activities/batch/partial", bad).await, (400, 4));
}

#[tokio::test]
async fn a_deleted_activity_is_absent_until_it_is_restored() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.delete("activities/a1").await;
    assert_eq!(pond.refuses(Method::DELETE, "activities/a1", json!(null)).await, (404, 16));
    assert_eq!(pond.refuses(Method::GET, "activities/a1", json!(null)).await, (404, 16));
    pond.post("activities/a1/restore", json!({ "user_id": "amy" })).await;
    assert_eq!(pond.read("user:amy").await, "a1");
    pond.delete("activities/a1?hard_delete=true").await;
    assert_eq!(pond.refuses_post("activities/a1/restore", json!({ "user_id": "amy" })).await, (404, 16));
}

#[tokio::test]
async fn deleting_many_answers_those_that_were_there() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let deleted = pond.post("activities/delete", json!({ "ids": ["a1", "none"] })).await;
    assert_eq!(deleted, json!({ "deleted_ids": ["a1"] }));
}

#[tokio::test]
async fn a_query_filters_sorts_and_pages() {
    let pond = Pond::new().await;
    for id in ["a1", "a2", "a3"] {
        pond.add(id, "amy", &["user:amy"]).await;
    }
    pond.add("b1", "bob", &["user:bob"]).await;
    let query = async |body| pond.post("activities/query", body).await;
    let first = query(json!({ "filter": { "user_id": "amy" }, "limit": 2 })).await;
    assert_eq!((ids(&first["activities"]), first.get("prev")), ("a3 a2".into(), None));
    let second = query(json!({ "filter": { "user_id": "amy" }, "limit": 2, "next": first["next"] })).await;
    assert_eq!((ids(&second["activities"]), second.get("next")), ("a1".into(), None));
    let sort = json!({ "filter": null, "sort": [{ "field": "created_at", "direction": 1 }] });
    assert_eq!(ids(&query(sort).await["activities"]), "a1 a2 a3 b1");
    for bad in [
        json!({ "filter": { "text": { "$gt": "a" } } }),
        json!({ "filter": { "user_id": { "$magic": 1 } } }),
        json!({ "next": "x", "prev": "y" }),
        json!({ "limit": 101 }),
    ] {
        assert_eq!(pond.refuses_post("activities/query", bad.clone()).await, (400, 4), "{bad}");
    }
}

#[tokio::test]
async fn a_users_token_changes_and_deletes_its_own_activities_alone() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let (amy, bob) = (pond.user("amy"), pond.user("bob"));
    pond.add("b0", "bob", &["user:bob"]).await;
    assert_eq!(bob.refuses(Method::PATCH, "activities/a1", json!({ "set": { "text": "x" } })).await, (403, 17));
    assert_eq!(bob.refuses(Method::DELETE, "activities/a1", json!(null)).await, (403, 17));
    amy.patch("activities/a1", json!({ "set": { "text": "x" } })).await;
    amy.delete("activities/a1").await;
}

#[tokio::test]
async fn a_users_token_posts_as_itself_to_feeds_that_let_it() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    pond.make("user:wall", "public").await;
    let body = |feed: &str| json!({ "type": "post", "feeds": [feed], "user_id": "amy" });
    let bob = pond.user("bob");
    assert_eq!(bob.refuses_post("activities", body("user:amy")).await, (403, 17));
    let added = bob.post("activities", body("user:wall")).await;
    assert_eq!(added["activity"]["user"]["id"], "bob");
    // A feed with the id of somebody else is not made for bob.
    assert_eq!(bob.refuses_post("activities", body("timeline:amy")).await, (403, 17));
}

#[tokio::test]
async fn what_is_private_is_read_by_its_author_alone() {
    let pond = Pond::new().await;
    let body = json!({ "id": "a1", "type": "post", "feeds": ["user:amy"], "user_id": "amy", "visibility": "private" });
    pond.post("activities", body).await;
    pond.add("b0", "bob", &["user:bob"]).await;
    assert_eq!(pond.user("bob").refuses(Method::GET, "activities/a1", json!(null)).await, (403, 17));
    assert_eq!(pond.user("amy").get("activities/a1").await["activity"]["visibility"], "private");
    let page = pond.user("bob").post("feed_groups/user/feeds/amy", json!({})).await;
    assert_eq!(ids(&page["activities"]), "");
}

#[tokio::test]
async fn an_activity_with_a_tag_shows_others_only_that_it_is_there() {
    let pond = Pond::new().await;
    let body = json!({
        "id": "a1", "type": "post", "text": "for patrons", "feeds": ["user:amy"], "user_id": "amy",
        "visibility": "tag", "visibility_tag": "gold", "custom": { "secret": 1 }
    });
    pond.post("activities", body).await;
    pond.add("b0", "bob", &["user:bob"]).await;
    let page = pond.user("bob").post("feed_groups/user/feeds/amy", json!({})).await;
    let shown = &page["activities"][0];
    assert_eq!((&shown["preview"], shown.get("text"), &shown["custom"]), (&json!(true), None, &json!({})));
}
