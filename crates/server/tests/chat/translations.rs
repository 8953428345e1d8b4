//! Messages in other languages (§12.20): by a service that speaks LibreTranslate's API, or by the words that are built in.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, routing::post};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::Translator;
use tokio::net::TcpListener;

use crate::pond::Pond;

/// A channel of amy's and bob's in which she has said something, where this translator is.
async fn pond(translator: Translator, text: &str) -> Pond {
    let (pond, _) = Pond::start(|options| options.translator = Some(translator)).await;
    pond.put("channeltypes/messaging", json!({ "max_message_length": 6_000 })).await.ok(201);
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/messaging/general/query", data).await.ok(201);
    let said = json!({ "message": { "id": "m", "text": text } });
    pond.user("amy").post("channels/messaging/general/message", said).await.ok(201);
    pond
}

fn into(language: &str) -> Value {
    json!({ "language": language })
}

/// A service that gives this answer; and what it was asked.
async fn service(status: u16, answer: Value) -> (Translator, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::<Mutex<Vec<Value>>>::default();
    let translate = async move |State(asked): State<Arc<Mutex<Vec<Value>>>>, Json(body): Json<Value>| {
        asked.lock().unwrap().push(body);
        (StatusCode::from_u16(status).unwrap(), Json(answer))
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let routes = Router::new().route("/translate", post(translate)).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (Translator::Service { url, key: Some("k".to_owned()) }, asked)
}

#[tokio::test]
async fn a_message_has_its_translations_beside_what_was_said_until_it_says_something_else() {
    let pond = pond(Translator::Words, "Test message").await;
    let answer = pond.user("bob").post("messages/m/translate", into("es")).await.ok(201);
    let spanish = json!({ "language": "en", "en_text": "Test message", "es_text": "mensaje de prueba" });
    assert_eq!(answer["message"]["i18n"], spanish);
    let answer = pond.v2().post("chat/messages/m/translate", into("hu")).await.ok(201);
    let mut both = spanish;
    both["hu_text"] = json!("Test message");
    assert_eq!(answer["message"]["i18n"], both);
    assert_eq!(pond.get("messages/m").await.ok(200)["message"]["i18n"], both);
    pond.post("messages/m", json!({ "message": { "text": "other", "user_id": "amy" } })).await.ok(201);
    assert_eq!(pond.get("messages/m").await.ok(200)["message"].get("i18n"), None);
}

#[tokio::test]
async fn who_watches_is_told_of_a_translation() {
    let pond = pond(Translator::Words, "hello").await;
    pond.post("messages/m/translate", into("es")).await.ok(201);
    let since = json!({ "channel_cids": ["messaging:general"], "last_sync_at": "2026-01-01T00:00:00Z" });
    let events = pond.user("bob").post("sync", since).await.ok(201)["events"].clone();
    let last = events.as_array().unwrap().iter().rfind(|event| event["type"] == "message.updated").unwrap();
    assert_eq!(last["message"]["i18n"]["es_text"], "hola");
}

#[tokio::test]
async fn a_service_is_asked_for_what_is_in_the_message() {
    let answer = json!({ "translatedText": "bonjour", "detectedLanguage": { "language": "en", "confidence": 90 } });
    let (translator, asked) = service(200, answer).await;
    let pond = pond(translator, "good day").await;
    let answer = pond.post("messages/m/translate", into("fr")).await.ok(201);
    assert_eq!(answer["message"]["i18n"], json!({ "language": "en", "en_text": "good day", "fr_text": "bonjour" }));
    let question = json!({ "q": "good day", "source": "auto", "target": "fr", "format": "text", "api_key": "k" });
    assert_eq!(*asked.lock().unwrap(), [question]);
}

#[tokio::test]
async fn a_service_that_fails_leaves_the_message_as_it_is() {
    for (status, answer) in [(500, json!({ "error": "out of words" })), (200, json!({ "text": "x" }))] {
        let (translator, _) = service(status, answer).await;
        let pond = pond(translator, "good day").await;
        let refused = pond.refuses(Method::POST, "messages/m/translate", into("fr").to_string()).await;
        assert_eq!(refused, (400, 19), "{status}");
    }
    let nobody = Translator::Service { url: "http://127.0.0.1:1".to_owned(), key: None };
    let pond = pond(nobody, "good day").await;
    let refused = pond.refuses(Method::POST, "messages/m/translate", into("fr").to_string()).await;
    assert_eq!(refused, (400, 19));
}

#[tokio::test]
async fn only_known_languages_short_texts_and_messages_that_the_caller_sees_are_translated() {
    let pond = pond(Translator::Words, &"x".repeat(5_001)).await;
    let translate = |language| into(language).to_string();
    for language in ["xx", "", "ES", "es_MX"] {
        let refused = pond.refuses(Method::POST, "messages/m/translate", translate(language)).await;
        assert_eq!(refused, (400, 4), "{language}");
    }
    assert_eq!(pond.refuses(Method::POST, "messages/m/translate", translate("es-MX")).await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "messages/none/translate", translate("es")).await, (404, 16));
    let stranger = pond.user("carl").refuses(Method::POST, "messages/m/translate", translate("es")).await;
    assert_eq!(stranger, (403, 17));
    pond.delete("messages/m").await.ok(200);
    assert_eq!(pond.refuses(Method::POST, "messages/m/translate", translate("es")).await, (400, 4));
}
