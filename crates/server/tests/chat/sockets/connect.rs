//! Opening and ending connections (§9.1–§9.4).

use std::time::Duration;

use serde_json::{Value, json};
use server::realtime::Options;
use tokio_tungstenite::tungstenite::Message;

use super::lake::Lake;
use crate::pond::{KEY, NOW_SECONDS, SECRET, sign};

fn token(claims: Value) -> String {
    sign(SECRET, &claims)
}

#[tokio::test]
async fn the_first_frame_says_the_connection_and_its_user_in_the_dialect_of_the_path() {
    let lake = Lake::new().await;
    let json =
        json!({ "user_id": "jack", "user_details": { "id": "jack", "name": "Jack", "color": "red", "role": "admin" } });
    let token = token(json!({ "user_id": "jack" }));
    for path in ["/connect", "/connect/", "/ws"] {
        let mut hello = lake.dial(path, &token, &json).await.next().await;
        assert_eq!(hello["connection_id"].as_str().unwrap().len(), 36);
        hello["connection_id"] = json!("*");
        let at = "2026-01-01T00:00:00Z";
        let me = json!({
            "id": "jack", "role": "user", "name": "Jack", "teams": [], "created_at": at, "updated_at": at,
            "last_active": at, "banned": false, "online": true, "invisible": false, "blocked_user_ids": [], "color": "red",
            "devices": [], "mutes": [], "channel_mutes": [], "unread_count": 0, "total_unread_count": 0,
            "unread_channels": 0, "unread_threads": 0,
        });
        assert_eq!(
            hello,
            json!({ "type": "health.check", "connection_id": "*", "cid": "*", "me": me, "created_at": at }),
            "{path}"
        );
    }
    let hello = lake.dial("/api/v2/connect", &token, &json).await.next().await;
    assert_eq!(hello["created_at"], json!(1_767_225_600_000_000_000_i64));
    assert_eq!((&hello["custom"], &hello["me"]["custom"]), (&json!({}), &json!({ "color": "red" })));
}

#[tokio::test]
async fn the_first_frame_says_which_channels_its_user_muted_and_of_what_it_wants_to_be_told() {
    let lake = Lake::new().await;
    let data = json!({ "data": { "created_by_id": "jill", "members": ["jack"], "name": "General" } });
    lake.post("channels/messaging/general/query", data).await.ok(201);
    let mute = json!({ "channel_cid": "messaging:general", "user_id": "jack" });
    lake.post("moderation/mute/channel", mute).await.ok(201);
    let wanted = json!({ "preferences": [{ "user_id": "jack", "chat_level": "none" }] });
    lake.post("push_preferences", wanted).await.ok(201);
    let (token, json) =
        (token(json!({ "user_id": "jack" })), json!({ "user_id": "jack", "user_details": { "id": "jack" } }));
    let me = lake.dial("/connect", &token, &json).await.next().await["me"].clone();
    let muted = &me["channel_mutes"][0];
    assert_eq!((&muted["channel"]["cid"], &muted["channel"]["name"]), (&json!("messaging:general"), &json!("General")));
    assert_eq!((&muted["user"]["id"], &muted["channel"]["created_by"]["id"]), (&json!("jack"), &json!("jill")));
    assert_eq!((&muted["created_at"], muted.get("expires")), (&json!("2026-01-01T00:00:00Z"), None));
    assert_eq!(me["push_preferences"], json!({ "chat_level": "none" }));
}

