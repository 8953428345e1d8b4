//! `/feed_groups` (§3.1).

use http::Method;
use serde_json::json;

use crate::pond::Pond;

#[tokio::test]
async fn every_app_has_the_built_in_groups() {
    let pond = Pond::new().await;
    let groups = pond.get("feed_groups").await["groups"].take();
    let names: Vec<_> = groups.as_object().unwrap().keys().cloned().collect();
    // `feed_group_id` is there for the official clients' suites, as `feedViewID` is.
    assert_eq!(names, ["feed_group_id", "foryou", "notification", "stories", "story", "timeline", "user"]);
    assert_eq!(pond.get("feed_views/feedViewID").await["feed_view"]["id"], "feedViewID");
    let timeline = pond.get("feed_groups/timeline").await["feed_group"].take();
    let expected = json!({
        "id": "timeline", "default_visibility": "visible", "activity_selectors": [{ "type": "following" }],
        "created_at": 0, "updated_at": 0
    });
    assert_eq!(timeline, expected);
    let answer = pond.call(Method::GET, "feed_groups/none", "").await;
    assert!(answer.status == 404 && answer.refused()["message"].as_str().unwrap().contains("not found"));
}

#[tokio::test]
async fn a_group_is_made_once_replaced_whole_and_deleted() {
    let pond = Pond::new().await;
    let body = json!({
        "id": "walks", "default_visibility": "public", "custom": { "a": 1 },
        "activity_processors": [{ "type": "dummy" }], "activity_selectors": [{ "type": "current_feed" }],
        "aggregation": null
    });
    let made = pond.post("feed_groups", body.clone()).await["feed_group"].take();
    assert_eq!((&made["activity_processors"], &made["custom"]), (&json!([{ "type": "dummy" }]), &json!({ "a": 1 })));
    assert_eq!(pond.refuses_post("feed_groups", body).await, (400, 4));
    let again = pond.post("feed_groups/walks", json!({ "default_visibility": "private" })).await;
    assert_eq!((&again["was_created"], &again["feed_group"]["default_visibility"]), (&json!(false), &json!("public")));
    let replaced = pond.put("feed_groups/walks", json!({ "default_visibility": "private" })).await["feed_group"].take();
    assert_eq!((&replaced["default_visibility"], replaced.get("custom")), (&json!("private"), None));
    pond.delete("feed_groups/walks").await;
    assert_eq!(pond.refuses(Method::GET, "feed_groups/walks", json!(null)).await, (404, 16));
    assert!(pond.get("feed_groups/walks?include_soft_deleted=true").await["feed_group"]["deleted_at"].is_i64());
    pond.delete("feed_groups/walks?hard_delete=true").await;
    assert_eq!(pond.post("feed_groups/walks", json!({})).await["was_created"], true);
}

#[tokio::test]
async fn of_a_built_in_group_only_selectors_and_ranking_change_and_it_stays() {
    let pond = Pond::new().await;
    pond.put("feed_groups/foryou", json!({})).await;
    let selectors = json!({ "activity_selectors": [{ "type": "following" }, { "type": "current_feed" }] });
    let changed = pond.put("feed_groups/user", selectors).await["feed_group"].take();
    assert_eq!(changed["activity_selectors"].as_array().unwrap().len(), 2);
    let stories = json!({ "stories": { "skip_watched": true } });
    assert_eq!(pond.refuses(Method::PUT, "feed_groups/user", stories).await, (400, 4));
    assert_eq!(pond.refuses(Method::DELETE, "feed_groups/user", json!(null)).await, (400, 4));
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let pond = Pond::new().await;
    let selectors = |selector| json!({ "id": "walks", "activity_selectors": [selector] });
    for body in [
        json!({ "id": "a b" }),
        json!({ "id": "walks", "default_visibility": "some" }),
        selectors(json!({ "type": "magic" })),
        selectors(json!({ "type": "popular", "min_popularity": 0 })),
        selectors(json!({ "type": "following", "cutoff_window": "59m" })),
        selectors(json!({ "type": "following", "filter": { "created_at": "soon" } })),
        selectors(json!({ "type": "popular", "cutoff_time": "2026-01-01T00:00:00Z", "cutoff_window": "1h" })),
        json!({ "id": "walks", "activity_filter": { "exclude_owner_activities": true }, "aggregation": {} }),
    ] {
        assert_eq!(pond.refuses_post("feed_groups", body.clone()).await, (400, 4), "{body}");
    }
    assert_eq!(pond.user("amy").refuses_post("feed_groups", json!({ "id": "walks" })).await, (403, 17));
}

#[tokio::test]
async fn a_group_can_leave_out_what_the_owner_of_a_feed_posted() {
    let pond = Pond::new().await;
    let body = json!({
        "id": "inbox", "activity_filter": { "exclude_owner_activities": true },
        "activity_selectors": [{ "type": "following" }]
    });
    pond.post("feed_groups", body).await;
    pond.make("inbox:amy", "visible").await;
    pond.make("timeline:bob", "visible").await;
    pond.post("follows", json!({ "source": "timeline:bob", "target": "inbox:amy" })).await;
    pond.add("a1", "amy", &["inbox:amy"]).await;
    pond.add("b1", "bob", &["inbox:amy"]).await;
    assert_eq!((pond.read("inbox:amy").await, pond.read("timeline:bob").await), ("b1".into(), "b1 a1".into()));
}

