//! Statuses, keys and paths of every call (§1.2, §1.3, §5).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Members, Pond, activity};

const ID: &str = "8b866680-82b8-11e8-8080-80014b9d80a2";

fn stored(id: &str) -> Value {
    json!({
        "id": id, "foreign_id": "", "time": "2026-01-01T00:00:00.000000",
        "actor": "SU:amy", "verb": "post", "object": "fish", "target": "", "origin": null,
    })
}

#[tokio::test]
async fn adding_one_activity_answers_201_with_what_the_feed_then_shows() {
    let pond = Pond::new().await;
    let added = pond.post("feed/user/amy/", activity(json!({}))).await.ok(201);
    assert_eq!(added, stored(added.text("id")));
    let read = pond.get("feed/user/amy/").await.ok(200);
    assert_eq!(read, json!({ "results": [added], "next": "" }));
}

#[tokio::test]
async fn an_activity_keeps_its_custom_fields_and_shows_targets_only_if_it_has_some() {
    let pond = Pond::new().await;
    let plain = pond.add("user:amy", json!({ "to": [] })).await;
    assert_eq!(plain.keys(), ["actor", "foreign_id", "id", "object", "origin", "target", "time", "verb"]);
    let rich = pond.add("user:amy", json!({ "to": ["user:bob"], "weight": 3, "deep": { "er": [1, null] } })).await;
    let keys = ["actor", "deep", "foreign_id", "id", "object", "origin", "target", "time", "to", "verb", "weight"];
    assert_eq!(rich.keys(), keys);
    assert_eq!((&rich["to"], &rich["deep"]), (&json!(["user:bob"]), &json!({ "er": [1, null] })));
}

#[tokio::test]
async fn adding_a_list_answers_201_with_the_list_in_the_order_of_the_request() {
    let pond = Pond::new().await;
    let body = json!({ "activities": [activity(json!({ "object": "a" })), activity(json!({ "object": "b" }))] });
    let added = pond.post("feed/user/amy/", body).await.ok(201);
    assert_eq!(added.keys(), ["activities"]);
    let objects: Vec<_> = added["activities"].as_array().unwrap().iter().map(|one| one.text("object")).collect();
    assert_eq!(objects, ["a", "b"]);
}

#[tokio::test]
async fn a_feed_that_nobody_wrote_to_is_empty() {
    let pond = Pond::new().await;
    for path in ["feed/user/nobody/", "enrich/feed/user/nobody/"] {
        assert_eq!(pond.get(path).await.ok(200), json!({ "results": [], "next": "" }), "{path}");
    }
}

#[tokio::test]
async fn removing_answers_200_with_the_id_as_given_whether_or_not_it_was_there() {
    let pond = Pond::new().await;
    let added = pond.add("user:amy", json!({ "foreign_id": "fish:1" })).await;
    for _ in 0..2 {
        let removed = pond.delete(&format!("feed/user/amy/{}/", added.text("id"))).await.ok(200);
        assert_eq!(removed, json!({ "removed": added["id"] }));
        let removed = pond.delete("feed/user/amy/fish:1/?foreign_id=1").await.ok(200);
        assert_eq!(removed, json!({ "removed": "fish:1" }));
    }
    assert!(pond.objects("user:amy").await.is_empty());
}

#[tokio::test]
async fn following_answers_201_and_unfollowing_200_with_nothing_but_the_duration() {
    let pond = Pond::new().await;
    for name in ["follows", "following"] {
        let follow = pond.post(&format!("feed/timeline/bob/{name}/"), json!({ "target": "user:amy" })).await;
        assert_eq!(follow.ok(201), json!({}));
        let unfollow = pond.delete(&format!("feed/timeline/bob/{name}/user:amy/")).await;
        assert_eq!(unfollow.ok(200), json!({}));
    }
}

#[tokio::test]
async fn lists_of_follows_have_exactly_the_keys_of_the_contract() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    let relation = json!({ "results": [{
        "feed_id": "timeline:bob", "target_id": "user:amy",
        "created_at": "2026-01-01T00:00:00.000000Z", "updated_at": "2026-01-01T00:00:00.000000Z",
    }] });
    for path in ["feed/timeline/bob/follows/", "feed/timeline/bob/following/", "feed/user/amy/followers/"] {
        assert_eq!(pond.get(path).await.ok(200), relation, "{path}");
    }
}

