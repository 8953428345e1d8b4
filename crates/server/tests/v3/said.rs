//! What is said and counted of activities: feedback, metrics, shares (§3.3).

use serde_json::json;

use crate::pond::Pond;

#[tokio::test]
async fn a_hidden_activity_is_hidden_from_who_hid_it_alone() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let nothing = pond.post("activities/a1/feedback", json!({ "user_id": "bob" })).await;
    assert_eq!(nothing, json!({ "activity_id": "a1" }));
    pond.user("bob").post("activities/a1/feedback", json!({ "hide": true, "show_less": true })).await;
    assert_eq!(pond.user("bob").get("activities/a1").await["activity"]["hidden"], true);
    assert_eq!(pond.user("cat").get("activities/a1").await["activity"]["hidden"], false);
    pond.user("bob").post("activities/a1/feedback", json!({ "hide": false })).await;
    assert_eq!(pond.user("bob").get("activities/a1").await["activity"]["hidden"], false);
    assert_eq!(pond.refuses_post("activities/none/feedback", json!({ "user_id": "bob" })).await, (404, 16));
    assert_eq!(pond.refuses_post("activities/a1/feedback", json!({ "hide": true })).await, (400, 4));
}

#[tokio::test]
async fn feedback_may_report_the_activity_and_mute_its_author() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let body = json!({ "user_id": "bob", "report": true, "reason": "rude", "mute_user": true });
    pond.post("activities/a1/feedback", body).await;
    let flags = pond.post("/api/v2/moderation/flags", json!({})).await;
    let flag = &flags["flags"][0];
    let seen = (&flag["entity_type"], &flag["entity_id"], &flag["entity_creator_id"], &flag["reason"]);
    assert_eq!(seen, (&json!("stream:feeds:v3:activity"), &json!("a1"), &json!("amy"), &json!("rude")));
}

#[tokio::test]
async fn feedback_goes_with_the_feed_data_of_its_user() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.post("activities/a1/feedback", json!({ "user_id": "bob", "hide": true })).await;
    assert!(pond.residue("bob").await.contains(&"v3_feedback"));
    pond.post("users/bob/delete", json!({ "hard_delete": true })).await;
    pond.run_tasks_later().await;
    let left = pond.residue("bob").await;
    assert!(!left.contains(&"v3_feedback") && !left.contains(&"v3_owned"), "{left:?}");
}

#[tokio::test]
async fn metrics_add_up_and_what_cannot_be_counted_says_so() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let event =
        |activity: &str, metric: &str, delta: i64| json!({ "activity_id": activity, "metric": metric, "delta": delta });
    let events =
        json!([event("a1", "views", 3), { "activity_id": "a1", "metric": "clicks" }, event("none", "views", 1)]);
    let tracked = pond.post("activities/metrics/track", json!({ "user_id": "bob", "events": events })).await;
    let allowed: Vec<_> = tracked["results"].as_array().unwrap().iter().map(|one| &one["allowed"]).collect();
    assert_eq!(allowed, [&json!(true), &json!(true), &json!(false)]);
    assert!(tracked["results"][2]["error"].as_str().unwrap().contains("not found"));
    let again = json!({ "user_id": "bob", "events": [event("a1", "views", -1)] });
    pond.post("activities/metrics/track", again).await;
    assert_eq!(pond.get("activities/a1").await["activity"]["metrics"], json!({ "clicks": 1, "views": 2 }));
    for events in [json!([]), json!([event("a1", "page views", 1)]), json!([event("a1", "views", 9_999_999)])] {
        let body = json!({ "user_id": "bob", "events": events });
        assert_eq!(pond.refuses_post("activities/metrics/track", body).await, (400, 4));
    }
}

#[tokio::test]
async fn shares_are_listed_the_newest_first_and_the_shared_one_embeds_the_latest() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    for (id, who) in [("s1", "bob"), ("s2", "cat"), ("s3", "dan")] {
        let feed = format!("user:{who}");
        let share = json!({ "id": id, "type": "share", "user_id": who, "feeds": [feed], "parent_id": "a1" });
        pond.post("activities", share).await;
    }
    pond.delete("activities/s2").await;
    let line = |list: &serde_json::Value| {
        let one = |share: &serde_json::Value| {
            format!("{}:{}", share["activity_id"].as_str().unwrap(), share["user"]["id"].as_str().unwrap())
        };
        list.as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(" ")
    };
    let activity = &pond.get("activities/a1").await["activity"];
    assert_eq!((line(&activity["latest_shares"]).as_str(), &activity["share_count"]), ("s3:dan s1:bob", &json!(2)));
    let first = pond.get("activities/a1/shares?limit=1").await;
    assert_eq!(line(&first["shares"]), "s3:dan");
    let next = pond.get(&format!("activities/a1/shares?limit=1&next={}", first["next"].as_str().unwrap())).await;
    assert_eq!((line(&next["shares"]).as_str(), next.get("next")), ("s1:bob", None));
    // Who does not see a share is not told of it.
    pond.make("user:eve", "private").await;
    let hidden = json!({ "id": "s4", "type": "share", "user_id": "eve", "feeds": ["user:eve"], "parent_id": "a1" });
    pond.post("activities", hidden).await;
    assert_eq!(line(&pond.user("bob").get("activities/a1/shares").await["shares"]), "s3:dan s1:bob");
}
