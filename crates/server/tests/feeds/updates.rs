//! Changing what activities say, and adding them again (§4.4, §5.9).

use serde_json::{Value, json};

use crate::pond::{Members, Pond, activity, with};

const BAD: (u16, i64) = (400, 4);

/// The activity that most tests change, by its foreign id.
fn fish(fields: Value) -> Value {
    with(json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" }), fields)
}

async fn pond_with(fields: Value) -> Pond {
    let pond = Pond::new().await;
    pond.add("user:amy", fish(fields)).await;
    pond
}

/// The only activity of the feed.
async fn read(pond: &Pond, feed: &str) -> Value {
    let mut read = pond.get(&crate::pond::path(feed)).await.ok(200);
    assert_eq!(read["results"].as_array().unwrap().len(), 1, "{read}");
    read["results"][0].take()
}

#[tokio::test]
async fn adding_again_overwrites_and_makes_no_second_row() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    let first = pond.add("user:amy", fish(json!({ "weight": 1, "colour": "red" }))).await;
    let second = pond.add("user:amy", fish(json!({ "weight": 2, "object": "carp" }))).await;
    assert_eq!(first["id"], second["id"]);
    assert_eq!(read(&pond, "user:amy").await, second);
    assert_eq!((second.get("colour"), &second["weight"]), (None, &json!(2)));
    assert_eq!(read(&pond, "timeline:bob").await["object"], "carp");
}

#[tokio::test]
async fn the_same_activity_in_two_feeds_is_one() {
    let pond = pond_with(json!({ "weight": 1 })).await;
    let again = pond.add("user:bob", fish(json!({ "weight": 2 }))).await;
    assert_eq!(read(&pond, "user:amy").await, again);
}

#[tokio::test]
async fn an_update_refuses_targets_of_unknown_groups_and_an_empty_list() {
    let pond = pond_with(json!({ "weight": 1 })).await;
    let lost = activity(fish(json!({ "weight": 2, "to": ["nogroup:1"] })));
    let refusal = pond.refuses("activities/", json!({ "activities": [lost] }).to_string()).await;
    assert_eq!(refusal.error, (400, 6));
    assert_eq!(read(&pond, "user:amy").await["weight"], 1);
    let refusal = pond.refuses("activities/", json!({ "activities": [] }).to_string()).await;
    assert_eq!((refusal.error, refusal.fields), (BAD, vec!["activities".to_owned()]));
}

