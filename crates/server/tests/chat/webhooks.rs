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
pub(crate) struct Call {
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

    pub(crate) fn json(&self) -> Value {
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
    assert_eq!(told["request_info"]["type"], "server");
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

/// A hook for these events, in a room of amy and bob with a name.
pub(crate) async fn hooked(dialect: &str, kinds: Value) -> (Lake, UnboundedReceiver<Call>) {
    let lake = Lake::new().await;
    let (url, calls) = receiver(&[]).await;
    let mut hook = hook("1", &url);
    hook["event_types"] = kinds;
    let client = if dialect == "v2" { lake.v2() } else { lake.client() };
    client.patch("app", json!({ "event_hooks": [hook] })).await.ok(201);
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"], "name": "General" } });
    lake.post("channels/messaging/room/query", data).await.ok(201);
    (lake, calls)
}

const MESSAGE: &str = "channels/messaging/room/message";

#[tokio::test]
async fn hooks_alone_are_told_how_the_call_came_by_which_something_happened() {
    let (lake, mut calls) = hooked("classic", json!(["message.new"])).await;
    let mut bob = lake.connect("bob").await;
    let amy = lake.user("amy").header("x-stream-client", "stream-chat-js-8").header("x-stream-ext", "build=7");
    amy.header("user-agent", "phone").post(MESSAGE, json!({ "message": { "text": "hi" } })).await.ok(201);
    let by_amy =
        json!({ "type": "client", "ip": "", "user_agent": "phone", "sdk": "stream-chat-js-8", "ext": "build=7" });
    assert_eq!(calls.recv().await.unwrap().json()["request_info"], by_amy);
    lake.post(MESSAGE, json!({ "message": { "text": "ho", "user_id": "amy" } })).await.ok(201);
    let by_server = json!({ "type": "server", "ip": "", "user_agent": "", "sdk": "" });
    assert_eq!(calls.recv().await.unwrap().json()["request_info"], by_server);
    let heard = bob.find("notification.message_new").await;
    assert!(heard.get("request_info").is_none() && heard.get("members").is_none(), "{heard}");
}

#[tokio::test]
async fn hooks_of_the_v2_dialect_are_told_users_in_the_size_that_the_event_has() {
    let (lake, mut calls) = hooked("v2", json!(["message.new", "user.updated", "user.banned"])).await;
    let private = json!({ "privacy_settings": { "read_receipts": { "enabled": false } }, "color": "red" });
    lake.patch("users", json!({ "users": [{ "id": "bob", "set": private }] })).await.ok(201);
    let ban = json!({ "target_user_id": "bob", "user_id": "amy", "shadow": true, "timeout": 5 });
    lake.post("moderation/ban", ban).await.ok(201);
    lake.user("bob").post(MESSAGE, json!({ "message": { "text": "hi" } })).await.ok(201);
    // What is of no channel may come before or after what is of one.
    let mut told = HashMap::new();
    while told.len() < 3 {
        let event = calls.recv().await.unwrap().json();
        told.insert(event["type"].as_str().unwrap().to_owned(), event);
    }
    let (updated, banned, said) = (&told["user.updated"], &told["user.banned"], &told["message.new"]);
    let full = ["shadow_banned", "ban_expires", "bypass_moderation", "invisible", "privacy_settings"];
    let more = |user: &Value| full.into_iter().filter(|name| user.get(name).is_some()).collect::<Vec<_>>();
    assert_eq!(more(&updated["user"]), ["invisible", "privacy_settings"], "{updated}");
    assert_eq!((more(&banned["user"]), more(&banned["created_by"])), (vec![], vec![]), "{banned}");
    assert!(more(&said["user"]).is_empty(), "{said}");
    for name in ["banned", "created_at", "id", "language", "online", "role", "updated_at", "blocked_user_ids", "teams"]
    {
        assert!(said["user"].get(name).is_some(), "{name}: {said}");
    }
    assert_eq!(said["user"]["custom"], json!({ "color": "red" }));
    // The author of the message is told whole.
    assert_eq!(said["message"]["user"]["shadow_banned"], true);
}

#[tokio::test]
async fn a_call_comes_from_the_address_that_a_proxy_on_this_machine_says() {
    let (lake, mut calls) = hooked("classic", json!(["message.new"])).await;
    let body = json!({ "message": { "text": "hi" } });
    for (forwarded, expected) in [("", "127.0.0.1"), ("x-forwarded-for: 10.1.1.1, 198.51.100.4\r\n", "198.51.100.4")] {
        assert_eq!(lake.post_from("amy", MESSAGE, forwarded, &body).await, 201);
        assert_eq!(calls.recv().await.unwrap().json()["request_info"]["ip"], expected);
    }
}

#[tokio::test]
async fn events_of_messages_tell_hooks_who_is_in_the_channel_and_what_they_have_not_read() {
    let (lake, mut calls) = hooked("classic", json!(["message.new"])).await;
    for text in ["one", "two"] {
        lake.user("amy").post(MESSAGE, json!({ "message": { "text": text } })).await.ok(201);
    }
    calls.recv().await.unwrap();
    let told = calls.recv().await.unwrap().json();
    let members = told["members"].as_array().unwrap();
    let unread = |user: &Value| {
        ["id", "channel_unread_count", "total_unread_count", "unread_count", "unread_channels", "unread_threads"]
            .map(|name| user[name].clone())
            .to_vec()
    };
    assert_eq!(unread(&members[0]["user"]), [json!("amy"), json!(0), json!(0), json!(0), json!(0), json!(0)]);
    assert_eq!(unread(&members[1]["user"]), [json!("bob"), json!(2), json!(2), json!(2), json!(1), json!(0)]);
    assert_eq!((&members[1]["channel_role"], members.len()), (&json!("channel_member"), 2));
    assert!(members[1]["user"]["channel_last_read_at"].is_string());
    assert_eq!((&told["user"]["id"], &told["user"]["channel_unread_count"]), (&json!("amy"), &json!(0)));
    assert_eq!(told["channel_member_count"], 2);
}

#[tokio::test]
async fn an_event_tells_of_fifty_members_at_most() {
    let (lake, mut calls) = hooked("classic", json!(["message.new"])).await;
    let more: Vec<String> = (0..60).map(|n| format!("user{n}")).collect();
    let users: serde_json::Map<String, Value> = more.iter().map(|id| (id.clone(), json!({ "id": id }))).collect();
    lake.post("users", json!({ "users": users })).await.ok(201);
    lake.post("channels/messaging/room", json!({ "add_members": more })).await.ok(201);
    lake.user("amy").post(MESSAGE, json!({ "message": { "text": "hi" } })).await.ok(201);
    assert_eq!(calls.recv().await.unwrap().json()["members"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_change_of_a_message_tells_what_it_said_before_and_what_is_another_now() {
    let (lake, mut calls) = hooked("classic", json!(["message.updated"])).await;
    lake.user("amy").post(MESSAGE, json!({ "message": { "id": "m1", "text": "hi" } })).await.ok(201);
    lake.user("amy").put("messages/m1", json!({ "set": { "text": "ho", "color": "red" } })).await.ok(201);
    let update = calls.recv().await.unwrap().json()["message_update"].clone();
    let expected = json!({ "old_text": "hi", "change_set": {
        "text": true, "custom": true, "html": false, "attachments": false, "mentioned_user_ids": false, "mml": false,
        "quoted_message_id": false, "silent": false, "pin": false } });
    assert_eq!(update, expected);
    lake.put("messages/m1", json!({ "set": { "pinned": true }, "user_id": "amy" })).await.ok(201);
    let update = calls.recv().await.unwrap().json()["message_update"].clone();
    assert_eq!((&update["change_set"]["pin"], update.get("old_text")), (&json!(true), None));
}

#[tokio::test]
async fn a_reply_tells_whom_it_answers_and_who_takes_part() {
    let (lake, mut calls) = hooked("v2", json!(["message.new", "notification.thread_message_new"])).await;
    lake.user("amy").post(MESSAGE, json!({ "message": { "id": "m1", "text": "hi" } })).await.ok(201);
    let first = calls.recv().await.unwrap().json();
    assert_eq!((first.get("parent_author"), first.get("thread_participants")), (None, None));
    assert_eq!((&first["channel_custom"], &first["channel_member_count"]), (&json!({ "name": "General" }), &json!(2)));
    let reply = json!({ "message": { "id": "m2", "text": "ho", "parent_id": "m1" } });
    lake.user("bob").post(MESSAGE, reply).await.ok(201);
    for _ in 0..2 {
        let told = calls.recv().await.unwrap().json();
        assert_eq!((&told["parent_author"], &told["message_id"]), (&json!("amy"), &json!("m2")), "{told}");
        let mut ids: Vec<_> =
            told["thread_participants"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["amy", "bob"]);
        if told["type"] == "notification.thread_message_new" {
            assert_eq!((&told["unread_threads"], &told["unread_thread_messages"]), (&json!(1), &json!(1)));
            assert_eq!(told["channel_custom"], json!({ "name": "General" }));
        }
    }
}

#[tokio::test]
async fn who_takes_part_in_a_thread_is_told_what_is_unread_there() {
    let (lake, _calls) = hooked("classic", json!(["message.flagged"])).await;
    lake.user("amy").post(MESSAGE, json!({ "message": { "id": "m1", "text": "hi" } })).await.ok(201);
    let mut amy = lake.connect("amy").await;
    lake.user("bob").post(MESSAGE, json!({ "message": { "text": "ho", "parent_id": "m1" } })).await.ok(201);
    let told = amy.find("notification.thread_message_new").await;
    assert_eq!((&told["unread_threads"], &told["unread_thread_messages"]), (&json!(1), &json!(1)));
    lake.user("amy").post("channels/messaging/room/read", json!({ "thread_id": "m1" })).await.ok(201);
    let told = amy.find("notification.mark_read").await;
    assert_eq!((&told["unread_threads"], &told["unread_thread_messages"]), (&json!(0), &json!(0)));
    assert_eq!((&told["total_unread_count"], &told["thread_id"]), (&json!(0), &json!("m1")));
}

#[tokio::test]
async fn what_is_reported_decided_and_appealed_is_told_to_hooks() {
    let kinds = json!([
        "review_queue_item.new",
        "review_queue_item.updated",
        "moderation.flagged",
        "moderation.mark_reviewed",
        "moderation.custom_action",
        "flag.updated",
        "appeal.created",
        "appeal.accepted",
        "appeal.rejected"
    ]);
    let (lake, mut calls) = hooked("v2", kinds).await;
    let server = lake.v2();
    lake.user("amy").post(MESSAGE, json!({ "message": { "id": "m1", "text": "heck" } })).await.ok(201);
    let report =
        json!({ "entity_type": "stream:chat:v1:message", "entity_id": "m1", "user_id": "bob", "reason": "rude" });
    let item = server.post("moderation/flag", report).await.ok(201)["item_id"].clone();
    let mut heard: HashMap<String, Value> = HashMap::new();
    let mut hear = async |n: usize| {
        heard.clear();
        for _ in 0..n {
            let told = calls.recv().await.unwrap().json();
            heard.insert(told["type"].as_str().unwrap().to_owned(), told);
        }
        std::mem::take(&mut heard)
    };
    let told = hear(2).await;
    let new = &told["review_queue_item.new"];
    assert_eq!((&new["review_queue_item"]["id"], &new["flags"][0]["reason"]), (&item, &json!("rude")));
    assert_eq!(new["review_queue_item"]["message"]["text"], "heck");
    let flagged = &told["moderation.flagged"];
    assert_eq!((&flagged["content_type"], &flagged["object_id"]), (&json!("stream:chat:v1:message"), &json!("m1")));

    let plea =
        json!({ "entity_type": "stream:chat:v1:message", "entity_id": "m1", "appeal_reason": "no", "user_id": "amy" });
    let appeal = server.post("moderation/appeal", plea).await.ok(201)["appeal_id"].clone();
    let told = hear(2).await;
    assert_eq!(
        (&told["appeal.created"]["appeal"]["id"], &told["appeal.created"]["appeal"]["status"]),
        (&appeal, &json!("submitted"))
    );
    assert_eq!(told["review_queue_item.updated"]["review_queue_item"]["appeal"]["id"], appeal);

    let custom = json!({ "action_type": "custom", "item_id": item, "user_id": "bob",
        "custom": { "id": "warn", "options": { "days": 3 } } });
    server.post("moderation/submit_action", custom).await.ok(201);
    let told = hear(2).await;
    let asked = &told["moderation.custom_action"];
    assert_eq!((&asked["action_id"], &asked["action_options"]), (&json!("warn"), &json!({ "days": 3 })));
    assert_eq!((&asked["review_queue_item"]["id"], &asked["message"]["id"]), (&item, &json!("m1")));
    assert_eq!(told["review_queue_item.updated"]["action"]["type"], "custom");

    let reviewed = json!({ "action_type": "mark_reviewed", "item_id": item, "user_id": "bob" });
    server.post("moderation/submit_action", reviewed).await.ok(201);
    let told = hear(3).await;
    assert_eq!(
        (&told["moderation.mark_reviewed"]["item"]["status"], &told["moderation.mark_reviewed"]["message"]["id"]),
        (&json!("reviewed"), &json!("m1"))
    );
    let flag = &told["flag.updated"];
    assert_eq!(
        (&flag["User"]["id"], &flag["CreatedBy"]["id"], &flag["Message"]["id"]),
        (&json!("amy"), &json!("bob"), &json!("m1"))
    );

    let no = json!({ "action_type": "reject_appeal", "appeal_id": appeal, "user_id": "bob", "reject_appeal": { "decision_reason": "no" } });
    server.post("moderation/submit_action", no).await.ok(201);
    let told = hear(2).await;
    assert_eq!(told["appeal.rejected"]["appeal"]["status"], "rejected");

    let out = json!({ "action_type": "delete_message", "item_id": item, "user_id": "bob", "delete_message": {} });
    server.post("moderation/submit_action", out).await.ok(201);
    let plea =
        json!({ "entity_type": "stream:chat:v1:message", "entity_id": "m1", "appeal_reason": "yes", "user_id": "amy" });
    let appeal = server.post("moderation/appeal", plea).await.ok(201)["appeal_id"].clone();
    let yes = json!({ "action_type": "restore", "appeal_id": appeal, "user_id": "bob",
        "restore": { "decision_reason": "yes" } });
    server.post("moderation/submit_action", yes).await.ok(201);
    let accepted = loop {
        let told = hear(1).await.remove("appeal.accepted");
        if let Some(told) = told {
            break told["appeal"].clone();
        }
    };
    assert_eq!((&accepted["id"], &accepted["status"]), (&appeal, &json!("accepted")));
    assert_eq!((&accepted["decision_reason"], &accepted["user"]["id"]), (&json!("yes"), &json!("amy")));
}

#[tokio::test]
async fn changes_of_user_groups_are_told_to_hooks() {
    let kinds = ["created", "member_added", "updated", "member_removed", "deleted"];
    let wanted: Vec<String> = kinds.iter().map(|kind| format!("user_group.{kind}")).collect();
    let (lake, mut calls) = hooked("classic", json!(wanted)).await;
    lake.post("usergroups", json!({ "id": "g", "name": "Crew", "member_ids": ["amy"] })).await.ok(201);
    lake.put("usergroups/g", json!({ "name": "Team" })).await.ok(201);
    lake.post("usergroups/g/members/delete", json!({ "member_ids": ["amy"] })).await.ok(201);
    lake.delete("usergroups/g").await.ok(200);
    let members = [None, Some(json!(["amy"])), None, Some(json!(["amy"])), None];
    for ((kind, name), members) in wanted.iter().zip(["Crew", "Crew", "Team", "Team", "Team"]).zip(members) {
        let told = calls.recv().await.unwrap().json();
        assert_eq!((&told["type"], &told["user_group"]["name"]), (&json!(kind), &json!(name)));
        assert_eq!((&told["user_group"]["id"], told.get("members").cloned()), (&json!("g"), members), "{kind}");
    }
}

#[tokio::test]
async fn a_hook_is_told_where_the_file_of_an_export_is() {
    let (lake, mut calls) = hooked("classic", json!(["export.users.success", "export.channels.success"])).await;
    let exports = [
        ("users", "export/users", json!({ "user_ids": ["amy"] })),
        ("channels", "export_channels", json!({ "channels": [{ "cid": "messaging:room" }] })),
    ];
    for (what, path, body) in exports {
        let task = lake.post(path, body).await.ok(201)["task_id"].clone();
        lake.run_tasks().await;
        let told = calls.recv().await.unwrap().json();
        assert_eq!((&told["type"], &told["task_id"]), (&json!(format!("export.{what}.success")), &task));
        let url = told["url"].as_str().unwrap();
        assert!(url.contains(&format!("/exports/{what}/")) && told["started_at"].is_string(), "{told}");
        let (_, path) = url.split_once("/exports/").unwrap();
        assert_eq!(lake.get(&format!("exports/{path}")).await.status, 200);
    }
}
