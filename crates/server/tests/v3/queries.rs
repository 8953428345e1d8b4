//! What all queries have in common (§1, §6).

use serde_json::{Value, json};

use crate::pond::{Client, Pond};

/// One that three of everything stand in.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    pond.make("timeline:bob", "visible").await;
    for id in ["amy", "cat", "dan"] {
        let feed = format!("user:{id}");
        pond.make(&feed, "visible").await;
        pond.add(id, "amy", &["user:amy"]).await;
        pond.post("follows", json!({ "source": "timeline:bob", "target": feed })).await;
        let comment = json!({ "object_id": "amy", "object_type": "activity", "comment": id, "user_id": id });
        pond.post("comments", comment).await;
        pond.post("activities/amy/reactions", json!({ "type": "like", "user_id": id })).await;
        let kept = json!({ "user_id": "bob", "new_folder": { "name": id } });
        pond.post("activities/amy/bookmarks", kept).await;
        let entry = json!({ "collections": [{ "name": "films", "id": id, "custom": { "x": 1 } }], "user_id": id });
        pond.post("collections", entry).await;
        let pin = format!("feed_groups/user/feeds/amy/activities/{id}/pin");
        pond.post(&pin, json!({ "user_id": "amy" })).await;
        let member = json!({ "operation": "upsert", "members": [{ "user_id": id }] });
        pond.patch("feed_groups/timeline/feeds/bob/members", member).await;
    }
    pond
}

async fn next(client: &Client, path: &str, mut body: Value) -> Value {
    body["limit"] = json!(1);
    client.post(path, body).await["next"].take()
}

#[tokio::test]
async fn a_cursor_leads_on_with_its_own_filter_and_sort_and_is_refused_with_others() {
    let pond = pond().await;
    let (any, since) = (json!({}), json!({ "created_at": { "$gte": "2020-01-01T00:00:00Z" } }));
    let (plain, sorted) = (json!([]), json!([{ "field": "created_at", "direction": 1 }]));
    for path in [
        "activities/query",
        "feeds/query",
        "follows/query",
        "activities/amy/reactions/query",
        "bookmarks/query",
        "bookmark_folders/query",
        "collections/query",
        "feed_groups/user/feeds/amy/pinned_activities/query",
        "feed_groups/timeline/feeds/bob/members/query",
    ] {
        let asked = json!({ "filter": any, "sort": plain });
        let place = next(&pond, path, asked.clone()).await;
        assert!(place.is_string(), "{path} has more than one page");
        let mut own = asked.clone();
        own["next"] = place.clone();
        pond.post(path, own).await;
        for (filter, sort) in [(&since, &plain), (&any, &sorted)] {
            let other = json!({ "filter": filter, "sort": sort, "next": place });
            assert_eq!(pond.refuses_post(path, other).await, (400, 4), "{path}");
        }
        assert_eq!(pond.refuses_post(path, json!({ "next": "x" })).await, (400, 4), "{path}");
    }
}

#[tokio::test]
async fn a_cursor_of_comments_is_refused_with_another_filter_or_order() {
    let pond = pond().await;
    let of_amy = json!({ "filter": { "object_id": "amy" }, "sort": "last" });
    let place = next(&pond, "comments/query", of_amy.clone()).await;
    let with = |filter: Value, sort: &str| json!({ "filter": filter, "sort": sort, "next": place });
    pond.post("comments/query", with(of_amy["filter"].clone(), "last")).await;
    assert_eq!(pond.refuses_post("comments/query", with(of_amy["filter"].clone(), "first")).await, (400, 4));
    assert_eq!(pond.refuses_post("comments/query", with(json!({ "user_id": "amy" }), "last")).await, (400, 4));
    let threads = "comments?object_id=amy&object_type=activity&limit=1";
    let place = pond.get(&format!("{threads}&sort=last")).await["next"].take();
    let place = place.as_str().unwrap();
    pond.get(&format!("{threads}&sort=last&next={place}")).await;
    let other = format!("{threads}&sort=top&next={place}");
    assert_eq!(pond.refuses(http::Method::GET, &other, json!(null)).await, (400, 4));
}
