//! Users and collections (§5.11, §5.12).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Answer, Client, Members, Pond};

async fn put(client: &Client, path: &str, body: Value) -> Answer {
    client.call(Method::PUT, path, body.to_string()).await
}

#[tokio::test]
async fn a_user_is_what_the_application_says_of_it() {
    let pond = Pond::new().await;
    let made = pond.post("user/", json!({ "id": "amy", "data": { "name": "Amy", "n": 1.0 } })).await.ok(201);
    assert_eq!(
        made,
        json!({
            "id": "amy",
            "data": { "name": "Amy", "n": 1.0 },
            "created_at": "2026-01-01T00:00:00.000000Z",
            "updated_at": "2026-01-01T00:00:00.000000Z",
        })
    );
    assert_eq!(pond.get("user/amy/").await.ok(200), made);
    let changed = put(&pond, "user/amy/", json!({ "data": { "name": "Ann" } })).await.ok(201);
    assert_eq!(changed["data"], json!({ "name": "Ann" }));
    pond.delete("user/amy/").await.ok(200);
    assert_eq!(pond.get("user/amy/").await.refusal().error, (404, 16));
    assert_eq!(pond.delete("user/amy/").await.refusal().error, (404, 16));
    assert_eq!(put(&pond, "user/amy/", json!({ "data": {} })).await.refusal().error, (404, 16));
}

#[tokio::test]
async fn a_user_is_made_once_unless_it_is_to_be_got() {
    let pond = Pond::new().await;
    let made = pond.post("user/", json!({ "id": "amy", "data": null })).await.ok(201);
    assert_eq!(made["data"], json!({}));
    assert_eq!(pond.refuses("user/", json!({ "id": "amy" }).to_string()).await.error, (409, 22));
    let got = pond.post("user/?get_or_create=True", json!({ "id": "amy", "data": { "x": 1 } })).await.ok(201);
    assert_eq!(got, made);
}

