//! Webhooks of feeds against a receiver on a socket of this machine (§9.2, §9.3).

use std::time::Duration;

use aws_lc_rs::hmac;
use http::Method;
use serde_json::{Value, json};
use store::Store;

use crate::{
    pond::{Answer, KEY, Members, SECRET, activity},
    shore::{Call, Receiver, Shore},
};

async fn set(shore: &Shore, id: &str, webhook: Value) -> Answer {
    shore.admin(Method::PUT, &format!("apps/7/feed_webhooks/{id}"), webhook).await
}

/// A shore and a receiver that is told of these groups.
async fn hooked(groups: &[&str], statuses: &[u16]) -> (Shore, Receiver) {
    let (shore, receiver) = (Shore::new().await, Receiver::new(statuses).await);
    set(&shore, "a", json!({ "url": receiver.url, "feed_groups": groups })).await.ok(200);
    (shore, receiver)
}

fn signature(body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The feeds of a list.
fn feeds(list: &[Value]) -> Vec<&str> {
    list.iter().map(|object| object.text("feed")).collect()
}

#[tokio::test]
async fn what_is_added_and_removed_is_posted_as_a_signed_list() {
    let (shore, mut receiver) = hooked(&["user"], &[]).await;
    let added =
        shore.add("user:amy", json!({ "actor": "amy", "foreign_id": "a", "time": "2018-07-08T14:09:36" })).await;
    let call = receiver.call().await;
    assert_eq!((call.header("content-type"), call.header("x-api-key")), ("application/json", KEY));
    assert_eq!(call.header("x-signature"), signature(&call.body));
    let expected = json!([{
        "feed": "user:amy", "app_id": "7", "new": [added], "deleted": [], "deleted_foreign_ids": [],
        "published_at": "2026-01-01T00:00:00.000000Z",
    }]);
    assert_eq!(call.json(), expected);
    shore.delete("feed/user/amy/a/?foreign_id=1").await.ok(200);
    let list = receiver.list().await;
    assert_eq!((&list[0]["new"], &list[0]["deleted"]), (&json!([]), &json!([added["id"]])));
    assert_eq!(list[0]["deleted_foreign_ids"], json!([["a", "2018-07-08T14:09:36.000000"]]));
}

#[tokio::test]
async fn followers_and_targets_are_told_of_once_and_many_at_once_and_copies_are_not() {
    let (shore, mut receiver) = hooked(&[], &[]).await;
    shore.add("user:amy", json!({ "object": "before" })).await;
    assert_eq!(feeds(&receiver.list().await), ["user:amy"]);
    shore.follow("timeline:bob", "user:amy").await;
    shore.follow("timeline:bob", "user:carl").await;
    shore.follow("notification:dora", "user:amy").await;
    let many = json!({ "feeds": ["timeline:bob", "user:amy"], "activity": activity(json!({})) });
    shore.post("feed/add_to_many/", many).await.ok(201);
    shore.add("user:amy", json!({ "to": ["user:carl", "timeline:eve"], "time": "2018-07-08T14:09:36" })).await;
    let list = receiver.list().await;
    let expected = ["timeline:eve", "user:amy", "user:carl", "notification:dora", "timeline:bob"];
    assert_eq!(feeds(&list), expected, "the feeds themselves, then those that follow them");
    assert_eq!(list[4]["new"][0]["origin"], "user:amy", "of two ways the first");
    assert_eq!((&list[0]["new"][0]["origin"], &list[3]["new"][0]["group"]), (&Value::Null, &json!("post_2018-07-08")));
}

#[tokio::test]
async fn a_hook_is_told_of_its_groups_and_of_reactions_if_it_wants() {
    let (shore, mut some) = hooked(&["timeline"], &[]).await;
    let mut all = Receiver::new(&[]).await;
    set(&shore, "b", json!({ "url": all.url, "feed_groups": ["notification"], "reactions": false })).await.ok(200);
    shore.follow("timeline:bob", "user:amy").await;
    let id = shore.add("user:amy", json!({})).await.text("id").to_owned();
    assert_eq!(feeds(&some.list().await), ["timeline:bob"]);
    let like =
        json!({ "id": "r", "kind": "like", "activity_id": id, "user_id": "bob", "target_feeds": ["notification:amy"] });
    let made = shore.post("reaction/", like).await.ok(201);
    let list = some.list().await;
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].text("type"), &list[0]["reaction"]), ("reaction.new", &made));
    assert_eq!(list[0].keys(), ["app_id", "published_at", "reaction", "type"]);
    assert_eq!(feeds(&all.list().await), ["notification:amy"], "and no reaction");
    shore.call(Method::PUT, "reaction/r/", json!({ "data": { "n": 1 } }).to_string()).await.ok(201);
    let list = some.list().await;
    assert_eq!((list[0].text("type"), &list[0]["reaction"]["data"]), ("reaction.updated", &json!({ "n": 1 })));
    shore.delete("reaction/r/").await.ok(200);
    let list = some.list().await;
    assert_eq!(list[0].text("type"), "reaction.deleted");
    assert_eq!(list[0]["reaction"], json!({ "id": "r", "kind": "like", "activity_id": id }));
}

