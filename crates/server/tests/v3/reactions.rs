//! Reactions to activities and to comments (feeds-v3 §3.5).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

impl Pond {
    /// `id` by ann in her feed.
    pub(crate) async fn posted(&self, id: &str) {
        let activity = json!({ "type": "post", "feeds": ["user:ann"], "user_id": "ann", "id": id, "text": id });
        self.post("activities", activity).await;
    }

    /// `id` by `user` about the activity or, as a reply, about the comment.
    pub(crate) async fn commented(&self, id: &str, user: &str, activity: &str, parent: Option<&str>) -> Value {
        let comment = json!({ "id": id, "comment": id, "user_id": user, "object_id": activity,
            "object_type": "activity", "parent_id": parent });
        self.clock.advance(1_000_000);
        self.post("comments", comment).await["comment"].clone()
    }

    pub(crate) async fn reacted(&self, to: &str, user: &str, kind: &str) -> Value {
        self.clock.advance(1_000_000);
        self.post(&format!("{to}/reactions"), json!({ "type": kind, "user_id": user })).await
    }
}

#[tokio::test]
async fn a_reaction_is_answered_with_what_it_is_about_as_that_is_afterwards() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    let body = json!({ "type": "like", "user_id": "bob", "custom": { "why": "nice" }, "target_feeds": null });
    let answer = pond.post("activities/a1/reactions", body).await;
    let (reaction, activity) = (&answer["reaction"], &answer["activity"]);
    let at = reaction["created_at"].as_i64().expect("nanoseconds");
    assert_eq!((&reaction["activity_id"], &reaction["type"]), (&json!("a1"), &json!("like")));
    assert_eq!((&reaction["user"]["id"], &reaction["custom"]), (&json!("bob"), &json!({ "why": "nice" })));
    assert!(reaction.get("comment_id").is_none());
    assert_eq!((&activity["reaction_count"], &activity["popularity"]), (&json!(1), &json!(1)));
    let group = json!({ "count": 1, "first_reaction_at": at, "last_reaction_at": at });
    assert_eq!(activity["reaction_groups"], json!({ "like": group }));
    assert_eq!((&activity["latest_reactions"][0], &activity["own_reactions"][0]), (reaction, reaction));
    let shown = pond.get("activities/a1?user_id=bob").await;
    assert_eq!(shown["activity"]["own_reactions"][0]["type"], "like");
    let gone = pond.delete("activities/a1/reactions/like?user_id=bob").await;
    assert_eq!((&gone["reaction"]["type"], &gone["activity"]["reaction_count"]), (&json!("like"), &json!(0)));
    assert_eq!(gone["activity"]["reaction_groups"], json!({}));
}

#[tokio::test]
async fn types_of_one_user_coexist_unless_one_shall_be_the_only_one() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    for kind in ["like", "love", "like"] {
        pond.reacted("activities/a1", "bob", kind).await;
    }
    let body = json!({ "type": "sad", "user_id": "bob", "enforce_unique": true });
    let answer = pond.post("activities/a1/reactions", body).await;
    assert_eq!(answer["activity"]["reaction_count"], 1);
    assert!(answer["activity"]["reaction_groups"].get("sad").is_some());
}

