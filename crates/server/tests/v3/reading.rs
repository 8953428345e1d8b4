//! Reading feeds that are ranked, in groups, or put together by several selectors; marks and views (§3.1, §5).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Pond, ids};

async fn read(pond: &Pond, fid: &str, body: Value) -> Value {
    let (group, id) = fid.split_once(':').unwrap();
    pond.post(&format!("feed_groups/{group}/feeds/{id}"), body).await
}

/// The groups of a page with how many activities each has, in one line.
fn groups(page: &Value) -> String {
    let list = page["aggregated_activities"].as_array().unwrap();
    list.iter()
        .map(|one| format!("{}={}", one["group"].as_str().unwrap(), one["activity_count"]))
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::test]
async fn an_expression_orders_a_feed_by_what_is_counted() {
    let pond = Pond::new().await;
    let ranking = json!({
        "type": "expression", "score": "reaction_counts.like * weight + external.boost", "defaults": { "weight": 2, "external": { "boost": 0 } }
    });
    let body = json!({ "activity_selectors": [{ "type": "current_feed" }], "ranking": ranking });
    pond.post("feed_groups/best", body).await;
    for id in ["a1", "a2", "a3"] {
        pond.add(id, "amy", &["best:amy"]).await;
    }
    for (id, user) in [("a1", "bob"), ("a1", "cat"), ("a2", "bob")] {
        pond.post(&format!("activities/{id}/reactions"), json!({ "type": "like", "user_id": user })).await;
    }
    let asked = json!({
        "external_ranking": { "boost": 0.5 }, "enrichment_options": { "include_score_vars": true }, "limit": 2
    });
    let page = read(&pond, "best:amy", asked.clone()).await;
    assert_eq!(ids(&page["activities"]), "a1 a2");
    let first = &page["activities"][0];
    assert_eq!((&first["score"], &first["score_vars"]["reaction_counts.like"]), (&json!(4.5), &json!(2.0)), "{first}");
    let mut rest = asked;
    rest["next"] = page["next"].clone();
    let rest = read(&pond, "best:amy", rest).await;
    assert_eq!((ids(&rest["activities"]), rest.get("next")), ("a3".into(), None));
    let around = read(&pond, "best:amy", json!({ "id_around": "a3", "limit": 1 })).await;
    assert_eq!(ids(&around["activities"]), "a3");
}

#[tokio::test]
async fn foryou_shows_what_is_followed_and_what_is_popular_and_says_by_which() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    pond.make("user:cat", "visible").await;
    pond.make("user:dan", "private").await;
    pond.post("feed_groups/foryou/feeds/bob", json!({ "user_id": "bob" })).await;
    pond.post("follows", json!({ "source": "foryou:bob", "target": "user:amy" })).await;
    for (id, author) in [("a1", "amy"), ("c1", "cat"), ("c2", "cat"), ("d1", "dan")] {
        pond.add(id, author, &[&format!("user:{author}")]).await;
    }
    for id in ["c1", "d1"] {
        for user in ["u1", "u2", "u3", "u4", "u5"] {
            pond.post(&format!("activities/{id}/reactions"), json!({ "type": "like", "user_id": user })).await;
        }
    }
    let page = read(&pond, "foryou:bob", json!({ "user_id": "bob" })).await;
    assert_eq!(ids(&page["activities"]), "c1 a1");
    let by = |at: usize| page["activities"][at]["selector_source"].as_str().unwrap().to_owned();
    assert_eq!((by(0), by(1)), ("popular".into(), "following".into()));
    assert_eq!(page["activities"][0]["current_feed"]["feed"], "user:cat");
}

