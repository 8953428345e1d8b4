//! Settings of the whole app (§2.2, §11.1).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, NOW_SECONDS, Pond, sign};

impl Client {
    /// The app as its server sees it.
    async fn app(&self) -> Value {
        self.get("app").await.ok(200)["app"].clone()
    }

    async fn set(&self, settings: Value) {
        assert_eq!(self.patch("app", settings).await.ok(201), json!({}));
    }
}

#[tokio::test]
async fn an_app_has_what_clients_read_unconditionally() {
    let pond = Pond::new().await;
    for client in [(*pond).clone(), pond.v2()] {
        let app = client.app().await;
        for name in [
            "allow_multi_user_devices",
            "async_url_enrich_enabled",
            "auto_translation_enabled",
            "disable_auth_checks",
            "disable_permissions_checks",
            "guest_user_creation_disabled",
            "image_moderation_enabled",
            "member_custom_on_messages_enabled",
            "moderation_audio_call_moderation_enabled",
            "moderation_enabled",
            "moderation_llm_configurability_enabled",
            "moderation_multitenant_blocklist_enabled",
            "moderation_video_call_moderation_enabled",
            "multi_tenant_enabled",
            "suspended",
            "use_hook_v2",
            "user_response_time_enabled",
        ] {
            assert_eq!(app[name], json!(false), "{name}");
        }
        for (name, value) in [
            ("id", json!(7)),
            ("campaign_enabled", json!(true)),
            // Whoever runs the clients' own suites reads the log of feeds; other apps begin without it.
            ("feed_audit_logs_enabled", json!(true)),
            ("cdn_expiration_seconds", json!(1_209_600)),
            ("reminders_interval", json!(300)),
            ("max_aggregated_activities_length", json!(0)),
            ("custom_action_handler_url", json!("")),
            ("enforce_unique_usernames", json!("no")),
            ("moderation_webhook_url", json!("")),
            ("organization", json!("")),
            ("permission_version", json!("v2")),
            ("placement", json!("")),
            ("sns_key", json!("")),
            ("sns_secret", json!("")),
            ("sns_topic_arn", json!("")),
            ("sqs_key", json!("")),
            ("sqs_secret", json!("")),
            ("sqs_url", json!("")),
            ("suspended_explanation", json!("")),
            ("webhook_url", json!("")),
            ("event_hooks", json!([])),
            ("user_search_disallowed_roles", json!([])),
            ("webhook_events", json!([])),
            ("call_types", json!({})),
            ("policies", json!({})),
        ] {
            assert_eq!(app[name], value, "{name}");
        }
        assert_eq!(app["name"], "app 7");
        assert!(app["channel_configs"]["messaging"]["commands"].as_array().is_some());
        let user = json!(["flag-user", "mute-user", "search-user", "update-user-owner"]);
        assert_eq!(app["grants"]["user"], user);
        assert_eq!(app["push_notifications"]["apn"], json!({ "enabled": false, "development": false }));
        assert_eq!(app["file_upload_config"]["size_limit"], 0);
        assert_eq!(app.get("revoke_tokens_issued_before"), None);
    }
}

#[tokio::test]
async fn the_commands_of_listed_types_are_objects_in_the_classic_dialect_and_names_in_v2() {
    let pond = Pond::new().await;
    let first = |app: &Value| app["channel_configs"]["messaging"]["commands"][0].clone();
    assert_eq!(first(&pond.app().await)["name"], "giphy");
    assert_eq!(first(&pond.v2().app().await), "giphy");
}

#[tokio::test]
async fn a_change_says_what_it_changes_and_the_rest_stays() {
    let pond = Pond::new().await;
    pond.set(json!({ "reminders_interval": 60, "image_moderation_labels": ["a"], "sqs_key": "k" })).await;
    // What the Go client of the v2 dialect always sends.
    pond.v2()
        .set(json!({ "multi_tenant_enabled": true, "event_hooks": null, "webhook_events": null, "grants": null,
            "image_moderation_labels": null, "activity_metrics_config": null }))
        .await;
    let app = pond.app().await;
    assert_eq!(
        (&app["reminders_interval"], &app["image_moderation_labels"], &app["sqs_key"], &app["multi_tenant_enabled"]),
        (&json!(60), &json!(["a"]), &json!("k"), &json!(true))
    );
    pond.set(json!({ "image_moderation_labels": [] })).await;
    assert_eq!(pond.app().await["image_moderation_labels"], json!([]));
}

