//! Who hears of what (§10.1).

use std::sync::atomic::{AtomicBool, Ordering};

use domain::chat::events::{self, Event};
use ids::Timestamp;
use serde_json::json;
use server::realtime::Options;

use super::lake::{Lake, channel, user};
use crate::pond::NOW_SECONDS;

fn now() -> Timestamp {
    Timestamp::from_micros(NOW_SECONDS * 1_000_000)
}

#[tokio::test]
async fn an_event_for_some_users_reaches_all_their_connections_in_their_dialect_and_nobody_else() {
    let lake = Lake::new().await;
    let (mut one, mut two) = (lake.connect("jack").await, lake.connect_at("/api/v2/connect", "jack").await);
    let mut other = lake.connect("jill").await;
    let event = Event::new("friend_request", now(), None).by(Some(&user("jill"))).only_for([user("jack")]);
    let event = event.with(r#"{"text":"hi","at":"2026-01-01T00:00:00Z"}"#);
    lake.write(|tx| events::record(tx, event.clone())).await;
    let classic = one.event().await;
    assert_eq!((&classic["type"], &classic["text"]), (&json!("friend_request"), &json!("hi")), "{classic}");
    assert_eq!((&classic["created_at"], &classic["user"]["id"]), (&json!("2026-01-01T00:00:00Z"), &json!("jill")));
    let v2 = two.event().await;
    assert_eq!(v2["custom"], json!({ "text": "hi", "at": "2026-01-01T00:00:00Z" }), "{v2}");
    assert_eq!(v2["created_at"], json!(1_767_225_600_000_000_000_i64));
    lake.write(|tx| events::record(tx, Event::new("last", now(), None).only_for([user("jill")]))).await;
    assert_eq!(other.event().await["type"], "last");
}

#[tokio::test]
async fn members_who_do_not_watch_hear_of_a_deleted_channel_and_others_do_not() {
    let lake = Lake::new().await;
    let room = channel("messaging:room");
    lake.member("messaging:room", "jack").await;
    let (mut jack, mut jill) = (lake.connect("jack").await, lake.connect("jill").await);
    lake.write(|tx| events::record(tx, Event::new("channel.deleted", now(), Some(&room)))).await;
    let event = jack.event().await;
    assert_eq!((&event["type"], &event["cid"]), (&json!("notification.channel_deleted"), &json!("messaging:room")));
    assert_eq!(event["channel"]["cid"], "messaging:room", "{event}");
    lake.write(|tx| events::record(tx, Event::new("last", now(), None).only_for([user("jill")]))).await;
    assert_eq!(jill.event().await["type"], "last");
}

#[tokio::test]
async fn events_come_in_commit_order_while_sixteen_write() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    let wrote = AtomicBool::new(false);
    let write = async |writer: usize| {
        for n in 0..25 {
            let more = json!({ "writer": writer, "n": n }).to_string();
            let event = Event::new("step", now(), None).only_for([user("jack")]).with(more);
            lake.write(|tx| events::record(tx, event.clone())).await;
        }
        wrote.store(true, Ordering::Relaxed);
    };
    let read = async {
        let mut seen = [0; 16];
        for _ in 0..16 * 25 {
            let event = jack.event().await;
            let writer = usize::try_from(event["writer"].as_u64().unwrap()).unwrap();
            assert_eq!(event["n"], seen[writer], "{event}");
            seen[writer] += 1;
        }
    };
    let writers = futures_util::future::join_all((0..16).map(write));
    tokio::join!(writers, read);
}

#[tokio::test]
async fn who_reads_too_slowly_is_cut_and_others_hear_everything() {
    /// More than the buffers of the system hold.
    const EVENTS: usize = 400;
    let lake = Lake::with(Options { waiting_max: 16, ..Options::default() }).await;
    let (mut slow, mut quick) = (lake.connect("jack").await, lake.connect("jill").await);
    let large = json!({ "text": "x".repeat(64 * 1024) }).to_string();
    for n in 0..EVENTS {
        let event = Event::new("step", now(), None).only_for([user("jack"), user("jill")]).with(large.clone());
        lake.write(|tx| events::record(tx, event.clone())).await;
        assert_eq!(quick.event().await["type"], "step", "{n}");
    }
    let (heard, code) = slow.heard_until_closed().await;
    assert!(heard < EVENTS, "it was told everything");
    assert!(matches!(code, Some(1013) | None), "{code:?}");
}

#[tokio::test]
async fn a_message_read_event_that_is_sent_marks_the_channel_read() {
    let lake = Lake::new().await;
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    lake.post("channels/messaging/room/query", data).await.ok(201);
    let said = json!({ "message": { "text": "hi", "user_id": "amy" } });
    lake.post("channels/messaging/room/message", said).await.ok(201);
    assert_eq!(lake.get("unread?user_id=bob").await.ok(200)["total_unread_count"], 1);
    let read = json!({ "event": { "type": "message.read" } });
    let event = lake.user("bob").post("channels/messaging/room/event", read).await.ok(201)["event"].clone();
    assert_eq!((&event["type"], &event["user"]["id"]), (&json!("message.read"), &json!("bob")));
    assert_eq!(lake.get("unread?user_id=bob").await.ok(200)["total_unread_count"], 0);
}

#[tokio::test]
async fn who_watches_is_told_where_the_type_has_connect_events_alone() {
    let lake = Lake::new().await;
    for (kind, is_told) in [("loud", true), ("quiet", false)] {
        lake.post("channeltypes", json!({ "name": kind, "connect_events": is_told })).await.ok(201);
        let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
        let path = format!("channels/{kind}/room");
        lake.post(&format!("{path}/query"), data).await.ok(201);
        let (mut amy, bob) = (lake.connect("amy").await, lake.connect("bob").await);
        for (user, socket) in [("amy", &amy.id), ("bob", &bob.id)] {
            let watch = format!("{path}/query?connection_id={socket}");
            lake.user(user).post(&watch, json!({ "watch": true })).await.ok(201);
        }
        let wave = json!({ "event": { "type": "wave", "user_id": "bob" } });
        lake.post(&format!("{path}/event"), wave).await.ok(201);
        let mut heard = Vec::new();
        while heard.last().is_none_or(|kind| kind != "wave") {
            heard.push(amy.event().await["type"].as_str().unwrap().to_owned());
        }
        assert_eq!(heard.iter().any(|kind| kind == "user.watching.start"), is_told, "{kind}: {heard:?}");
    }
}
