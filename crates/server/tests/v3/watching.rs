//! Sockets that watch feeds (§7).

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use testing::token::sign;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::pond::{KEY, Lake, Pond, SECRET};

/// How long a test waits for what must come: only a failing test ever waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection of a user.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) id: String,
}

impl Socket {
    pub(crate) async fn open(lake: &Lake, user: &str) -> Self {
        let token = sign(SECRET, &json!({ "user_id": user }));
        let asked = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
        let mut query = form_urlencoded::Serializer::new(String::new());
        let parameters = [("api_key", KEY), ("authorization", &token), ("stream-auth-type", "jwt"), ("json", &asked)];
        query.extend_pairs(parameters);
        let url = format!("ws://{}/api/v2/connect?{}", lake.address, query.finish());
        let (stream, _) = connect_async(url).await.unwrap();
        let mut socket = Socket { stream, id: String::new() };
        socket.id = socket.next().await["connection_id"].as_str().unwrap().to_owned();
        socket
    }

    async fn next(&mut self) -> Value {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame comes in time");
            if let Message::Text(text) = frame.unwrap().unwrap() {
                return serde_json::from_str(text.as_str()).unwrap();
            }
        }
    }

    /// The next event of feeds.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let event = self.next().await;
            if event["type"].as_str().is_some_and(|kind| kind.starts_with("feeds.")) {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn who_watches_a_feed_hears_once_of_what_happens_in_it_and_of_no_other() {
    let lake = Pond::new().await.serve();
    lake.make("user:amy", "visible").await;
    lake.make("user:cat", "visible").await;
    let mut bob = Socket::open(&lake, "bob").await;
    let watch = json!({ "watch": true, "connection_id": bob.id });
    lake.user("bob").post("feed_groups/user/feeds/amy", watch.clone()).await;
    lake.user("bob").post("feed_groups/user/feeds/amy", watch).await;
    lake.add("c1", "cat", &["user:cat"]).await;
    lake.add("a1", "amy", &["user:amy"]).await;
    lake.post("activities/a1/reactions", json!({ "type": "like", "user_id": "cat" })).await;
    lake.delete("activities/a1").await;
    let added = bob.event().await;
    let seen = (&added["type"], &added["fid"], &added["activity"]["id"], &added["custom"]);
    assert_eq!(seen, (&json!("feeds.activity.added"), &json!("user:amy"), &json!("a1"), &json!({})), "{added}");
    assert!(added["created_at"].is_i64());
    let reacted = bob.event().await;
    let seen = (&reacted["type"], &reacted["reaction"]["type"], &reacted["user"]["id"]);
    assert_eq!(seen, (&json!("feeds.activity.reaction.added"), &json!("like"), &json!("cat")), "{reacted}");
    assert_eq!(bob.event().await["type"], "feeds.activity.deleted");
}

#[tokio::test]
async fn what_says_much_is_told_whole_and_that_it_is_gone_without_its_words() {
    let lake = Pond::new().await.serve();
    lake.make("user:amy", "visible").await;
    let mut bob = Socket::open(&lake, "bob").await;
    let watch = json!({ "watch": true, "connection_id": bob.id });
    lake.user("bob").post("feed_groups/user/feeds/amy", watch).await;
    let text = "x".repeat(13 * 1024);
    let large = json!({ "id": "a1", "type": "post", "user_id": "amy", "feeds": ["user:amy"], "text": text });
    lake.post("activities", large).await;
    assert_eq!(bob.event().await["activity"]["text"], json!(text));
    let comment =
        json!({ "id": "c1", "comment": text, "user_id": "bob", "object_id": "a1", "object_type": "activity" });
    lake.post("comments", comment).await;
    let told = bob.event().await;
    assert_eq!((&told["comment"]["text"], &told["activity"]["text"]), (&json!(text), &json!(text)));
    for path in ["comments/c1", "activities/a1"] {
        lake.delete(path).await;
        let told = bob.event().await;
        let what = &told[if path == "comments/c1" { "comment" } else { "activity" }];
        assert!(told["type"].as_str().unwrap().ends_with(".deleted") && what["deleted_at"].is_i64(), "{path}");
        assert_eq!(what.get("text"), None, "{path}");
    }
}

#[tokio::test]
async fn an_event_about_a_pin_holds_the_pin_which_holds_the_activity() {
    let lake = Pond::new().await.serve();
    lake.make("user:amy", "visible").await;
    lake.add("a1", "amy", &["user:amy"]).await;
    let mut bob = Socket::open(&lake, "bob").await;
    let watch = json!({ "watch": true, "connection_id": bob.id });
    lake.user("bob").post("feed_groups/user/feeds/amy", watch).await;
    let path = "feed_groups/user/feeds/amy/activities/a1/pin";
    let answer = lake.post(path, json!({ "user_id": "amy" })).await;
    lake.delete(&format!("{path}?user_id=amy")).await;
    for kind in ["feeds.activity.pinned", "feeds.activity.unpinned"] {
        let event = bob.event().await;
        let pin = &event["pinned_activity"];
        assert_eq!((&event["type"], event.get("activity")), (&json!(kind), None), "{event}");
        assert_eq!((&pin["feed"], &pin["user_id"]), (&json!("user:amy"), &json!("amy")), "{event}");
        assert_eq!((&pin["created_at"], &pin["activity"]["id"]), (&answer["created_at"], &json!("a1")), "{event}");
    }
}

#[tokio::test]
async fn a_query_watches_the_feeds_that_it_finds() {
    let lake = Pond::new().await.serve();
    lake.make("user:amy", "visible").await;
    let mut bob = Socket::open(&lake, "bob").await;
    let watch = json!({ "watch": true, "filter": { "feed": "user:amy" } });
    lake.user("bob").post(&format!("feeds/query?connection_id={}", bob.id), watch).await;
    lake.add("a1", "amy", &["user:amy"]).await;
    assert_eq!(bob.event().await["activity"]["id"], "a1");
}

#[tokio::test]
async fn nobody_hears_what_may_not_be_read() {
    let lake = Pond::new().await.serve();
    lake.make("user:amy", "followers").await;
    lake.make("timeline:bob", "visible").await;
    lake.post("follows", json!({ "source": "timeline:bob", "target": "user:amy", "status": "accepted" })).await;
    let mut bob = Socket::open(&lake, "bob").await;
    let watch = json!({ "watch": true, "connection_id": bob.id });
    lake.user("bob").post("feed_groups/user/feeds/amy", watch.clone()).await;
    lake.user("bob").post("feed_groups/timeline/feeds/bob", watch).await;
    let private = json!({
        "id": "a1", "type": "post", "user_id": "amy", "feeds": ["user:amy"], "visibility": "private"
    });
    lake.post("activities", private).await;
    lake.add("a2", "amy", &["user:amy"]).await;
    assert_eq!(bob.event().await["activity"]["id"], "a2");
    lake.delete("follows/timeline%3Abob/user%3Aamy").await;
    lake.add("a3", "amy", &["user:amy"]).await;
    lake.add("b1", "bob", &["timeline:bob"]).await;
    assert_eq!(bob.event().await["activity"]["id"], "b1");
}

#[tokio::test]
async fn watching_takes_an_open_connection_of_the_user() {
    let lake = Pond::new().await.serve();
    lake.make("user:amy", "visible").await;
    let amy = Socket::open(&lake, "amy").await;
    let (path, bob) = ("feed_groups/user/feeds/amy", lake.user("bob"));
    assert_eq!(bob.refuses_post(path, json!({ "watch": true })).await, (400, 4));
    assert_eq!(bob.refuses_post(path, json!({ "watch": true, "connection_id": "x" })).await, (400, 4));
    assert_eq!(bob.refuses_post(path, json!({ "watch": true, "connection_id": amy.id })).await, (400, 4));
    assert_eq!(bob.refuses_post("feeds/query", json!({ "watch": true })).await, (400, 4));
    assert_eq!(lake.refuses_post(path, json!({ "watch": true, "user_id": "amy" })).await, (400, 4));
}

impl Socket {
    /// The next event of this type.
    async fn event_of(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["type"] == kind {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn a_notification_feed_tells_how_much_is_new_when_something_comes_and_when_it_is_seen() {
    let lake = Pond::new().await.serve();
    lake.make("user:amy", "visible").await;
    lake.add("a1", "amy", &["user:amy"]).await;
    let mut amy = Socket::open(&lake, "amy").await;
    let watch = json!({ "watch": true, "connection_id": amy.id });
    lake.user("amy").post("feed_groups/notification/feeds/amy", watch).await;
    let like = json!({ "type": "like", "user_id": "bob", "create_notification_activity": true });
    lake.post("activities/a1/reactions", like).await;
    let told = amy.event_of("feeds.notification_feed.updated").await;
    assert_eq!((&told["fid"], &told["custom"]), (&json!("notification:amy"), &json!({})), "{told}");
    assert_eq!(told["notification_status"], json!({ "unread": 1, "unseen": 1 }));
    let seen = json!({ "mark_all_seen": true });
    lake.user("amy").post("feed_groups/notification/feeds/amy/activities/mark/batch", seen).await;
    let told = amy.event_of("feeds.notification_feed.updated").await;
    let status = &told["notification_status"];
    assert_eq!((&status["unread"], &status["unseen"]), (&json!(1), &json!(0)), "{told}");
    assert!(status["last_seen_at"].is_i64() && status.get("last_read_at").is_none(), "{told}");
}

#[tokio::test]
async fn a_stories_feed_tells_that_it_changed_when_a_story_comes_and_when_it_is_watched() {
    let lake = Pond::new().await.serve();
    lake.make("story:amy", "visible").await;
    let mut amy = Socket::open(&lake, "amy").await;
    let watch = json!({ "watch": true, "connection_id": amy.id });
    lake.user("amy").post("feed_groups/story/feeds/amy", watch).await;
    lake.add("s1", "amy", &["story:amy"]).await;
    let told = amy.event_of("feeds.stories_feed.updated").await;
    assert_eq!((&told["fid"], told.get("notification_status")), (&json!("story:amy"), None), "{told}");
    let watched = json!({ "mark_watched": ["s1"] });
    lake.user("amy").post("feed_groups/story/feeds/amy/activities/mark/batch", watched).await;
    assert_eq!(amy.event_of("feeds.activity.marked").await["mark_watched"], json!(["s1"]));
    assert_eq!(amy.event_of("feeds.stories_feed.updated").await["fid"], "story:amy");
}
