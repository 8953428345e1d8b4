//! Realtime (feeds-v1 §9): whatever is sent, a list of Bayeux messages is answered, or it is refused.
//!
//! An input is a body; `CLIENT` in it stands for a client that has shaken hands, `TOKEN` for a token that may read.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::pond::Pond;
use crate::Target;

/// The target.
pub const TARGET: Target = Target {
    name: "bayeux",
    about: "Bayeux messages, polled",
    words: &[
        "/meta/handshake",
        "/meta/connect",
        "/meta/subscribe",
        "/meta/unsubscribe",
        "/meta/disconnect",
        "CLIENT",
        "TOKEN",
        "/site-7-feed-useramy",
        "\"advice\":{\"timeout\":0}",
        "\"advice\":{\"timeout\":-1}",
        "\"connectionType\":\"websocket\"",
        "\"ext\":{",
        "message=",
        "%5B",
        "\"id\":",
        "[[",
        "null",
        "\"subscription\":[",
    ],
    changed_seeds: 1500,
    run,
};

fn run(input: &[u8]) {
    Pond::with(|pond| {
        let hello =
            json!([{ "channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"] }]);
        let client = pond.ask(post(hello.to_string().into_bytes())).json()[0]["clientId"].clone();
        let text = String::from_utf8_lossy(input);
        let body = text.replace("CLIENT", client.as_str().expect("a client id")).replace("TOKEN", &pond.token);
        // Bytes that are no text stay what they are.
        let body = if text.as_bytes() == input { body.into_bytes() } else { input.to_vec() };
        let answer = pond.ask(post(body));
        match answer.status {
            200 => {
                let Value::Array(messages) = answer.json() else { panic!("no list: {}", answer.text) };
                assert!(messages.iter().all(|message| message["channel"].is_string()), "{}", answer.text);
            }
            400 => assert!(answer.json()["error"].is_string(), "{}", answer.text),
            status => panic!("{status}: {}", answer.text),
        }
    });
}

fn post(body: Vec<u8>) -> Request<Body> {
    Request::post("/faye").body(Body::from(body)).unwrap()
}