#[tokio::test]
async fn notifications_stand_in_groups_that_are_seen_and_read() {
    let pond = Pond::new().await;
    let add = async |id: &str, target: &str| {
        let custom = json!({ "target_id": target });
        let body =
            json!({ "id": id, "type": "like", "user_id": "bob", "feeds": ["notification:amy"], "custom": custom });
        pond.post("activities", body).await;
    };
    read(&pond, "notification:amy", json!({ "user_id": "amy" })).await;
    for (id, target) in [("n1", "x"), ("n2", "y"), ("n3", "x")] {
        add(id, target).await;
    }
    let page = read(&pond, "notification:amy", json!({ "user_id": "amy" })).await;
    assert_eq!(groups(&page), "x_like_2026-01-01=2 y_like_2026-01-01=1");
    assert_eq!((&page["activities"], &page["notification_status"]), (&json!([]), &json!({ "unread": 2, "unseen": 2 })));
    let first = &page["aggregated_activities"][0];
    assert_eq!((&first["is_read"], &first["is_seen"], first.get("is_watched")), (&json!(false), &json!(false), None));
    assert_eq!((ids(&first["activities"]), &first["user_count"]), ("n3 n1".into(), &json!(1)));

    let mark = "feed_groups/notification/feeds/amy/activities/mark/batch";
    pond.post(mark, json!({ "user_id": "amy", "mark_all_seen": true, "mark_read": ["x_like_2026-01-01"] })).await;
    let page = read(&pond, "notification:amy", json!({ "user_id": "amy" })).await;
    let status = &page["notification_status"];
    assert_eq!((&status["unread"], &status["unseen"]), (&json!(1), &json!(0)));
    assert!(status["last_read_at"].is_i64() && status["last_seen_at"].is_i64(), "{status}");
    assert_eq!(page["aggregated_activities"][0]["is_read"], true);

    pond.clock.advance(1_000_000);
    add("n4", "x").await;
    pond.post(mark, json!({ "user_id": "amy", "mark_read": ["n2"] })).await;
    let page = read(&pond, "notification:amy", json!({ "user_id": "amy" })).await;
    assert_eq!(groups(&page), "x_like_2026-01-01=3 y_like_2026-01-01=1", "what is new comes first");
    let read_now = |at: usize| page["aggregated_activities"][at]["is_read"].as_bool().unwrap();
    assert_eq!((read_now(0), read_now(1)), (false, true));
    let flat = json!({ "user_id": "amy", "enrichment_options": { "include_flat_activities": true } });
    assert_eq!(ids(&read(&pond, "notification:amy", flat).await["activities"]), "n4 n3 n1 n2");
}

#[tokio::test]
async fn marks_are_their_users_own_and_take_reading_the_feed() {
    let pond = Pond::new().await;
    pond.make("notification:amy", "private").await;
    let mark = "feed_groups/notification/feeds/amy/activities/mark/batch";
    assert_eq!(pond.user("bob").refuses_post(mark, json!({ "mark_all_read": true })).await, (403, 17));
    let many = vec!["x"; 101];
    assert_eq!(pond.user("amy").refuses_post(mark, json!({ "mark_read": many })).await, (400, 4));
    assert_eq!(pond.refuses_post(mark, json!({ "mark_all_read": true })).await, (400, 4), "nobody is named");
    pond.user("amy").post(mark, json!({ "mark_all_read": true })).await;
    pond.post("users/amy/delete", json!({ "hard_delete": true })).await;
    pond.run_tasks().await;
    assert!(!pond.residue("amy").await.contains(&"v3_mark"));
}

