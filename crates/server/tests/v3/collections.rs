//! Collections (feeds-v3 §3.7).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

fn entry(name: &str, id: &str, title: &str) -> Value {
    json!({ "name": name, "id": id, "custom": { "title": title } })
}

fn titles(answer: &Value) -> Vec<String> {
    let all = answer["collections"].as_array().unwrap();
    all.iter().map(|one| format!("{}:{} {}", one["name"], one["id"], one["custom"]["title"]).replace('"', "")).collect()
}

#[tokio::test]
async fn an_entry_is_made_read_changed_and_removed() {
    let pond = Pond::new().await;
    let body = json!({ "collections": [entry("movies", "lotr", "Rings")], "user_id": "ann" });
    let made = pond.post("collections", body.clone()).await;
    let created_at = made["collections"][0]["created_at"].as_i64().expect("nanoseconds");
    let expected = json!({ "collections": [{ "name": "movies", "id": "lotr", "user_id": "ann",
        "custom": { "title": "Rings" }, "created_at": created_at, "updated_at": created_at }] });
    assert_eq!(made, expected);
    assert_eq!(pond.refuses(Method::POST, "collections", body.clone()).await, (400, 4));
    let read = pond.get("collections?collection_refs=movies%3Alotr,movies%3Adune").await;
    assert_eq!(read, expected);
    let patch = json!({ "collections": [entry("movies", "lotr", "The Rings")] });
    assert_eq!(titles(&pond.patch("collections", patch).await), ["movies:lotr The Rings"]);
    let put = json!({ "collections": [entry("movies", "lotr", "Rings 1"), entry("movies", "dune", "Dune")] });
    assert_eq!(titles(&pond.put("collections", put).await), ["movies:lotr Rings 1", "movies:dune Dune"]);
    pond.delete("collections?collection_refs=movies%3Alotr").await;
    let read = pond.get("collections?collection_refs=movies%3Alotr,movies%3Adune").await;
    assert_eq!(titles(&read), ["movies:dune Dune"]);
}

#[tokio::test]
async fn an_id_is_made_where_none_is_given_and_what_breaks_a_rule_stores_nothing() {
    let pond = Pond::new().await;
    let body = json!({ "collections": [{ "name": "movies", "custom": { "title": "x" } }] });
    let made = pond.post("collections", body).await;
    assert_eq!(made["collections"][0]["id"].as_str().unwrap().len(), 36);
    assert!(made["collections"][0].get("user_id").is_none(), "nobody owns it");
    let many: Vec<_> = (0..101).map(|n| entry("movies", &n.to_string(), "x")).collect();
    for body in [
        json!({}),
        json!({ "collections": [] }),
        json!({ "collections": many }),
        json!({ "collections": [{ "name": "movies", "id": "a" }] }),
        json!({ "collections": [{ "name": "movies", "id": "a", "custom": {} }] }),
        json!({ "collections": [{ "id": "a", "custom": { "x": 1 } }] }),
        json!({ "collections": [entry("mo,vies", "a", "x")] }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "collections", body.clone()).await, (400, 4), "{body}");
    }
    let unknown = json!({ "collections": [entry("movies", "none", "x")] });
    assert_eq!(pond.refuses(Method::PATCH, "collections", unknown).await, (404, 16));
    assert_eq!(pond.refuses(Method::GET, "collections", Value::Null).await, (400, 4));
    assert_eq!(pond.refuses(Method::DELETE, "collections?collection_refs=", Value::Null).await, (400, 4));
}

#[tokio::test]
async fn a_user_sees_and_changes_only_what_is_the_users_own() {
    let pond = Pond::new().await;
    for (id, user) in [("a", "ann"), ("b", "bob")] {
        let body = json!({ "collections": [entry("movies", id, user)], "user_id": user });
        pond.post("collections", body).await;
    }
    let ann = pond.user("ann");
    let read = ann.get("collections?collection_refs=movies%3Aa,movies%3Ab").await;
    assert_eq!(titles(&read), ["movies:a ann"]);
    assert_eq!(titles(&ann.post("collections/query", json!({})).await), ["movies:a ann"]);
    let body = json!({ "collections": [entry("movies", "b", "x")] });
    assert_eq!(ann.refuses(Method::PATCH, "collections", body.clone()).await, (403, 17));
    assert_eq!(ann.refuses(Method::PUT, "collections", body).await, (403, 17));
    assert_eq!(ann.refuses(Method::DELETE, "collections?collection_refs=movies%3Ab", Value::Null).await, (403, 17));
    let own = json!({ "collections": [entry("movies", "c", "mine")] });
    assert_eq!(ann.post("collections", own).await["collections"][0]["user_id"], "ann");
}

#[tokio::test]
async fn a_query_goes_by_filter_and_in_pages() {
    let pond = Pond::new().await;
    for (n, name) in ["movies", "books", "movies", "movies"].into_iter().enumerate() {
        let body = json!({ "collections": [{ "name": name, "id": n.to_string(), "custom": { "title": n, "n": n } }] });
        pond.post("collections", body).await;
        pond.clock.advance(1_000_000);
    }
    let query = |more: Value| {
        let mut body = json!({ "filter": { "name": "movies" }, "limit": 2 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let first = pond.post("collections/query", query(json!({}))).await;
    assert_eq!(titles(&first), ["movies:3 3", "movies:2 2"]);
    assert!(first.get("prev").is_none());
    let second = pond.post("collections/query", query(json!({ "next": first["next"] }))).await;
    assert_eq!(titles(&second), ["movies:0 0"]);
    assert!(second.get("next").is_none() && second["prev"].is_string());
    let both = query(json!({ "next": first["next"], "prev": second["prev"] }));
    assert_eq!(pond.refuses(Method::POST, "collections/query", both).await, (400, 4));
    let custom = json!({ "filter": { "n": { "$gte": 2 } }, "sort": [{ "field": "created_at", "direction": 1 }] });
    assert_eq!(titles(&pond.post("collections/query", custom).await), ["movies:2 2", "movies:3 3"]);
}

#[tokio::test]
async fn an_activity_shows_what_it_refers_to_and_that_it_is_gone() {
    let pond = Pond::new().await;
    let body = json!({ "collections": [entry("movies", "lotr", "Rings")], "user_id": "ann" });
    pond.post("collections", body).await;
    let activity = json!({ "type": "post", "feeds": ["user:ann"], "user_id": "ann", "id": "a1", "text": "seen",
        "collection_refs": ["movies:lotr", "movies:dune"] });
    let shown = pond.post("activities", activity).await;
    let collections = &shown["activity"]["collections"];
    assert_eq!(collections["movies:lotr"]["status"], "ok");
    assert_eq!(collections["movies:lotr"]["custom"], json!({ "title": "Rings" }));
    assert_eq!(collections["movies:dune"], json!({ "name": "movies", "id": "dune", "status": "notfound" }));
    pond.delete("collections?collection_refs=movies%3Alotr").await;
    let shown = pond.get("activities/a1").await;
    assert_eq!(shown["activity"]["collections"]["movies:lotr"]["status"], "notfound");
}
