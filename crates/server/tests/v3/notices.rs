//! Notification activities: made by follows, comments, reactions and mentions, and gone with them (§5).

use serde_json::{Value, json};

use crate::pond::Pond;

/// What stands in the notification feed of `who`: user, type and target, the newest first.
async fn told(pond: &Pond, who: &str) -> String {
    let body = json!({ "user_id": who, "enrichment_options": { "include_flat_activities": true } });
    let page = pond.post(&format!("feed_groups/notification/feeds/{who}"), body).await;
    let line = |activity: &Value| {
        let target = activity["notification_context"]["target"]["id"].as_str().unwrap();
        format!("{}:{}:{target}", activity["user"]["id"].as_str().unwrap(), activity["type"].as_str().unwrap())
    };
    page["activities"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(" ")
}

async fn pond() -> Pond {
    let pond = Pond::new().await;
    for who in ["amy", "bob", "cat"] {
        pond.make(&format!("user:{who}"), "visible").await;
    }
    pond.add("a1", "amy", &["user:amy"]).await;
    pond
}

#[tokio::test]
async fn a_reaction_notifies_whose_activity_it_is_and_says_of_what() {
    let pond = pond().await;
    let like = json!({ "type": "like", "user_id": "bob", "create_notification_activity": true,
        "copy_custom_to_notification": true, "custom": { "why": "nice" } });
    let reacted = pond.post("activities/a1/reactions", like).await;
    let seen = (&reacted["notification_created"], &reacted["notification_accepted"]);
    assert_eq!(seen, (&json!(true), &json!(true)));
    let page = pond.post("feed_groups/notification/feeds/amy", json!({ "user_id": "amy" })).await;
    let group = &page["aggregated_activities"][0];
    let context = &group["activities"][0]["notification_context"];
    let expected = json!({
        "trigger": { "type": "reaction", "text": "bob reacted to your activity", "custom": { "why": "nice" } },
        "target": { "id": "a1", "type": "post", "text": "a1", "user_id": "amy" }
    });
    assert_eq!(context, &expected);
    assert_eq!((&page["notification_status"]["unread"], &page["feed"]["visibility"]), (&json!(1), &json!("private")));
    // Nobody is told of what nobody asked to tell, nor of what it did itself.
    let own = json!({ "type": "like", "user_id": "amy", "create_notification_activity": true });
    assert_eq!(pond.post("activities/a1/reactions", own).await["notification_created"], false);
    let plain = pond.post("activities/a1/reactions", json!({ "type": "sad", "user_id": "bob" })).await;
    assert!(plain.get("notification_created").is_none());
    assert_eq!(told(&pond, "amy").await, "bob:reaction:a1");
    pond.delete("activities/a1/reactions/like?user_id=bob&delete_notification_activity=true").await;
    assert_eq!(told(&pond, "amy").await, "");
}

#[tokio::test]
async fn comments_replies_and_mentions_notify_and_quote_what_is_there() {
    let pond = pond().await;
    let say = async |id: &str, by: &str, parent: Option<&str>, mentioned: Value| {
        let body = json!({ "id": id, "comment": id, "user_id": by, "object_id": "a1", "object_type": "activity",
            "parent_id": parent, "mentioned_user_ids": mentioned, "create_notification_activity": true });
        pond.post("comments", body).await
    };
    say("c1", "bob", None, json!([])).await;
    let answer = say("c2", "cat", Some("c1"), json!(["amy"])).await;
    let seen = (&answer["notification_created"], &answer["mention_notifications_created"]);
    assert_eq!(seen, (&json!(true), &json!(1)));
    let page = pond.user("bob").post("feed_groups/notification/feeds/bob", json!({})).await;
    let context = &page["aggregated_activities"][0]["activities"][0]["notification_context"];
    let seen = (&context["trigger"]["comment"]["comment"], &context["target"]["comment"]["id"]);
    assert_eq!(seen, (&json!("c2"), &json!("c1")));
    pond.patch("comments/c2", json!({ "mentioned_user_ids": ["bob"], "handle_mention_notifications": true })).await;
    assert!(
        !told(&pond, "amy").await.contains("comment_mention") && told(&pond, "bob").await.contains("comment_mention")
    );
    pond.delete("comments/c2?delete_notification_activity=true").await;
    assert_eq!((told(&pond, "amy").await.as_str(), told(&pond, "bob").await.as_str()), ("bob:comment:a1", ""));
    // With the activity all goes that was said of it.
    pond.delete("activities/a1?hard_delete=true").await;
    assert_eq!(told(&pond, "amy").await, "");
}

#[tokio::test]
async fn a_follow_notifies_the_owner_and_an_unfollow_takes_it_back_if_asked() {
    let pond = pond().await;
    let follow = json!({ "source": "user:bob", "target": "user:amy", "create_notification_activity": true });
    assert_eq!(pond.post("follows/upsert", follow.clone()).await["notification_created"], true);
    assert_eq!(pond.post("follows/upsert", follow.clone()).await["notification_created"], false);
    assert_eq!(told(&pond, "amy").await, "bob:follow:user:amy");
    pond.delete("follows/user%3Abob/user%3Aamy").await;
    assert_eq!(told(&pond, "amy").await, "bob:follow:user:amy");
    pond.post("follows", follow).await;
    pond.delete("follows/user%3Abob/user%3Aamy?delete_notification_activity=true").await;
    assert_eq!(told(&pond, "amy").await, "");
    let batch =
        json!({ "follows": [{ "source": "user:cat", "target": "user:amy", "create_notification_activity": true }] });
    pond.post("follows/batch", batch).await;
    assert_eq!(told(&pond, "amy").await, "cat:follow:user:amy");
    let pairs =
        json!({ "follows": [{ "source": "user:cat", "target": "user:amy" }], "delete_notification_activity": true });
    pond.post("unfollow/batch", pairs).await;
    assert_eq!(told(&pond, "amy").await, "");
}

#[tokio::test]
async fn mentions_in_activities_are_told_and_follow_its_changes() {
    let pond = pond().await;
    let activity = json!({ "id": "a2", "type": "post", "user_id": "amy", "feeds": ["user:amy"],
        "mentioned_user_ids": ["bob", "amy"], "create_notification_activity": true });
    assert_eq!(pond.post("activities", activity).await["mention_notifications_created"], 1);
    let change =
        json!({ "user_id": "amy", "set": { "mentioned_user_ids": ["cat"] }, "handle_mention_notifications": true });
    pond.patch("activities/a2", change).await;
    assert_eq!((told(&pond, "bob").await.as_str(), told(&pond, "cat").await.as_str()), ("", "amy:mention:a2"));
    pond.delete("activities/a2?delete_notification_activity=true").await;
    assert_eq!(told(&pond, "cat").await, "");
    let found = pond.post("activities/query", json!({ "filter": { "user_id": "amy" } })).await;
    assert_eq!(crate::pond::ids(&found["activities"]), "a1", "notifications are not among what was posted");
}

#[tokio::test]
async fn a_notification_goes_with_who_caused_it_and_with_whom_it_concerns() {
    for gone in ["amy", "bob"] {
        let pond = pond().await;
        let like = json!({ "type": "like", "user_id": "bob", "create_notification_activity": true });
        pond.post("activities/a1/reactions", like).await;
        let follow = json!({ "source": "user:bob", "target": "user:amy", "create_notification_activity": true });
        pond.post("follows", follow).await;
        let hard = json!({ "user_ids": [gone], "user": "hard", "messages": "hard", "conversations": "hard" });
        pond.post("/api/v2/users/delete", hard).await;
        pond.run_tasks_later().await;
        assert_eq!(pond.residue(gone).await, Vec::<&str>::new(), "{gone}");
        if gone == "bob" {
            assert_eq!(told(&pond, "amy").await, "");
        }
    }
}