#[tokio::test]
async fn one_foreign_id_at_two_times_is_two_activities() {
    let pond = pond_with(json!({})).await;
    pond.add("user:amy", json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00.000001" })).await;
    assert_eq!(pond.objects("user:amy").await.len(), 2);
}

#[tokio::test]
async fn an_update_replaces_everything_but_the_targets() {
    let pond = pond_with(json!({ "target": "lake", "weight": 1, "to": ["user:bob"] })).await;
    let before = read(&pond, "user:amy").await;
    let update = activity(fish(json!({ "verb": "fry", "colour": "red" })));
    pond.post("activities/", json!({ "activities": [update] })).await.ok(201);
    let after = read(&pond, "user:amy").await;
    let keys = ["actor", "colour", "foreign_id", "id", "object", "origin", "target", "time", "to", "verb"];
    assert_eq!(after.keys(), keys);
    assert_eq!((&after["id"], &after["target"], &after["verb"]), (&before["id"], &json!(""), &json!("fry")));
    assert_eq!(read(&pond, "user:bob").await, after);
}

#[tokio::test]
async fn an_update_of_what_is_not_there_makes_it_and_puts_it_into_no_feed() {
    let pond = Pond::new().await;
    pond.post("activities/", json!({ "activities": [activity(fish(json!({})))] })).await.ok(201);
    let got = pond.get("activities/?foreign_ids=fish:1&timestamps=2026-01-01T00:00:00").await.ok(200);
    assert_eq!(got.list("object"), ["fish"]);
    assert!(pond.objects("user:amy").await.is_empty());
}

#[tokio::test]
async fn an_update_needs_foreign_id_and_time_and_one_without_refuses_the_whole_list() {
    let pond = pond_with(json!({ "weight": 1 })).await;
    let cases = [
        (activity(json!({ "time": "2026-01-01T00:00:00" })), "foreign_id"),
        (activity(fish(json!({ "foreign_id": null }))), "foreign_id"),
        (activity(json!({ "foreign_id": "fish:1" })), "time"),
        (activity(fish(json!({ "time": null }))), "time"),
        (activity(fish(json!({ "time": "now" }))), "time"),
        (fish(json!({ "actor": "SU:amy", "verb": "post" })), "object"),
    ];
    for (bad, field) in cases {
        let list = json!({ "activities": [activity(fish(json!({ "weight": 2 }))), bad] });
        let refusal = pond.refuses("activities/", list.to_string()).await;
        assert_eq!((refusal.error, refusal.fields), (BAD, vec![field.to_owned()]), "{bad}");
    }
    let list = json!({ "activities": vec![activity(fish(json!({}))); 101] });
    assert_eq!(pond.refuses("activities/", list.to_string()).await.error, BAD);
    assert_eq!(read(&pond, "user:amy").await["weight"], 1);
}

#[tokio::test]
async fn an_activity_as_it_was_read_can_be_sent_back() {
    let pond = pond_with(json!({ "actor": "SU:bob", "object": "SO:food:fish", "weight": 1 })).await;
    let plain = read(&pond, "user:amy").await;
    let extra = "withReactionCounts=true&withRecentReactions=true&withOwnReactions=true";
    let enriched = pond.get(&format!("enrich/feed/user/amy/?{extra}")).await.ok(200)["results"][0].clone();
    assert!(enriched["actor"].is_object());
    let echoed = with(enriched, json!({ "score": 1.5, "is_read": true, "duration": "1ms" }));
    pond.post("activities/", json!({ "activities": [echoed] })).await.ok(201);
    assert_eq!(read(&pond, "user:amy").await, plain);
}

#[tokio::test]
async fn a_partial_update_sets_and_unsets_by_dotted_path() {
    let pond = pond_with(json!({ "deep": { "a": 1, "b": { "c": 2 } }, "gone": true })).await;
    let change = fish(
        json!({ "set": { "deep.b.c": [3], "deep.new": { "x": null }, "top": "é" }, "unset": ["gone", "deep.a", "never"] }),
    );
    let changed = pond.post("activity/", change).await.ok(201);
    assert_eq!(changed["deep"], json!({ "b": { "c": [3] }, "new": { "x": null } }));
    assert_eq!((&changed["top"], changed.get("gone")), (&json!("é"), None));
    assert_eq!(read(&pond, "user:amy").await, changed);
}

#[tokio::test]
async fn a_partial_update_shows_at_once_in_every_feed() {
    let pond = pond_with(json!({ "weight": 1, "to": ["user:club"] })).await;
    pond.follow("timeline:bob", "user:amy").await;
    for feed in ["user:amy", "user:club", "timeline:bob"] {
        assert_eq!(read(&pond, feed).await["weight"], 1, "{feed}");
    }
    pond.post("activity/", fish(json!({ "set": { "weight": 2 } }))).await.ok(201);
    for feed in ["user:amy", "user:club", "timeline:bob"] {
        assert_eq!(read(&pond, feed).await["weight"], 2, "{feed}");
    }
}

#[tokio::test]
async fn a_list_of_partial_updates_answers_in_its_order() {
    let pond = pond_with(json!({})).await;
    let other = pond.add("user:amy", json!({ "object": "carp" })).await;
    let changes = json!({ "changes": [
        { "id": other["id"], "set": { "n": 1 } },
        fish(json!({ "set": { "n": 2 } })),
    ] });
    let changed = pond.post("activity/", changes).await.ok(201);
    assert_eq!(
        (&changed["activities"][0]["object"], &changed["activities"][1]["object"]),
        (&json!("carp"), &json!("fish"))
    );
}

/// `count` members.
fn members(count: usize) -> Value {
    (0..count).map(|n| (format!("m{n}"), Value::from(n))).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test]
async fn bad_partial_updates_are_refused_alone_and_in_a_list() {
    let pond = pond_with(json!({ "deep": { "a": 1 }, "list": [1], "text": "x" })).await;
    let names = |count: usize| (0..count).map(|n| format!("m{n}")).collect::<Vec<_>>();
    let id = "8b866680-82b8-11e8-8080-80014b9d80a2";
    let mut cases = vec![
        (fish(json!({})), BAD),
        (fish(json!({ "set": {}, "unset": [] })), BAD),
        (fish(json!({ "set": null, "unset": null })), BAD),
        (fish(json!({ "set": members(26) })), BAD),
        (fish(json!({ "unset": names(26) })), BAD),
        (fish(json!({ "set": { "text": 1 }, "unset": ["text"] })), BAD),
        (fish(json!({ "set": { "deep": {}, "deep.a": 1 } })), BAD),
        (fish(json!({ "set": { "deep.a": 1 }, "unset": ["deep"] })), BAD),
        (fish(json!({ "unset": ["text", "text"] })), BAD),
        (fish(json!({ "set": { "none.a": 1 } })), BAD),
        (fish(json!({ "set": { "text.a": 1 } })), BAD),
        (fish(json!({ "set": { "list.0": 1 } })), BAD),
        (fish(json!({ "unset": ["none.a"] })), BAD),
        (fish(json!({ "set": { "": 1 } })), BAD),
        (fish(json!({ "set": { "a..b": 1 } })), BAD),
        (fish(json!({ "set": { ".a": 1 } })), BAD),
        (fish(json!({ "set": { "a": "x".repeat(11_000) } })), BAD),
        (fish(json!({ "id": id, "set": { "a": 1 } })), BAD),
        (json!({ "set": { "a": 1 } }), BAD),
        (json!({ "id": "x", "set": { "a": 1 } }), BAD),
        (json!({ "foreign_id": "fish:1", "set": { "a": 1 } }), BAD),
        (json!({ "time": "2026-01-01T00:00:00", "set": { "a": 1 } }), BAD),
        (json!({ "foreign_id": "fish:1", "time": "now", "set": { "a": 1 } }), BAD),
        (json!({ "id": id, "set": { "a": 1 } }), (404, 16)),
        (json!({ "foreign_id": "fish:2", "time": "2026-01-01T00:00:00", "set": { "a": 1 } }), (404, 16)),
    ];
    for name in
        ["id", "actor", "verb", "object", "target", "time", "foreign_id", "to", "origin", "actor.name", "own_reactions"]
    {
        cases.push((fish(json!({ "set": { name: "x" } })), BAD));
        cases.push((fish(json!({ "unset": [name] })), BAD));
    }
    for (bad, error) in cases {
        assert_eq!(pond.refuses("activity/", bad.to_string()).await.error, error, "{bad}");
        let list = json!({ "changes": [fish(json!({ "set": { "good": 1 } })), bad] });
        assert_eq!(pond.refuses("activity/", list.to_string()).await.error, error, "{list}");
    }
    assert_eq!(read(&pond, "user:amy").await.get("good"), None);
}

#[tokio::test]
async fn a_list_has_one_to_a_hundred_partial_updates_of_twenty_five_fields() {
    let pond = pond_with(json!({})).await;
    let change = fish(json!({ "set": { "a": 1 } }));
    for count in [0, 101] {
        let body = json!({ "changes": vec![change.clone(); count] }).to_string();
        assert_eq!(pond.refuses("activity/", body).await.error, BAD, "{count}");
    }
    pond.post("activity/", json!({ "changes": vec![change; 100] })).await.ok(201);
    let full = fish(json!({ "set": members(25), "unset": (0..25).map(|n| format!("u{n}")).collect::<Vec<_>>() }));
    pond.post("activity/", full).await.ok(201);
}

#[tokio::test]
async fn numbers_and_texts_come_back_as_they_were_sent() {
    let pond = Pond::new().await;
    let custom = r#""big":12345678901234567890123,"exact":1.00,"small":1e-7,"é":"日本 \u0000 🐟","date":"2026-01-01","deep":{"b":[1, 2],"a":{}}"#;
    let body = format!(r#"{{"actor":3,"verb":"post","object":"fish",{custom}}}"#);
    let added = pond.call(http::Method::POST, "feed/user/amy/", body).await;
    assert!(added.status == 201 && added.text.contains(custom), "{}", added.text);
    assert_eq!(added.json()["actor"], "3");
    for path in ["feed/user/amy/", "feed/user/amy/?withReactionCounts=true", "enrich/feed/user/amy/"] {
        let read = pond.get(path).await;
        assert!(read.text.contains(custom), "{path}: {}", read.text);
    }
}

#[tokio::test]
async fn numbers_stand_for_texts_and_nulls_for_nothing() {
    let pond = Pond::new().await;
    let nulls = json!({ "target": null, "time": null, "to": null, "foreign_id": null, "id": null });
    let added = pond.add("user:amy", with(nulls, json!({ "actor": 3, "verb": 4, "object": 5 }))).await;
    assert_eq!((added.text("actor"), added.text("verb"), added.text("object")), ("3", "4", "5"));
    assert_eq!((added.text("target"), added.text("foreign_id")), ("", ""));
    let added = pond.add("user:amy", json!({ "foreign_id": 42, "target": 6 })).await;
    assert_eq!((added.text("target"), added.text("foreign_id")), ("6", "42"));
}

#[tokio::test]
async fn ids_origins_and_reaction_data_that_are_sent_count_for_nothing() {
    let pond = Pond::new().await;
    let sent =
        json!({ "id": "mine", "origin": "user:x", "own_reactions": {}, "score": 1, "group": "g", "moderation": {} });
    let added = pond.add("user:amy", sent).await;
    assert_eq!(added.keys(), ["actor", "foreign_id", "id", "object", "origin", "target", "time", "verb"]);
    assert_ne!(added["id"], "mine");
    assert_eq!(added["origin"], Value::Null);
}

#[tokio::test]
async fn targets_lose_the_tokens_that_old_clients_send() {
    let pond = Pond::new().await;
    let to = json!(["user:1 some.signed.token", ["user:2", "token"], "user:1", "user:3"]);
    let added = pond.add("user:amy", json!({ "to": to })).await;
    assert_eq!(added["to"], json!(["user:1", "user:2", "user:3"]));
    assert_eq!(pond.objects("user:2").await, ["fish"]);
}
