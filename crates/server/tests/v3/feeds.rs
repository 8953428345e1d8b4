//! `/feed_groups/{group}/feeds/{feed}` and `/feeds` (§3.2).

use http::Method;
use serde_json::json;

use crate::pond::{NOW, Pond, ids, timeless};

#[tokio::test]
async fn a_feed_is_made_by_its_first_read_and_has_every_member_that_the_contract_always_sends() {
    let pond = Pond::new().await;
    let mut read = timeless(pond.post("feed_groups/user/feeds/john", json!({ "user_id": "john" })).await);
    assert_eq!(read["feed"]["created_by"].take()["id"], "john");
    let mut own = read["feed"].take();
    for name in ["own_capabilities", "own_follows"] {
        assert!(own.as_object_mut().unwrap().remove(name).is_some_and(|list| list.is_array()), "{name}");
    }
    assert_eq!(
        own,
        json!({
            "feed": "user:john", "group_id": "user", "id": "john", "name": "", "description": "",
            "visibility": "visible", "filter_tags": [], "created_by": null, "activity_count": 0, "follower_count": 0,
            "following_count": 0, "member_count": 0, "pin_count": 0, "custom": {}, "created_at": NOW, "updated_at": NOW
        })
    );
    let rest = json!({
        "created": true, "feed": null, "activities": [], "aggregated_activities": [], "pinned_activities": [],
        "followers": [], "following": [], "members": [],
        "followers_pagination": {}, "following_pagination": {}, "member_pagination": {}
    });
    assert_eq!(read, rest);
    assert_eq!(pond.post("feed_groups/user/feeds/john", json!({ "user_id": "john" })).await["created"], false);
}

#[tokio::test]
async fn what_is_said_of_a_new_feed_is_kept_and_of_one_that_is_there_it_is_not() {
    let pond = Pond::new().await;
    let data = json!({
        "name": "Amy", "description": "walks", "visibility": "followers", "filter_tags": ["a"], "custom": { "x": 1.0 },
        "location": { "lat": 60.2, "lng": 24.9 }, "members": [{ "user_id": "bob", "role": "boss" }]
    });
    let made = pond.post("feed_groups/user/feeds/amy", json!({ "user_id": "amy", "data": data })).await;
    let feed = &made["feed"];
    assert_eq!(
        (&feed["name"], &feed["visibility"], &feed["custom"]),
        (&json!("Amy"), &json!("followers"), &json!({ "x": 1.0 }))
    );
    assert_eq!((&feed["location"]["lat"], &feed["member_count"]), (&json!(60.2), &json!(1)));
    assert_eq!((&made["members"][0]["user"]["id"], &made["members"][0]["role"]), (&json!("bob"), &json!("boss")));
    let again = json!({ "user_id": "amy", "data": { "name": "Other" } });
    assert_eq!(pond.post("feed_groups/user/feeds/amy", again).await["feed"]["name"], "Amy");
}

#[tokio::test]
async fn pages_lead_on_and_back() {
    let pond = Pond::new().await;
    for id in ["a1", "a2", "a3", "a4", "a5"] {
        pond.add(id, "amy", &["user:amy"]).await;
    }
    let read = async |body| pond.post("feed_groups/user/feeds/amy", body).await;
    let first = read(json!({ "limit": 2 })).await;
    assert_eq!((ids(&first["activities"]), first.get("prev")), ("a5 a4".into(), None));
    let second = read(json!({ "limit": 2, "next": first["next"] })).await;
    assert_eq!(ids(&second["activities"]), "a3 a2");
    let last = read(json!({ "limit": 2, "next": second["next"] })).await;
    assert_eq!((ids(&last["activities"]), last.get("next")), ("a1".into(), None));
    let back = read(json!({ "limit": 2, "prev": second["prev"] })).await;
    assert_eq!((ids(&back["activities"]), back.get("prev")), ("a5 a4".into(), None));
    assert_eq!(ids(&read(json!({ "limit": 3, "id_around": "a3" })).await["activities"]), "a4 a3 a2");
    assert_eq!(ids(&read(json!({ "filter": { "id": { "$in": ["a1", "a4"] } } })).await["activities"]), "a4 a1");
    for next in [json!("x"), first["next"].clone()] {
        let other = json!({ "limit": 1, "next": next, "filter": { "id": "a1" } });
        assert_eq!(pond.refuses_post("feed_groups/user/feeds/amy", other).await, (400, 4));
    }
}

