//! Push providers, templates, preferences, and trying them out (§6.15, §11.1, §11.9).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

const AT: &str = "2026-01-01T00:00:00Z";
const NANOS: i64 = 1_767_225_600_000_000_000;

async fn put(pond: &Pond, provider: Value) -> Value {
    pond.post("push_providers", json!({ "push_provider": provider })).await.ok(201)["push_provider"].clone()
}

async fn people(pond: &Pond) {
    let users = json!({ "users": { "amy": { "id": "amy", "name": "Amy \"A\"" }, "bob": { "id": "bob" } } });
    pond.post("users", users).await.ok(201);
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"], "name": "General" } });
    pond.post("channels/messaging/general/query", data).await.ok(201);
    let message = json!({ "message": { "id": "m1", "text": "hi \"you\"", "user_id": "amy" } });
    pond.post("channels/messaging/general/message", message).await.ok(201);
}

#[tokio::test]
async fn a_provider_is_stored_and_shown_without_its_secrets_in_both_dialects() {
    let pond = Pond::new().await;
    let shown = json!({ "type": "firebase", "name": "main", "description": "d", "firebase_credentials": "********",
        "created_at": AT, "updated_at": AT });
    let sent =
        json!({ "type": "firebase", "name": "main", "description": "d", "firebase_credentials": "{}", "bogus": 1 });
    assert_eq!(put(&pond, sent).await, shown);
    assert_eq!(pond.get("push_providers").await.ok(200), json!({ "push_providers": [shown] }));
    let of_v2 = &pond.v2().get("push_providers").await.ok(200)["push_providers"][0];
    assert_eq!((&of_v2["created_at"], &of_v2["updated_at"]), (&json!(NANOS), &json!(NANOS)));
    assert_eq!(pond.get("app").await.ok(200)["app"]["push_notifications"]["providers"], json!([shown]));

    // What is shown in the place of a secret leaves it as it is; what is not said any more is gone.
    pond.clock.advance(1_000_000);
    let echoed = put(&pond, json!({ "type": "firebase", "name": "main", "firebase_credentials": "********" })).await;
    assert_eq!(
        echoed,
        json!({ "type": "firebase", "name": "main", "firebase_credentials": "********", "created_at": AT,
            "updated_at": "2026-01-01T00:00:01Z" })
    );
    pond.delete("push_providers/firebase/main").await.ok(200);
    assert_eq!(pond.get("push_providers").await.ok(200), json!({ "push_providers": [] }));
    assert_eq!(pond.refuses(Method::DELETE, "push_providers/firebase/main", "null").await, (404, 16));
}

