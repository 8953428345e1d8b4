//! Input that is made to do harm: it is refused in the words of the contract, and nothing of it is stored (§3, §5.10).

use async_compression::tokio::bufread::GzipEncoder;
use http::Method;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::pond::{Members, Pond, activity};

/// Calls that take a body, beside those of activities and follows, which `input` has.
const CALLS: [(Method, &str); 9] = [
    (Method::POST, "reaction/"),
    (Method::PUT, "reaction/r/"),
    (Method::POST, "user/"),
    (Method::PUT, "user/amy/"),
    (Method::POST, "users/"),
    (Method::POST, "collections/food/"),
    (Method::PUT, "collections/food/cheese/"),
    (Method::POST, "collections/"),
    (Method::POST, "collections/meta/"),
];

/// A pond in which each of the calls has something to change.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    let id = pond.add("user:amy", json!({})).await.text("id").to_owned();
    pond.post("reaction/", json!({ "id": "r", "kind": "like", "activity_id": id, "user_id": "amy" })).await.ok(201);
    pond.post("user/", json!({ "id": "amy", "data": { "n": 1 } })).await.ok(201);
    pond.post("collections/food/", json!({ "id": "cheese", "data": { "n": 1 } })).await.ok(201);
    pond
}

/// Objects or lists, so deep.
fn deep(opening: &str, closing: &str, depth: usize) -> String {
    format!("{}1{}", opening.repeat(depth), closing.repeat(depth))
}

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    GzipEncoder::new(bytes).read_to_end(&mut packed).await.unwrap();
    packed
}

#[tokio::test]
async fn a_body_that_nests_too_deep_or_is_no_object_is_refused_by_every_call() {
    let pond = pond().await;
    for (method, path) in CALLS {
        for body in [
            deep("{\"data\":", "}", 100_000),
            deep("[", "]", 100_000),
            format!("{{\"data\":{}}}", deep("{\"a\":", "}", 100_000)),
            "{".repeat(1000),
            "[]".to_owned(),
            "null".to_owned(),
            "\"x\"".to_owned(),
            "{\"data\":{\"a\":1}".to_owned(),
        ] {
            let refusal = pond.refuses_to(method.clone(), path, body.clone()).await;
            assert_eq!(refusal.error, (400, 4), "{} to {method} {path}", &body[..body.len().min(40)]);
        }
    }
}

#[tokio::test]
async fn what_becomes_too_large_when_it_is_unpacked_is_refused() {
    let pond = pond().await;
    let mut bomb = br#"{"actor":"SU:amy","verb":"post","object":"fish","text":""#.to_vec();
    bomb.resize(40 << 20, b'x');
    bomb.extend(b"\"}");
    let packed = gzip(&bomb).await;
    assert!(packed.len() < 100_000, "{}", packed.len());
    let packing = pond.header("content-encoding", "gzip");
    for path in ["feed/user/amy/", "reaction/", "collections/", "users/", "follow_many/"] {
        assert_eq!(packing.refuses(path, packed.clone()).await.error, (413, 18), "{path}");
    }
    // One packed in another packing is no JSON when it is unpacked once.
    let twice = gzip(&gzip(activity(json!({})).to_string().as_bytes()).await).await;
    assert_eq!(packing.refuses("feed/user/amy/", twice).await.error, (400, 4));
    let once = gzip(activity(json!({})).to_string().as_bytes()).await;
    packing.call(Method::POST, "feed/user/amy/", once).await.ok(201);
}

#[tokio::test]
async fn reactions_make_no_circles() {
    let pond = pond().await;
    let react = |id: &str, parent: &str| json!({ "id": id, "kind": "like", "user_id": "amy", "parent": parent });
    assert_eq!(pond.refuses("reaction/", react("self", "self").to_string()).await.error, (400, 4));
    pond.post("reaction/", react("child", "r")).await.ok(201);
    // The id of the parent is free again, and its child is no parent: it hangs on what is gone.
    pond.delete("reaction/r/").await.ok(200);
    assert_eq!(pond.refuses("reaction/", react("r", "child").to_string()).await.error, (400, 4));
    pond.clock.advance(1_000_000);
    let again =
        json!({ "id": "r", "kind": "like", "user_id": "amy", "activity_id": "8b866680-82b8-11e8-8080-80014b9d80a2" });
    pond.post("reaction/", again).await.ok(201);
    let read = pond.get("reaction/r/").await.ok(200);
    assert_eq!(read["latest_children"], json!({}), "the child of the one before is not its own");
    let update = json!({ "parent": "child", "data": { "n": 1 } }).to_string();
    pond.call(Method::PUT, "reaction/r/", update).await.ok(201);
    assert_eq!(pond.get("reaction/r/").await.ok(200)["parent"], "");
}

#[tokio::test]
async fn a_reaction_that_names_an_activity_that_names_the_reaction_is_shown_once() {
    let pond = Pond::new().await;
    let fields = json!({ "foreign_id": "a", "time": "2026-01-01T00:00:00", "object": "SR:r" });
    let id = pond.add("user:amy", fields).await.text("id").to_owned();
    let extra = json!({ "reaction": "SR:r", "target": format!("SA:{id}") });
    let react = json!({
        "id": "r", "kind": "like", "user_id": "amy", "activity_id": id,
        "target_feeds": ["user:amy"], "target_feeds_extra_data": extra,
    });
    pond.post("reaction/", react).await.ok(201);
    let read = pond.get("enrich/feed/user/amy/?withRecentReactions=true&withOwnReactions=true").await;
    assert!(read.text.len() < 50_000, "{}", read.text.len());
    assert_eq!(read.ok(200)["results"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn names_that_would_be_paths_keys_or_headers_are_only_names() {
    let pond = pond().await;
    let odd = ["..%2F..%2Fetc", "%00", "a%0d%0aSet-Cookie:%20x", "%F0%9F%90%9F", "'%20OR%201=1"];
    for name in odd {
        for path in [format!("feed/user/{name}/"), format!("feed/{name}/amy/"), format!("collections/{name}/x/")] {
            let answer = pond.get(&path).await;
            assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.text);
            answer.refusal();
        }
    }
    let stored: Value = pond.get("user/amy/").await.ok(200);
    assert_eq!(stored["data"], json!({ "n": 1 }));
}

#[tokio::test]
async fn what_a_reaction_is_posted_with_is_no_larger_than_an_activity() {
    let pond = pond().await;
    let react = |bytes: usize| {
        let extra = json!({ "text": "x".repeat(bytes) });
        json!({
            "id": "big", "kind": "like", "user_id": "amy", "activity_id": "8b866680-82b8-11e8-8080-80014b9d80a2",
            "target_feeds": ["user:amy"], "target_feeds_extra_data": extra,
        })
    };
    assert_eq!(pond.refuses("reaction/", react(10 * 1024).to_string()).await.error, (413, 18));
    let update = react(10 * 1024).to_string();
    assert_eq!(pond.refuses_to(Method::PUT, "reaction/r/", update).await.error, (413, 18));
    pond.post("reaction/", react(9 * 1024)).await.ok(201);
}
