//! Webhooks against a receiver on a socket of this machine (§13, §5A.6).

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use async_compression::tokio::bufread::GzipDecoder;
use aws_lc_rs::hmac;
use axum::{Router, body::Bytes, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::chat::events::{self, Event};
use http::{HeaderMap, StatusCode, Uri};
use ids::Timestamp;
use serde_json::{Value, json};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::{
    pond::{KEY, NOW_SECONDS, SECRET},
    sockets::lake::{Lake, channel},
};

/// What the receiver took.
struct Call {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The members of a form.
    fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn signature(body: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body);
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A receiver that answers with these statuses, and then 200; its address, and what it took.
async fn receiver(statuses: &[u16]) -> (String, UnboundedReceiver<Call>) {
    let (took, calls) = unbounded_channel();
    let statuses = std::sync::Arc::new(std::sync::Mutex::new(statuses.iter().copied().collect::<VecDeque<_>>()));
    let answer = async move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let status = statuses.lock().unwrap().pop_front().unwrap_or(200);
        took.send(Call { path: uri.path().to_owned(), headers, body }).unwrap();
        StatusCode::from_u16(status).unwrap()
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let routes = Router::new().fallback(post(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, calls)
}

/// A hook as it is set.
fn hook(id: &str, url: &str) -> Value {
    json!({ "id": id, "hook_type": "webhook", "webhook_url": url, "enabled": true })
}

async fn set(lake: &Lake, hooks: Value) {
    lake.patch("app", json!({ "event_hooks": hooks })).await.ok(201);
}

fn event(kind: &str, cid: &str) -> Event {
    Event::new(kind, Timestamp::from_micros(NOW_SECONDS * 1_000_000), Some(&channel(cid))).with(r#"{"n":1}"#)
}

async fn happen(lake: &Lake, kind: &str) {
    lake.write(|tx| events::record(tx, event(kind, "messaging:room"))).await;
}

#[tokio::test]
async fn an_event_is_sent_signed_with_the_apps_secret_in_the_dialect_of_the_hook() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[]).await;
    set(&lake, json!([hook("1", &url)])).await;
    happen(&lake, "wave").await;
    let call = calls.recv().await.unwrap();
    assert_eq!(call.header("content-type"), "application/json");
    assert_eq!((call.header("x-api-key"), call.header("x-webhook-attempt")), (KEY, "1"));
    assert_eq!(call.header("x-signature"), Call::signature(&call.body));
    let expected = json!({
        "type": "wave", "created_at": "2026-01-01T00:00:00Z", "cid": "messaging:room", "channel_id": "room",
        "channel_type": "messaging", "n": 1,
    });
    assert_eq!(call.json(), expected);
    let v2 = json!({ "event_hooks": [hook("2", &url)] });
    lake.v2().patch("app", v2).await.ok(201);
    happen(&lake, "wave").await;
    let v2 = calls.recv().await.unwrap().json();
    assert_eq!((&v2["created_at"], &v2["custom"]), (&json!(1_767_225_600_000_000_000_i64), &json!({ "n": 1 })));
}

#[tokio::test]
async fn events_of_feeds_are_sent_in_the_v2_dialect_with_what_they_are_about() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[]).await;
    let mut of_feeds = hook("1", &url);
    of_feeds["event_types"] = json!(["feeds.activity.added", "feeds.activity.deleted"]);
    set(&lake, json!([of_feeds])).await;
    let body = json!({ "id": "a1", "type": "post", "text": "hi", "feeds": ["user:amy"], "user_id": "amy" });
    lake.v2().post("feeds/activities", body).await.ok(201);
    let added = calls.recv().await.unwrap().json();
    assert_eq!((&added["type"], &added["fid"]), (&json!("feeds.activity.added"), &json!("user:amy")));
    assert_eq!((&added["activity"]["text"], &added["user"]["id"]), (&json!("hi"), &json!("amy")));
    assert_eq!((&added["custom"], &added["feed_visibility"]), (&json!({}), &json!("visible")));
    assert!(added["created_at"].is_i64() && added["user"].get("invisible").is_none());
    lake.v2().delete("feeds/activities/a1").await.ok(200);
    assert_eq!(calls.recv().await.unwrap().json()["type"], "feeds.activity.deleted");
}