#[tokio::test]
async fn what_is_not_a_user_is_refused() {
    let pond = Pond::new().await;
    for body in [
        json!({}),
        json!({ "id": "" }),
        json!({ "id": 1 }),
        json!({ "id": "x".repeat(256) }),
        json!({ "id": "amy", "data": "text" }),
        json!({ "id": "amy", "data": [] }),
    ] {
        assert_eq!(pond.refuses("user/", body.to_string()).await.error, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn a_user_changes_only_their_own_and_reads_everybodys() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    amy.post("user/", json!({ "id": "amy" })).await.ok(201);
    pond.post("user/", json!({ "id": "bob" })).await.ok(201);
    amy.get("user/bob/").await.ok(200);
    assert_eq!(amy.refuses("user/", json!({ "id": "carl" }).to_string()).await.error, (403, 17));
    assert_eq!(put(&amy, "user/bob/", json!({ "data": {} })).await.refusal().error, (403, 17));
    assert_eq!(amy.delete("user/bob/").await.refusal().error, (403, 17));
    assert_eq!(amy.get("users/?ids=bob").await.refusal().error, (403, 17));
    put(&amy, "user/amy/", json!({ "data": { "a": 1 } })).await.ok(201);
    amy.delete("user/amy/").await.ok(200);
}

#[tokio::test]
async fn the_follows_of_a_user_are_counted_when_asked() {
    let pond = Pond::new().await;
    pond.post("user/", json!({ "id": "amy" })).await.ok(201);
    pond.follow("timeline:amy", "user:bob").await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:carl", "user:amy").await;
    pond.follow("flat:dora", "user:amy").await;
    let user = pond.get("user/amy/?with_follow_counts=true").await.ok(200);
    assert_eq!((&user["followers_count"], &user["following_count"]), (&json!(2), &json!(1)));
    assert_eq!(pond.get("user/amy/").await.ok(200).keys(), ["created_at", "data", "id", "updated_at"]);
}

#[tokio::test]
async fn many_users_are_made_got_and_deleted_at_once() {
    let pond = Pond::new().await;
    let users = json!([{ "id": "amy", "data": { "v": 1 } }, { "id": "bob", "data": {} }]);
    let made = pond.post("users/", json!({ "users": users })).await.ok(201);
    assert_eq!(made["created_users"].as_array().unwrap().len(), 2);
    let again = json!([{ "id": "amy", "data": { "v": 2 } }, { "id": "carl", "data": {} }]);
    let made = pond.post("users/", json!({ "users": again })).await.ok(201);
    assert_eq!(made["created_users"][0]["id"], "carl");
    assert_eq!(pond.get("user/amy/").await.ok(200)["data"], json!({ "v": 1 }));
    for (flag, version) in [("override", 2), ("override_existing", 3)] {
        let body = json!({ "users": [{ "id": "amy", "data": { "v": version } }], flag: true });
        assert_eq!(pond.post("users/", body).await.ok(201)["created_users"][0]["data"]["v"], version);
    }
    let got = pond.get("users/?ids=amy,nobody,bob").await.ok(200);
    let ids: Vec<_> = got["users"].as_array().unwrap().iter().map(|user| user.text("id")).collect();
    assert_eq!(ids, ["amy", "bob"]);
    let deleted = pond.delete("users/?ids=amy,nobody").await.ok(200);
    assert_eq!(deleted, json!({ "deleted_user_ids": ["amy", "nobody"] }));
    assert_eq!(pond.get("user/amy/").await.refusal().error, (404, 16));
}

#[tokio::test]
async fn a_thing_is_added_to_a_collection_changed_and_deleted() {
    let pond = Pond::new().await;
    let added = pond.post("collections/food/", json!({ "id": "burger", "data": { "rating": 1 } })).await.ok(201);
    assert_eq!(
        added,
        json!({
            "id": "burger",
            "collection": "food",
            "foreign_id": "food:burger",
            "data": { "rating": 1 },
            "created_at": "2026-01-01T00:00:00.000000Z",
            "updated_at": "2026-01-01T00:00:00.000000Z",
        })
    );
    assert_eq!(pond.get("collections/food/burger/").await.ok(200), added);
    let changed = put(&pond, "collections/food/burger/", json!({ "data": { "rating": 2 } })).await.ok(201);
    assert_eq!(changed["data"]["rating"], 2);
    pond.delete("collections/food/burger/").await.ok(200);
    assert_eq!(pond.get("collections/food/burger/").await.refusal().error, (404, 16));
    assert_eq!(pond.delete("collections/food/burger/").await.refusal().error, (404, 16));
    assert_eq!(put(&pond, "collections/food/burger/", json!({ "data": { "a": 1 } })).await.refusal().error, (404, 16));
    pond.post("collections/food/", json!({ "id": "burger", "data": { "rating": 3 } })).await.ok(201);
}

#[tokio::test]
async fn a_thing_without_an_id_gets_one() {
    let pond = Pond::new().await;
    let added =
        pond.post("collections/food/", json!({ "id": null, "data": { "a": 1 }, "user_id": null })).await.ok(201);
    assert_eq!(added.text("id").len(), 36);
    assert_eq!(pond.get(&format!("collections/food/{}/", added.text("id"))).await.ok(200), added);
}

#[tokio::test]
async fn what_is_not_a_thing_of_a_collection_is_refused() {
    let pond = Pond::new().await;
    pond.post("collections/food/", json!({ "id": "x", "data": { "a": 1 } })).await.ok(201);
    for (path, body) in [
        ("food", json!({ "id": "x", "data": {} })),
        ("food", json!({ "id": "y", "data": "text" })),
        ("food", json!({ "id": "y" })),
        ("food", json!({ "id": "!", "data": { "a": 1 } })),
        ("fo!od", json!({ "id": "y", "data": { "a": 1 } })),
    ] {
        assert_eq!(pond.refuses(&format!("collections/{path}/"), body.to_string()).await.error, (400, 4), "{body}");
    }
    let twice = json!({ "id": "x", "data": { "a": 1 } }).to_string();
    assert_eq!(pond.refuses("collections/food/", twice).await.error, (409, 22));
    let with_id = json!({ "id": "y", "data": { "a": 1 } });
    assert_eq!(put(&pond, "collections/food/x/", with_id).await.refusal().error, (400, 4));
}

#[tokio::test]
async fn a_user_changes_only_the_things_that_they_added() {
    let pond = Pond::new().await;
    let (amy, bob) = (pond.user("amy"), pond.user("bob"));
    amy.post("collections/food/", json!({ "id": "x", "data": { "a": 1 } })).await.ok(201);
    bob.get("collections/food/x/").await.ok(200);
    let refusal = put(&bob, "collections/food/x/", json!({ "data": { "a": 2 } })).await.refusal();
    assert_eq!(refusal.error, (403, 17));
    assert!(refusal.detail.starts_with("You do not have permission to do this, you got this error because"));
    assert_eq!(bob.delete("collections/food/x/").await.refusal().error, (403, 17));
    assert_eq!(bob.get("collections/?foreign_ids=food:x").await.refusal().error, (403, 17));
    put(&amy, "collections/food/x/", json!({ "data": { "a": 2 } })).await.ok(201);
    put(&pond, "collections/food/x/", json!({ "data": { "a": 3 } })).await.ok(201);
    amy.delete("collections/food/x/").await.ok(200);
}

#[tokio::test]
async fn things_are_upserted_selected_and_deleted_in_batches() {
    let pond = Pond::new().await;
    let items = json!([{ "id": "a", "name": "A" }, { "id": "b", "data": { "name": "B" } }]);
    let sent = json!({ "data": { "food": items } });
    assert_eq!(pond.post("collections/", sent.clone()).await.ok(201), sent);
    let selected = pond.get("collections/?foreign_ids=food:a,food:none,food:b").await.ok(200);
    let data = selected["response"]["data"].as_array().unwrap();
    assert_eq!(data.len(), 2);
    assert_eq!(data[0]["data"], json!({ "id": "a", "name": "A" }), "a flat item is data as a whole");
    assert_eq!(data[1]["data"], json!({ "name": "B" }));
    let mixed = json!({ "id": "c", "name": "C", "data": { "x": 1 } });
    pond.post("collections/meta/", json!({ "data": { "food": [mixed.clone()] } })).await.ok(201);
    let selected = pond.get("collections/meta/?foreign_ids=food:c").await.ok(200);
    assert_eq!(selected["response"]["data"][0]["data"], mixed);
    pond.delete("collections/?collection_name=food&ids=a&ids=b,c").await.ok(200);
    let selected = pond.get("collections/?foreign_ids=food:a,food:b,food:c").await.ok(200);
    assert_eq!(selected, json!({ "response": { "data": [] } }));
    let twice = json!({ "data": { "food": [{ "id": "a", "x": 1 }, { "id": "a", "x": 2 }] } });
    assert_eq!(pond.refuses("collections/", twice.to_string()).await.error, (400, 4));
}

#[tokio::test]
async fn an_upsert_keeps_since_when_a_thing_is_there() {
    let pond = Pond::new().await;
    let added = pond.post("collections/food/", json!({ "id": "a", "data": { "v": 1 } })).await.ok(201);
    pond.clock.advance(1_000_000);
    pond.post("collections/", json!({ "data": { "food": [{ "id": "a", "v": 2 }] } })).await.ok(201);
    let item = pond.get("collections/food/a/").await.ok(200);
    assert_eq!(item["created_at"], added["created_at"]);
    assert_eq!(item["updated_at"], "2026-01-01T00:00:01.000000Z");
}
