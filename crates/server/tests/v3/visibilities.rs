//! Who may do what with feeds of which visibility: `/feed_visibilities` (§3.1, §3.2).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

/// Grants for `visible` feeds what `grants` say.
async fn granted(pond: &Pond, grants: Value) {
    let body = json!({ "grants": grants });
    let answer = pond.put("feed_visibilities/visible", body).await["feed_visibility"].clone();
    assert_eq!((&answer["name"], &answer["grants"]), (&json!("visible"), &grants));
    assert_eq!(pond.get("feed_visibilities/visible").await["feed_visibility"], answer);
}

/// A feed of amy with an activity and a comment of hers.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let comment =
        json!({ "id": "c1", "object_id": "a1", "object_type": "activity", "user_id": "amy", "comment": "first" });
    pond.post("comments", comment).await;
    pond.post(
        "/api/v2/users",
        json!({ "users": { "bob": { "id": "bob" }, "mod": { "id": "mod", "role": "moderator" } } }),
    )
    .await;
    pond
}

#[tokio::test]
async fn grants_are_shown_as_they_are_usually_and_replaced_as_a_whole() {
    let pond = pond().await;
    let usual = pond.get("feed_visibilities/visible").await["feed_visibility"].clone();
    assert!(usual["grants"]["user"].as_array().unwrap().contains(&json!("follow")), "{usual}");
    assert!(usual["permissions"].as_array().unwrap().iter().any(|known| known["id"] == "delete-any-comment"));
    granted(&pond, json!({ "user": ["read-feed"] })).await;
    let all = pond.get("feed_visibilities").await["feed_visibilities"].clone();
    assert_eq!(all["visible"]["grants"], json!({ "user": ["read-feed"] }));
    assert_eq!(all["public"]["grants"]["user"].as_array().unwrap().len(), 19, "others are as they were");
    for body in [
        json!({}),
        json!({ "grants": null }),
        json!({ "grants": { "user": ["fly"] } }),
        json!({ "grants": { "user": "read-feed" } }),
    ] {
        assert_eq!(pond.refuses(Method::PUT, "feed_visibilities/visible", body.clone()).await, (400, 4), "{body}");
    }
    let grants = json!({ "grants": {} });
    assert_eq!(pond.refuses(Method::PUT, "feed_visibilities/secret", grants.clone()).await, (404, 16));
    assert_eq!(pond.user("amy").refuses(Method::PUT, "feed_visibilities/visible", grants).await, (403, 17));
}

#[tokio::test]
async fn users_read_and_engage_as_far_as_they_are_granted_to() {
    let pond = pond().await;
    let bob = pond.user("bob");
    let read = "feed_groups/user/feeds/amy";
    let comment = json!({ "object_id": "a1", "object_type": "activity", "comment": "hi" });
    bob.post(read, json!({})).await;
    granted(&pond, json!({ "user": ["read-feed", "read-activities"], "feed_owner": ["read-feed", "read-activities"] }))
        .await;
    bob.post(read, json!({})).await;
    bob.get("activities/a1").await;
    for (path, body) in [
        ("comments", comment.clone()),
        ("activities/a1/reactions", json!({ "type": "like" })),
        ("activities/a1/bookmarks", json!({})),
        ("comments/c1/reactions", json!({ "type": "like" })),
        ("feed_groups/user/feeds/amy/members/query", json!({})),
        ("follows/query", json!({ "filter": { "target_feed": "user:amy" } })),
        ("follows", json!({ "source": "user:bob", "target": "user:amy" })),
    ] {
        assert_eq!(bob.refuses_post(path, body.clone()).await, (403, 17), "{path}");
    }
    granted(&pond, json!({ "user": ["add-comment", "read-activities", "add-activity-reaction"] })).await;
    assert_eq!(bob.refuses_post(read, json!({})).await, (403, 17));
    bob.post("comments", comment).await;
    bob.post("activities/a1/reactions", json!({ "type": "like" })).await;
    assert_eq!(bob.refuses(Method::DELETE, "activities/a1/reactions/like", json!(null)).await, (403, 17));
    granted(&pond, json!({ "feed_owner": ["read-feed"] })).await;
    assert_eq!(bob.refuses(Method::GET, "activities/a1", json!(null)).await, (403, 17));
    // The app's own server may do everything.
    pond.delete("activities/a1/reactions/like?user_id=bob").await;
}

#[tokio::test]
async fn owners_and_moderators_change_what_they_are_granted_to() {
    let pond = pond().await;
    let (amy, moderator) = (pond.user("amy"), pond.user("mod"));
    let all =
        json!(["read-feed", "read-activities", "update-any-activity", "delete-any-comment", "delete-any-activity"]);
    granted(
        &pond,
        json!({ "moderator": all, "user": ["read-feed", "read-activities"], "feed_owner": ["update-own-activity"] }),
    )
    .await;
    let pin = "feed_groups/user/feeds/amy/activities/a1/pin";
    assert_eq!(amy.refuses_post(pin, json!({})).await, (403, 17));
    let name = json!({ "name": "Amy" });
    assert_eq!(amy.refuses(Method::PUT, "feed_groups/user/feeds/amy", name.clone()).await, (403, 17));
    assert_eq!(amy.refuses(Method::DELETE, "activities/a1", json!(null)).await, (403, 17));
    let text = |text: &str| json!({ "set": { "text": text } });
    amy.patch("activities/a1", text("mine")).await;
    moderator.patch("activities/a1", text("better")).await;
    assert_eq!(pond.user("bob").refuses(Method::PATCH, "activities/a1", text("worse")).await, (403, 17));
    let worse = json!({ "comment": "worse" });
    assert_eq!(moderator.refuses(Method::PATCH, "comments/c1", worse).await, (403, 17));
    moderator.delete("comments/c1").await;
    moderator.delete("activities/a1").await;
    granted(&pond, json!({ "feed_owner": ["update-feed", "pin-activity", "create-feed"], "user": [] })).await;
    amy.put("feed_groups/user/feeds/amy", name).await;
}

#[tokio::test]
async fn what_a_user_can_do_is_told_as_it_is_granted() {
    let pond = pond().await;
    granted(&pond, json!({ "user": ["read-feed", "follow"], "feed_owner": ["read-feed", "pin-activity"] })).await;
    let own = async |user: &str| {
        let page = pond.user(user).post("feed_groups/user/feeds/amy", json!({})).await;
        page["feed"]["own_capabilities"].clone()
    };
    assert_eq!(own("bob").await, json!(["follow", "read-feed"]));
    assert_eq!(own("amy").await, json!(["follow", "pin-activity", "read-feed"]));
}

#[tokio::test]
async fn who_is_not_granted_to_make_feeds_makes_none() {
    let pond = pond().await;
    granted(&pond, json!({ "user": ["read-feed"] })).await;
    let bob = pond.user("bob");
    assert_eq!(bob.refuses_post("feed_groups/user/feeds/bob", json!({})).await, (403, 17));
    let post = json!({ "type": "post", "text": "hi", "feeds": ["user:bob"] });
    assert_eq!(bob.refuses_post("activities", post).await, (403, 17));
    granted(&pond, json!({ "user": ["read-feed"], "feed_owner": ["create-feed", "add-activity"] })).await;
    bob.post("feed_groups/user/feeds/bob", json!({})).await;
}
