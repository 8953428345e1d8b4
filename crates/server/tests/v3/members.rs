//! `/feed_groups/{group}/feeds/{feed}/members` (§3.9).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{NOW, Pond, timeless};

const PATH: &str = "feed_groups/user/feeds/amy/members";

fn users(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|member| member["user"]["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn members_come_change_and_go() {
    let pond = Pond::new().await;
    pond.make("user:amy", "members").await;
    let upsert =
        json!({ "operation": "upsert", "members": [{ "user_id": "bob" }, { "user_id": "cat", "custom": { "x": 1 } }] });
    let changed = pond.patch(PATH, upsert.clone()).await;
    assert_eq!((users(&changed["added"]), users(&changed["updated"])), (vec!["bob", "cat"], vec![]));
    let mut member = timeless(changed["added"][1].clone());
    member["user"].take();
    let expected = json!({
        "user": null, "role": "feed_member", "status": "member", "custom": { "x": 1 }, "created_at": NOW, "updated_at": NOW
    });
    assert_eq!(member, expected);
    assert_eq!(users(&pond.patch(PATH, upsert).await["updated"]), ["bob", "cat"]);
    let removed = pond.patch(PATH, json!({ "operation": "remove", "members": [{ "user_id": "bob" }] })).await;
    assert_eq!(removed["removed_ids"], json!(["bob"]));
    let set = pond.patch(PATH, json!({ "operation": "set", "members": [{ "user_id": "dan" }] })).await;
    assert_eq!((users(&set["added"]), &set["removed_ids"]), (vec!["dan"], &json!(["cat"])));
    assert_eq!(pond.refuses(Method::PATCH, PATH, json!({ "operation": "magic" })).await, (400, 4));
}

#[tokio::test]
async fn an_invited_user_is_a_member_after_accepting() {
    let pond = Pond::new().await;
    pond.make("user:amy", "members").await;
    pond.patch(PATH, json!({ "operation": "upsert", "members": [{ "user_id": "bob", "invite": true }] })).await;
    let bob = pond.user("bob");
    assert_eq!(bob.refuses_post("feed_groups/user/feeds/amy", json!({})).await, (403, 17));
    assert_eq!(pond.refuses_post(&format!("{PATH}/accept"), json!({ "user_id": "cat" })).await, (404, 16));
    let member = timeless(bob.post(&format!("{PATH}/accept"), json!({})).await["member"].take());
    assert_eq!((&member["status"], &member["invite_accepted_at"]), (&json!("member"), &json!(NOW)));
    let seen = bob.post("feed_groups/user/feeds/amy", json!({})).await;
    assert_eq!(
        (&seen["feed"]["member_count"], &seen["feed"]["own_membership"]["status"]),
        (&json!(1), &json!("member"))
    );
    // A member may post.
    bob.post("activities", json!({ "type": "post", "feeds": ["user:amy"] })).await;
}

#[tokio::test]
async fn members_are_queried_and_only_the_owner_changes_them() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    let add = json!({ "operation": "upsert", "members": [{ "user_id": "bob" }, { "user_id": "cat", "invite": true }] });
    pond.patch(PATH, add).await;
    let found = pond.post(&format!("{PATH}/query"), json!({ "filter": { "status": "pending" } })).await;
    assert_eq!(users(&found["members"]), ["cat"]);
    let remove = json!({ "operation": "remove", "members": [{ "user_id": "cat" }] });
    assert_eq!(pond.user("bob").refuses(Method::PATCH, PATH, remove.clone()).await, (403, 17));
    let role = json!({ "operation": "upsert", "members": [{ "user_id": "cat", "role": "boss" }] });
    assert_eq!(pond.user("amy").refuses(Method::PATCH, PATH, role).await, (403, 17));
    pond.user("amy").patch(PATH, remove).await;
}
