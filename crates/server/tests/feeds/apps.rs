//! Several apps on one server, and the administrator's calls about them.

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, KEY, Members, NOW_SECONDS, Pond, SECRET, sign};

/// A second app with the same groups.
async fn other(pond: &Pond) -> Client {
    let new = json!({ "key": "other-key", "secret": "other-secret", "is_for_sdk_suites": true });
    assert_eq!(pond.admin(Method::POST, "apps", new).await.status, 200);
    pond.app("other-key", "other-secret")
}

#[tokio::test]
async fn feeds_of_the_same_name_never_mix() {
    let pond = Pond::new().await;
    let other = other(&pond).await;
    let fish = json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" });
    let mine = pond.add("user:amy", crate::pond::with(fish.clone(), json!({ "object": "mine" }))).await;
    let theirs = other.add("user:amy", crate::pond::with(fish, json!({ "object": "theirs" }))).await;
    assert_eq!(mine["id"], theirs["id"]);
    pond.follow("timeline:bob", "user:amy").await;
    assert_eq!(
        (pond.objects("user:amy").await, other.objects("user:amy").await),
        (vec!["mine".into()], vec!["theirs".into()])
    );
    assert_eq!(pond.objects("timeline:bob").await, ["mine"]);
    assert!(other.objects("timeline:bob").await.is_empty());
    assert_eq!(other.get("feed/user/amy/followers/").await.ok(200), json!({ "results": [] }));
    other.delete("feed/user/amy/fish:1/?foreign_id=1").await.ok(200);
    other.delete("feed/timeline/bob/follows/user:amy/").await.ok(200);
    assert_eq!(pond.objects("timeline:bob").await, ["mine"]);
    let got = other.get(&format!("activities/?ids={}", mine.text("id"))).await.ok(200);
    assert_eq!(got, json!({ "results": [] }));
}

#[tokio::test]
async fn a_token_opens_its_own_app_only() {
    let pond = Pond::new().await;
    let other = other(&pond).await;
    pond.get("feed/user/amy/").await.ok(200);
    other.get("feed/user/amy/").await.ok(200);
    assert_eq!(pond.key("other-key").get("feed/user/amy/").await.refusal().error, (403, 17));
    assert_eq!(other.key(KEY).get("feed/user/amy/").await.refusal().error, (403, 17));
    assert_eq!(pond.user("amy").key("other-key").get("feed/user/amy/").await.refusal().error, (403, 17));
}

#[tokio::test]
async fn the_administrators_calls_want_the_administrators_token() {
    let pond = Pond::new().await;
    let tokens = [
        None,
        Some(String::new()),
        Some("Bearer ".to_owned()),
        Some("Bearer wrong".to_owned()),
        Some(pond.admin_token.clone()),
        Some(format!("Bearer {}", sign(SECRET, &json!({ "resource": "*", "action": "*", "feed_id": "*" })))),
    ];
    for route in &pond.admin_routes {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let path =
            format!("/admin/{}", route.path.replace("{app}", "7").replace("{name}", "user").replace("{id}", "hook"));
        for token in &tokens {
            let refusal = pond.token(token.clone()).refuses_to(method.clone(), &path, "{}").await;
            assert_eq!(refusal.error, (403, 17), "{method} {path}");
        }
    }
    pond.get("feed/user/amy/").await.ok(200);
}

#[tokio::test]
async fn an_app_is_made_listed_and_opened_by_its_tokens() {
    let pond = Pond::new().await;
    let made = pond.admin(Method::POST, "apps", json!({ "name": "second" })).await.ok(200);
    assert_eq!(made.keys(), ["created_at", "id", "is_suspended", "key", "name", "secret"]);
    let shown = (&made["id"], made.text("name"), &made["is_suspended"], made.text("created_at"));
    assert_eq!(shown, (&json!(8), "second", &json!(false), "2026-01-01T00:00:00.000000Z"));
    let list = pond.admin(Method::GET, "apps", Value::Null).await.json();
    assert_eq!((list["apps"][0].text("key"), &list["apps"][1]), (KEY, &made));

    let app = pond.app(made.text("key"), made.text("secret"));
    app.add("user:amy", json!({})).await;
    let token = async |body: Value| {
        let made = pond.admin(Method::POST, "tokens", body).await.json();
        app.token(Some(made.text("token").to_owned()))
    };
    for name in [made.text("key"), "8"] {
        token(json!({ "app": name })).await.get("feed/timeline/bob/").await.ok(200);
    }
    let bob = token(json!({ "app": "8", "user": "bob", "expires_in": 60 })).await;
    bob.get("feed/timeline/bob/").await.ok(200);
    assert_eq!(bob.get("feed/timeline/amy/").await.refusal().error, (403, 17));
    pond.clock.advance(120_000_000);
    assert_eq!(bob.get("feed/timeline/bob/").await.refusal().error, (403, 17));
}