#[tokio::test]
async fn a_hook_that_fails_is_tried_again_with_the_same_id_and_the_order_stays() {
    let (shore, mut receiver) = hooked(&[], &[500, 302, 503]).await;
    for object in ["carp", "eel"] {
        shore.add("user:amy", json!({ "object": object })).await;
    }
    let mut seen = Vec::new();
    for _ in 0..5 {
        let call = receiver.call().await;
        let object = call.json()[0]["new"][0].text("object").to_owned();
        seen.push((object, call.header("x-webhook-attempt").to_owned(), call.header("x-webhook-id").to_owned()));
    }
    let told: Vec<_> = seen.iter().map(|(object, attempt, _)| (object.as_str(), attempt.as_str())).collect();
    assert_eq!(told, [("carp", "1"), ("carp", "2"), ("carp", "3"), ("carp", "4"), ("eel", "1")]);
    assert!(seen[..4].iter().all(|(.., id)| *id == seen[0].2) && seen[4].2 != seen[0].2, "{seen:?}");
}

#[tokio::test]
async fn what_a_hook_did_not_take_before_the_server_died_the_next_one_tells_it_in_order() {
    let (store, mut receiver) = (Store::memory(), Receiver::new(&[200, 503]).await);
    // The second attempt would come long after the end.
    let shore = Shore::on(store.clone(), Duration::from_secs(3600)).await;
    set(&shore, "a", json!({ "url": receiver.url })).await.ok(200);
    for object in ["carp", "eel", "pike"] {
        shore.add("user:amy", json!({ "object": object })).await;
    }
    let told = |call: &Call| call.json()[0]["new"][0].text("object").to_owned();
    assert_eq!(told(&receiver.call().await), "carp");
    let refused = receiver.call().await;
    assert_eq!(told(&refused), "eel");
    shore.die().await;
    let shore = Shore::on(store, Duration::from_millis(1)).await;
    shore.add("user:amy", json!({ "object": "tench" })).await;
    let mut after = Vec::new();
    while after.last().is_none_or(|last| told(last) != "tench") {
        after.push(receiver.call().await);
    }
    // What was taken may be told again: nobody could note it any more.
    let new: Vec<_> = after.iter().map(told).skip_while(|object| object == "carp").collect();
    assert_eq!((new, after.len() <= 4), (["eel", "pike", "tench"].map(str::to_owned).to_vec(), true));
    let again = after.iter().find(|call| told(call) == "eel").unwrap();
    assert_eq!((again.header("x-webhook-id"), &again.body), (refused.header("x-webhook-id"), &refused.body));
}

#[tokio::test]
async fn a_failing_hook_holds_up_no_other() {
    let (shore, mut receiver) = hooked(&[], &[]).await;
    let nobody = json!({ "url": "http://127.0.0.1:9/refused", "verify": false });
    set(&shore, "0", nobody).await.ok(200);
    for _ in 0..3 {
        shore.add("user:amy", json!({})).await;
        receiver.list().await;
    }
}

