//! Realtime by WebSocket: Bayeux as a browser speaks it (§9.1, §9.2).

use http::Method;
use serde_json::{Value, json};

use crate::{
    pond::{KEY, Members, SECRET, sign},
    shore::{Shore, Socket},
};

fn scope(feed_id: &str, action: &str) -> String {
    sign(SECRET, &json!({ "resource": "*", "action": action, "feed_id": feed_id }))
}

/// Asks the server by long-polling what is new for a client, and waits for it.
async fn poll(shore: &Shore, client: &str) -> Vec<Value> {
    let ask = json!([{ "channel": "/meta/connect", "clientId": client, "connectionType": "long-polling" }]);
    let answer = shore.call(Method::POST, "/faye", ask.to_string()).await;
    answer.json().as_array().unwrap().clone()
}

#[tokio::test]
async fn a_socket_is_told_without_asking_again_and_its_question_is_answered_when_its_time_is_over() {
    let shore = Shore::new().await;
    let mut amy = shore.greet().await;
    let answer = amy.subscribe("useramy", &scope("useramy", "read")).await;
    assert_eq!((answer.text("channel"), &answer["successful"]), ("/meta/subscribe", &json!(true)));
    amy.connect().await;
    for object in ["carp", "eel"] {
        let added = shore.add("user:amy", json!({ "actor": "amy", "object": object })).await;
        let told = amy.told().await;
        assert_eq!((told.text("feed"), &told["new"]), ("user:amy", &json!([added])));
        assert_eq!((&told["deleted"], &told["deleted_foreign_ids"]), (&json!([]), &json!([])));
    }
    let now =
        json!({ "channel": "/meta/connect", "connectionType": "websocket", "advice": { "timeout": 0 }, "id": "9" });
    amy.say(now).await;
    let answer = amy.next().await;
    assert_eq!(
        (answer.text("channel"), answer.text("id"), &answer["successful"]),
        ("/meta/connect", "9", &json!(true))
    );
    assert_eq!(answer["advice"], json!({ "reconnect": "retry", "interval": 0, "timeout": 45000 }));
}

#[tokio::test]
async fn an_empty_list_is_sent_back() {
    let shore = Shore::new().await;
    let mut socket = shore.open().await;
    socket.send(json!([])).await;
    assert_eq!(socket.frame().await.unwrap().into_text().unwrap().as_str(), "[]");
}

#[tokio::test]
async fn a_wrong_signature_and_an_unknown_channel_are_refused_and_the_connection_stays() {
    let shore = Shore::new().await;
    let mut amy = shore.greet().await;
    for (feed, token) in [
        ("user111", scope("user222", "*")),
        ("user111", scope("user111", "write")),
        ("user111", sign("other", &json!({ "user_id": "111" }))),
        ("user111", "nonsense".to_owned()),
        ("user111", String::new()),
        ("timelinebob", sign(SECRET, &json!({ "user_id": "amy" }))),
        ("nopebob", scope("*", "*")),
    ] {
        let answer = amy.subscribe(feed, &token).await;
        assert_eq!(
            (&answer["successful"], answer.text("subscription")),
            (&json!(false), &*format!("/site-7-feed-{feed}"))
        );
        assert_eq!(answer.text("error"), format!("403:/site-7-feed-{feed}:Forbidden channel"));
    }
    for channel in ["/other", "/site-7-feed-", "/site-8-feed-user111", "/meta/other", "", "/meta/handshake"] {
        let ext = json!({ "api_key": KEY, "signature": scope("*", "*") });
        amy.say(json!({ "channel": "/meta/subscribe", "subscription": channel, "ext": ext })).await;
        assert_eq!(amy.next().await["successful"], false, "{channel}");
    }
    amy.say(json!({ "channel": "/meta/nonsense" })).await;
    assert_eq!(amy.next().await["error"], "404:/meta/nonsense:Unknown channel");
    amy.say(json!({ "channel": "/site-7-feed-user111", "data": { "new": [] } })).await;
    assert_eq!(amy.next().await["error"], "403:/site-7-feed-user111:Forbidden channel");
    assert_eq!(amy.subscribe("user111", &scope("user111", "*")).await["successful"], true);
}

