//! What an app's own servers say of a message before it is stored (§12.13, §13).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_lc_rs::hmac;
use axum::{Router, body::Bytes, extract::Request, routing::post};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::pond::{KEY, Pond, SECRET};

/// What an app's server was asked: path and query, headers, body.
type Heard = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;

/// An app's server that gives these answers one after the other, and then 500.
struct AppServer {
    url: String,
    heard: Heard,
}

impl AppServer {
    async fn new(answers: Vec<(u16, Value)>) -> Self {
        let (heard, answers) = (Heard::default(), Arc::new(Mutex::new(VecDeque::from(answers))));
        let hears = heard.clone();
        let answer = async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            hears.lock().unwrap().push((parts.uri.to_string(), parts.headers, body));
            let (status, body) = answers.lock().unwrap().pop_front().unwrap_or((500, Value::Null));
            (StatusCode::from_u16(status).unwrap(), body.to_string())
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(answer))).await });
        AppServer { url, heard }
    }

    fn times(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    fn last(&self) -> (String, HeaderMap, Value) {
        let (uri, headers, body) = self.heard.lock().unwrap().last().unwrap().clone();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), &body);
        let signature: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (headers["x-signature"].to_str().unwrap(), &headers["x-api-key"]),
            (&*signature, &KEY.parse().unwrap())
        );
        (uri, headers, serde_json::from_slice(&body).unwrap())
    }
}