#[tokio::test]
async fn a_hook_that_fails_is_tried_again_with_the_same_id_and_the_order_of_a_channel_stays() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[500, 302]).await;
    set(&lake, json!([hook("1", &url)])).await;
    happen(&lake, "one").await;
    happen(&lake, "two").await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let call = calls.recv().await.unwrap();
        let kind = call.json()["type"].as_str().unwrap().to_owned();
        seen.push((kind, call.header("x-webhook-attempt").to_owned(), call.header("x-webhook-id").to_owned()));
    }
    let told: Vec<_> = seen.iter().map(|(kind, attempt, _)| (kind.as_str(), attempt.as_str())).collect();
    assert_eq!(told, [("one", "1"), ("one", "2"), ("one", "3"), ("two", "1")]);
    assert!(seen[0].2 == seen[1].2 && seen[1].2 == seen[2].2 && seen[2].2 != seen[3].2, "{seen:?}");
}

#[tokio::test]
async fn a_hook_hears_of_what_it_asks_for_and_a_failing_one_holds_up_no_other() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[]).await;
    let mut some = hook("2", &url);
    some["event_types"] = json!(["channel.updated"]);
    set(&lake, json!([hook("1", "http://127.0.0.1:9/refused"), some])).await;
    happen(&lake, "wave").await;
    happen(&lake, "channel.updated").await;
    assert_eq!(calls.recv().await.unwrap().json()["type"], "channel.updated");
}

#[tokio::test]
async fn a_packed_body_is_gzip_and_the_signature_is_of_what_it_holds() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[]).await;
    lake.patch("app", json!({ "webhook_url": url, "enable_hook_payload_compression": true })).await.ok(201);
    happen(&lake, "wave").await;
    let call = calls.recv().await.unwrap();
    assert_eq!((&call.body[..2], call.header("content-encoding")), (&[0x1f, 0x8b][..], "gzip"));
    let mut body = Vec::new();
    GzipDecoder::new(&call.body[..]).read_to_end(&mut body).await.unwrap();
    assert_eq!(call.header("x-signature"), Call::signature(&body));
}

#[tokio::test]
async fn a_hook_on_this_machine_is_not_called_unless_it_is_allowed() {
    let lake = Lake::closed().await;
    let (url, mut calls) = receiver(&[]).await;
    set(&lake, json!([hook("1", &url)])).await;
    happen(&lake, "wave").await;
    assert!(tokio::time::timeout(Duration::from_millis(100), calls.recv()).await.is_err());
}

#[tokio::test]
async fn an_event_is_put_into_a_queue_signed_with_its_key_and_tried_again() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[503]).await;
    let queue = json!({ "id": "q", "hook_type": "sqs", "sqs_queue_url": format!("{url}.fifo"), "sqs_region": "eu-west-1",
        "sqs_auth_type": "keys", "sqs_key": "AKID", "sqs_secret": "hush" });
    set(&lake, json!([queue])).await;
    assert!(!lake.get("app").await.ok(200).to_string().contains("hush"));
    happen(&lake, "wave").await;
    let (first, second) = (calls.recv().await.unwrap(), calls.recv().await.unwrap());
    assert_eq!(first.body, second.body, "the same again");
    let form = second.form();
    let event: Value = serde_json::from_str(&form["MessageBody"]).unwrap();
    assert_eq!((form["Action"].as_str(), &event["type"]), ("SendMessage", &json!("wave")));
    assert_eq!((form["MessageGroupId"].as_str(), second.path.as_str()), ("messaging:room", "/hook.fifo"));
    let start = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=";
    assert!(second.header("authorization").starts_with(start), "{}", second.header("authorization"));
    assert_eq!(second.header("x-amz-date"), "20260101T000000Z");
}

#[tokio::test]
async fn an_event_is_published_to_a_topic_packed_if_the_app_packs() {
    let (url, mut calls) = receiver(&[]).await;
    let lake = Lake::publishing(&url).await;
    let topic = json!({ "hook_type": "sns", "sns_topic_arn": "arn:aws:sns:eu-north-1:1:t", "sns_key": "AKID",
        "sns_secret": "hush" });
    lake.patch("app", json!({ "event_hooks": [topic], "enable_hook_payload_compression": true })).await.ok(201);
    happen(&lake, "wave").await;
    let call = calls.recv().await.unwrap();
    let form = call.form();
    assert_eq!((form["Action"].as_str(), form["TopicArn"].as_str()), ("Publish", "arn:aws:sns:eu-north-1:1:t"));
    assert!(call.header("authorization").contains("/eu-north-1/sns/"));
    let packed = STANDARD.decode(&form["Message"]).unwrap();
    let mut text = String::new();
    GzipDecoder::new(packed.as_slice()).read_to_string(&mut text).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["type"], "wave");
}

