//! Bookmarks and their folders (feeds-v3 §3.6).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

impl Pond {
    pub(crate) async fn saved(&self, of: &str, user: &str, folder: Option<&str>) -> Value {
        let folder = folder.map(|name| json!({ "name": name }));
        let body = json!({ "user_id": user, "new_folder": folder, "custom": null });
        self.clock.advance(1_000_000);
        self.post(&format!("{of}/bookmarks"), body).await["bookmark"].clone()
    }
}

#[tokio::test]
async fn a_bookmark_embeds_what_it_is_of_and_its_folder() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    pond.commented("c1", "bob", "a1", None).await;
    let bookmark = pond.saved("activities/a1", "cat", Some("later")).await;
    assert_eq!((&bookmark["object_type"], &bookmark["object_id"]), (&json!("activity"), &json!("a1")));
    assert_eq!((&bookmark["activity"]["id"], &bookmark["user"]["id"]), (&json!("a1"), &json!("cat")));
    assert_eq!((&bookmark["folder"]["name"], &bookmark["folder"]["user"]["id"]), (&json!("later"), &json!("cat")));
    assert!(bookmark["created_at"].is_i64() && bookmark.get("comment").is_none());
    assert_eq!((&bookmark["activity"]["bookmark_count"], &bookmark["activity"]["popularity"]), (&json!(1), &json!(5)));
    let of_comment = pond.saved("comments/c1", "cat", Some("later")).await;
    assert_eq!((&of_comment["object_type"], &of_comment["object_id"]), (&json!("comment"), &json!("c1")));
    assert_eq!((&of_comment["activity"]["id"], &of_comment["comment"]["id"]), (&json!("a1"), &json!("c1")));
    assert_eq!(of_comment["comment"]["bookmark_count"], 1);
    assert_eq!(of_comment["folder"]["id"], bookmark["folder"]["id"], "a folder of the same name is used again");
    let shown = pond.get("activities/a1?user_id=cat").await;
    let own = &shown["activity"]["own_bookmarks"];
    assert_eq!((own.as_array().unwrap().len(), &own[0]["folder"]["name"]), (1, &json!("later")));
    let shown = pond.get("activities/a1?user_id=bob").await;
    assert_eq!(shown["activity"]["own_bookmarks"], json!([]), "bookmarks are private");
}

#[tokio::test]
async fn a_bookmark_moves_into_folders_and_out_of_them_and_goes_by_folder() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    let folder = pond.saved("activities/a1", "cat", Some("later")).await["folder"]["id"].clone();
    let patch = async |more: Value| {
        let mut body = json!({ "user_id": "cat" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pond.patch("activities/a1/bookmarks", body).await["bookmark"].clone()
    };
    assert_eq!(patch(json!({ "folder_id": folder })).await["folder"]["id"], folder);
    let moved = patch(json!({ "folder_id": folder, "new_folder": { "name": "soon" }, "custom": { "n": 1 } })).await;
    assert_eq!((&moved["folder"]["name"], &moved["custom"]), (&json!("soon"), &json!({ "n": 1 })));
    let out = patch(json!({ "folder_id": moved["folder"]["id"], "new_folder_id": "" })).await;
    assert!(out.get("folder").is_none() && out["activity"]["bookmark_count"] == 1);
    let gone = json!({ "user_id": "cat", "folder_id": folder });
    assert_eq!(pond.refuses(Method::PATCH, "activities/a1/bookmarks", gone).await, (404, 16));
    pond.saved("activities/a1", "cat", Some("later")).await;
    let path = format!("activities/a1/bookmarks?user_id=cat&folder_id={}", folder.as_str().unwrap());
    let gone = pond.delete(&path).await;
    assert_eq!(gone["bookmark"]["activity"]["bookmark_count"], 1);
    pond.delete("activities/a1/bookmarks?user_id=cat").await;
    assert_eq!(pond.refuses(Method::DELETE, "activities/a1/bookmarks?user_id=cat", Value::Null).await, (404, 16));
}

#[tokio::test]
async fn bookmarks_and_folders_are_queried_and_a_user_finds_the_users_own() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    pond.posted("a2").await;
    pond.saved("activities/a1", "cat", Some("later")).await;
    pond.saved("activities/a2", "cat", None).await;
    pond.saved("activities/a2", "bob", Some("later")).await;
    let found = |answer: Value| {
        let all = answer["bookmarks"].as_array().unwrap().clone();
        all.iter().map(|one| format!("{} {}", one["user"]["id"], one["object_id"]).replace('"', "")).collect::<Vec<_>>()
    };
    let query = async |client: &crate::pond::Client, filter: Value| {
        found(client.post("bookmarks/query", json!({ "filter": filter })).await)
    };
    assert_eq!(query(&pond, json!({})).await, ["bob a2", "cat a2", "cat a1"]);
    assert_eq!(query(&pond, json!({ "user_id": "cat" })).await, ["cat a2", "cat a1"]);
    assert_eq!(query(&pond, json!({ "activity_id": "a2", "folder_id": { "$exists": false } })).await, ["cat a2"]);
    assert_eq!(query(&pond.user("bob"), json!({ "user_id": "cat" })).await, Vec::<String>::new());
    assert_eq!(query(&pond.user("bob"), json!({})).await, ["bob a2"]);
    let folders = pond.post("bookmark_folders/query", json!({ "filter": { "user_id": "cat" } })).await;
    assert_eq!(folders["bookmark_folders"].as_array().unwrap().len(), 1);
    let id = folders["bookmark_folders"][0]["id"].as_str().unwrap();
    let own = pond.user("bob").post("bookmark_folders/query", json!({})).await;
    assert_eq!(own["bookmark_folders"][0]["user"]["id"], "bob");
    pond.delete("activities/a2?hard_delete=true").await;
    assert_eq!(query(&pond, json!({})).await, ["cat a1"], "a bookmark goes with what it is of");
    let path = format!("bookmark_folders/{id}");
    let patch = json!({ "name": "some day", "custom": { "n": 1 }, "user_id": "cat" });
    let changed = pond.patch(&path, patch.clone()).await;
    assert_eq!(changed["bookmark_folder"]["name"], "some day");
    assert_eq!(pond.user("bob").refuses(Method::PATCH, &path, patch.clone()).await, (404, 16));
    assert_eq!(pond.user("bob").refuses(Method::DELETE, &path, Value::Null).await, (404, 16));
    pond.delete(&path).await;
    assert_eq!(query(&pond, json!({})).await, Vec::<String>::new(), "a folder goes with its bookmarks");
}

#[tokio::test]
async fn what_a_bookmark_lacks_is_refused() {
    let pond = Pond::new().await;
    pond.posted("a1").await;
    for (path, body, refusal) in [
        ("activities/a1", json!({}), (400, 4)),
        ("activities/none", json!({ "user_id": "cat" }), (404, 16)),
        ("comments/none", json!({ "user_id": "cat" }), (404, 16)),
        ("activities/a1", json!({ "user_id": "cat", "folder_id": "none" }), (404, 16)),
        ("activities/a1", json!({ "user_id": "cat", "new_folder": {} }), (400, 4)),
        ("activities/a1", json!({ "user_id": "cat", "folder_id": "x", "new_folder": { "name": "y" } }), (400, 4)),
    ] {
        let path = format!("{path}/bookmarks");
        assert_eq!(pond.refuses(Method::POST, &path, body.clone()).await, refusal, "{path} {body}");
    }
}