#[tokio::test]
async fn batches_answer_with_nothing_but_the_duration() {
    let pond = Pond::new().await;
    let pairs = json!([{ "source": "timeline:bob", "target": "user:amy" }]);
    assert_eq!(pond.post("follow_many/", pairs.clone()).await.ok(201), json!({}));
    assert_eq!(pond.post("unfollow_many/", pairs).await.ok(200), json!({}));
    let many = json!({ "feeds": ["user:1", "user:2"], "activity": activity(json!({})) });
    assert_eq!(pond.post("feed/add_to_many/", many).await.ok(201), json!({}));
    let update = activity(json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" }));
    assert_eq!(pond.post("activities/", json!({ "activities": [update] })).await.ok(201), json!({}));
}

/// The Python client sends `{}` for an empty list.
#[tokio::test]
async fn empty_lists_of_follows_are_fine() {
    let pond = Pond::new().await;
    for empty in [json!([]), json!({})] {
        assert_eq!(pond.post("follow_many/", empty.clone()).await.ok(201), json!({}));
        assert_eq!(pond.post("unfollow_many/", empty).await.ok(200), json!({}));
    }
}

#[tokio::test]
async fn follow_statistics_tell_the_parts_that_were_asked_for() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    let both = pond.get("stats/follow/?followers=user:amy&following=timeline:bob").await.ok(200);
    let counts = json!({ "results": {
        "followers": { "count": 1, "feed": "user:amy" },
        "following": { "count": 1, "feed": "timeline:bob" },
    } });
    assert_eq!(both, counts);
    let one = pond.get("stats/follow/?followers=user:amy").await.ok(200);
    assert_eq!(one, json!({ "results": { "followers": { "count": 1, "feed": "user:amy" } } }));
}

#[tokio::test]
async fn activities_are_got_without_a_next() {
    let pond = Pond::new().await;
    let added = pond.add("user:amy", json!({ "foreign_id": "fish:1" })).await;
    let by_id = format!("activities/?ids={},{ID}", added.text("id"));
    let by_foreign_id =
        "activities/?foreign_ids=fish:1,fish:2&timestamps=2026-01-01T00:00:00.000000,2026-01-01T00:00:00Z";
    for path in [by_id.as_str(), by_foreign_id, &format!("enrich/{by_id}")[..]] {
        let got = pond.get(path).await.ok(200);
        assert_eq!(got.keys(), ["results"], "{path}");
        assert_eq!(got.list("id"), [added.text("id")], "{path}");
    }
    assert_eq!(pond.get(&by_id).await.ok(200), json!({ "results": [added] }));
}

#[tokio::test]
async fn a_partial_update_answers_201_with_the_activity_or_with_a_list_as_it_was_sent() {
    let pond = Pond::new().await;
    let added = pond.add("user:amy", json!({})).await;
    let one = pond.post("activity/", json!({ "id": added["id"], "set": { "weight": 1 } })).await.ok(201);
    assert_eq!(one, crate::pond::with(added.clone(), json!({ "weight": 1 })));
    let change = json!({ "changes": [{ "id": added["id"], "unset": ["weight"] }] });
    assert_eq!(pond.post("activity/", change).await.ok(201), json!({ "activities": [added] }));
}

#[tokio::test]
async fn retargeting_answers_201_with_the_activity_and_what_changed() {
    let pond = Pond::new().await;
    let added = pond.add("user:amy", json!({ "to": ["user:1"] })).await;
    let body = json!({ "id": added["id"], "new_targets": ["user:2"] });
    let done = pond.post("feed_targets/user/amy/activity_to_targets/", body).await.ok(201);
    let activity = crate::pond::with(added, json!({ "to": ["user:2"] }));
    assert_eq!(done, json!({ "activity": activity, "added": ["user:2"], "removed": ["user:1"] }));
}