#[tokio::test]
async fn a_check_of_a_queue_hands_a_message_over_and_says_what_came_of_it() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[200, 403]).await;
    let body = json!({ "sqs_url": url, "sqs_key": "AKID", "sqs_secret": "hush" });
    let taken = lake.post("check_sqs", body.clone()).await.ok(201);
    assert_eq!(taken, json!({ "status": "ok", "error": "", "data": {} }));
    assert!(calls.recv().await.unwrap().form()["MessageBody"].contains("health.check"));
    let refused = lake.post("check_sqs", body).await.ok(201);
    assert_eq!(
        (&refused["status"], &refused["error"], &refused["data"]),
        (&json!("error"), &json!("status 403"), &json!({}))
    );
}

#[tokio::test]
async fn a_hook_for_messages_that_wait_is_told_of_them_and_of_nothing_else() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[]).await;
    let hook = json!({ "hook_type": "pending_message", "webhook_url": url, "timeout_ms": 1000,
        "callback": { "mode": "CALLBACK_MODE_REST" } });
    set(&lake, json!([hook])).await;
    lake.post("users", json!({ "users": { "amy": { "id": "amy" } } })).await.ok(201);
    let room = json!({ "data": { "created_by_id": "amy", "members": ["amy"] } });
    lake.post("channels/messaging/room/query", room).await.ok(201);
    let send = async |id: &str, pending: bool| {
        let body = json!({ "message": { "id": id, "text": "hi", "user_id": "amy" }, "pending": pending,
            "pending_message_metadata": { "k": "v" } });
        lake.post("channels/messaging/room/message", body).await.ok(201);
    };
    send("plain", false).await;
    send("waits", true).await;
    let call = calls.recv().await.unwrap();
    let told = call.json();
    assert_eq!(call.path, "/hook/PassOnPendingMessage");
    assert_eq!((&told["message"]["id"], &told["metadata"]), (&json!("waits"), &json!({ "k": "v" })));
    assert_eq!(call.header("x-signature"), Call::signature(&call.body));
}

#[tokio::test]
async fn a_hook_takes_what_its_product_is_and_queues_need_keys() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[]).await;
    let mut of_moderation = hook("1", &url);
    of_moderation["product"] = json!("moderation");
    set(&lake, json!([of_moderation])).await;
    for kind in ["message.new", "user.banned"] {
        happen(&lake, kind).await;
    }
    assert_eq!(calls.recv().await.unwrap().json()["type"], "user.banned");
    for wrong in [
        json!({ "hook_type": "sqs", "sqs_queue_url": url, "sqs_auth_type": "role" }),
        json!({ "hook_type": "sns" }),
        json!({ "hook_type": "pending_message", "webhook_url": url, "callback": { "mode": "CALLBACK_MODE_TWIRP" } }),
    ] {
        let body = json!({ "event_hooks": [wrong] }).to_string();
        assert_eq!(lake.refuses(http::Method::PATCH, "app", body.clone()).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn hooks_hear_in_their_dialect_who_has_not_read_what() {
    let lake = Lake::new().await;
    let (url, mut calls) = receiver(&[]).await;
    let wanted = |id: &str| {
        let mut hook = hook(id, &url);
        hook["event_types"] = json!(["user.unread_message_reminder"]);
        hook
    };
    set(&lake, json!([wanted("classic")])).await;
    lake.patch("app", json!({ "reminders_interval": 60 })).await.ok(201);
    let kind =
        json!({ "reminders": true, "automod": "disabled", "automod_behavior": "flag", "max_message_length": 5000 });
    lake.put("channeltypes/messaging", kind).await.ok(201);
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    lake.post("channels/messaging/room/query", data).await.ok(201);
    let message = json!({ "message": { "id": "m1", "text": "hi", "user_id": "amy" } });
    lake.post("channels/messaging/room/message", message).await.ok(201);
    lake.clock.advance(61_000_000);
    let told = calls.recv().await.unwrap().json();
    assert_eq!((&told["type"], &told["user"]["id"]), (&json!("user.unread_message_reminder"), &json!("bob")));
    let room = &told["channels"]["messaging:room"];
    assert_eq!((&room["channel"]["cid"], &room["messages"][0]["text"]), (&json!("messaging:room"), &json!("hi")));
    assert_eq!(room["messages"].as_array().unwrap().len(), 1);
}