#[tokio::test]
async fn a_whole_app_that_comes_back_changes_nothing() {
    let pond = Pond::new().await;
    pond.set(json!({
        "sqs_secret": "s3cret", "webhook_url": "https://example.test", "grants": { "user": ["search-user"] },
        "firebase_config": { "credentials_json": "{}" }, "push_config": { "version": "v2", "offline_only": true },
        "event_hooks": [{ "hook_type": "sqs", "sqs_queue_url": "https://q.test", "sqs_secret": "hidden" }],
    }))
    .await;
    for client in [(*pond).clone(), pond.v2()] {
        let before = client.app().await;
        client.set(before.clone()).await;
        assert_eq!(client.app().await, before);
    }
    // PHP makes a list of every empty object.
    let echoed = pond.app().await.to_string().replace("{}", "[]");
    assert_eq!(pond.call(Method::PATCH, "app", echoed).await.status, 201);
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let pond = Pond::new().await;
    pond.set(json!({
        "sqs_secret": "hush-1", "sns_secret": "hush-2", "firebase_config": { "credentials_json": "hush-3" },
        "apn_config": { "auth_key": "hush-4", "development": true }, "huawei_config": { "id": "h", "secret": "hush-5" },
        "event_hooks": [{ "hook_type": "sqs", "sqs_queue_url": "https://q.test", "sqs_key": "k", "sqs_secret": "hush-6" }],
    }))
    .await;
    let app = pond.app().await;
    assert!(!app.to_string().contains("hush"), "{app}");
    assert!(!app.to_string().contains("sealed"), "{app}");
    let push = &app["push_notifications"];
    assert_eq!(
        (&push["firebase"]["enabled"], &push["apn"]["enabled"], &push["xiaomi"]["enabled"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(push["huawei"], json!({ "enabled": true, "id": "h", "secret": "********" }));
}

#[tokio::test]
async fn hooks_are_replaced_as_a_whole_and_keep_their_ids_and_dialect() {
    let pond = Pond::new().await;
    let hook = json!({ "hook_type": "webhook", "webhook_url": "https://a.test", "event_types": ["message.new"],
        "enabled": true, "product": "all" });
    pond.v2().set(json!({ "event_hooks": [hook] })).await;
    let made = pond.app().await["event_hooks"][0].clone();
    let (id, at) = (made["id"].as_str().unwrap().to_owned(), "2026-01-01T00:00:00Z");
    assert_eq!(
        made,
        json!({ "id": id, "hook_type": "webhook", "webhook_url": "https://a.test", "event_types": ["message.new"],
            "enabled": true, "product": "all", "payload_dialect": "v2", "created_at": at, "updated_at": at })
    );
    pond.clock.advance(1_000_000);
    let others = [
        made.clone(),
        json!({ "hook_type": "pending_message", "webhook_url": "https://p.test", "timeout_ms": 10_000,
            "callback": { "mode": "CALLBACK_MODE_REST" } }),
        json!({ "hook_type": "sns", "sns_topic_arn": "arn", "sns_region": "eu" }),
    ];
    pond.set(json!({ "event_hooks": others })).await;
    let hooks = pond.app().await["event_hooks"].as_array().unwrap().clone();
    assert_eq!((hooks.len(), &hooks[0]), (3, &made));
    assert_eq!(
        (&hooks[1]["payload_dialect"], &hooks[1]["callback"]["mode"]),
        (&json!("classic"), &json!("CALLBACK_MODE_REST"))
    );
    pond.v2().set(json!({ "event_hooks": [] })).await;
    assert_eq!(pond.app().await["event_hooks"], json!([]));
}

#[tokio::test]
async fn an_upload_config_reads_as_it_was_set_and_replaces_the_one_before() {
    let pond = Pond::new().await;
    let config = json!({ "size_limit": 0, "allowed_file_extensions": [".pdf", ".csv"],
        "blocked_file_extensions": [".exe"], "allowed_mime_types": ["text/csv"], "blocked_mime_types": [] });
    pond.v2().set(json!({ "file_upload_config": config })).await;
    assert_eq!(pond.v2().app().await["file_upload_config"], config);
    pond.set(json!({ "file_upload_config": { "size_limit": 5 } })).await;
    let config = json!({ "size_limit": 5, "allowed_file_extensions": [], "blocked_file_extensions": [],
        "allowed_mime_types": [], "blocked_mime_types": [] });
    assert_eq!(pond.app().await["file_upload_config"], config);
}

#[tokio::test]
async fn users_see_what_concerns_them() {
    let pond = Pond::new().await;
    let app = pond.user("amy").app().await;
    let names: Vec<_> = app.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "async_url_enrich_enabled",
            "auto_translation_enabled",
            "file_upload_config",
            "image_upload_config",
            "name",
            "shared_locations_enabled",
            "user_response_time_enabled",
        ]
    );
    assert_eq!(pond.user("amy").refuses(Method::PATCH, "app", "{}").await, (403, 17));
}

#[tokio::test]
async fn what_is_not_what_its_name_asks_for_is_refused_and_nothing_changes() {
    let pond = Pond::new().await;
    for settings in [
        json!({ "reminders_interval": 59 }),
        json!({ "enforce_unique_usernames": "always" }),
        json!({ "multi_tenant_enabled": "maybe" }),
        json!({ "webhook_events": "all" }),
        json!({ "revoke_tokens_issued_before": "yesterday" }),
        json!({ "file_upload_config": { "size_limit": -1 } }),
        json!({ "file_upload_config": { "allowed_mime_types": "text/csv" } }),
        json!({ "grants": { "user": "search-user" } }),
        json!({ "event_hooks": [{ "hook_type": "pigeon" }] }),
        json!({ "event_hooks": [{ "hook_type": "webhook", "webhook_url": "not an address" }] }),
        json!({ "event_hooks": [{ "hook_type": "sqs", "event_types": "all" }] }),
        json!({ "activity_metrics_config": { "a": "b" } }),
        json!({ "webhook_url": "x".repeat(20_000) }),
    ] {
        let body = json!({ "reminders_max_members": 3, "a": 1 });
        let mut body = body.as_object().unwrap().clone();
        body.extend(settings.as_object().unwrap().clone());
        assert_eq!(pond.refuses(Method::PATCH, "app", json!(body).to_string()).await, (400, 4), "{settings}");
    }
    assert_eq!(pond.app().await.get("reminders_max_members"), None);
}

#[tokio::test]
async fn users_tokens_from_before_are_refused_until_that_is_undone() {
    let pond = Pond::new().await;
    let at = |seconds: i64| pond.claims(&json!({ "user_id": "amy", "iat": NOW_SECONDS + seconds }));
    pond.v2().set(json!({ "revoke_tokens_issued_before": "2026-01-01T00:00:00Z" })).await;
    assert_eq!(pond.app().await["revoke_tokens_issued_before"], "2026-01-01T00:00:00Z");
    assert_eq!(at(-1).get("app").await.refusal(), (401, 40));
    assert_eq!(pond.user("amy").get("app").await.refusal(), (401, 40));
    at(0).get("app").await.ok(200);
    pond.claims(&json!({ "server": true, "iat": NOW_SECONDS - 99 })).get("app").await.ok(200);
    // Other changes leave it alone.
    pond.set(json!({ "sqs_key": "k" })).await;
    assert_eq!(at(-1).get("app").await.refusal(), (401, 40));
    pond.v2().set(json!({ "revoke_tokens_issued_before": null })).await;
    at(-1).get("app").await.ok(200);
}

#[tokio::test]
async fn without_auth_checks_a_token_need_not_be_signed_but_must_name_a_user() {
    let pond = Pond::new().await;
    let token = |claims| sign("whatever", &claims);
    let unsigned = |claims| pond.token(Some(token(claims)));
    assert_eq!(unsigned(json!({ "user_id": "amy" })).get("app").await.refusal(), (401, 43));
    pond.set(json!({ "disable_auth_checks": true })).await;
    unsigned(json!({ "user_id": "amy" })).get("app").await.ok(200);
    let head = token(json!({ "user_id": "amy" })).rsplit_once('.').unwrap().0.to_owned();
    pond.token(Some(format!("{head}.devtoken"))).get("app").await.ok(200);
    assert_eq!(unsigned(json!({ "server": true })).get("app").await.refusal(), (401, 5));
    assert_eq!(unsigned(json!({ "user_id": "amy", "exp": 1 })).get("app").await.refusal(), (401, 40));
    assert_eq!(pond.token(None).get("app").await.refusal(), (401, 5));
    pond.get("app").await.ok(200);
}

#[tokio::test]
async fn checks_of_queues_and_push_say_what_is_not_there() {
    let pond = Pond::new().await;
    for path in ["check_sqs", "check_sns"] {
        let answer = pond.post(path, json!({ "sqs_url": "u", "sqs_key": "k", "sqs_secret": "s" })).await.ok(201);
        assert_eq!((&answer["status"], &answer["data"]), (&json!("error"), &json!({})));
        assert!(!answer["error"].as_str().unwrap().is_empty());
    }
    let answer = pond.post("check_push", json!({ "user_id": "amy", "skip_devices": true })).await.ok(201);
    assert_eq!(
        answer,
        json!({ "device_errors": {}, "general_errors": [], "skip_devices": true, "rendered_apn_template": "",
            "rendered_firebase_template": "", "rendered_message": {} })
    );
    let unknown = r#"{"user_id":"amy","message_id":"none"}"#;
    assert_eq!(pond.refuses(Method::POST, "check_push", unknown).await, (404, 16));
}
