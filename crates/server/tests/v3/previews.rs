//! What links lead to, shown with activities and comments (§3.3, §3.4: `skip_enrich_url`).

use axum::{Router, response::Html};
use serde_json::{Value, json};

use crate::{
    pond::{Lake, Pond},
    watching::Socket,
};

/// A server that may look at pages of this machine, one of which is called Ducks; its address; and a socket that watches amy's
/// feed.
async fn lake() -> (Lake, String, Socket) {
    let lake = Pond::with(|options| options.outbound_allowed = vec!["127.0.0.0/8".parse().unwrap()]).await.serve();
    let pages = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", pages.local_addr().unwrap());
    let page = Router::new().fallback(async || Html("<title>Ducks</title>"));
    tokio::spawn(async move { axum::serve(pages, page).await });
    lake.make("user:amy", "visible").await;
    let socket = Socket::open(&lake, "bob").await;
    let watch = json!({ "watch": true, "connection_id": socket.id });
    lake.user("bob").post("feed_groups/user/feeds/amy", watch).await;
    (lake, url, socket)
}

fn post(id: &str, text: &str) -> Value {
    json!({ "id": id, "type": "post", "user_id": "amy", "feeds": ["user:amy"], "text": text })
}

#[tokio::test]
async fn the_first_link_of_an_activity_is_shown_with_what_it_leads_to_and_nobody_edited_it() {
    let (lake, url, mut bob) = lake().await;
    let added = lake.post("activities", post("a1", &format!("see {url}, and http://127.0.0.1:1/"))).await;
    assert_eq!(added["activity"]["attachments"], json!([]), "nobody waits for the page");
    assert_eq!(bob.event().await["type"], "feeds.activity.added");
    let told = bob.event().await;
    assert_eq!((&told["type"], &told["user"]["id"]), (&json!("feeds.activity.updated"), &json!("amy")));
    let preview = json!([{ "type": "image", "title": "Ducks", "title_link": url, "og_scrape_url": url, "custom": {} }]);
    let mut shown = told["activity"]["attachments"].clone();
    shown[0].as_object_mut().unwrap().retain(|name, _| preview[0].get(name).is_some());
    assert_eq!(shown, preview);
    let read = lake.get("activities/a1").await["activity"].clone();
    assert_eq!((&read["attachments"][0]["title"], read.get("edited_at")), (&json!("Ducks"), None));
}

#[tokio::test]
async fn a_text_that_is_changed_to_say_a_link_gets_a_preview_and_what_skips_it_does_not() {
    let (lake, url, mut bob) = lake().await;
    let mut skipping = post("a1", &url);
    skipping["skip_enrich_url"] = json!(true);
    lake.post("activities", skipping.clone()).await;
    lake.post("activities/batch", json!({ "activities": [skipping, post("a2", "plain")] })).await;
    let text = json!({ "set": { "text": format!("now {url}") }, "user_id": "amy" });
    lake.patch("activities/a2", text).await;
    // The first that is told of with a preview is the one that did not skip it.
    let told = loop {
        let event = bob.event().await;
        if event["activity"]["attachments"].as_array().is_some_and(|list| !list.is_empty()) {
            break event;
        }
    };
    assert_eq!((&told["type"], &told["activity"]["id"]), (&json!("feeds.activity.updated"), &json!("a2")));
    assert_eq!(lake.get("activities/a1").await["activity"]["attachments"], json!([]));
}

#[tokio::test]
async fn the_first_link_of_a_comment_is_shown_with_what_it_leads_to() {
    let (lake, url, mut bob) = lake().await;
    lake.post("activities", post("a1", "plain")).await;
    let comment = |id: &str, skips: bool| {
        json!({ "id": id, "object_id": "a1", "object_type": "activity", "user_id": "amy", "comment": url,
            "skip_enrich_url": skips })
    };
    lake.post("comments", comment("c1", true)).await;
    lake.post("comments/batch", json!({ "comments": [comment("c2", false)] })).await;
    let told = loop {
        let event = bob.event().await;
        if event["type"] == "feeds.comment.updated" {
            break event;
        }
    };
    assert_eq!((&told["comment"]["id"], &told["comment"]["attachments"][0]["title"]), (&json!("c2"), &json!("Ducks")));
    assert_eq!(lake.get("comments/c1").await["comment"]["attachments"], json!([]));
    lake.patch("comments/c1", json!({ "comment": format!("again {url}"), "user_id": "amy" })).await;
    let told = loop {
        let event = bob.event().await;
        if event["comment"]["attachments"].as_array().is_some_and(|list| !list.is_empty()) {
            break event;
        }
    };
    assert_eq!(told["comment"]["id"], "c1");
}
