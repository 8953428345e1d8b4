//! What an app's settings do (§8, §11.1, §12.14, §12.21).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, Pond};

impl Pond {
    async fn with(settings: Value) -> Self {
        let pond = Pond::new().await;
        pond.patch("app", settings).await.ok(201);
        pond
    }

    async fn named(&self, id: &str, name: &str, teams: &[&str]) -> (u16, i64) {
        let answer = self.post("users", json!({ "users": { id: { "id": id, "name": name, "teams": teams } } })).await;
        if answer.status == 201 { (201, 0) } else { answer.refusal() }
    }
}

async fn found(client: &Client, filter: Value) -> Vec<String> {
    let payload = json!({ "filter_conditions": filter, "sort": [{ "field": "id", "direction": 1 }] }).to_string();
    let encoded: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
    let answer = client.get(&format!("users?payload={encoded}")).await.ok(200);
    answer["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn names_are_unique_in_the_app_from_when_it_says_so() {
    let pond = Pond::new().await;
    assert_eq!(pond.named("amy", "Amy Lee", &[]).await, (201, 0));
    assert_eq!(pond.named("bob", "amy-lee", &[]).await, (201, 0));
    pond.v2().patch("app", json!({ "enforce_unique_usernames": "app" })).await.ok(201);
    // What was there stays, and may be said again.
    assert_eq!(pond.named("bob", "AMY LEE", &[]).await, (201, 0));
    assert_eq!(pond.named("cat", "amylee!", &["blue"]).await, (400, 6));
    assert_eq!(pond.named("cat", "Cat", &[]).await, (201, 0));
    let patch = json!({ "users": [{ "id": "cat", "set": { "name": "Amy Lee" } }] }).to_string();
    assert_eq!(pond.refuses(Method::PATCH, "users", patch).await, (400, 6));
    // A name that is given up is free.
    for id in ["amy", "bob"] {
        assert_eq!(pond.named(id, id, &[]).await, (201, 0));
    }
    assert_eq!(pond.named("cat", "Amy Lee", &[]).await, (201, 0));
    pond.patch("app", json!({ "enforce_unique_usernames": "no" })).await.ok(201);
    assert_eq!(pond.named("dan", "Amy Lee", &[]).await, (201, 0));
}

#[tokio::test]
async fn names_can_be_unique_in_each_team_alone() {
    let pond = Pond::with(json!({ "enforce_unique_usernames": "team" })).await;
    assert_eq!(pond.named("amy", "Amy", &["blue", "red"]).await, (201, 0));
    assert_eq!(pond.named("bob", "Amy", &["red"]).await, (400, 6));
    assert_eq!(pond.named("bob", "Amy", &["green"]).await, (201, 0));
    assert_eq!(pond.named("cat", "Amy", &[]).await, (201, 0));
    assert_eq!(pond.named("dan", "Amy", &[]).await, (400, 6));
}

#[tokio::test]
async fn where_teams_are_kept_apart_users_find_their_own_unless_they_ask() {
    let pond = Pond::with(json!({ "multi_tenant_enabled": true })).await;
    for (id, teams) in [("amy", vec!["blue"]), ("bob", vec!["blue", "red"]), ("cat", vec!["red"]), ("dan", vec![])] {
        pond.named(id, id, &teams).await;
    }
    assert_eq!(found(&pond.user("amy"), json!({})).await, ["amy", "bob"]);
    assert_eq!(found(&pond.user("dan"), json!({})).await, ["dan"]);
    assert_eq!(found(&pond.user("amy"), json!({ "teams": { "$in": ["red"] } })).await, ["bob", "cat"]);
    assert_eq!(found(&pond, json!({})).await, ["amy", "bob", "cat", "dan"]);
    let guest = r#"{"user":{"id":"gus"}}"#;
    assert_eq!(pond.refuses(Method::POST, "guest", guest).await, (403, 17));
}

#[tokio::test]
async fn who_may_not_search_does_not_find_users() {
    let pond = Pond::with(json!({ "user_search_disallowed_roles": ["guest"] })).await;
    let guest = pond.post("guest", json!({ "user": { "id": "gus" } })).await.ok(201);
    let guest = pond.token(Some(guest["access_token"].as_str().unwrap().to_owned()));
    let path = "users?payload=%7B%22filter_conditions%22%3A%7B%7D%7D";
    assert_eq!(guest.refuses(Method::GET, path, "").await, (403, 17));
    pond.user("amy").get(path).await.ok(200);
    pond.patch("app", json!({ "grants": { "user": [] } })).await.ok(201);
    assert_eq!(pond.user("amy").refuses(Method::GET, path, "").await, (403, 17));
    pond.patch("app", json!({ "disable_permissions_checks": true })).await.ok(201);
    pond.user("amy").get(path).await.ok(200);
    pond.patch("app", json!({ "disable_permissions_checks": false, "grants": null })).await.ok(201);
    pond.user("amy").get(path).await.ok(200);
}

#[tokio::test]
async fn an_app_can_do_without_guests() {
    let pond = Pond::with(json!({ "guest_user_creation_disabled": true })).await;
    assert_eq!(pond.token(None).refuses(Method::POST, "guest", r#"{"user":{"id":"gus"}}"#).await, (403, 17));
}

/// A channel of this type with the member amy.
async fn channel(pond: &Pond, kind: &str) {
    pond.named("amy", "Amy", &[]).await;
    let data = json!({ "data": { "created_by_id": "boss", "members": ["amy"] } });
    pond.post(&format!("channels/{kind}/general/query"), data).await.ok(201);
}

#[tokio::test]
async fn grants_of_the_type_and_of_the_channel_say_who_may_write() {
    let pond = Pond::new().await;
    channel(&pond, "messaging").await;
    let (amy, path) = (pond.user("amy"), "channels/messaging/general/message");
    let body = json!({ "message": { "text": "hi" } });
    amy.post(path, body.clone()).await.ok(201);
    let roles = json!({ "grants": { "user": [], "channel_member": ["read-channel"] } });
    pond.put("channeltypes/messaging", roles).await.ok(201);
    assert_eq!(amy.refuses(Method::POST, path, body.to_string()).await, (403, 17));
    pond.patch("app", json!({ "disable_permissions_checks": true })).await.ok(201);
    amy.post(path, body.clone()).await.ok(201);
    pond.patch("app", json!({ "disable_permissions_checks": false })).await.ok(201);
    let modified = json!({ "set": { "config_overrides": { "grants": { "channel_member": ["create-message"] } } } });
    pond.patch("channels/messaging/general", modified).await.ok(201);
    amy.post(path, body.clone()).await.ok(201);
    let own = pond.post(path, json!({ "message": { "text": "by the server", "user_id": "amy" } })).await;
    own.ok(201);
}

#[tokio::test]
async fn a_type_with_a_live_channel_stays() {
    let pond = Pond::new().await;
    pond.post("channeltypes", json!({ "name": "t" })).await.ok(201);
    channel(&pond, "t").await;
    assert_eq!(pond.refuses(Method::DELETE, "channeltypes/t", "null").await, (400, 4));
    pond.delete("channels/t/general").await.ok(200);
    pond.delete("channeltypes/t").await.ok(200);
}

#[tokio::test]
async fn a_word_of_a_blocklist_blocks_or_hides_a_users_message_and_not_the_servers() {
    let pond = Pond::new().await;
    pond.post("blocklists", json!({ "name": "mine", "words": ["darn"] })).await.ok(201);
    pond.put("channeltypes/messaging", json!({ "blocklist": "mine", "blocklist_behavior": "block" })).await.ok(201);
    channel(&pond, "messaging").await;
    let (amy, path) = (pond.user("amy"), "channels/messaging/general/message");
    let said = json!({ "message": { "id": "m1", "text": "Darn it" } });
    let refused = amy.post(path, said.clone()).await.ok(201)["message"].clone();
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("m1")));
    assert_eq!(pond.refuses(Method::GET, "messages/m1", "").await, (404, 16));
    pond.put("channeltypes/messaging", json!({ "blocklist_behavior": "shadow_block" })).await.ok(201);
    assert_eq!(amy.post(path, said).await.ok(201)["message"]["shadowed"], true);
    let own = json!({ "message": { "id": "m2", "text": "darn", "user_id": "amy" } });
    assert_eq!(pond.post(path, own).await.ok(201)["message"]["shadowed"], false);
}