#[tokio::test]
async fn a_selector_selects_what_its_filter_fits_since_its_cutoff() {
    const HOUR: i64 = 3_600_000_000;
    let pond = Pond::new().await;
    let own = json!({ "type": "current_feed" });
    let body = |selectors| json!({ "activity_selectors": selectors });
    let posts = json!({ "type": "following", "cutoff_window": "1h", "filter": { "activity_type": "post" } });
    pond.post("feed_groups/young", body(json!([posts]))).await;
    let since = json!({ "type": "following", "cutoff_time": "2026-01-01T00:30:00Z" });
    pond.post("feed_groups/since", body(json!([since, own]))).await;
    for fid in ["young:bob", "since:bob", "user:amy"] {
        pond.make(fid, "visible").await;
        if fid != "user:amy" {
            pond.make("user:amy", "visible").await;
            pond.post("follows", json!({ "source": fid, "target": "user:amy" })).await;
        }
    }
    pond.add("old", "amy", &["user:amy"]).await;
    pond.add("own", "bob", &["since:bob"]).await;
    pond.clock.advance(HOUR + 1_000_000);
    pond.add("new", "amy", &["user:amy"]).await;
    pond.post("activities", json!({ "id": "n", "type": "note", "user_id": "amy", "feeds": ["user:amy"] })).await;
    assert_eq!(pond.read("young:bob").await, "new");
    assert_eq!(pond.read("since:bob").await, "n new own");
}

#[tokio::test]
async fn the_feeds_of_a_deleted_group_go_with_it_and_a_restored_group_is_empty() {
    let pond = Pond::new().await;
    for (path, is_hard) in [("feed_groups/walks", false), ("feed_groups/trips?hard_delete=true", true)] {
        let name = path.split(['/', '?']).nth(1).unwrap();
        pond.post(&format!("feed_groups/{name}"), json!({})).await;
        let fid = format!("{name}:amy");
        pond.make(&fid, "visible").await;
        pond.make("timeline:bob", "visible").await;
        pond.post("follows", json!({ "source": "timeline:bob", "target": fid })).await;
        pond.add(name, "amy", &[&fid]).await;
        pond.delete(path).await;
        pond.run_tasks_later().await;
        assert_eq!(pond.read("timeline:bob").await, "");
        assert_eq!(pond.refuses(Method::GET, &format!("activities/{name}"), json!(null)).await, (404, 16));
        let found = pond.post("feeds/query", json!({ "filter": { "group_id": name } })).await;
        assert_eq!(found["feeds"], json!([]));
        let restore = format!("feed_groups/{name}/restore");
        match is_hard {
            true => assert_eq!(pond.refuses_post(&restore, json!({})).await, (404, 16)),
            false => {
                let restored = pond.post(&restore, json!({})).await["feed_group"].take();
                assert_eq!((&restored["id"], restored.get("deleted_at")), (&json!(name), None));
                assert_eq!(pond.refuses_post(&restore, json!({})).await, (400, 4));
                assert_eq!(pond.read(&fid).await, "", "a feed of that name is a new one");
            }
        }
    }
}

#[tokio::test]
async fn feeds_that_are_made_after_the_group_came_back_stay() {
    let pond = Pond::new().await;
    pond.post("feed_groups/walks", json!({})).await;
    pond.make("walks:amy", "visible").await;
    pond.delete("feed_groups/walks").await;
    pond.clock.advance(1_000_000);
    pond.post("feed_groups/walks/restore", json!({})).await;
    pond.make("walks:bob", "visible").await;
    pond.run_tasks().await;
    let found = pond.post("feeds/query", json!({ "filter": { "group_id": "walks" } })).await;
    assert_eq!((found["feeds"].as_array().unwrap().len(), &found["feeds"][0]["feed"]), (1, &json!("walks:bob")));
}

#[tokio::test]
async fn visibilities_say_who_may_do_what() {
    let pond = Pond::new().await;
    let levels = pond.get("feed_visibilities").await["feed_visibilities"].take();
    let names: Vec<_> = levels.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["followers", "members", "private", "public", "visible"]);
    let private = pond.get("feed_visibilities/private").await["feed_visibility"].take();
    assert_eq!((&private["name"], &private["grants"]["user"]), (&json!("private"), &json!([])));
    let may =
        |level: &str, role: &str, what: &str| levels[level]["grants"][role].as_array().unwrap().contains(&json!(what));
    assert!(may("public", "user", "add-activity") && !may("visible", "user", "add-activity"));
    assert!(may("followers", "feed_follower", "read-feed") && !may("followers", "user", "read-feed"));
    assert!(private["permissions"][0]["id"].is_string() && private["permissions"][0]["owner"].is_boolean());
    assert_eq!(pond.refuses(Method::GET, "feed_visibilities/none", json!(null)).await, (404, 16));
}
