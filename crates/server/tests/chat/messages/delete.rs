//! Deleting and bringing back (§12.6).

use http::Method;
use serde_json::json;

use super::room;

#[tokio::test]
async fn a_softly_deleted_message_is_a_frame_that_can_be_filled_again() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    let deleted = lake.user("amy").delete("messages/m").await.ok(200)["message"].clone();
    assert_eq!((&deleted["type"], &deleted["text"]), (&json!("deleted"), &json!("")));
    assert_eq!(deleted["deleted_at"].as_str().map(|at| &at[..19]), Some("2026-01-01T00:00:00"));
    let read = lake.v2().get("chat/messages/m").await.ok(200)["message"].clone();
    assert_eq!((&read["type"], &read["text"]), (&json!("deleted"), &json!("")));
    let read = lake.get("messages/m?show_deleted_message=true").await.ok(200)["message"].clone();
    assert_eq!((&read["type"], &read["text"]), (&json!("deleted"), &json!("hi")));
    let back = lake.post("messages/m/undelete", json!({ "undeleted_by": "amy" })).await.ok(201)["message"].clone();
    assert_eq!((&back["type"], &back["text"], back.get("deleted_at")), (&json!("regular"), &json!("hi"), None));
    assert_eq!(lake.post("messages/m/undelete", json!({ "undeleted_by": "amy" })).await.refusal(), (400, 4));
    assert_eq!(lake.refuses(Method::POST, "messages/m/undelete", "{}").await, (400, 4));
}

#[tokio::test]
async fn what_is_deleted_for_good_is_gone_with_its_replies() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    lake.say(json!({ "id": "r", "text": "re", "user_id": "bob", "parent_id": "m" })).await;
    let deleted = lake.delete("messages/m?hard=true").await.ok(200)["message"].clone();
    assert_eq!(deleted["type"], "deleted");
    assert_eq!(lake.get("messages/m").await.refusal(), (404, 16));
    assert_eq!(lake.get("messages/r").await.refusal(), (404, 16));
    assert_eq!(lake.delete("messages/m").await.refusal(), (404, 16));
}

#[tokio::test]
async fn a_deletion_for_one_user_is_seen_by_that_user_alone() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    let deleted =
        lake.v2().delete("chat/messages/m?delete_for_me=true&deleted_by=bob").await.ok(200)["message"].clone();
    assert_eq!((&deleted["type"], &deleted["deleted_for_me"]), (&json!("deleted"), &json!(true)));
    assert_eq!(lake.user("bob").get("messages/m").await.ok(200)["message"]["deleted_for_me"], true);
    assert_eq!(lake.user("amy").get("messages/m").await.ok(200)["message"]["text"], "hi");
    assert_eq!(lake.delete("messages/m?delete_for_me=true").await.refusal(), (400, 4));
}

#[tokio::test]
async fn a_user_deletes_what_it_said_itself() {
    let lake = room().await;
    lake.says("amy", "m", "hi").await;
    assert_eq!(lake.user("bob").refuses(Method::DELETE, "messages/m", "null").await, (403, 17));
    assert_eq!(lake.user("bob").refuses(Method::DELETE, "messages/m?hard=true", "null").await, (403, 17));
    lake.user("amy").delete("messages/m").await.ok(200);
}

#[tokio::test]
async fn a_deleted_reply_counts_as_deleted() {
    let lake = room().await;
    lake.says("amy", "p", "hi").await;
    for id in ["r", "s"] {
        lake.say(json!({ "id": id, "text": "re", "user_id": "bob", "parent_id": "p" })).await;
    }
    lake.delete("messages/r").await.ok(200);
    let parent = lake.get("messages/p").await.ok(200)["message"].clone();
    assert_eq!((&parent["reply_count"], &parent["deleted_reply_count"]), (&json!(1), &json!(1)));
}
