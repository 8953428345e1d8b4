//! Segments (§11.13, §11.14.16).

use http::Method;
use serde_json::json;

use crate::pond::Pond;

const NANOS: i64 = 1_767_225_600_000_000_000;

#[tokio::test]
async fn a_segment_is_made_read_changed_and_deleted_in_both_dialects() {
    let pond = Pond::new().await;
    let sent = json!({ "id": "s", "type": "user", "name": "Rink", "description": "who skates", "filter": null });
    let made = pond.v2().post("chat/segments", sent.clone()).await.ok(201)["segment"].clone();
    let expected = json!({ "id": "s", "type": "user", "name": "Rink", "description": "who skates", "filter": {},
        "all_users": false, "all_sender_channels": false, "size": 0, "created_at": NANOS, "updated_at": NANOS,
        "deleted_at": null });
    assert_eq!(made, expected);
    assert_eq!(pond.refuses(Method::POST, "segments", sent.to_string()).await, (400, 4));
    let read = pond.get("segments/s").await.ok(200)["segment"].clone();
    assert_eq!(read["created_at"], "2026-01-01T00:00:00Z");
    pond.clock.advance(1_000_000);
    let change = json!({ "name": "Pond", "filter": { "role": "user" }, "description": null });
    let changed = pond.put("segments/s", change).await.ok(201)["segment"].clone();
    assert_eq!(
        (&changed["name"], &changed["description"], &changed["filter"], &changed["updated_at"]),
        (&json!("Pond"), &json!("who skates"), &json!({ "role": "user" }), &json!("2026-01-01T00:00:01Z"))
    );
    // An older client wraps what it says, and lets the server choose the id.
    let other = pond.post("segments", json!({ "segment": { "type": "channel", "all_sender_channels": true } })).await;
    let other = other.ok(201)["segment"].clone();
    assert_eq!((other["type"] == "channel", other["all_sender_channels"] == true), (true, true));
    assert!(!other["id"].as_str().unwrap().is_empty());
    assert_eq!(pond.delete("segments/s").await.ok(200), json!({}));
    assert_eq!(pond.get("segments/s").await.refusal(), (404, 16));
    assert_eq!(pond.delete("segments/s").await.refusal(), (404, 16));
}

#[tokio::test]
async fn targets_are_added_looked_up_listed_and_taken_out() {
    let pond = Pond::new().await;
    pond.post("segments", json!({ "id": "s", "type": "user" })).await.ok(201);
    pond.post("segments/s/addtargets", json!({ "target_ids": ["amy", "bob"] })).await.ok(201);
    pond.clock.advance(1_000_000);
    pond.post("segments/s/addtargets", json!({ "target_ids": ["bob", "cat"] })).await.ok(201);
    assert_eq!(pond.get("segments/s").await.ok(200)["segment"]["size"], 3);
    assert_eq!(pond.get("segments/s/target/amy").await.ok(200), json!({}));
    assert_eq!(pond.get("segments/s/target/dan").await.refusal(), (404, 16));
    let v2 = pond.v2();
    let asked = json!({ "Filter": { "target_id": { "$in": ["amy", "bob"] } }, "Sort": [{ "field": "target_id", "direction": 1 }], "limit": 1 });
    let page = v2.post("chat/segments/s/targets/query", asked.clone()).await.ok(201);
    assert_eq!(page["targets"], json!([{ "app_pk": 7, "segment_id": "s", "target_id": "amy", "created_at": NANOS }]));
    let mut next = asked;
    next["next"] = page["next"].clone();
    let page = v2.post("chat/segments/s/targets/query", next).await.ok(201);
    assert_eq!((&page["targets"][0]["target_id"], page.get("next")), (&json!("bob"), None));
    assert_eq!(page["targets"][0]["created_at"], NANOS, "it was there already");
    pond.post("segments/s/deletetargets", json!({ "target_ids": ["bob", "nobody"] })).await.ok(201);
    assert_eq!(pond.get("segments/s/target/bob").await.refusal(), (404, 16));
    // Who is erased belongs to no segment.
    pond.post("users", json!({ "users": { "amy": { "id": "amy" } } })).await.ok(201);
    pond.post("users/delete", json!({ "user_ids": ["amy"], "user": "hard", "messages": "hard" })).await.ok(201);
    pond.run_tasks().await;
    assert_eq!(pond.get("segments/s").await.ok(200)["segment"]["size"], 1);
    // A new segment of the same id begins empty.
    pond.delete("segments/s").await.ok(200);
    pond.post("segments", json!({ "id": "s", "type": "user" })).await.ok(201);
    assert_eq!(pond.get("segments/s/target/cat").await.refusal(), (404, 16));
}

#[tokio::test]
async fn segments_are_queried_page_by_page() {
    let pond = Pond::new().await;
    for name in ["a", "b", "c"] {
        pond.clock.advance(1_000_000);
        pond.post("segments", json!({ "id": name, "type": "user", "name": name })).await.ok(201);
    }
    let ids = |page: &serde_json::Value| -> Vec<String> {
        page["segments"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let first =
        pond.v2().post("chat/segments/query", json!({ "filter": null, "sort": null, "limit": 2 })).await.ok(201);
    assert_eq!(ids(&first), ["c", "b"]);
    let rest = json!({ "limit": 2, "next": first["next"] });
    assert_eq!(ids(&pond.post("segments/query", rest).await.ok(201)), ["a"]);
    let named = json!({ "filter": { "name": { "$eq": "b" } } });
    assert_eq!(ids(&pond.post("segments/query", named).await.ok(201)), ["b"]);
}

#[tokio::test]
async fn what_is_no_segment_is_refused_and_nothing_is_stored() {
    let pond = Pond::new().await;
    pond.post("segments", json!({ "id": "s", "type": "user" })).await.ok(201);
    for (path, body) in [
        ("segments", json!({ "name": "x" })),
        ("segments", json!({ "type": "team" })),
        ("segments", json!({ "type": "user", "name": "x".repeat(129) })),
        ("segments", json!({ "type": "user", "description": "x".repeat(257) })),
        ("segments/s/addtargets", json!({ "target_ids": [] })),
        ("segments/s/addtargets", json!({ "target_ids": [""] })),
        ("segments/query", json!({ "filter": { "color": "red" } })),
        ("segments/query", json!({ "limit": 101 })),
    ] {
        assert_eq!(pond.refuses(Method::POST, path, body.to_string()).await, (400, 4), "{path} {body}");
    }
    for path in ["segments/none/addtargets", "segments/none/deletetargets"] {
        assert_eq!(pond.refuses(Method::POST, path, r#"{"target_ids":["amy"]}"#).await, (404, 16));
    }
    assert_eq!(pond.refuses(Method::POST, "segments/none/targets/query", "{}").await, (404, 16));
    assert_eq!(pond.get("segments/none/target/amy").await.refusal(), (404, 16));
}