/// A channel of amy's and bob's in an app with these settings.
async fn pond(settings: Value) -> Pond {
    let (pond, _) = Pond::start(|options| options.outbound_allowed = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"], "name": "General" } });
    pond.post("channels/messaging/general/query", data).await.ok(201);
    pond.patch("app", settings).await.ok(201);
    pond
}

const MESSAGES: &str = "channels/messaging/general/message";

async fn said(pond: &Pond, message: Value) -> Value {
    pond.user("amy").post(MESSAGES, json!({ "message": message })).await.ok(201)["message"].clone()
}

#[tokio::test]
async fn the_before_send_hook_is_told_the_message_and_may_rewrite_it() {
    let other = json!({ "message": { "id": "x", "text": "h***", "color": "blue", "silent": true,
        "i18n": { "de_text": "hallo" }, "attachments": [{ "type": "file", "title": "t" }] } });
    let app = AppServer::new(vec![(200, other)]).await;
    let pond = pond(json!({ "before_message_send_hook_url": app.url })).await;
    let message = said(&pond, json!({ "id": "m", "text": "heck", "color": "red", "shape": "round" })).await;
    let (_, _, asked) = app.last();
    assert_eq!((&asked["message"]["text"], &asked["message"]["color"]), (&json!("heck"), &json!("red")));
    assert_eq!((&asked["user"]["id"], &asked["channel"]["cid"]), (&json!("amy"), &json!("messaging:general")));
    assert_eq!((&asked["channel"]["name"], &asked["request_info"]["type"]), (&json!("General"), &json!("client")));
    for message in [message, pond.get("messages/m").await.ok(200)["message"].clone()] {
        assert_eq!((&message["id"], &message["text"]), (&json!("m"), &json!("h***")));
        assert_eq!((&message["color"], &message["shape"]), (&json!("blue"), &json!("round")));
        assert_eq!((&message["silent"], &message["i18n"]), (&json!(true), &json!({ "de_text": "hallo" })));
        assert_eq!(message["attachments"][0]["title"], "t");
    }
    assert_eq!(app.times(), 1);
}

#[tokio::test]
async fn the_before_send_hook_may_reject_a_message_which_is_then_not_stored() {
    let app = AppServer::new(vec![(200, json!({ "message": { "type": "error", "text": "no such words" } }))]).await;
    let pond = pond(json!({ "before_message_send_hook_url": app.url })).await;
    let message = said(&pond, json!({ "id": "m", "text": "heck" })).await;
    assert_eq!((&message["type"], &message["text"]), (&json!("error"), &json!("no such words")));
    assert_eq!(pond.refuses(Method::GET, "messages/m", "").await, (404, 16));
}

#[tokio::test]
async fn a_message_goes_on_when_the_before_send_hook_fails_and_after_five_failures_nobody_is_asked_for_a_while() {
    let app = AppServer::new(vec![(400, json!({})), (200, json!("nonsense")), (200, json!({}))]).await;
    let pond = pond(json!({ "before_message_send_hook_url": app.url })).await;
    for text in ["a", "b", "c"] {
        assert_eq!(said(&pond, json!({ "text": text })).await["text"], text);
    }
    assert_eq!(app.times(), 3);
    let nowhere = json!({ "before_message_send_hook_url": "http://127.0.0.1:1/" });
    pond.patch("app", nowhere).await.ok(201);
    for _ in 0..5 {
        said(&pond, json!({ "text": "d" })).await;
    }
    pond.patch("app", json!({ "before_message_send_hook_url": app.url })).await.ok(201);
    said(&pond, json!({ "text": "e" })).await;
    assert_eq!(app.times(), 3);
    pond.clock.advance(30_000_000);
    said(&pond, json!({ "text": "f" })).await;
    assert_eq!(app.times(), 4);
}

#[tokio::test]
async fn the_before_send_hook_is_not_asked_about_what_may_not_be_sent() {
    let app = AppServer::new(vec![]).await;
    let pond = pond(json!({ "before_message_send_hook_url": app.url })).await;
    let message = json!({ "message": { "text": "hi" } }).to_string();
    assert_eq!(pond.user("zoe").refuses(Method::POST, MESSAGES, message).await, (403, 17));
    assert_eq!(pond.user("amy").refuses(Method::POST, MESSAGES, r#"{"message":{"text":""}}"#).await, (400, 4));
    assert_eq!(app.times(), 0);
}

/// The channel type knows the command `/ticket`.
async fn with_command(pond: &Pond) {
    pond.post("commands", json!({ "name": "ticket", "description": "Opens a ticket" })).await.ok(201);
    pond.put("channeltypes/messaging", json!({ "commands": ["giphy", "ticket"] })).await.ok(201);
}

#[tokio::test]
async fn a_custom_command_is_handled_by_the_apps_server_which_says_what_is_sent() {
    let reply =
        json!({ "message": { "text": "ticket 7 is open", "attachments": [{ "type": "ticket", "number": 7 }] } });
    let app = AppServer::new(vec![(200, reply)]).await;
    let pond = pond(json!({ "custom_action_handler_url": format!("{}?type={{type}}", app.url) })).await;
    with_command(&pond).await;
    let message = said(&pond, json!({ "id": "m", "text": "/ticket broken lamp" })).await;
    let (uri, _, asked) = app.last();
    assert!(uri.ends_with("/hook?type=ticket"), "{uri}");
    assert_eq!((&asked["message"]["command"], &asked["message"]["args"]), (&json!("ticket"), &json!("broken lamp")));
    assert_eq!((&asked["user"]["id"], &asked["form_data"]), (&json!("amy"), &json!({})));
    for message in [message, pond.get("messages/m").await.ok(200)["message"].clone()] {
        assert_eq!((&message["type"], &message["text"]), (&json!("regular"), &json!("ticket 7 is open")));
        assert_eq!((&message["command"], &message["args"]), (&json!("ticket"), &json!("broken lamp")));
        assert_eq!(message["attachments"], json!([{ "type": "ticket", "number": 7 }]));
    }
    // What is no command of the channel is text, about which nobody is asked.
    assert_eq!(said(&pond, json!({ "text": "/unknown thing" })).await["text"], "/unknown thing");
    assert_eq!(app.times(), 1);
}

#[tokio::test]
async fn a_custom_command_may_be_answered_for_its_sender_alone_or_with_an_error() {
    let replies = vec![
        (200, json!({ "message": { "type": "ephemeral", "text": "only you see this" } })),
        (200, json!({ "message": { "type": "error", "text": "no lamp" } })),
    ];
    let app = AppServer::new(replies).await;
    let pond = pond(json!({ "custom_action_handler_url": app.url })).await;
    with_command(&pond).await;
    assert_eq!(said(&pond, json!({ "id": "m", "text": "/ticket" })).await["type"], "ephemeral");
    pond.user("amy").get("messages/m").await.ok(200);
    assert!(pond.user("bob").get("messages/m").await.status >= 400);
    let state = pond.user("bob").post("channels/messaging/general/query", json!({})).await.ok(201);
    assert_eq!(state["messages"], json!([]));
    let message = said(&pond, json!({ "id": "n", "text": "/ticket" })).await;
    assert_eq!((&message["type"], &message["text"]), (&json!("error"), &json!("no lamp")));
    assert_eq!(pond.refuses(Method::GET, "messages/n", "").await, (404, 16));
}

#[tokio::test]
async fn a_custom_command_that_nobody_handles_is_refused() {
    let app = AppServer::new(vec![
        (500, json!({})),
        (200, json!({ "nothing": 1 })),
        (200, json!({ "message": { "type": "loud" } })),
    ])
    .await;
    let pond = pond(json!({})).await;
    with_command(&pond).await;
    let ticket = || json!({ "message": { "text": "/ticket" } }).to_string();
    let amy = pond.user("amy");
    assert_eq!(amy.refuses(Method::POST, MESSAGES, ticket()).await, (400, 44));
    pond.patch("app", json!({ "custom_action_handler_url": app.url })).await.ok(201);
    for _ in 0..3 {
        assert_eq!(amy.refuses(Method::POST, MESSAGES, ticket()).await, (400, 45));
    }
    assert_eq!(app.times(), 3);
}

#[tokio::test]
async fn the_buttons_of_a_custom_command_are_answered_by_the_apps_server() {
    let form =
        json!({ "type": "poll", "actions": [{ "name": "vote", "value": "yes", "text": "Yes", "type": "button" }] });
    let answers = [
        json!({ "message": { "type": "ephemeral", "text": "choose", "attachments": [form] } }),
        json!({ "message": { "type": "ephemeral", "text": "sure?" } }),
        json!({ "message": { "type": "error", "text": "too late" } }),
        json!({ "message": { "type": "regular", "text": "amy said yes", "attachments": [] } }),
    ];
    let app = AppServer::new(answers.into_iter().map(|answer| (200, answer)).collect()).await;
    let pond = pond(json!({ "custom_action_handler_url": app.url })).await;
    with_command(&pond).await;
    let asked = said(&pond, json!({ "id": "m", "text": "/ticket it" })).await;
    assert_eq!((&asked["type"], &asked["text"]), (&json!("ephemeral"), &json!("choose")));
    let press = async || {
        let body = json!({ "form_data": { "vote": "yes" } });
        pond.user("amy").post("messages/m/action", body).await.ok(201)["message"].clone()
    };
    let again = press().await;
    assert_eq!((&again["type"], &again["text"]), (&json!("ephemeral"), &json!("sure?")));
    let (_, _, told) = app.last();
    assert_eq!((&told["form_data"], &told["message"]["id"]), (&json!({ "vote": "yes" }), &json!("m")));
    assert_eq!(press().await["type"], "error");
    let sent = press().await;
    assert_eq!((&sent["type"], &sent["text"]), (&json!("regular"), &json!("amy said yes")));
    assert_eq!(pond.user("bob").get("messages/m").await.ok(200)["message"]["text"], "amy said yes");
    let body = json!({ "form_data": { "vote": "yes" } }).to_string();
    assert_eq!(pond.user("amy").refuses(Method::POST, "messages/m/action", body).await, (400, 4), "it is sent");
}