#[tokio::test]
async fn who_may_not_connect_is_told_in_one_frame_and_closed_with_1000() {
    let lake = Lake::new().await;
    lake.post("users", json!({ "users": { "jack": { "id": "jack" } } })).await.ok(201);
    let jack = json!({ "user_id": "jack", "user_details": { "id": "jack" } }).to_string();
    let other = json!({ "user_id": "jack", "user_details": { "id": "jill" } }).to_string();
    let good = token(json!({ "user_id": "jack" }));
    let expired = token(json!({ "user_id": "jack", "exp": NOW_SECONDS - 60 }));
    let early = token(json!({ "user_id": "jack", "nbf": NOW_SECONDS + 600 }));
    let forged = sign("other", &json!({ "user_id": "jack" }));
    let server = token(json!({ "server": true }));
    for (key, token, kind, json, error) in [
        ("nobody", good.as_str(), "jwt", jack.as_str(), (401, 2)),
        (KEY, "", "jwt", &jack, (401, 5)),
        (KEY, "nonsense", "jwt", &jack, (401, 5)),
        (KEY, &good, "magic", &jack, (401, 5)),
        (KEY, &forged, "jwt", &jack, (401, 43)),
        (KEY, &expired, "jwt", &jack, (401, 40)),
        (KEY, &early, "jwt", &jack, (401, 41)),
        (KEY, &server, "jwt", &jack, (403, 17)),
        (KEY, &good, "jwt", &other, (401, 5)),
        (KEY, &good, "jwt", r#"{"user_id":"jill"}"#, (401, 5)),
        (KEY, &good, "jwt", r#"{"user_id":"jack","user_details":{}}"#, (400, 4)),
        (KEY, &good, "jwt", "{nonsense", (400, 4)),
    ] {
        let parameters = [("api_key", key), ("authorization", token), ("stream-auth-type", kind), ("json", json)];
        let mut socket = lake.open("/connect", &parameters).await;
        let frame = socket.next().await;
        let inside = &frame["error"];
        assert_eq!((frame["StatusCode"].as_i64(), frame["code"].as_i64()), (Some(error.0), Some(error.1)), "{frame}");
        assert_eq!((&inside["StatusCode"], &inside["code"]), (&frame["StatusCode"], &frame["code"]), "{frame}");
        assert!(frame["message"].as_str().unwrap().starts_with("Connect failed with error: \""), "{frame}");
        assert_eq!((&inside["message"], &inside["duration"]), (&frame["message"], &json!("0.00ms")));
        assert_eq!(socket.closed().await, Some(1000), "{frame}");
    }
}

#[tokio::test]
async fn a_request_that_is_no_upgrade_is_an_error() {
    let lake = Lake::new().await;
    assert_eq!(lake.get("connect").await.refusal(), (400, 4));
}

#[tokio::test]
async fn the_token_may_stand_in_the_json_and_anonymous_users_need_none() {
    let lake = Lake::new().await;
    let json = json!({ "user_id": "jack", "user_token": token(json!({ "user_id": "jack" })) }).to_string();
    let hello = lake.open("/connect", &[("api_key", KEY), ("json", &json)]).await.next().await;
    assert_eq!(hello["me"]["id"], "jack");
    let anonymous = [("api_key", KEY), ("stream-auth-type", "anonymous"), ("json", "{}")];
    let hello = lake.open("/connect", &anonymous).await.next().await;
    assert_eq!((&hello["me"]["id"], &hello["me"]["role"]), (&json!("!anon"), &json!("anonymous")));
}

#[tokio::test]
async fn a_health_check_is_answered_and_other_frames_are_not() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    jack.send(r#"{"type":"whatever"}"#).await;
    jack.send(r#"[{"type":"health.check","client_id":"x"}]"#).await;
    let health = jack.next().await;
    let expected =
        json!({ "type": "health.check", "connection_id": jack.id, "cid": "*", "created_at": "2026-01-01T00:00:00Z" });
    assert_eq!(health, expected);
}

#[tokio::test]
async fn health_checks_come_by_themselves_and_a_client_that_answers_pings_is_not_silent() {
    let tiny = Duration::from_millis(20);
    let options = Options { health_interval: tiny, silence_max: tiny * 200, ..Options::default() };
    let lake = Lake::with(options).await;
    let mut jack = lake.connect("jack").await;
    for _ in 0..3 {
        assert_eq!(jack.next().await["type"], "health.check");
    }
}

#[tokio::test]
async fn a_frame_above_64_kib_or_too_many_frames_end_the_connection() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    jack.send(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(jack.closed().await, Some(1009));
    let mut jill = lake.connect("jill").await;
    for _ in 0..300 {
        jill.send("{}").await;
    }
    assert_eq!(jill.closed().await, Some(1008));
}

#[tokio::test]
async fn a_message_may_come_byte_by_byte_and_in_several_frames() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    let mask = [7, 7, 7, 7];
    let frame = |opcode: u8, text: &[u8]| {
        let length = 0x80 | u8::try_from(text.len()).unwrap();
        let masked = text.iter().map(|byte| byte ^ 7);
        [opcode, length].into_iter().chain(mask).chain(masked).collect::<Vec<u8>>()
    };
    let frames = [frame(0x01, b"{\"type\":\"health."), frame(0x80, b"check\"}")].concat();
    for byte in frames {
        jack.send_raw(&[byte]).await;
    }
    assert_eq!(jack.next().await["type"], "health.check");
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_and_a_goodbye_with_a_goodbye() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    jack.send_frame(Message::Ping("how are you".into())).await;
    assert_eq!(jack.frame().await, Message::Pong("how are you".into()));
    jack.send_frame(Message::Close(None)).await;
    assert_eq!(jack.closed().await, Some(1000));
    assert_eq!(jack.closed().await, None, "the connection itself ends, too");
}

#[tokio::test]
async fn a_frame_that_is_not_masked_ends_the_connection_with_1002() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    jack.send_raw(&[0x81, 0x02, b'{', b'}']).await;
    assert_eq!(jack.closed().await, Some(1002));
}

#[tokio::test]
async fn who_answers_nothing_is_taken_for_gone() {
    let tiny = Duration::from_millis(5);
    let (health_interval, silence_max, grace) = (tiny, tiny, tiny);
    let lake = Lake::with(Options { health_interval, silence_max, grace, ..Options::default() }).await;
    let jack = lake.connect("jack").await;
    // Nobody reads its socket, so nothing answers the pings.
    while lake.get("users?payload=%7B%22filter_conditions%22:%7B%7D%7D").await.ok(200)["users"][0]["online"] == true {
        tokio::task::yield_now().await;
    }
    drop(jack);
}

#[tokio::test]
async fn a_user_has_so_many_connections_and_no_more() {
    let lake = Lake::with(Options { connections_per_user_max: 2, ..Options::default() }).await;
    let _open = (lake.connect("jack").await, lake.connect("jack").await);
    let json = json!({ "user_id": "jack", "user_details": { "id": "jack" } });
    let mut third = lake.dial("/connect", &token(json!({ "user_id": "jack" })), &json).await;
    assert_eq!(third.next().await["code"], 9);
    assert_eq!(third.closed().await, Some(1000));
    lake.connect("jill").await;
}

#[tokio::test]
async fn a_server_that_stops_tells_clients_to_come_back() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    lake.stop.send(()).unwrap();
    assert_eq!(jack.closed().await, Some(1012));
    drop(jack);
    assert_eq!(lake.served.await.unwrap().cut, 0);
}

