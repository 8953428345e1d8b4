//! Comments and their threads (feeds-v3 §3.4).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

/// Ids, each with its replies behind it in brackets.
fn line(comments: &Value) -> String {
    let one = |comment: &Value| {
        let id = comment["id"].as_str().unwrap();
        match comment.get("replies") {
            Some(replies) => format!("{id}({})", line(replies)),
            None => id.to_owned(),
        }
    };
    comments.as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_comment_has_every_member_that_the_contract_promises() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    let comment = pond.commented("c1", "bob", "a1", None).await;
    let at = comment["created_at"].as_i64().expect("nanoseconds");
    let user = comment["user"].clone();
    assert_eq!(user["id"], "bob");
    let expected = json!({ "id": "c1", "object_id": "a1", "object_type": "activity", "status": "active", "text": "c1",
        "attachments": [], "mentioned_users": [], "user": user, "reply_count": 0, "bookmark_count": 0,
        "reaction_count": 0, "upvote_count": 0, "downvote_count": 0, "score": 0, "confidence_score": 0.0,
        "controversy_score": 0.0, "latest_reactions": [], "own_reactions": [], "reaction_groups": {},
        "created_at": at, "updated_at": at });
    assert_eq!(comment, expected);
    assert_eq!(pond.get("comments/c1").await["comment"], expected);
    let activity = &pond.get("activities/a1").await["activity"];
    assert_eq!((&activity["comment_count"], &activity["popularity"]), (&json!(1), &json!(2)));
    assert_eq!(activity["comments"], json!([expected]));
}

#[tokio::test]
async fn what_a_comment_lacks_or_is_about_nothing_is_refused_and_stores_nothing() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    pond.commented("c1", "bob", "a1", None).await;
    let about = |more: Value| {
        let mut body = json!({ "comment": "x", "user_id": "bob", "object_id": "a1", "object_type": "activity" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, refusal) in [
        (json!({ "user_id": null }), (400, 4)),
        (json!({ "object_id": null }), (400, 4)),
        (json!({ "object_type": "message" }), (400, 4)),
        (json!({ "comment": "" }), (400, 4)),
        (json!({ "id": "c1" }), (400, 4)),
        (json!({ "id": "x".repeat(256) }), (400, 4)),
        (json!({ "mentioned_user_ids": ["nobody"] }), (400, 4)),
        (json!({ "object_id": "none" }), (404, 16)),
        (json!({ "parent_id": "none" }), (404, 16)),
    ] {
        assert_eq!(pond.refuses(Method::POST, "comments", about(more.clone())).await, refusal, "{more}");
    }
    let batch = json!({ "comments": [{ "comment": "x", "user_id": "bob", "object_id": "a1" },
        { "comment": "y", "user_id": "bob", "object_id": "none" }] });
    assert_eq!(pond.refuses(Method::POST, "comments/batch", batch.clone()).await, (404, 16));
    assert_eq!(
        pond.refuses(Method::GET, "comments?object_id=a1&object_type=activity&sort=x", Value::Null).await,
        (400, 4)
    );
    assert_eq!(pond.refuses(Method::GET, "comments?object_type=activity", Value::Null).await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "comments/query", json!({})).await, (400, 4));
    assert_eq!(pond.refuses(Method::GET, "comments/none", Value::Null).await, (404, 16));
}