#[tokio::test]
async fn each_activity_says_which_feed_brought_it() {
    let pond = Pond::new().await;
    pond.make("timeline:bob", "visible").await;
    pond.add("a1", "amy", &["user:amy"]).await;
    pond.post("follows", json!({ "source": "timeline:bob", "target": "user:amy" })).await;
    let page = pond.post("feed_groups/timeline/feeds/bob", json!({})).await;
    assert_eq!(page["activities"][0]["current_feed"]["feed"], "user:amy");
    assert_eq!(page["following"][0]["target_feed"]["feed"], "user:amy");
    let skipped = json!({ "enrichment_options": { "skip_activity_current_feed": true, "skip_following": true } });
    let page = pond.post("feed_groups/timeline/feeds/bob", skipped).await;
    assert_eq!((page["activities"][0].get("current_feed"), &page["following"]), (None, &json!([])));
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_the_owner_only_from_the_server() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    let path = "feed_groups/user/feeds/amy";
    let changed = pond.put(path, json!({ "name": "Amy", "location": { "lat": 1, "lng": 2 } })).await;
    assert_eq!((&changed["feed"]["name"], &changed["feed"]["location"]["lng"]), (&json!("Amy"), &json!(2.0)));
    let changed = pond.put(path, json!({ "clear_location": true, "created_by_id": "bob" })).await["feed"].take();
    assert_eq!(
        (&changed["name"], changed.get("location"), &changed["created_by"]["id"]),
        (&json!("Amy"), None, &json!("bob"))
    );
    assert_eq!(pond.user("amy").refuses(Method::PUT, path, json!({ "name": "x" })).await, (403, 17));
    assert_eq!(pond.user("bob").refuses(Method::PUT, path, json!({ "created_by_id": "amy" })).await, (403, 17));
    pond.user("bob").put(path, json!({ "name": "Bob" })).await;
    assert_eq!(pond.refuses(Method::PUT, "feed_groups/user/feeds/none", json!({})).await, (404, 16));
}

#[tokio::test]
async fn a_deleted_feed_is_absent_at_once_and_its_task_clears_it_away() {
    let pond = Pond::new().await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let task = pond.delete("feed_groups/user/feeds/amy?hard_delete=true").await["task_id"].take();
    assert_eq!(pond.refuses(Method::PUT, "feed_groups/user/feeds/amy", json!({})).await, (404, 16));
    pond.run_tasks().await;
    let done = pond.get(&format!("/api/v2/tasks/{}", task.as_str().unwrap())).await;
    assert_eq!((&done["status"], &done["result"]), (&json!("completed"), &json!({ "user:amy": { "status": "ok" } })));
    assert_eq!(pond.refuses(Method::GET, "activities/a1", json!(null)).await, (404, 16));
    assert_eq!(pond.read("user:amy").await, "");
}

#[tokio::test]
async fn a_batch_of_deletions_needs_every_feed_and_a_server() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    let body = json!({ "feeds": ["user:amy", "user:none"] });
    assert_eq!(pond.refuses_post("feeds/delete", body).await, (404, 16));
    let soft_purge = json!({ "feeds": ["user:amy"], "purge_user_activities": true });
    assert_eq!(pond.refuses_post("feeds/delete", soft_purge).await, (400, 4));
    let one = json!({ "feeds": ["user:amy"] });
    assert_eq!(pond.user("amy").refuses_post("feeds/delete", one.clone()).await, (403, 17));
    assert!(pond.post("feeds/delete", one).await["task_id"].is_string());
}