#[tokio::test]
async fn a_client_that_comes_back_another_way_finds_what_waits_and_is_told_once() {
    let shore = Shore::new().await;
    let mut amy = shore.greet().await;
    amy.subscribe("useramy", &scope("useramy", "*")).await;
    let id = amy.id.clone();
    drop(amy);
    let carp = shore.add("user:amy", json!({ "object": "carp" })).await;
    let found = poll(&shore, &id).await;
    assert_eq!((&found[0]["successful"], &found[1]["data"]["new"][0]["id"]), (&json!(true), &carp["id"]));
    let mut again = shore.open().await;
    again.id = id;
    again.connect().await;
    let eel = shore.add("user:amy", json!({ "object": "eel" })).await;
    assert_eq!(again.told().await["new"][0]["id"], eel["id"]);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_forgotten_and_shakes_hands_again() {
    let shore = Shore::new().await;
    let mut slow = shore.greet().await;
    slow.subscribe("useramy", &scope("useramy", "*")).await;
    let mut quick = shore.greet().await;
    quick.subscribe("useramy", &scope("useramy", "*")).await;
    quick.connect().await;
    // It never asks what is new. The other one tells when all of it is told.
    for _ in 0..501 {
        shore.add("user:amy", json!({})).await;
        quick.told().await;
    }
    slow.connect().await;
    let answer = slow.next().await;
    assert_eq!(answer["error"], format!("401:{}:Unknown client", slow.id));
    assert_eq!(answer["advice"]["reconnect"], "handshake");
    let again = shore.greet().await;
    assert_ne!(again.id, slow.id);
}

#[tokio::test]
async fn frames_that_are_too_large_too_many_or_no_messages_end_the_connection() {
    let shore = Shore::new().await;
    for text in ["x".to_owned(), "1".to_owned(), "[[]".to_owned(), format!("[{}0]", "0,".repeat(100))] {
        let mut socket = shore.open().await;
        socket.try_send(text.clone()).await;
        assert!(socket.is_over().await, "{text}");
    }
    let mut socket = shore.open().await;
    socket.try_send(format!("[\"{}\"]", "x".repeat(300 * 1024))).await;
    assert!(socket.is_over().await, "a frame of 300 KiB");
    let mut socket = shore.open().await;
    for _ in 0..5000 {
        if !socket.try_send("[]".to_owned()).await {
            break;
        }
    }
    assert!(socket.is_over().await, "5000 frames at once");
    let body = format!("[\"{}\"]", "x".repeat(300 * 1024));
    assert_eq!(shore.call(Method::POST, "/faye", body).await.status, 413);
}

#[tokio::test]
async fn a_client_that_sends_too_many_messages_is_told_to_wait() {
    let shore = Shore::new().await;
    let amy = shore.greet().await;
    let leave = json!({ "channel": "/meta/unsubscribe", "clientId": amy.id, "subscription": "/site-7-feed-useramy" });
    let many = json!(vec![leave; 100]).to_string();
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.extend(shore.call(Method::POST, "/faye", many.clone()).await.json().as_array().unwrap().clone());
    }
    let refused: Vec<&Value> = answers.iter().filter(|answer| answer["successful"] == false).collect();
    assert!(answers[..300].iter().all(|answer| answer["successful"] == true) && refused.len() > 100);
    assert_eq!(refused[0]["error"], "429:/meta/unsubscribe:Too many messages");
    assert_eq!(refused[0]["advice"], json!({ "reconnect": "retry", "interval": 1000, "timeout": 45000 }));
}

#[tokio::test]
async fn what_is_marked_in_a_notification_feed_is_told() {
    let shore = Shore::new().await;
    let mut amy = shore.greet().await;
    amy.subscribe("notificationamy", &scope("*", "*")).await;
    amy.connect().await;
    let added = shore.add("notification:amy", json!({ "foreign_id": "a", "time": "2018-07-08T14:09:36" })).await;
    assert_eq!(amy.told().await["new"][0]["group"], "post_2018-07-08");
    let read = shore.get("feed/notification/amy/?mark_seen=true").await.ok(200);
    let told = amy.told().await;
    assert_eq!(told.keys(), ["app_id", "deleted", "deleted_foreign_ids", "feed", "mark_seen", "new", "published_at"]);
    assert_eq!((&told["mark_seen"], &told["new"]), (&json!(true), &json!([])));
    let group = read["results"][0].text("id").to_owned();
    shore.get(&format!("feed/notification/amy/?mark_read={group}")).await.ok(200);
    assert_eq!(amy.told().await["mark_read"], json!([group]));
    shore.delete("feed/notification/amy/a/?foreign_id=1").await.ok(200);
    let told = amy.told().await;
    assert_eq!(told["deleted"], json!([added["id"]]));
    assert_eq!(told["deleted_foreign_ids"], json!([["a", "2018-07-08T14:09:36.000000"]]));
}

#[tokio::test]
async fn who_left_by_a_socket_is_told_nothing_more() {
    let shore = Shore::new().await;
    let mut amy: Socket = shore.greet().await;
    for feed in ["useramy", "userbob"] {
        amy.subscribe(feed, &scope("*", "*")).await;
    }
    amy.say(json!({ "channel": "/meta/unsubscribe", "subscription": "/site-7-feed-useramy" })).await;
    assert_eq!(amy.next().await["successful"], true);
    amy.connect().await;
    shore.add("user:amy", json!({})).await;
    shore.add("user:bob", json!({})).await;
    assert_eq!(amy.told().await.text("feed"), "user:bob");
    amy.say(json!({ "channel": "/meta/disconnect" })).await;
    assert_eq!(amy.next().await["channel"], "/meta/disconnect");
    amy.connect().await;
    assert_eq!(amy.next().await["advice"]["reconnect"], "handshake");
}

#[tokio::test]
async fn a_server_that_stops_closes_its_sockets() {
    let shore = Shore::new().await;
    let mut amy = shore.greet().await;
    amy.subscribe("useramy", &scope("*", "*")).await;
    amy.connect().await;
    shore.stop.send(()).unwrap();
    assert!(amy.is_over().await);
    shore.served.await.unwrap();
}