#[tokio::test]
async fn a_provider_needs_a_type_that_is_known_and_a_name() {
    let pond = Pond::new().await;
    for body in [
        json!({}),
        json!({ "push_provider": { "type": "firebase" } }),
        json!({ "push_provider": { "name": "a" } }),
        json!({ "push_provider": { "type": "pigeon", "name": "a" } }),
        json!({ "push_provider": { "type": "apn", "name": "a", "apn_key_id": 7 } }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "push_providers", body.to_string()).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn a_device_names_a_provider_that_is_there_where_there_are_any() {
    let pond = Pond::new().await;
    let device =
        |name: &str| json!({ "id": "d", "user_id": "amy", "push_provider": "apn", "push_provider_name": name });
    pond.post("devices", device("whatever")).await.ok(201);
    put(&pond, json!({ "type": "apn", "name": "main" })).await;
    assert_eq!(pond.refuses(Method::POST, "devices", device("other").to_string()).await, (400, 4));
    pond.post("devices", device("main")).await.ok(201);
}

#[tokio::test]
async fn templates_belong_to_a_provider_and_an_event() {
    let pond = Pond::new().await;
    let template =
        json!({ "event_type": "message.new", "push_provider_type": "apn", "template": "{{ message.text }}" });
    assert_eq!(pond.refuses(Method::POST, "push_templates", template.to_string()).await, (404, 16));
    put(&pond, json!({ "type": "apn", "name": "main" })).await;
    let made = pond.post("push_templates", template.clone()).await.ok(201)["template"].clone();
    assert_eq!(
        made,
        json!({ "event_type": "message.new", "enable_push": true, "template": "{{ message.text }}",
            "push_provider_internal_id": made["push_provider_internal_id"], "created_at": AT, "updated_at": AT })
    );
    let off = json!({ "event_type": "message.new", "push_provider_type": "apn", "push_provider_name": "main",
        "enable_push": false });
    let off = pond.v2().post("push_templates", off).await.ok(201)["template"].clone();
    assert_eq!((&off["enable_push"], &off["template"]), (&json!(false), &made["template"]));
    assert_eq!(off["created_at"], NANOS);
    let listed = pond.get("push_templates?push_provider_type=apn&push_provider_name=main").await.ok(200);
    assert_eq!(listed["templates"].as_array().unwrap().len(), 1);
    for body in [
        json!({ "event_type": "message.read", "push_provider_type": "apn", "template": "x" }),
        json!({ "event_type": "message.new", "push_provider_type": "apn", "template": "{{#each x}}" }),
        json!({ "event_type": "message.new", "template": "x" }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "push_templates", body.to_string()).await, (400, 4), "{body}");
    }
    // With the provider its templates go.
    pond.delete("push_providers/apn/main").await.ok(200);
    put(&pond, json!({ "type": "apn", "name": "main" })).await;
    assert_eq!(pond.get("push_templates?push_provider_type=apn").await.ok(200), json!({ "templates": [] }));
}

#[tokio::test]
async fn check_push_renders_what_devices_would_be_sent_and_says_that_none_was() {
    let pond = Pond::new().await;
    people(&pond).await;
    let own = json!({ "user_id": "bob", "message_id": "m1", "skip_devices": true,
        "apn_template": "{\"t\":\"{{ sender.name }}: {{ message.text }}\"}", "firebase_template": "{{#if x}}" });
    let answer = pond.post("check_push", own).await.ok(201);
    assert_eq!(answer["rendered_apn_template"], r#"{"t":"Amy \"A\": hi \"you\""}"#);
    let error = answer["general_errors"][0].as_str().unwrap();
    assert!(error.starts_with("firebase_template holds `{{#if x}}`"), "{error}");
    assert_eq!(
        answer["rendered_message"],
        json!({ "message_id": "m1", "cid": "messaging:general", "channel_id": "general", "channel_type": "messaging",
            "sender_id": "amy", "receiver_id": "bob", "type": "message.new" })
    );
    let to_devices = json!({ "user_id": "bob", "message_id": "m1" });
    let answer = pond.post("check_push", to_devices.clone()).await.ok(201);
    assert_eq!(answer["general_errors"], json!(["no push providers configured"]));

    put(&pond, json!({ "type": "apn", "name": "main", "apn_notification_template": "{{ channel.name }}" })).await;
    pond.post("devices", json!({ "id": "d", "user_id": "bob", "push_provider": "apn" })).await.ok(201);
    let by_provider = json!({ "user_id": "bob", "message_id": "m1", "push_provider_type": "apn" });
    let answer = pond.v2().post("check_push", by_provider).await.ok(201);
    assert_eq!(answer["rendered_apn_template"], "General");
    let error = &answer["device_errors"]["d"];
    assert_eq!((&error["provider"], &error["provider_name"]), (&json!("apn"), &json!("")));
    assert!(error["error_message"].as_str().unwrap().contains("nothing was sent"));
    assert!(answer["general_errors"][0].as_str().unwrap().contains("not available in this version"));
    let unknown = r#"{"user_id":"bob","push_provider_type":"apn","push_provider_name":"none"}"#;
    assert_eq!(pond.refuses(Method::POST, "check_push", unknown).await, (404, 16));
}

#[tokio::test]
async fn users_say_what_they_want_to_be_told_of_and_see_it_again() {
    let pond = Pond::new().await;
    people(&pond).await;
    let everywhere = json!({ "chat_level": "direct_mentions", "call_level": "none", "disabled_until": "2026-02-01T00:00:00Z",
        "chat_preferences": { "thread_replies": "none" } });
    let mut asked = everywhere.clone();
    asked["user_id"] = json!("amy");
    let here = json!({ "user_id": "amy", "channel_cid": "messaging:general", "chat_level": "all" });
    let answer = pond.post("push_preferences", json!({ "preferences": [asked, here] })).await.ok(201);
    assert_eq!(
        answer,
        json!({ "user_preferences": { "amy": everywhere },
            "user_channel_preferences": { "amy": { "messaging:general": { "chat_level": "all" } } } })
    );
    let amy = pond.user("amy");
    let state = amy.post("channels/messaging/general/query", json!({})).await.ok(201);
    assert_eq!(state["push_preferences"], json!({ "chat_level": "all" }));
    let again = json!({ "preferences": [{ "remove_disable": true, "chat_preferences": null }] });
    let answer = pond.v2().user("amy").post("push_preferences", again).await.ok(201);
    let mut left = everywhere;
    left.as_object_mut().unwrap().remove("disabled_until");
    assert_eq!(answer["user_preferences"]["amy"], left);

    let refused = async |preference: Value| {
        let body = json!({ "preferences": [preference] }).to_string();
        pond.user("amy").refuses(Method::POST, "push_preferences", body).await
    };
    assert_eq!(refused(json!({ "user_id": "bob", "chat_level": "all" })).await, (403, 17));
    assert_eq!(refused(json!({ "chat_level": "loud" })).await, (400, 4));
    assert_eq!(refused(json!({ "chat_preferences": { "thread_replies": "maybe" } })).await, (400, 4));
    assert_eq!(refused(json!({ "channel_cid": "messaging:general", "call_level": "all" })).await, (400, 4));
    assert_eq!(refused(json!({ "channel_cid": "messaging:none", "chat_level": "all" })).await, (404, 16));
    assert_eq!(
        pond.refuses(Method::POST, "push_preferences", r#"{"preferences":[{"chat_level":"all"}]}"#).await,
        (400, 4)
    );
    assert_eq!(pond.refuses(Method::POST, "push_preferences", "{}").await, (400, 4));
}

#[tokio::test]
async fn preferences_are_told_to_their_user_and_go_with_them() {
    let pond = Pond::new().await;
    people(&pond).await;
    let wanted = json!({ "preferences": [{ "user_id": "bob", "chat_level": "none" }] });
    pond.post("push_preferences", wanted).await.ok(201);
    let export = pond.get("users/bob/export").await.ok(200);
    assert_eq!(export["push_preferences"], json!([{ "cid": "", "preference": { "chat_level": "none" } }]));
    let hard = json!({ "user_ids": ["bob"], "user": "hard", "messages": "hard", "conversations": "hard" });
    pond.post("users/delete", hard).await.ok(201);
    pond.run_tasks().await;
    assert_eq!(pond.residue("bob").await, Vec::<String>::new());
}