#[tokio::test]
async fn an_app_for_the_suites_has_every_group_that_they_presume() {
    let pond = Pond::new().await;
    let shown = pond.admin(Method::GET, "apps/7/feed_groups", Value::Null).await.ok(200);
    let groups = shown["feed_groups"].as_array().unwrap();
    let by_day = r#"{{ verb }}_{{ time.strftime("%Y-%m-%d") }}"#;
    for (name, kind, access, format) in [
        ("user", "flat", "global_read", None),
        ("timeline", "flat", "private", None),
        ("flat", "flat", "private", None),
        ("topic", "flat", "private", None),
        ("secret", "flat", "private", None),
        ("aggregated", "aggregated", "private", Some(by_day)),
        ("aggregate", "aggregated", "private", Some(by_day)),
        ("timeline_aggregated", "aggregated", "private", Some(by_day)),
        ("notification", "notification", "global_write", Some(by_day)),
        ("invalid_aggregation_format", "aggregated", "private", Some("{{test[]}}")),
        ("ranked", "flat", "private", None),
    ] {
        let group = groups.iter().find(|group| group["name"] == name).unwrap_or_else(|| panic!("no group {name}"));
        let found = (group.text("type"), group.text("access"), group["aggregation_format"].as_str());
        assert_eq!(found, (kind, access, format), "{name}");
        assert_eq!(group.get("ranking").is_some(), name == "ranked", "{name}");
    }
}

#[tokio::test]
async fn a_new_app_has_the_documented_groups() {
    let pond = Pond::new().await;
    pond.admin(Method::POST, "apps", json!({ "key": "k", "secret": "s" })).await;
    let app = pond.app("k", "s");
    for group in ["user", "timeline", "flat", "aggregated", "timeline_aggregated", "notification"] {
        app.add(&format!("{group}:amy"), json!({})).await;
    }
    assert_eq!(app.get("feed/topic/amy/").await.refusal().error, (400, 6));
}

#[tokio::test]
async fn apps_that_are_there_or_badly_named_are_not_made() {
    let pond = Pond::new().await;
    for (body, status) in [
        (json!({ "key": KEY }), 409),
        (json!({ "id": 7 }), 409),
        (json!({ "id": 0 }), 409),
        (json!({ "key": "" }), 400),
        (json!({ "name": "n".repeat(256) }), 400),
        (json!({ "secret": "a\nb" }), 400),
        (json!({ "id": "x" }), 400),
        (json!([]), 400),
        (json!(1), 400),
    ] {
        let answer = pond.admin(Method::POST, "apps", body.clone()).await;
        assert_eq!((answer.status, answer.refusal().error.1), (status, 4), "{body}");
    }
    let list = pond.admin(Method::GET, "apps", Value::Null).await.json();
    assert_eq!(list["apps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn calls_about_apps_or_users_that_cannot_be_are_refused() {
    let pond = Pond::new().await;
    for path in ["apps/99/rotate", "apps/none/revoke"] {
        assert_eq!(pond.admin(Method::POST, path, Value::Null).await.refusal().error, (404, 16), "{path}");
    }
    assert_eq!(pond.admin(Method::POST, "tokens", json!({ "app": "none" })).await.refusal().error, (404, 16));
    let refusal = pond.admin(Method::POST, "tokens", json!({ "app": "7", "user": "" })).await.refusal();
    assert_eq!((refusal.error, refusal.fields), ((400, 4), vec!["user".to_owned()]));
    assert_eq!(pond.admin(Method::DELETE, "apps", Value::Null).await.refusal().error, (405, 17));
}

#[tokio::test]
async fn a_new_secret_makes_old_tokens_worthless_and_leaves_the_data() {
    let pond = Pond::new().await;
    pond.add("user:amy", json!({})).await;
    pond.user("amy").get("feed/user/amy/").await.ok(200);
    let rotated = pond.admin(Method::POST, "apps/7/rotate", Value::Null).await.json();
    assert_eq!(rotated.text("key"), KEY);
    assert_ne!(rotated.text("secret"), SECRET);
    assert_eq!(pond.get("feed/user/amy/").await.refusal().error, (403, 17));
    assert_eq!(pond.user("amy").get("feed/user/amy/").await.refusal().error, (403, 17));
    assert_eq!(pond.app(KEY, rotated.text("secret")).objects("user:amy").await, ["fish"]);
}

#[tokio::test]
async fn a_revoked_app_is_suspended_and_others_are_not() {
    let pond = Pond::new().await;
    let other = other(&pond).await;
    let revoked = pond.admin(Method::POST, &format!("apps/{KEY}/revoke"), Value::Null).await.json();
    assert_eq!(revoked["is_suspended"], true);
    for client in [pond.user("amy"), pond.token(None), pond.token(Some("x".into()))] {
        assert_eq!(client.get("feed/user/amy/").await.refusal().error, (401, 7));
    }
    assert_eq!(pond.refuses("feed/user/amy/", "{}").await.error, (401, 7));
    other.get("feed/user/amy/").await.ok(200);
}

#[tokio::test]
async fn a_token_that_was_made_expires_by_the_servers_clock() {
    let pond = Pond::new().await;
    let made = pond.admin(Method::POST, "tokens", json!({ "app": KEY, "expires_in": 1 })).await.json();
    let payload = made.text("token").split('.').nth(1).unwrap().to_owned();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        claims,
        json!({ "resource": "*", "action": "*", "feed_id": "*", "server": true, "exp": NOW_SECONDS + 1 })
    );
}