#[tokio::test]
async fn stories_come_by_user_oldest_first_and_say_what_was_watched() {
    let pond = Pond::new().await;
    for user in ["amy", "cat"] {
        pond.make(&format!("story:{user}"), "visible").await;
    }
    pond.make("stories:bob", "visible").await;
    for user in ["amy", "cat"] {
        pond.post("follows", json!({ "source": "stories:bob", "target": format!("story:{user}") })).await;
    }
    for (id, user) in [("a1", "amy"), ("a2", "amy"), ("c1", "cat")] {
        let body = json!({
            "id": id, "type": "story", "user_id": user, "feeds": [format!("story:{user}")],
            "expires_at": "2026-01-01T12:00:00Z"
        });
        pond.post("activities", body).await;
    }
    let mark = "feed_groups/stories/feeds/bob/activities/mark/batch";
    pond.post(mark, json!({ "user_id": "bob", "mark_watched": ["a1", "a2"] })).await;
    let page = read(&pond, "stories:bob", json!({ "user_id": "bob" })).await;
    assert_eq!(groups(&page), "cat=1 amy=2");
    let amys = &page["aggregated_activities"][1];
    assert_eq!((ids(&amys["activities"]), &amys["is_watched"]), ("a1 a2".into(), &json!(true)));
    assert_eq!(page["aggregated_activities"][0]["activities"][0]["is_watched"], false);
    pond.clock.advance(13 * 3_600_000_000);
    assert_eq!(groups(&read(&pond, "stories:bob", json!({ "user_id": "bob" })).await), "", "they have vanished");
}

#[tokio::test]
async fn a_view_is_read_instead_of_the_groups_settings() {
    let pond = Pond::new().await;
    for (id, author) in [("a1", "amy"), ("b1", "bob"), ("a2", "amy")] {
        pond.add(id, author, &["user:amy"]).await;
    }
    let body = json!({
        "id": "by-user", "activity_selectors": [{ "type": "current_feed" }],
        "aggregation": { "format": "{{ user_id }}" }
    });
    let made = pond.post("feed_views", body.clone()).await["feed_view"].take();
    assert_eq!(made, body);
    assert_eq!(pond.refuses_post("feed_views", body).await, (400, 4));
    let page = read(&pond, "user:amy", json!({ "view": "by-user" })).await;
    assert_eq!(groups(&page), "amy=2 bob=1");
    assert_eq!(ids(&read(&pond, "user:amy", json!({})).await["activities"]), "a2 b1 a1");
    assert!(pond.get("feed_views/by-user").await["feed_view"]["last_used_at"].is_i64());
    let oldest = json!({
        "activity_selectors": [{ "type": "current_feed", "sort": [{ "field": "created_at", "direction": 1 }] }]
    });
    pond.put("feed_views/by-user", oldest.clone()).await;
    assert_eq!(ids(&read(&pond, "user:amy", json!({ "view": "by-user" })).await["activities"]), "a1 b1 a2");
    let again = pond.post("feed_views/by-user", json!({ "activity_selectors": [] })).await;
    assert_eq!(
        (&again["was_created"], &again["feed_view"]["activity_selectors"]),
        (&json!(false), &oldest["activity_selectors"])
    );
    assert_eq!(pond.get("feed_views").await["views"].as_object().unwrap().len(), 2);
    pond.delete("feed_views/by-user").await;
    let answer = pond.call(Method::GET, "feed_views/by-user", "").await;
    assert!(answer.status == 404 && answer.refused()["message"].as_str().unwrap().contains("not found"));
    assert_eq!(pond.refuses_post("feed_groups/user/feeds/amy", json!({ "view": "by-user" })).await, (404, 16));
}