#[tokio::test]
async fn every_path_may_lack_its_last_slash() {
    let pond = Pond::new().await;
    let added = pond.add("user:amy", json!({})).await;
    let id = added.text("id");
    let gets = [
        "feed/user/amy",
        "enrich/feed/user/amy",
        "feed/user/amy/follows",
        "feed/user/amy/following",
        "feed/user/amy/followers",
        "stats/follow?followers=user:amy",
        &format!("activities?ids={id}"),
        &format!("enrich/activities?ids={id}"),
    ];
    for path in gets {
        assert_eq!(pond.get(path).await.status, 200, "{path}");
    }
    let target = json!({ "target": "user:bob" });
    let pairs = json!([{ "source": "timeline:bob", "target": "user:amy" }]);
    let update = activity(json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" }));
    let posts = [
        ("feed/user/amy", activity(json!({})), 201),
        ("feed/user/amy/follows", target.clone(), 201),
        ("feed/user/amy/following", target, 201),
        ("follow_many", pairs.clone(), 201),
        ("unfollow_many", pairs, 200),
        ("feed/add_to_many", json!({ "feeds": ["user:1"], "activity": activity(json!({})) }), 201),
        ("feed_targets/user/amy/activity_to_targets", json!({ "id": id, "new_targets": [] }), 201),
        ("activities", json!({ "activities": [update] }), 201),
        ("activity", json!({ "id": id, "set": { "a": 1 } }), 201),
    ];
    for (path, body, status) in posts {
        assert_eq!(pond.post(path, body).await.status, status, "{path}");
    }
    for path in [
        format!("feed/user/amy/{id}"),
        "feed/user/amy/follows/user:bob".into(),
        "feed/user/amy/following/user:bob".into(),
    ] {
        assert_eq!(pond.delete(&path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_colon_in_a_path_may_be_percent_encoded() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.delete("feed/timeline/bob/follows/user%3Aamy/").await.ok(200);
    assert_eq!(pond.get("feed/timeline/bob/follows/").await.ok(200), json!({ "results": [] }));
}

#[tokio::test]
async fn a_foreign_id_in_a_path_may_hold_encoded_slashes_colons_and_spaces() {
    let pond = Pond::new().await;
    for time in ["2026-01-01T00:00:00", "2026-01-02T00:00:00"] {
        pond.add("user:amy", json!({ "foreign_id": "a/b:c d é", "time": time })).await;
    }
    pond.add("user:amy", json!({ "foreign_id": "a", "object": "other" })).await;
    let removed = pond.delete("feed/user/amy/a%2Fb%3Ac%20d%20%C3%A9/?foreign_id=1").await.ok(200);
    assert_eq!(removed, json!({ "removed": "a/b:c d é" }));
    assert_eq!(pond.objects("user:amy").await, ["other"]);
}

#[tokio::test]
async fn parameters_that_nobody_knows_are_ignored() {
    let pond = Pond::new().await;
    pond.get("feed/user/amy/?location=user&whatever=1&empty=&refresh=true&session=x").await.ok(200);
    pond.post("feed/user/amy/?location=user", activity(json!({}))).await.ok(201);
    pond.post("feed/user/amy/follows/", json!({ "target": "user:bob", "target_token": "x", "more": {} })).await.ok(201);
}

#[tokio::test]
async fn a_body_on_delete_is_ignored() {
    let pond = Pond::new().await;
    pond.call(Method::DELETE, "feed/user/amy/follows/user:bob/", "{}").await.ok(200);
    pond.call(Method::DELETE, &format!("feed/user/amy/{ID}/"), "{}").await.ok(200);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let pond = Pond::new().await;
    for path in ["feed/user/amy/", "feed/user/amy/followers/", &format!("activities/?ids={ID}")] {
        let answer = pond.call(Method::HEAD, path, "").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{path}");
        assert_eq!(answer.headers["content-type"], "application/json", "{path}");
    }
    assert_eq!(pond.key("unknown").call(Method::HEAD, "feed/user/amy/", "").await.status, 401);
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_404_as_the_api_words_it() {
    let pond = Pond::new().await;
    for path in ["/", "/api/v1.0/", "feed/user/", "feed/user/amy/x/y/", "nothing/"] {
        assert_eq!(pond.get(path).await.refusal().error, (404, 16), "{path}");
        assert_eq!(pond.token(None).get(path).await.refusal().error, (404, 16), "{path} without a token");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_a_405_as_the_api_words_it() {
    let pond = Pond::new().await;
    let cases = [
        (Method::PUT, "feed/user/amy/"),
        (Method::PATCH, "feed/user/amy/"),
        (Method::POST, "enrich/feed/user/amy/"),
        (Method::GET, "feed/add_to_many/"),
        (Method::DELETE, "activities/"),
        (Method::GET, "activity/"),
        (Method::POST, "stats/follow/"),
        (Method::GET, "follow_many"),
        (Method::POST, "feed/user/amy/followers/"),
    ];
    for (method, path) in cases {
        let refusal = pond.refuses_to(method.clone(), path, "{}").await;
        assert_eq!(refusal.error, (405, 17), "{method} {path}");
    }
}

#[tokio::test]
async fn a_preflight_needs_no_token() {
    let pond = Pond::new().await;
    let answer = pond
        .token(None)
        .key("")
        .header("origin", "https://pond.example")
        .call(Method::OPTIONS, "feed/user/amy/", "")
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}
