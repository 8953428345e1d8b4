//! What a person leaves on a server: messages, reactions, files, channels of two and of many, feeds.

use reqwest::Method;
use serde_json::{Value, json};
use testing::pond::Pond;

use crate::feeds_v3;

/// What somebody else says in the same channel.
pub(crate) const ANOTHERS: &str = "bobs-own-words";

/// What was left, and where.
pub(crate) struct Said {
    pub(crate) user: String,
    /// What an access must show.
    pub(crate) texts: Vec<String>,
    /// The channel of two.
    pub(crate) pair: String,
    pub(crate) bobs_message: String,
    pub(crate) file: String,
    pub(crate) activity: String,
}

/// Makes the user, who then does everything once; `bob` is there too.
pub(crate) async fn live(pond: &Pond, user: &str) -> Said {
    let email = format!("{user}@example.com");
    let users = json!({"users": {
        user: {"id": user, "name": "Amy of the pond", "custom": {"email": email}},
        "bob": {"id": "bob", "custom": {"email": "bob@example.com"}},
        "dot": {"id": "dot"},
    }});
    pond.chat(Method::POST, "users", &users).await.ok();
    let members = json!([{"user_id": user}, {"user_id": "bob"}]);
    // A channel of two is a conversation, which goes with either of them; one of three stays.
    let three = json!([{"user_id": user}, {"user_id": "bob"}, {"user_id": "dot"}]);
    let group = json!({"data": {"created_by_id": "bob", "members": three}});
    pond.chat(Method::POST, "chat/channels/messaging/ice/query", &group).await.ok();
    let pair = json!({"data": {"created_by_id": user, "members": members}});
    let pair = pond.chat(Method::POST, "chat/channels/messaging/query", &pair).await.ok();
    let pair = pair["channel"]["id"].as_str().unwrap().to_owned();
    let file = pond.upload("messaging/ice", user, "the file of amy").await;
    say(pond, "ice", user, &json!({"text": "amy-in-the-group", "attachments": [{"asset_url": file}]})).await;
    say(pond, &pair, user, &json!({"text": "amy-in-private"})).await;
    let bobs_message = say(pond, "ice", "bob", &json!({"text": ANOTHERS})).await;
    let reaction = json!({"reaction": {"type": "amys-applause", "user_id": user}});
    pond.chat(Method::POST, &format!("chat/messages/{bobs_message}/reaction"), &reaction).await.ok();
    let flag = json!({"target_message_id": bobs_message, "user_id": user, "reason": "spam"});
    let _ = pond.chat(Method::POST, "moderation/flag", &flag).await;
    let activity = feeds(pond, user).await;
    let texts = [email.as_str(), "Amy of the pond", "amy-in-the-group", "amy-in-private", "amys-applause"];
    let texts = texts.iter().map(|text| (*text).to_owned()).chain(feeds_v3::live(pond, user).await).collect();
    Said { user: user.to_owned(), texts, pair, bobs_message, file, activity }
}

async fn say(pond: &Pond, channel: &str, user: &str, message: &Value) -> String {
    let mut message = message.clone();
    message["user_id"] = user.into();
    let path = format!("chat/channels/messaging/{channel}/message");
    let said = pond.chat(Method::POST, &path, &json!({"message": message})).await.ok();
    said["message"]["id"].as_str().unwrap().to_owned()
}

/// An activity, a reaction, a follow and a profile in feeds v1.0; answers the activity.
async fn feeds(pond: &Pond, user: &str) -> String {
    let profile = json!({"id": user, "data": {"name": "Amy of the feeds"}});
    pond.feeds(Method::POST, "user/?get_or_create=true", &profile).await.ok();
    let activity = json!({"actor": format!("SU:{user}"), "verb": "skate", "object": "amys-lap", "to": ["user:bob"]});
    let added = pond.feeds(Method::POST, &format!("feed/user/{user}/"), &activity).await.ok();
    let id = added["id"].as_str().unwrap().to_owned();
    let bobs = json!({"actor": "SU:bob", "verb": "skate", "object": "bobs-lap"});
    let bobs = pond.feeds(Method::POST, "feed/user/bob/", &bobs).await.ok()["id"].as_str().unwrap().to_owned();
    let like = json!({"kind": "like", "activity_id": bobs, "user_id": user, "data": {"text": "amys-like"}});
    pond.feeds(Method::POST, "reaction/", &like).await.ok();
    let follow = json!({"target": "user:bob"});
    pond.feeds(Method::POST, &format!("feed/timeline/{user}/follows/"), &follow).await.ok();
    id
}

/// Nothing of the person is left through the API, nor in a row of the store.
pub(crate) async fn is_gone(pond: &Pond, said: &Said) {
    let user = &said.user;
    assert_eq!(pond.chat(Method::GET, &format!("users/{user}/export"), &Value::Null).await.status, 404);
    let payload = json!({"filter_conditions": {"id": {"$eq": user}}, "include_deactivated_users": true});
    let found = pond.chat(Method::GET, &format!("users?payload={}", encoded(&payload)), &Value::Null).await.ok();
    assert_eq!(found["users"], json!([]));
    let group = pond
        .chat(
            Method::POST,
            "chat/channels/messaging/ice/query",
            &json!({"state": true, "data": {"created_by_id": "bob"}}),
        )
        .await;
    assert!(group.text.contains(ANOTHERS), "bob's words stay: {}", group.text);
    for text in &said.texts {
        assert!(!group.text.contains(text.as_str()), "{text}: {}", group.text);
    }
    let pairs = json!({"filter_conditions": {"id": {"$eq": said.pair}}});
    let pairs = pond.chat(Method::POST, "chat/channels", &pairs).await.ok();
    assert_eq!(pairs["channels"], json!([]), "the channel of two");
    let message = pond.chat(Method::GET, &format!("chat/messages/{}", said.bobs_message), &Value::Null).await;
    assert!(message.status == 200 && !message.text.contains("amys-applause"), "{message:?}");
    assert_eq!(pond.fetch(&said.file).await, 404, "the file");
    let activity = pond.feeds(Method::GET, &format!("activities/?ids={}", said.activity), &Value::Null).await;
    assert!(!activity.text.contains("amys-lap"), "{activity:?}");
    let bobs = pond.feeds(Method::GET, "feed/user/bob/?with_recent_reactions=true", &Value::Null).await;
    assert!(bobs.text.contains("bobs-lap") && !bobs.text.contains("amys-l"), "{bobs:?}");
    feeds_v3::is_gone(pond, user).await;
    assert_eq!(pond.residue(user).await, Vec::<String>::new());
}

fn encoded(payload: &Value) -> String {
    form_urlencoded::byte_serialize(payload.to_string().as_bytes()).collect()
}