#[tokio::test]
async fn many_followers_are_told_in_several_posts() {
    let (shore, mut receiver) = hooked(&["timeline"], &[]).await;
    let follows: Vec<Value> =
        (0..250).map(|n| json!({ "source": format!("timeline:{n}"), "target": "user:amy" })).collect();
    shore.post("follow_many/", json!(follows)).await.ok(201);
    shore.add("user:amy", json!({})).await;
    let (mut told, mut names) = (Vec::new(), std::collections::BTreeSet::new());
    while told.len() < 250 {
        let call = receiver.call().await;
        let list = call.json().as_array().unwrap().clone();
        assert!(list.len() <= 100);
        told.extend(list.iter().map(|object| object.text("feed").to_owned()));
        assert!(names.insert(call.header("x-webhook-id").to_owned()), "each post has an id of its own");
    }
    told.sort();
    told.dedup();
    assert_eq!((told.len(), names.len()), (250, 3));
}

#[tokio::test]
async fn a_hook_is_made_only_at_an_address_that_says_that_it_is_the_apps() {
    let shore = Shore::new().await;
    let (ours, theirs) = (Receiver::new(&[]).await, Receiver::saying("another-key", &[]).await);
    let shown = set(&shore, "a", json!({ "url": ours.url })).await.ok(200);
    assert_eq!(shown, json!({ "id": "a", "url": ours.url, "feed_groups": [], "reactions": true }));
    for url in [theirs.url.as_str(), "http://127.0.0.1:9/", "http://10.0.0.1/", "ftp://a.test/", "nonsense", ""] {
        let refusal = set(&shore, "b", json!({ "url": url })).await.refusal();
        assert_eq!((refusal.error, refusal.fields), ((400, 4), vec!["url".to_owned()]), "{url}");
    }
    let list = shore.admin(Method::GET, "apps/7/feed_webhooks", Value::Null).await.ok(200);
    assert_eq!(list, json!({ "feed_webhooks": [shown] }));
}

#[tokio::test]
async fn a_hook_that_makes_no_sense_is_refused_and_one_is_taken_away() {
    let shore = Shore::new().await;
    let url = "https://example.com/hook";
    for (id, webhook, error) in [
        ("a", json!({}), (400, 4)),
        ("a", json!({ "url": url, "unknown": 1 }), (400, 4)),
        ("a", json!({ "url": url, "feed_groups": "user" }), (400, 4)),
        ("a", json!({ "url": "ftp://a.test", "verify": false }), (400, 4)),
        ("a", json!({ "url": url, "feed_groups": ["nope"], "verify": false }), (400, 6)),
        ("%20", json!({ "url": url, "verify": false }), (400, 4)),
    ] {
        assert_eq!(set(&shore, id, webhook.clone()).await.refusal().error, error, "{webhook}");
    }
    set(&shore, "a", json!({ "url": url, "verify": false })).await.ok(200);
    shore.admin(Method::DELETE, "apps/7/feed_webhooks/a", Value::Null).await.ok(200);
    let again = shore.admin(Method::DELETE, "apps/7/feed_webhooks/a", Value::Null).await.refusal();
    assert_eq!(again.error, (404, 16));
    let list = shore.admin(Method::GET, "apps/7/feed_webhooks", Value::Null).await.ok(200);
    assert_eq!(list, json!({ "feed_webhooks": [] }));
}

#[tokio::test]
async fn a_hook_on_this_machine_is_not_called_unless_it_is_allowed() {
    let (shore, mut receiver) = (Shore::allowing("192.0.2.1/32").await, Receiver::new(&[]).await);
    assert_eq!(set(&shore, "a", json!({ "url": receiver.url })).await.refusal().error, (400, 4));
    set(&shore, "a", json!({ "url": receiver.url, "verify": false })).await.ok(200);
    shore.add("user:amy", json!({})).await;
    let waited = tokio::time::timeout(std::time::Duration::from_millis(100), receiver.call()).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn what_happened_before_there_was_the_hook_is_not_told() {
    let shore = Shore::new().await;
    shore.add("user:amy", json!({ "object": "before" })).await;
    let mut receiver = Receiver::new(&[]).await;
    set(&shore, "a", json!({ "url": receiver.url })).await.ok(200);
    shore.add("user:amy", json!({ "object": "after" })).await;
    assert_eq!(receiver.list().await[0]["new"][0]["object"], "after");
}