#[tokio::test]
async fn who_is_deactivated_is_let_go() {
    let lake = Lake::new().await;
    let mut jack = lake.connect("jack").await;
    lake.post("users/jack/deactivate", json!({})).await.ok(201);
    assert_eq!(jack.closed().await, Some(1008));
}

#[tokio::test]
async fn in_the_v2_dialect_the_first_frame_of_the_client_may_say_whose_connection_it_is() {
    let lake = Lake::new().await;
    let introduced = async |frame: Value| {
        let mut socket = lake.open("/api/v2/connect", &[("api_key", KEY), ("stream-auth-type", "jwt")]).await;
        socket.send(&frame.to_string()).await;
        socket.next().await
    };
    let good = token(json!({ "user_id": "jack" }));
    let details = json!({ "id": "jack", "name": "Jack", "custom": { "color": "red" } });
    let hello = introduced(json!({ "token": good, "user_details": details, "products": ["chat"] })).await;
    assert_eq!((&hello["type"], &hello["me"]["custom"]), (&json!("health.check"), &json!({ "color": "red" })));
    assert!(hello["created_at"].is_i64());
    let hello = introduced(json!({ "token": good })).await;
    assert_eq!((&hello["me"]["name"], hello["connection_id"].as_str().unwrap().len()), (&json!("Jack"), 36));
    for (frame, code) in [
        (json!({ "products": ["chat"] }), 5),
        (json!({ "token": "nonsense" }), 5),
        (json!({ "token": sign("other", &json!({ "user_id": "jack" })) }), 43),
        (json!({ "token": good, "user_details": { "id": "jill" } }), 5),
        (json!({ "token": token(json!({ "server": true })) }), 17),
        (json!("jack"), 4),
    ] {
        let refused = introduced(frame.clone()).await;
        assert_eq!((&refused["code"], &refused["error"]["code"]), (&json!(code), &json!(code)), "{frame}");
    }
    let mut nobody = lake.open("/api/v2/connect", &[("api_key", "nobody")]).await;
    assert_eq!(nobody.next().await["code"], 2);
    let mut classic = lake.open("/connect", &[("api_key", KEY), ("stream-auth-type", "jwt")]).await;
    assert_eq!(classic.next().await["code"], 5, "the classic dialect has no such frame");
}
