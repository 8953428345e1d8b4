//! Activities and comments in other languages (§3.3, §3.4), by the words that are built in; how services are asked is shown
//! where messages are translated.

use http::Method;
use serde_json::{Value, json};
use server::Translator;

use crate::pond::Pond;

/// Amy posts `a1` to her feed, and bob comments on it with `c1`.
async fn pond(translator: Option<Translator>, text: &str) -> Pond {
    let pond = Pond::with(|options| options.translator = translator).await;
    pond.make("user:amy", "visible").await;
    pond.make("user:bob", "visible").await;
    let post = json!({ "id": "a1", "type": "post", "user_id": "amy", "feeds": ["user:amy"], "text": text });
    pond.post("activities", post).await;
    let comment =
        json!({ "id": "c1", "comment": text, "user_id": "bob", "object_id": "a1", "object_type": "activity" });
    pond.post("comments", comment).await;
    pond
}

fn into(language: &str) -> Value {
    json!({ "language": language })
}

#[tokio::test]
async fn an_activity_has_its_translations_until_it_says_something_else() {
    let pond = pond(Some(Translator::Words), "Test message").await;
    let before = pond.get("activities/a1").await["activity"].take();
    let answer = pond.user("bob").post("activities/a1/translate", into("es")).await;
    let spanish = json!({ "language": "en", "en_text": "Test message", "es_text": "mensaje de prueba" });
    let activity = &answer["activity"];
    assert_eq!((&activity["i18n"], &activity["text"]), (&spanish, &json!("Test message")));
    assert_eq!((activity.get("edited_at"), before.get("i18n")), (None, None));
    let mut both = spanish;
    both["hu_text"] = json!("Test message");
    pond.post("activities/a1/translate", into("hu")).await;
    let shown = async || pond.get("activities/a1").await["activity"].take();
    assert_eq!(shown().await["i18n"], both);
    pond.patch("activities/a1", json!({ "user_id": "amy", "set": { "custom": { "mood": "calm" } } })).await;
    assert_eq!(shown().await["i18n"], both);
    pond.put("activities/a1", json!({ "user_id": "amy", "text": "Test message" })).await;
    assert_eq!(shown().await["i18n"], both);
    pond.patch("activities/a1", json!({ "user_id": "amy", "set": { "text": "other" } })).await;
    assert_eq!(shown().await.get("i18n"), None);
}

#[tokio::test]
async fn a_comment_has_its_translations_until_it_says_something_else() {
    let pond = pond(Some(Translator::Words), "hello").await;
    let answer = pond.user("amy").post("comments/c1/translate", into("es")).await;
    let spanish = json!({ "language": "en", "en_text": "hello", "es_text": "hola" });
    assert_eq!((&answer["comment"]["i18n"], answer["comment"].get("edited_at")), (&spanish, None));
    pond.patch("comments/c1", json!({ "custom": { "mood": "calm" } })).await;
    assert_eq!(pond.get("comments/c1").await["comment"]["i18n"], spanish);
    pond.patch("comments/c1", json!({ "comment": "other" })).await;
    assert_eq!(pond.get("comments/c1").await["comment"].get("i18n"), None);
}

#[tokio::test]
async fn who_may_not_read_it_whole_cannot_have_it_translated() {
    let pond = pond(Some(Translator::Words), "hello").await;
    let change = json!({ "user_id": "amy", "text": "hello", "visibility": "tag", "visibility_tag": "gold" });
    pond.put("activities/a1", change).await;
    for path in ["activities/a1/translate", "comments/c1/translate"] {
        assert_eq!(pond.user("cat").refuses_post(path, into("es")).await, (403, 17), "{path}");
    }
    pond.put("activities/a1", json!({ "user_id": "amy", "text": "hello", "visibility": "private" })).await;
    assert_eq!(pond.user("cat").refuses_post("activities/a1/translate", into("es")).await, (403, 17));
}

#[tokio::test]
async fn only_known_languages_and_short_texts_that_are_there_are_translated() {
    let pond = pond(Some(Translator::Words), &"x".repeat(5_001)).await;
    for what in ["activities/a1", "comments/c1"] {
        let path = format!("{what}/translate");
        for body in [json!({}), into("xx"), into("ES"), into("es")] {
            assert_eq!(pond.refuses_post(&path, body.clone()).await, (400, 4), "{path} {body}");
        }
    }
    for path in ["activities/none/translate", "comments/none/translate"] {
        assert_eq!(pond.refuses_post(path, into("es")).await, (404, 16), "{path}");
    }
    pond.put("activities/a1", json!({ "user_id": "amy" })).await;
    assert_eq!(pond.refuses_post("activities/a1/translate", into("es")).await, (400, 4));
}

#[tokio::test]
async fn where_nobody_translates_it_says_so() {
    let pond = pond(None, "hello").await;
    for path in ["activities/a1/translate", "comments/c1/translate"] {
        assert_eq!(pond.refuses(Method::POST, path, into("es")).await, (400, 19), "{path}");
    }
}

#[tokio::test]
async fn translations_that_are_too_many_are_refused_and_hold_up_no_change() {
    let pond = pond(Some(Translator::Words), &"ß".repeat(4_900)).await;
    let mut refused = Vec::new();
    for language in ["es", "fr", "hu", "it", "pl", "pt", "sv", "tr"] {
        for path in ["activities/a1/translate", "comments/c1/translate"] {
            let answer = pond.call(Method::POST, path, into(language).to_string()).await;
            if answer.status != 201 {
                refused.push((path, answer.status));
            }
        }
    }
    assert!(refused.contains(&("activities/a1/translate", 413)), "{refused:?}");
    assert!(refused.contains(&("comments/c1/translate", 413)), "{refused:?}");
    let long = "y".repeat(4_000);
    let custom = json!({ "a": long });
    pond.patch("comments/c1", json!({ "custom": custom })).await;
    let (large, some) = ("z".repeat(40_000), json!({ "user_id": "amy", "text": "ß".repeat(4_900) }));
    let mut whole = some.clone();
    whole["custom"] = json!({ "a": large });
    pond.put("activities/a1", whole).await;
    assert_eq!(pond.get("activities/a1").await["activity"].get("i18n"), None);
}
