//! `/membership_levels`, and what a level opens (§3.9).

use http::Method;
use serde_json::json;

use crate::pond::{NOW, Pond, timeless};

const MEMBERS: &str = "feed_groups/user/feeds/amy/members";

#[tokio::test]
async fn a_level_is_made_changed_found_and_removed() {
    let pond = Pond::new().await;
    let gold = json!({ "id": "gold", "name": "Gold", "priority": 5, "tags": ["premium"], "custom": { "x": 1 } });
    let made = timeless(pond.post("membership_levels", gold.clone()).await);
    let expected = json!({ "membership_level": {
        "id": "gold", "name": "Gold", "priority": 5, "tags": ["premium"], "custom": { "x": 1 },
        "created_at": NOW, "updated_at": NOW
    } });
    assert_eq!(made, expected);
    assert_eq!(pond.refuses_post("membership_levels", gold).await, (400, 4));
    assert_eq!(pond.refuses_post("membership_levels", json!({ "id": "tin" })).await, (400, 4));
    pond.post("membership_levels", json!({ "id": "tin", "name": "Tin", "custom": null, "tags": null })).await;
    let changed = pond.patch("membership_levels/tin", json!({ "priority": 9, "description": "cheap" })).await;
    let level = &changed["membership_level"];
    assert_eq!(
        (&level["name"], &level["priority"], &level["description"]),
        (&json!("Tin"), &json!(9), &json!("cheap"))
    );
    let all = pond.post("membership_levels/query", json!({})).await;
    assert_eq!(crate::pond::ids(&all["membership_levels"]), "tin gold");
    let some = pond.post("membership_levels/query", json!({ "filter": { "tags": { "$contains": "premium" } } })).await;
    assert_eq!(crate::pond::ids(&some["membership_levels"]), "gold");
    pond.delete("membership_levels/tin").await;
    assert_eq!(pond.refuses(Method::DELETE, "membership_levels/tin", json!(null)).await, (404, 16));
    assert_eq!(pond.refuses(Method::PATCH, "membership_levels/tin", json!({ "name": "T" })).await, (404, 16));
}

#[tokio::test]
async fn a_member_of_the_level_sees_whole_what_others_see_as_a_preview() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    pond.post("membership_levels", json!({ "id": "gold", "name": "Gold", "tags": ["premium"] })).await;
    let member = json!({ "operation": "upsert", "members": [{ "user_id": "bob", "membership_level": "gold" }] });
    let changed = pond.patch(MEMBERS, member).await;
    assert_eq!(changed["added"][0]["membership_level"]["id"], "gold");
    let tagged = json!({ "id": "a1", "type": "post", "user_id": "amy", "feeds": ["user:amy"], "text": "secret",
        "visibility": "tag", "visibility_tag": "premium" });
    pond.post("activities", tagged).await;
    for (who, is_preview) in [("bob", false), ("cat", true)] {
        let shown = pond.user(who).get("activities/a1").await;
        let text = shown["activity"].get("text").is_none();
        assert_eq!((shown["activity"]["preview"].as_bool(), text), (Some(is_preview), is_preview), "{who}");
    }
    let unknown = json!({ "operation": "upsert", "members": [{ "user_id": "cat", "membership_level": "none" }] });
    assert_eq!(pond.refuses(Method::PATCH, MEMBERS, unknown.clone()).await, (400, 4));
    let mine = json!({ "operation": "upsert", "members": [{ "user_id": "cat", "membership_level": "gold" }] });
    assert_eq!(pond.user("amy").refuses(Method::PATCH, MEMBERS, mine).await, (403, 17));
}

#[tokio::test]
async fn who_is_a_member_is_not_asked_again_and_who_did_not_want_to_be_may_be_taken_in() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    let upsert = |invite: bool| json!({ "operation": "upsert", "members": [{ "user_id": "bob", "invite": invite }] });
    pond.patch(MEMBERS, upsert(true)).await;
    pond.post(&format!("{MEMBERS}/reject"), json!({ "user_id": "bob" })).await;
    let status = |changed: serde_json::Value| changed["updated"][0]["status"].clone();
    assert_eq!(status(pond.patch(MEMBERS, upsert(true)).await), "pending");
    pond.post(&format!("{MEMBERS}/reject"), json!({ "user_id": "bob" })).await;
    assert_eq!(status(pond.patch(MEMBERS, upsert(false)).await), "member");
    assert_eq!(status(pond.patch(MEMBERS, upsert(true)).await), "member");
}
