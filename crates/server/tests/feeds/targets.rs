//! Changing the targets of activities (§5.8).

use serde_json::{Value, json};

use crate::pond::{Members, Pond, activity, with};

const PATH: &str = "feed_targets/user/amy/activity_to_targets/";
const BAD: (u16, i64) = (400, 4);

/// The activity that most tests change, by its foreign id.
fn fish(fields: Value) -> Value {
    with(json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" }), fields)
}

async fn pond_with(to: &[&str]) -> Pond {
    let pond = Pond::new().await;
    pond.add("user:amy", fish(json!({ "to": to }))).await;
    pond
}

#[tokio::test]
async fn new_targets_replace_all_others() {
    let pond = pond_with(&["user:1", "user:2"]).await;
    let done = pond.post(PATH, fish(json!({ "new_targets": ["user:2", "user:3"] }))).await.ok(201);
    assert_eq!((&done["added"], &done["removed"]), (&json!(["user:3"]), &json!(["user:1"])));
    assert_eq!(done["activity"]["to"], json!(["user:2", "user:3"]));
    for (feed, count) in [("user:amy", 1), ("user:1", 0), ("user:2", 1), ("user:3", 1)] {
        assert_eq!(pond.objects(feed).await.len(), count, "{feed}");
    }
}

#[tokio::test]
async fn targets_are_added_and_removed_at_once() {
    let pond = pond_with(&["user:1", "user:2"]).await;
    let body = fish(json!({ "added_targets": ["user:3"], "removed_targets": ["user:1", "user:9"] }));
    let done = pond.post(PATH, body).await.ok(201);
    assert_eq!((&done["added"], &done["removed"]), (&json!(["user:3"]), &json!(["user:1"])));
    assert_eq!(done["activity"]["to"], json!(["user:2", "user:3"]));
}

#[tokio::test]
async fn without_targets_the_key_is_gone() {
    let pond = pond_with(&["user:1"]).await;
    let done = pond.post(PATH, fish(json!({ "new_targets": [] }))).await.ok(201);
    assert_eq!(done["activity"].get("to"), None);
    assert_eq!(pond.get("feed/user/amy/").await.ok(200)["results"], json!([done["activity"]]));
    assert!(pond.objects("user:1").await.is_empty());
}

#[tokio::test]
async fn followers_of_targets_see_the_change() {
    let pond = pond_with(&["user:1"]).await;
    pond.follow("timeline:bob", "user:1").await;
    pond.follow("timeline:carl", "user:2").await;
    pond.post(PATH, fish(json!({ "new_targets": ["user:2"] }))).await.ok(201);
    assert!(pond.objects("timeline:bob").await.is_empty());
    assert_eq!(pond.objects("timeline:carl").await, ["fish"]);
}

#[tokio::test]
async fn a_target_may_bring_a_token_and_nulls_count_as_absent() {
    let pond = pond_with(&[]).await;
    let body = fish(
        json!({ "id": null, "new_targets": ["user:1 some.signed.token"], "added_targets": null, "removed_targets": null }),
    );
    assert_eq!(pond.post(PATH, body).await.ok(201)["activity"]["to"], json!(["user:1"]));
}

#[tokio::test]
async fn a_list_answers_like_its_first_item_and_with_the_results_of_all() {
    let pond = pond_with(&[]).await;
    let other = json!({ "foreign_id": "fish:2", "time": "2026-01-01T00:00:00" });
    pond.add("user:amy", other.clone()).await;
    let first = fish(json!({ "new_targets": ["user:1"] }));
    let done = pond.post(PATH, json!([first, with(other, json!({ "new_targets": ["user:2"] }))])).await.ok(201);
    assert_eq!(done.keys(), ["activity", "added", "removed", "results"]);
    assert_eq!(done["added"], json!(["user:1"]));
    assert_eq!(done["results"][1]["added"], json!(["user:2"]));
    assert_eq!(
        pond.post(PATH, json!([fish(json!({ "new_targets": [] }))])).await.ok(201).keys(),
        ["activity", "added", "removed"]
    );
}

#[tokio::test]
async fn what_does_not_say_one_clear_thing_is_refused() {
    let pond = pond_with(&["user:1"]).await;
    let many: Vec<String> = (0..101).map(|n| format!("user:{n}")).collect();
    let id = "8b866680-82b8-11e8-8080-80014b9d80a2";
    let cases = [
        fish(json!({})),
        fish(json!({ "new_targets": ["user:2"], "added_targets": ["user:3"] })),
        fish(json!({ "new_targets": ["user:2"], "removed_targets": ["user:1"] })),
        fish(json!({ "new_targets": [], "added_targets": [] })),
        fish(json!({ "added_targets": ["user:1"], "removed_targets": ["user:1"] })),
        fish(json!({ "new_targets": ["user"] })),
        fish(json!({ "new_targets": many })),
        fish(json!({ "id": id, "new_targets": [] })),
        json!({ "foreign_id": "fish:1", "new_targets": [] }),
        json!({ "time": "2026-01-01T00:00:00", "new_targets": [] }),
        json!({ "foreign_id": "fish:1", "time": "now", "new_targets": [] }),
        json!({ "id": "x", "new_targets": [] }),
        json!({ "new_targets": [] }),
        json!([]),
        json!([fish(json!({ "new_targets": [] })), fish(json!({ "new_targets": ["user:2"] }))]),
        json!([fish(json!({ "new_targets": [] })), fish(json!({}))]),
        Value::from(vec![fish(json!({ "new_targets": [] })); 101]),
    ];
    for body in cases {
        assert_eq!(pond.refuses(PATH, body.to_string()).await.error, BAD, "{body}");
    }
    assert_eq!(pond.objects("user:1").await, ["fish"]);
}

#[tokio::test]
async fn groups_that_are_not_there_are_no_targets() {
    let pond = pond_with(&[]).await;
    for body in [
        json!({ "new_targets": ["nope:1"] }),
        json!({ "added_targets": ["user:1", "nope:1"] }),
        json!({ "removed_targets": ["nope:1"] }),
    ] {
        assert_eq!(pond.refuses(PATH, fish(body.clone()).to_string()).await.error, (400, 6), "{body}");
    }
}

#[tokio::test]
async fn an_activity_that_the_feed_does_not_hold_is_a_404_and_the_list_is_refused_whole() {
    let pond = pond_with(&[]).await;
    let missing = json!({ "foreign_id": "fish:9", "time": "2026-01-01T00:00:00", "new_targets": ["user:1"] });
    assert_eq!(pond.refuses(PATH, missing.to_string()).await.error, (404, 16));
    let good = fish(json!({ "new_targets": ["user:1"] }));
    assert_eq!(pond.refuses(PATH, json!([good, missing]).to_string()).await.error, (404, 16));
    let path = "feed_targets/user/bob/activity_to_targets/";
    assert_eq!(pond.refuses(path, good.to_string()).await.error, (404, 16), "another feed");
}

#[tokio::test]
async fn an_activity_never_has_more_than_a_hundred_targets() {
    let pond = Pond::new().await;
    let feeds = |range: std::ops::Range<usize>| range.map(|n| format!("user:{n}")).collect::<Vec<_>>();
    pond.add("user:amy", fish(json!({ "to": feeds(0..100) }))).await;
    let more = fish(json!({ "added_targets": ["user:100"] }));
    assert_eq!(pond.refuses(PATH, more.to_string()).await.error, BAD);
    let again = activity(fish(json!({ "to": feeds(50..150) })));
    assert_eq!(pond.refuses("feed/user/amy/", again.to_string()).await.error, BAD, "added again with others");
    pond.add("user:amy", fish(json!({ "to": feeds(0..100) }))).await;
    pond.delete("feed/user/amy/fish:1/?foreign_id=1").await.ok(200);
    assert!(pond.objects("user:99").await.is_empty());
}