#[tokio::test]
async fn a_reaction_to_a_comment_names_the_comment_and_its_activity() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    pond.commented("c1", "bob", "a1", None).await;
    let answer = pond.reacted("comments/c1", "cat", "upvote").await;
    assert_eq!((&answer["reaction"]["activity_id"], &answer["reaction"]["comment_id"]), (&json!("a1"), &json!("c1")));
    let comment = &answer["comment"];
    assert_eq!(
        (&comment["upvote_count"], &comment["score"], &comment["reaction_count"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert!(answer.get("activity").is_none());
    let gone = pond.delete("comments/c1/reactions/upvote?user_id=cat").await;
    assert_eq!((&gone["comment"]["score"], &gone["reaction"]["comment_id"]), (&json!(0), &json!("c1")));
}

#[tokio::test]
async fn what_a_reaction_lacks_or_is_about_nothing_is_refused() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    for (path, body, refusal) in [
        ("activities/a1", json!({ "user_id": "bob" }), (400, 4)),
        ("activities/a1", json!({ "type": "like" }), (400, 4)),
        ("activities/a1", json!({ "type": "", "user_id": "bob" }), (400, 4)),
        ("activities/none", json!({ "type": "like", "user_id": "bob" }), (404, 16)),
        ("comments/none", json!({ "type": "like", "user_id": "bob" }), (404, 16)),
    ] {
        let path = format!("{path}/reactions");
        assert_eq!(pond.refuses(Method::POST, &path, body.clone()).await, refusal, "{path} {body}");
    }
    let path = "activities/a1/reactions/like?user_id=bob";
    assert_eq!(pond.refuses(Method::DELETE, path, Value::Null).await, (404, 16));
}

#[tokio::test]
async fn a_user_reacts_as_that_user_alone_and_only_to_what_the_user_sees() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    let answer = pond.user("bob").post("activities/a1/reactions", json!({ "type": "like", "user_id": "cat" })).await;
    assert_eq!(answer["reaction"]["user"]["id"], "bob");
    let data = json!({ "user_id": "ann", "data": { "visibility": "private" } });
    pond.post("feed_groups/user/feeds/secret", data).await;
    let activity = json!({ "type": "post", "feeds": ["user:secret"], "user_id": "ann", "id": "hidden", "text": "x" });
    pond.post("activities", activity).await;
    let like = json!({ "type": "like" });
    let refused = pond.user("bob").refuses(Method::POST, "activities/hidden/reactions", like.clone()).await;
    assert_eq!(refused, (403, 17));
    assert_eq!(pond.user("ann").call(Method::POST, "activities/hidden/reactions", like.to_string()).await.status, 201);
}

#[tokio::test]
async fn reactions_are_queried_by_type_and_user_and_one_users_over_several_things() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    pond.posted("a2").await;
    pond.commented("c1", "bob", "a1", None).await;
    for (to, user, kind) in [
        ("activities/a1", "bob", "like"),
        ("activities/a1", "cat", "love"),
        ("activities/a2", "bob", "love"),
        ("comments/c1", "bob", "like"),
    ] {
        pond.reacted(to, user, kind).await;
    }
    let found = async |path: &str, body: Value| {
        let answer = pond.post(path, body).await;
        let all = answer["reactions"].as_array().unwrap().clone();
        all.iter().map(|one| format!("{} {}", one["user"]["id"], one["type"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(found("activities/a1/reactions/query", json!({})).await, ["cat love", "bob like"]);
    let like = json!({ "filter": { "reaction_type": "like" } });
    assert_eq!(found("activities/a1/reactions/query", like).await, ["bob like"]);
    assert_eq!(found("comments/c1/reactions/query", json!({ "filter": { "user_id": "bob" } })).await, ["bob like"]);
    let batch = json!({ "activity_ids": ["a1", "a2", "none"], "user_id": "bob" });
    assert_eq!(found("activities/reactions/query", batch).await, ["bob love", "bob like"]);
    let batch = json!({ "comment_ids": ["c1"], "user_id": "bob" });
    assert_eq!(found("comments/reactions/query", batch).await, ["bob like"]);
    let unknown = json!({ "filter": { "mood": "x" } });
    assert_eq!(pond.refuses(Method::POST, "activities/a1/reactions/query", unknown).await, (400, 4));
    let nobody = json!({ "activity_ids": ["a1"] });
    assert_eq!(pond.refuses(Method::POST, "activities/reactions/query", nobody).await, (400, 4));
}

#[tokio::test]
async fn a_reaction_is_posted_to_target_feeds_as_a_share_of_its_type() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    let body = json!({ "type": "repost", "user_id": "bob", "target_feeds": ["user:bob"] });
    let answer = pond.post("activities/a1/reactions", body).await;
    let share = &answer["reference_activity"];
    assert_eq!((&share["type"], &share["feeds"]), (&json!("repost"), &json!(["user:bob"])));
    assert_eq!((&share["user"]["id"], &share["parent"]["id"]), (&json!("bob"), &json!("a1")));
    assert_eq!(answer["activity"]["share_count"], 1);
    let body = json!({ "type": "like", "target_feeds": ["user:ann"] });
    let refused = pond.user("bob").refuses(Method::POST, "activities/a1/reactions", body).await;
    assert_eq!(refused, (403, 17), "one who may not post there reacts to nobody");
}