#[tokio::test]
async fn comments_are_read_in_threads_and_each_sort_is_echoed() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    for (id, parent) in [("a", None), ("b", None), ("a1", Some("a")), ("a11", Some("a1"))] {
        pond.commented(id, "bob", "a1", parent).await;
    }
    pond.reacted("comments/b", "cat", "upvote").await;
    for (sort, expected) in
        [("first", "a(a1(a11)) b"), ("last", "b a(a1(a11))"), ("top", "b a(a1(a11))"), ("best", "b a(a1(a11))")]
    {
        let path = format!("comments?object_id=a1&object_type=activity&sort={sort}");
        let answer = pond.get(&path).await;
        assert_eq!((&answer["sort"], line(&answer["comments"]).as_str()), (&json!(sort), expected));
    }
    let cut = pond.get("comments?object_id=a1&object_type=activity&depth=2").await;
    assert_eq!(line(&cut["comments"]), "a(a1) b");
    let meta = json!({ "has_more": true, "remaining": 1, "depth_truncated": true });
    assert_eq!(cut["comments"][0]["replies"][0]["meta"], meta);
    assert_eq!(line(&pond.get("comments/a/replies").await["comments"]), "a1(a11)");
    let page = pond.get("comments?object_id=a1&object_type=activity&limit=1").await;
    let next = page["next"].as_str().unwrap();
    let page = pond.get(&format!("comments?object_id=a1&object_type=activity&limit=1&next={next}")).await;
    assert_eq!(line(&page["comments"]), "b");
    let around = pond.get("comments?object_id=a1&object_type=activity&limit=1&id_around=a11").await;
    assert_eq!(line(&around["comments"]), "a(a1(a11))");
}

#[tokio::test]
async fn a_comment_is_changed_whole_and_in_parts() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    pond.commented("c1", "bob", "a1", None).await;
    let body = json!({ "comment": "new", "user_id": "bob", "custom": { "a": 1 }, "attachments": [{ "type": "image",
        "image_url": "https://x.test/a.png", "custom": { "alt": "pond" } }] });
    let changed = pond.patch("comments/c1", body).await["comment"].clone();
    assert_eq!((&changed["text"], &changed["custom"]), (&json!("new"), &json!({ "a": 1 })));
    assert_eq!(changed["attachments"][0]["custom"], json!({ "alt": "pond" }));
    assert!(changed["edited_at"].is_i64());
    let body =
        json!({ "comment": null, "attachments": null, "custom": null, "mentioned_user_ids": null, "user_id": "bob" });
    let same = pond.patch("comments/c1", body).await["comment"].clone();
    assert_eq!((&same["text"], &same["custom"]), (&json!("new"), &json!({ "a": 1 })), "null clears nothing");
    let body = json!({ "user_id": "bob", "set": { "text": "newer" }, "unset": ["custom", "attachments"] });
    let patched = pond.post("comments/c1/partial", body).await["comment"].clone();
    assert_eq!((&patched["text"], &patched["attachments"]), (&json!("newer"), &json!([])));
    assert!(patched.get("custom").is_none());
    for body in [json!({ "unset": ["text"] }), json!({ "set": { "user": "x" } }), json!({ "set": { "status": "x" } })] {
        assert_eq!(pond.refuses(Method::POST, "comments/c1/partial", body.clone()).await, (400, 4), "{body}");
    }
    let status = json!({ "set": { "status": "hidden" } });
    let refused = pond.user("bob").refuses(Method::POST, "comments/c1/partial", status.clone()).await;
    assert_eq!(refused, (403, 17));
    assert_eq!(pond.post("comments/c1/partial", status).await["comment"]["status"], "hidden");
}

#[tokio::test]
async fn a_deletion_answers_comment_and_activity_and_a_restoration_brings_back_what_is_below() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    for (id, parent) in [("a", None), ("b", Some("a"))] {
        pond.commented(id, "bob", "a1", parent).await;
    }
    for id in ["b", "a"] {
        let gone = pond.delete(&format!("comments/{id}")).await;
        assert_eq!((&gone["comment"]["status"], gone["comment"].get("text")), (&json!("deleted"), None));
        assert!(gone["comment"]["deleted_at"].is_i64() && gone["activity"]["id"] == "a1");
    }
    assert_eq!(pond.get("activities/a1").await["activity"]["comment_count"], 0);
    assert_eq!(pond.refuses(Method::GET, "comments/a", Value::Null).await, (404, 16));
    let back = pond.post("comments/a/restore", json!({ "user_id": "bob" })).await;
    assert_eq!((&back["comment"]["text"], &back["comment"]["reply_count"]), (&json!("a"), &json!(1)));
    assert_eq!(back["activity"]["comment_count"], 2);
    pond.delete("comments/a?hard_delete=true").await;
    let answer = pond.get("comments?object_id=a1&object_type=activity").await;
    let stub = &answer["comments"][0];
    assert_eq!(line(&answer["comments"]), "a(b)");
    assert_eq!((&stub["status"], stub.get("text")), (&json!("deleted"), None));
    assert!(stub["user"]["id"] != "bob" && stub["user"]["deleted_at"].is_i64(), "{stub}");
    assert_eq!(pond.refuses(Method::POST, "comments/a/restore", json!({})).await, (404, 16));
}