#[tokio::test]
async fn a_query_and_interests_select_from_feeds_that_everybody_may_read() {
    let pond = Pond::new().await;
    let selectors = json!([{ "type": "query", "filter": { "activity_type": "note" } }, { "type": "interest" }]);
    pond.post("feed_groups/found", json!({ "activity_selectors": selectors })).await;
    pond.make("user:dan", "followers").await;
    for (id, author, kind, tags) in
        [("a1", "amy", "note", json!([])), ("a2", "amy", "post", json!(["Sea"])), ("d1", "dan", "note", json!(["sea"]))]
    {
        let body = json!({
            "id": id, "type": kind, "user_id": author, "feeds": [format!("user:{author}")], "interest_tags": tags
        });
        pond.post("activities", body).await;
    }
    let page = read(&pond, "found:bob", json!({ "user_id": "bob", "interest_weights": { "sea": 1 } })).await;
    assert_eq!(ids(&page["activities"]), "a2 a1");
    // What nobody says of interests, reactions do.
    assert_eq!(ids(&read(&pond, "found:bob", json!({ "user_id": "bob" })).await["activities"]), "a1");
    pond.reacted("activities/a2", "bob", "like").await;
    assert_eq!(ids(&read(&pond, "found:bob", json!({ "user_id": "bob" })).await["activities"]), "a2 a1");
    let overwriting = json!({ "user_id": "bob", "overwrite_interest_weights": true, "interest_weights": { "x": 1 } });
    assert_eq!(ids(&read(&pond, "found:bob", overwriting).await["activities"]), "a1");
    let interests = pond.user("bob").get("users/bob/interests").await;
    assert_eq!(interests, json!({ "interests": [{ "tag": "sea", "count": 1 }] }));
    assert_eq!(pond.user("amy").refuses(http::Method::GET, "users/bob/interests", json!(null)).await, (403, 17));
}

#[tokio::test]
async fn places_are_found_by_the_filter_of_a_read_and_near_the_reader() {
    let pond = Pond::new().await;
    for (id, lat, lng) in [("ams", 52.37, 4.9), ("rot", 51.92, 4.48), ("ny", 40.71, -74.0)] {
        let body = json!({ "id": id, "type": "post", "user_id": "amy", "feeds": ["user:amy"],
            "location": { "lat": lat, "lng": lng } });
        pond.post("activities", body).await;
    }
    let near = |km: f64| json!({ "near": { "$eq": { "lat": 52.37, "lng": 4.9, "distance": km } } });
    let bounds = json!({ "within_bounds": { "$eq": { "ne_lat": 53, "ne_lng": 5, "sw_lat": 51, "sw_lng": 4 } } });
    for (filter, expected) in [(near(1.0), "ams"), (near(100.0), "rot ams"), (bounds, "rot ams")] {
        let found = pond.post("activities/query", json!({ "filter": filter })).await;
        assert_eq!(ids(&found["activities"]), expected, "{filter}");
    }
    pond.post("feed_groups/around", json!({ "activity_selectors": [{ "type": "proximity" }] })).await;
    let page = read(&pond, "around:bob", json!({ "user_id": "bob", "filter": near(1.0) })).await;
    assert_eq!(ids(&page["activities"]), "ams");
    assert_eq!(ids(&read(&pond, "around:bob", json!({ "user_id": "bob" })).await["activities"]), "");
    let bob = json!({ "users": { "bob": { "id": "bob", "custom": { "lat": 40.7, "lng": -74.0 } } } });
    pond.post("/api/v2/users", bob).await;
    assert_eq!(ids(&read(&pond, "around:bob", json!({ "user_id": "bob" })).await["activities"]), "ny");
    let unfit = json!({ "filter": { "near": { "$eq": { "lat": 1, "lng": 2 } } } });
    assert_eq!(pond.refuses_post("activities/query", unfit).await, (400, 4));
}

#[tokio::test]
async fn rankings_and_aggregations_that_make_no_sense_are_refused() {
    let pond = Pond::new().await;
    for settings in [
        json!({ "id": "x", "ranking": { "type": "expression" } }),
        json!({ "id": "x", "ranking": { "type": "expression", "score": "nothing * 2" } }),
        json!({ "id": "x", "ranking": { "type": "magic", "score": "1" } }),
        json!({ "id": "x", "aggregation": { "format": "{{ type" } }),
        json!({ "id": "x", "aggregation": { "format": "verb", "score_strategy": "median" } }),
        json!({ "id": "x", "aggregation": { "format": "verb", "activities_sort": "random" } }),
    ] {
        assert_eq!(pond.refuses_post("feed_groups", settings.clone()).await, (400, 4), "{settings}");
    }
    for format in ["time_based", "verb"] {
        pond.post("feed_groups", json!({ "id": format, "aggregation": { "format": format } })).await;
    }
}
