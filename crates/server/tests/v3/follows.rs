//! `/follows` and `/unfollow` (§3.8).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{NOW, Pond, timeless};

fn pair(source: &str, target: &str) -> Value {
    json!({ "source": source, "target": target })
}

async fn pond() -> Pond {
    let pond = Pond::new().await;
    for fid in ["timeline:bob", "user:amy", "user:cat"] {
        pond.make(fid, "visible").await;
    }
    pond
}

#[tokio::test]
async fn a_follow_has_every_member_that_the_contract_always_sends_and_both_feeds_whole() {
    let pond = pond().await;
    let mut follow = timeless(pond.post("follows", pair("timeline:bob", "user:amy")).await["follow"].take());
    let (source, target) = (follow["source_feed"].take(), follow["target_feed"].take());
    assert_eq!((&source["feed"], &source["following_count"]), (&json!("timeline:bob"), &json!(1)));
    assert_eq!((&target["feed"], &target["follower_count"]), (&json!("user:amy"), &json!(1)));
    assert_eq!(
        follow,
        json!({
            "source_feed": null, "target_feed": null, "status": "accepted", "follower_role": "feed_follower",
            "push_preference": "none", "custom": {}, "created_at": NOW, "updated_at": NOW
        })
    );
}

#[tokio::test]
async fn following_twice_is_refused_and_by_upsert_it_is_not() {
    let pond = pond().await;
    assert_eq!(pond.post("follows/upsert", pair("timeline:bob", "user:amy")).await["created"], true);
    assert_eq!(pond.refuses_post("follows", pair("timeline:bob", "user:amy")).await, (400, 4));
    assert_eq!(pond.post("follows/upsert", pair("timeline:bob", "user:amy")).await["created"], false);
    assert_eq!(pond.refuses_post("follows", pair("user:amy", "user:amy")).await, (400, 4));
    assert_eq!(pond.refuses_post("follows", pair("timeline:bob", "user:none")).await, (404, 16));
    let mut too_much = pair("timeline:bob", "user:cat");
    too_much["activity_copy_limit"] = json!(1001);
    assert_eq!(pond.refuses_post("follows", too_much).await, (400, 4));
}

#[tokio::test]
async fn unfollowing_nothing_is_refused_and_by_upsert_it_is_not() {
    let pond = pond().await;
    assert_eq!(pond.refuses(Method::DELETE, "follows/timeline%3Abob/user%3Aamy", json!(null)).await, (404, 16));
    assert_eq!(pond.post("unfollow/upsert", pair("timeline:bob", "user:amy")).await, json!({ "deleted": false }));
    pond.post("follows", pair("timeline:bob", "user:amy")).await;
    let ended = pond.delete("follows/timeline%3Abob/user%3Aamy").await;
    assert_eq!(ended["follow"]["target_feed"]["follower_count"], 0);
}

#[tokio::test]
async fn keeping_history_leaves_what_was_brought() {
    let pond = pond().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.post("follows", pair("timeline:bob", "user:amy")).await;
    pond.delete("follows/timeline%3Abob/user%3Aamy?keep_history=true").await;
    pond.add("a2", "amy", &["user:amy"]).await;
    assert_eq!(pond.read("timeline:bob").await, "a1");
}

#[tokio::test]
async fn a_batch_tells_what_it_made_and_all_that_it_was_asked_for() {
    let pond = pond().await;
    pond.post("follows", pair("timeline:bob", "user:amy")).await;
    let body = json!({ "follows": [pair("timeline:bob", "user:amy"), pair("timeline:bob", "user:cat")] });
    let answer = pond.post("follows/batch", body.clone()).await;
    assert_eq!((answer["created"].as_array().unwrap().len(), answer["follows"].as_array().unwrap().len()), (1, 2));
    assert_eq!(pond.post("follows/batch/upsert", body.clone()).await["created"], json!([]));
    assert_eq!(pond.post("unfollow/batch", body.clone()).await["follows"].as_array().unwrap().len(), 2);
    assert_eq!(pond.refuses_post("unfollow/batch", body.clone()).await, (404, 16));
    assert_eq!(pond.post("unfollow/batch/upsert", body).await["follows"], json!([]));
}

#[tokio::test]
async fn a_follow_that_waits_is_accepted_or_rejected_by_who_is_followed() {
    let pond = pond().await;
    pond.make("user:dan", "followers").await;
    pond.add("d1", "dan", &["user:dan"]).await;
    let asked = pond.user("bob").post("follows", pair("timeline:bob", "user:dan")).await;
    assert_eq!(asked["follow"]["status"], "pending");
    assert_eq!(pond.user("bob").refuses_post("follows/accept", pair("timeline:bob", "user:dan")).await, (403, 17));
    let accepted = timeless(pond.user("dan").post("follows/accept", pair("timeline:bob", "user:dan")).await);
    assert_eq!(
        (&accepted["follow"]["status"], &accepted["follow"]["request_accepted_at"]),
        (&json!("accepted"), &json!(NOW))
    );
    assert_eq!(pond.read("timeline:bob").await, "d1");
    let rejected = pond.user("dan").post("follows/reject", pair("timeline:bob", "user:dan")).await;
    assert_eq!(rejected["follow"]["status"], "rejected");
    assert_eq!(pond.read("timeline:bob").await, "");
}

#[tokio::test]
async fn an_update_changes_preference_and_own_fields_and_the_role_only_from_the_server() {
    let pond = pond().await;
    pond.post("follows", pair("timeline:bob", "user:amy")).await;
    let mut change = pair("timeline:bob", "user:amy");
    change["push_preference"] = json!("all");
    change["custom"] = json!({ "x": 1 });
    let changed = pond.user("bob").patch("follows", change.clone()).await["follow"].take();
    assert_eq!((&changed["push_preference"], &changed["custom"]), (&json!("all"), &json!({ "x": 1 })));
    change["follower_role"] = json!("vip");
    assert_eq!(pond.user("bob").refuses(Method::PATCH, "follows", change.clone()).await, (403, 17));
    assert_eq!(pond.patch("follows", change).await["follow"]["follower_role"], "vip");
    assert_eq!(pond.refuses(Method::PATCH, "follows", pair("timeline:bob", "user:cat")).await, (404, 16));
}

#[tokio::test]
async fn follows_are_queried_by_either_end_and_status() {
    let pond = pond().await;
    for target in ["user:amy", "user:cat"] {
        pond.post("follows", pair("timeline:bob", target)).await;
    }
    let count = async |filter: Value| {
        let answer = pond.post("follows/query", json!({ "filter": filter })).await;
        answer["follows"].as_array().unwrap().len()
    };
    for (filter, expected) in [
        (json!(null), 2),
        (json!({ "source_feed": "timeline:bob" }), 2),
        (json!({ "target_feed": { "$in": ["user:amy"] } }), 1),
        (json!({ "status": "pending" }), 0),
    ] {
        assert_eq!(count(filter.clone()).await, expected, "{filter}");
    }
    let odd = json!({ "filter": { "color": "red" } });
    assert_eq!(pond.refuses_post("follows/query", odd).await, (400, 4));
}
