//! References replaced by what they name (§8).

use serde_json::{Value, json};

use crate::pond::{Members, Pond, path, with};

async fn enriched(fields: Value) -> Value {
    let pond = Pond::new().await;
    pond.add("user:amy", fields).await;
    pond.get("enrich/feed/user/amy/").await.ok(200)["results"][0].clone()
}

#[tokio::test]
async fn a_reference_to_what_is_missing_becomes_an_object_that_says_so() {
    let id = "8b866680-82b8-11e8-8080-80014b9d80a2";
    let sa = format!("SA:{id}");
    let read = enriched(
        json!({ "actor": "SU:bob", "object": "SO:food:x", "target": sa, "verb": "SR:r1", "custom": "SU:carl" }),
    )
    .await;
    let missing = |id: &str, reference: &str, kind: &str| json!({ "id": id, "error": "ReferenceNotFound", "reference": reference, "reference_type": kind });
    assert_eq!(read["actor"], missing("bob", "SU:bob", "user"));
    assert_eq!(read["custom"], missing("carl", "SU:carl", "user"));
    assert_eq!(read["object"], with(missing("x", "SO:food:x", "object"), json!({ "collection": "food" })));
    assert_eq!(read["target"], missing(id, &sa, "activity"));
    assert_eq!(read["verb"], missing("r1", "SR:r1", "reaction"));
}

#[tokio::test]
async fn what_is_not_wholly_a_reference_stays_a_text() {
    let custom = json!({ "a": "SU:", "b": "see SU:bob", "c": "SX:bob", "d": ["SU:bob"], "e": { "f": "SU:bob" }, "g": "", "h": 1 });
    let read = enriched(with(custom.clone(), json!({ "actor": "bob", "object": "SO:food" }))).await;
    for (name, value) in custom.as_object().unwrap() {
        assert_eq!(read[name], *value, "{name}");
    }
    assert_eq!((read.text("actor"), read.text("object"), read.text("foreign_id")), ("bob", "SO:food", ""));
}

#[tokio::test]
async fn a_reference_to_an_activity_becomes_the_activity() {
    let pond = Pond::new().await;
    let named = pond.add("user:amy", json!({ "foreign_id": "fish:1", "weight": 1.5 })).await;
    let reference = format!("SA:{}", named.text("id"));
    pond.add("user:bob", json!({ "object": reference, "actor": "bob" })).await;
    let read = pond.get("enrich/feed/user/bob/").await.ok(200)["results"][0].clone();
    let mut expected = named;
    expected["actor"] =
        json!({ "id": "amy", "error": "ReferenceNotFound", "reference": "SU:amy", "reference_type": "user" });
    assert_eq!(read["object"], expected, "itself enriched");
    assert_eq!(pond.get("feed/user/bob/").await.ok(200)["results"][0]["object"], reference, "the plain path");
    pond.delete("feed/user/amy/fish:1/?foreign_id=1").await.ok(200);
    let read = pond.get("enrich/feed/user/bob/").await.ok(200)["results"][0].clone();
    assert_eq!(read["object"]["error"], "ReferenceNotFound");
}

#[tokio::test]
async fn an_enriched_activity_has_the_keys_of_a_plain_one() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.add("user:amy", json!({ "to": ["user:club"], "weight": 1, "foreign_id": "SU:x" })).await;
    for feed in ["user:amy", "timeline:bob"] {
        let plain = pond.get(&path(feed)).await.ok(200);
        let enriched = pond.get(&format!("enrich/{}", path(feed))).await.ok(200);
        let mut expected = plain;
        expected["results"][0]["actor"] = enriched["results"][0]["actor"].clone();
        assert_eq!(enriched, expected, "{feed}");
    }
}

#[tokio::test]
async fn got_activities_are_enriched_in_the_same_way() {
    let pond = Pond::new().await;
    let added = pond.add("user:amy", json!({})).await;
    let got = pond.get(&format!("enrich/activities/?ids={}", added.text("id"))).await.ok(200);
    assert_eq!(got["results"][0]["actor"]["reference"], "SU:amy");
}

#[tokio::test]
async fn a_reference_becomes_exactly_what_its_own_path_answers() {
    let pond = Pond::new().await;
    let user = pond.post("user/", json!({ "id": "bob", "data": { "name": "Bob" } })).await.ok(201);
    let item = pond.post("collections/food/", json!({ "id": "x", "data": { "rating": 1 } })).await.ok(201);
    let named = pond.add("user:zoe", json!({ "actor": "zoe" })).await;
    let reaction = json!({ "id": "r1", "kind": "like", "user_id": "bob", "activity_id": named["id"] });
    let reaction = pond.post("reaction/", reaction).await.ok(201);
    let activity = format!("SA:{}", named.text("id"));
    pond.add("user:amy", json!({ "actor": "SU:bob", "object": "SO:food:x", "target": activity, "c": "SR:r1" })).await;
    let read = pond.get("enrich/feed/user/amy/").await.ok(200)["results"][0].clone();
    assert_eq!((&read["actor"], &read["object"]), (&user, &item));
    assert_eq!((&read["target"], &read["c"]), (&named, &reaction));
    pond.delete("user/bob/").await.ok(200);
    pond.delete("reaction/r1/?soft=true").await.ok(200);
    let read = pond.get("enrich/feed/user/amy/").await.ok(200)["results"][0].clone();
    assert_eq!((read["actor"].text("error"), read["c"].text("error")), ("ReferenceNotFound", "ReferenceNotFound"));
}

#[tokio::test]
async fn activities_that_name_each_other_are_enriched_once() {
    let pond = Pond::new().await;
    let id = "8b866680-82b8-11e8-8080-80014b9d80a2";
    let time = "2018-07-08T14:09:36.000000";
    let first = pond.add("user:amy", json!({ "foreign_id": "a", "time": time, "object": "x" })).await;
    let itself = format!("SA:{}", first.text("id"));
    pond.add("user:amy", json!({ "foreign_id": "a", "time": time, "object": itself, "target": format!("SA:{id}") }))
        .await;
    let read = pond.get("enrich/feed/user/amy/").await.ok(200)["results"][0].clone();
    assert_eq!(read["object"]["object"]["object"], itself.as_str());
}