#[tokio::test]
async fn feeds_are_queried_and_a_users_token_finds_those_that_it_may_read() {
    let pond = Pond::new().await;
    for (fid, visibility) in [("user:amy", "visible"), ("user:bob", "private"), ("timeline:amy", "visible")] {
        pond.make(fid, visibility).await;
    }
    let fids = |answer: &serde_json::Value| {
        let feeds = answer["feeds"].as_array().unwrap().iter();
        feeds.map(|feed| feed["feed"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let query = json!({ "filter": { "feed_group_id": "user" }, "sort": [{ "field": "id", "direction": 1 }] });
    assert_eq!(fids(&pond.post("feeds/query", query.clone()).await), "user:amy user:bob");
    assert_eq!(fids(&pond.user("amy").post("feeds/query", query).await), "user:amy");
    let by_owner = json!({ "filter": { "created_by_id": "amy" }, "limit": 1 });
    let first = pond.post("feeds/query", by_owner).await;
    assert!(first["next"].is_string() && first.get("prev").is_none());
}

#[tokio::test]
async fn a_private_feed_is_its_owners_and_one_for_followers_is_theirs_too() {
    let pond = Pond::new().await;
    pond.make("user:amy", "followers").await;
    pond.make("timeline:bob", "visible").await;
    let read = "feed_groups/user/feeds/amy";
    assert_eq!(pond.user("bob").refuses_post(read, json!({})).await, (403, 17));
    pond.post("follows", json!({ "source": "timeline:bob", "target": "user:amy" })).await;
    assert_eq!(pond.user("bob").refuses_post(read, json!({})).await, (403, 17), "the follow waits");
    pond.user("amy").post("follows/accept", json!({ "source": "timeline:bob", "target": "user:amy" })).await;
    let seen = pond.user("bob").post(read, json!({})).await;
    let capabilities = seen["feed"]["own_capabilities"].as_array().unwrap();
    assert!(capabilities.contains(&json!("read-feed")) && !capabilities.contains(&json!("add-activity")));
    assert_eq!(seen["feed"]["own_follows"][0]["source_feed"]["feed"], "timeline:bob");
}

#[tokio::test]
async fn several_feeds_are_made_at_once_and_told_of_at_once() {
    let pond = Pond::new().await;
    let feeds = json!([
        { "feed_group_id": "user", "feed_id": "amy", "created_by_id": "amy", "name": "Amy" },
        { "feed_group_id": "user", "feed_id": "bob", "created_by_id": "bob" }
    ]);
    let made = pond.post("feeds/batch", json!({ "feeds": feeds })).await;
    assert_eq!((&made["feeds"][0]["name"], &made["feeds"][1]["created_by"]["id"]), (&json!("Amy"), &json!("bob")));
    let own = json!({ "feeds": ["user:amy", "user:none"], "user_id": "amy", "fields": ["own_capabilities"] });
    let data = pond.post("feeds/own/batch", own).await["data"].take();
    assert_eq!(data.as_object().unwrap().len(), 1);
    assert!(data["user:amy"]["own_capabilities"].is_array() && data["user:amy"].get("own_follows").is_none());
}

#[tokio::test]
async fn a_tighter_visibility_ends_follows_that_it_does_not_allow() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    for (user, source) in [("bob", "timeline:bob"), ("cat", "timeline:cat"), ("amy", "timeline:amy")] {
        pond.make(source, "visible").await;
        pond.post("follows", json!({ "source": source, "target": "user:amy" })).await;
        pond.add(user, "amy", &["user:amy"]).await;
    }
    let member = json!({ "operation": "upsert", "members": [{ "user_id": "cat" }] });
    pond.patch("feed_groups/user/feeds/amy/members", member).await;
    let path = "feed_groups/user/feeds/amy/change_visibility";
    let changed = pond.post(path, json!({ "visibility": "members" })).await["feed"].take();
    assert_eq!((&changed["feed"], &changed["visibility"]), (&json!("user:amy"), &json!("members")));
    pond.run_tasks_later().await;
    assert_eq!(pond.read("timeline:bob").await, "");
    assert_eq!((pond.read("timeline:cat").await, pond.read("timeline:amy").await.len()), ("amy cat bob".into(), 11));
    pond.post(path, json!({ "visibility": "private" })).await;
    pond.run_tasks_later().await;
    assert_eq!((pond.read("timeline:cat").await, pond.read("timeline:amy").await.len()), (String::new(), 11));
    let feed = pond.post("feed_groups/user/feeds/amy", json!({})).await["feed"].take();
    assert_eq!((&feed["follower_count"], &feed["member_count"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_looser_visibility_accepts_or_rejects_follows_that_wait() {
    let pond = Pond::new().await;
    for (id, action, status) in [("amy", json!(null), "accepted"), ("dan", json!("reject"), "rejected")] {
        let (feed, source) = (format!("user:{id}"), format!("timeline:of-{id}"));
        pond.make(&feed, "followers").await;
        pond.make(&source, "visible").await;
        let asked = pond.post("follows", json!({ "source": source, "target": feed })).await;
        assert_eq!(asked["follow"]["status"], "pending");
        let body = json!({ "visibility": "visible", "pending_follows_action": action });
        pond.post(&format!("feed_groups/user/feeds/{id}/change_visibility"), body).await;
        pond.run_tasks_later().await;
        let found = pond.post("follows/query", json!({ "filter": { "source_feed": source } })).await;
        assert_eq!(found["follows"][0]["status"], status);
    }
}

#[tokio::test]
async fn a_visibility_is_changed_by_the_owner_to_one_that_there_is() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    let path = "feed_groups/user/feeds/amy/change_visibility";
    assert_eq!(pond.refuses_post(path, json!({})).await, (400, 4));
    assert_eq!(pond.refuses_post(path, json!({ "visibility": "some" })).await, (400, 4));
    let body = json!({ "visibility": "public", "pending_follows_action": "wait" });
    assert_eq!(pond.refuses_post(path, body).await, (400, 4));
    assert_eq!(pond.user("bob").refuses_post(path, json!({ "visibility": "public" })).await, (403, 17));
    let none = "feed_groups/user/feeds/none/change_visibility";
    assert_eq!(pond.refuses_post(none, json!({ "visibility": "public" })).await, (404, 16));
}