#[tokio::test]
async fn whoever_may_not_reply_is_refused_but_for_the_author_and_the_apps_server() {
    let pond = Pond::new().await;
    for (id, restriction) in [("none", "nobody"), ("some", "people_i_follow")] {
        let activity = json!({ "type": "post", "feeds": ["user:ann"], "user_id": "ann", "id": id, "text": id,
            "restrict_replies": restriction });
        pond.post("activities", activity).await;
    }
    for user in ["bob", "cat"] {
        pond.post(&format!("feed_groups/user/feeds/{user}"), json!({ "user_id": user })).await;
    }
    pond.post("feed_groups/timeline/feeds/ann", json!({ "user_id": "ann" })).await;
    pond.post("follows", json!({ "source": "timeline:ann", "target": "user:bob" })).await;
    let comment = |on: &str| json!({ "comment": "x", "object_id": on, "object_type": "activity" });
    for (user, on, status) in
        [("ann", "none", 201), ("bob", "none", 403), ("bob", "some", 201), ("cat", "some", 403), ("ann", "some", 201)]
    {
        let answer = pond.user(user).call(Method::POST, "comments", comment(on).to_string()).await;
        assert_eq!(answer.status, status, "{user} on {on}: {}", answer.text);
    }
    let mut body = comment("none");
    body["user_id"] = "cat".into();
    pond.post("comments", body).await;
}

#[tokio::test]
async fn a_user_changes_only_what_the_user_wrote() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    pond.commented("c1", "bob", "a1", None).await;
    let cat = pond.user("cat");
    assert_eq!(cat.refuses(Method::PATCH, "comments/c1", json!({"comment":"x"})).await, (403, 17));
    assert_eq!(cat.refuses(Method::DELETE, "comments/c1", Value::Null).await, (403, 17));
    pond.user("bob").delete("comments/c1").await;
    assert_eq!(cat.refuses(Method::POST, "comments/c1/restore", json!({})).await, (403, 17));
    pond.user("bob").post("comments/c1/restore", json!({})).await;
}

#[tokio::test]
async fn comments_are_added_in_batches_and_found_by_filter() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    let batch = json!({ "comments": [
        { "id": "one", "comment": "red fox", "user_id": "bob", "object_id": "a1", "object_type": "activity" },
        { "id": "two", "comment": "blue", "user_id": "cat", "parent_id": "one" }] });
    assert_eq!(line(&pond.post("comments/batch", batch).await["comments"]), "one two");
    let found = async |filter: Value| {
        line(&pond.post("comments/query", json!({ "filter": filter, "sort": "last" })).await["comments"])
    };
    assert_eq!(found(json!({ "object_id": "a1" })).await, "two one");
    assert_eq!(found(json!({ "user_id": { "$in": ["bob"] } })).await, "one");
    assert_eq!(found(json!({ "comment_text": { "$q": "FOX" } })).await, "one");
    assert_eq!(found(json!({ "parent_id": "one" })).await, "two");
    let unknown = json!({ "filter": { "mood": 1 } });
    assert_eq!(pond.refuses(Method::POST, "comments/query", unknown).await, (400, 4));
}
