//! Users (§6.1, §11.7).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Client, Pond, encoded};

#[tokio::test]
async fn a_user_reads_the_same_in_both_dialects_but_for_times_and_own_fields() {
    let pond = Pond::new().await;
    let sent =
        json!({ "users": { "jack": { "id": "jack", "name": "Jack", "teams": ["blue"], "color": "blue", "n": 1 } } });
    let classic = pond.post("users", sent).await.ok(201);
    let at = "2026-01-01T00:00:00Z";
    assert_eq!(
        classic,
        json!({ "membership_deletion_task_id": "", "users": { "jack": {
            "id": "jack", "role": "user", "name": "Jack", "teams": ["blue"], "created_at": at, "updated_at": at,
            "banned": false, "online": false, "blocked_user_ids": [], "color": "blue", "n": 1,
        } } })
    );
    let v2 = pond.v2().post("users", json!({ "users": { "jack": { "id": "jack" } } })).await.ok(201);
    let at = 1_767_225_600_000_000_000_i64;
    assert_eq!(
        v2,
        json!({ "membership_deletion_task_id": "", "users": { "jack": {
            "id": "jack", "role": "user", "name": "Jack", "teams": ["blue"], "created_at": at, "updated_at": at,
            "banned": false, "online": false, "blocked_user_ids": [], "custom": { "color": "blue", "n": 1 },
            "language": "", "shadow_banned": false, "invisible": false, "devices": [], "mutes": [], "channel_mutes": [],
            "total_unread_count": 0, "unread_count": 0, "unread_channels": 0, "unread_threads": 0,
        } } })
    );
}

#[tokio::test]
async fn a_user_that_comes_back_as_it_was_answered_is_as_it_was() {
    let pond = Pond::new().await;
    let amy = json!({ "id": "amy", "name": "Amy", "teams": ["blue"], "language": "en", "invisible": true, "color": "red",
        "privacy_settings": { "read_receipts": { "enabled": false } } });
    pond.post("users", json!({ "users": { "amy": amy, "bob": { "id": "bob" } } })).await.ok(201);
    pond.post("moderation/bypass", json!({ "target_user_id": "amy", "enabled": true })).await.ok(201);
    pond.post("moderation/mute", json!({ "target_id": "bob", "user_id": "amy" })).await.ok(201);
    pond.post("moderation/ban", json!({ "target_user_id": "amy", "user_id": "bob", "timeout": 5 })).await.ok(201);
    pond.post("devices", json!({ "id": "phone", "push_provider": "apn", "user_id": "amy" })).await.ok(201);
    let preference = json!({ "user_id": "amy", "chat_level": "mentions" });
    pond.post("push_preferences", json!({ "preferences": [preference] })).await.ok(201);
    let path = format!("users?payload={}", encoded(&json!({ "filter_conditions": { "id": "amy" } })));
    for client in [(*pond).clone(), pond.v2()] {
        let read = async || client.get(&path).await.ok(200)["users"][0].clone();
        let before = read().await;
        assert!(before["push_preferences"].is_object() && before["bypass_moderation"] == true, "{before}");
        client.post("users", json!({ "users": { "amy": before } })).await.ok(201);
        assert_eq!(read().await, before);
    }
}

#[tokio::test]
async fn one_bad_user_fails_the_whole_batch() {
    let pond = Pond::new().await;
    let long = "x".repeat(6000);
    for (user, error) in [
        (json!({ "id": "other" }), (400, 4)),
        (json!({ "name": "nobody" }), (400, 4)),
        (json!({ "id": "b", "teams": "blue" }), (400, 4)),
        (json!({ "id": "b", "bio": long }), (413, 22)),
    ] {
        let body = json!({ "users": { "a": { "id": "a" }, "b": user } }).to_string();
        assert_eq!(pond.refuses(Method::POST, "users", body).await, error, "{user}");
    }
    assert_eq!(pond.refuses(Method::POST, "users", r#"{"users":{}}"#).await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "users", "[1]").await, (400, 4));
}

#[tokio::test]
async fn a_users_token_changes_that_user_alone() {
    let pond = Pond::new().await;
    pond.user("amy").post("users", json!({ "users": { "amy": { "id": "amy", "name": "Amy" } } })).await.ok(201);
    for body in [r#"{"users":{"bob":{"id":"bob"}}}"#, r#"{"users":{"amy":{"id":"amy","role":"admin"}}}"#] {
        assert_eq!(pond.user("amy").refuses(Method::POST, "users", body).await, (403, 17), "{body}");
    }
}

#[tokio::test]
async fn privacy_settings_are_merged_switch_by_switch() {
    let pond = Pond::new().await;
    let set = async |settings| {
        let sent = json!({ "users": { "amy": { "id": "amy", "privacy_settings": settings } } });
        pond.post("users", sent).await.ok(201)["users"]["amy"].get("privacy_settings").cloned()
    };
    assert_eq!(set(json!(null)).await, None);
    set(json!({ "typing_indicators": { "enabled": false } })).await;
    let both = json!({ "typing_indicators": { "enabled": false }, "read_receipts": { "enabled": true } });
    assert_eq!(set(json!({ "read_receipts": { "enabled": true } })).await, Some(both));
}

async fn made(pond: &Pond, users: serde_json::Value) {
    pond.post("users", json!({ "users": users })).await.ok(201);
}

/// Who is found, in order.
async fn found(client: &Client, payload: serde_json::Value) -> Vec<String> {
    let body = client.get(&format!("users?payload={}", encoded(&payload))).await.ok(200);
    body["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_partial_update_sets_and_unsets_by_dotted_path() {
    let pond = Pond::new().await;
    made(&pond, json!({ "a": { "id": "a", "name": "A", "color": "red", "test": { "passed": true } } })).await;
    for (client, at) in [(pond.client(), "color"), (pond.v2(), "custom.color")] {
        let patch = json!({ "users": [{ "id": "a", "set": { at: "blue", "detail.topic": 1 }, "unset": ["test.passed", "name"] }] });
        let user = client.patch("users", patch).await.ok(201)["users"]["a"].clone();
        let own = user.get("custom").unwrap_or(&user);
        assert_eq!((&own["color"], &own["detail"]["topic"], &own["test"]), (&json!("blue"), &json!(1), &json!({})));
        assert_eq!((user.get("name"), own.get("custom")), (None, None));
    }
}

#[tokio::test]
async fn a_partial_update_is_refused_whole() {
    let pond = Pond::new().await;
    made(&pond, json!({ "a": { "id": "a" } })).await;
    for (users, error) in [
        (json!([{ "id": "a", "set": { "x": 1 } }, { "id": "nobody", "set": { "x": 1 } }]), (404, 16)),
        (json!([{ "id": "a", "set": { "x": 1 }, "unset": ["x.y"] }]), (400, 4)),
        (json!([{ "id": "a", "set": { "a b": 1 } }]), (400, 4)),
        (json!([{ "id": "a", "set": { "teams": "blue" } }]), (400, 4)),
        (json!([{ "id": "a", "set": { "bio": "x".repeat(6000) } }]), (413, 22)),
        (json!([{ "set": { "x": 1 } }]), (400, 4)),
        (json!([]), (400, 4)),
    ] {
        let body = json!({ "users": users }).to_string();
        assert_eq!(pond.refuses(Method::PATCH, "users", body).await, error, "{users}");
    }
    for set in [json!({ "role": "admin" }), json!({ "teams": ["x"] }), json!({ "revoke_tokens_issued_before": null })] {
        let body = json!({ "users": [{ "id": "a", "set": set }] }).to_string();
        assert_eq!(pond.user("a").refuses(Method::PATCH, "users", body).await, (403, 17), "{set}");
    }
}

#[tokio::test]
async fn tokens_are_revoked_by_time_and_taken_again_after_null() {
    let pond = Pond::new().await;
    made(&pond, json!({ "a": { "id": "a" } })).await;
    let revoke = async |moment| {
        let patch = json!({ "users": [{ "id": "a", "set": { "revoke_tokens_issued_before": moment } }] });
        pond.patch("users", patch).await.ok(201)["users"]["a"].clone()
    };
    let user = revoke(json!("2026-01-01T00:00:00Z")).await;
    assert_eq!(user["revoke_tokens_issued_before"], "2026-01-01T00:00:00Z");
    assert_eq!(pond.user("a").get("devices").await.refusal(), (401, 40));
    assert_eq!(revoke(json!(null)).await.get("revoke_tokens_issued_before"), None);
    pond.user("a").get("devices").await.ok(200);
}

#[tokio::test]
async fn a_patch_merges_privacy_settings_and_a_null_takes_a_field_away() {
    let pond = Pond::new().await;
    let typing = json!({ "typing_indicators": { "enabled": false } });
    made(&pond, json!({ "a": { "id": "a", "image": "i", "privacy_settings": typing } })).await;
    let set = json!({ "privacy_settings": { "read_receipts": { "enabled": false } }, "image": null });
    let user = pond.patch("users", json!({ "users": [{ "id": "a", "set": set }] })).await.ok(201)["users"]["a"].clone();
    let both = json!({ "typing_indicators": { "enabled": false }, "read_receipts": { "enabled": false } });
    assert_eq!((&user["privacy_settings"], user.get("image")), (&both, None));
}

#[tokio::test]
async fn users_are_found_by_id_by_own_fields_and_by_words() {
    let pond = Pond::new().await;
    made(
        &pond,
        json!({
            "ann": { "id": "ann", "name": "Ann Lee", "email": "ann@example.com", "teams": ["blue"] },
            "bob": { "id": "bob", "name": "Bob", "email": "Bob@example.com", "role": "admin" },
            "cat": { "id": "cat", "n": 3 },
        }),
    )
    .await;
    for client in [pond.client(), pond.v2()] {
        for (filter, ids) in [
            (json!({ "id": "ann" }), vec!["ann"]),
            (json!({ "id": { "$in": ["cat", "nobody", "ann"] } }), vec!["cat", "ann"]),
            (json!({ "email": "ann@example.com" }), vec!["ann"]),
            (json!({ "custom.email": { "$in": ["ann@example.com", "x"] } }), vec!["ann"]),
            (json!({ "email": "bob@example.com" }), vec![]),
            (json!({ "$or": [{ "id": "cat" }, { "email": "ann@example.com" }] }), vec!["cat", "ann"]),
            (json!({ "name": { "$autocomplete": "le" } }), vec!["ann"]),
            (json!({ "teams": { "$in": ["blue"] } }), vec!["ann"]),
            (json!({ "role": "admin" }), vec!["bob"]),
            (json!({ "last_active": { "$exists": false }, "n": { "$gte": 3 } }), vec!["cat"]),
            (json!({}), vec!["cat", "bob", "ann"]),
        ] {
            assert_eq!(found(&client, json!({ "filter_conditions": filter })).await, ids, "{filter}");
        }
    }
}

#[tokio::test]
async fn found_users_are_sorted_and_paged() {
    let pond = Pond::new().await;
    made(&pond, json!({ "a": { "id": "a", "n": 2 }, "b": { "id": "b", "n": 10 }, "c": { "id": "c" } })).await;
    let found = async |payload| found(&pond, payload).await.join(" ");
    assert_eq!(found(json!({ "sort": [{ "field": "n", "direction": -1 }] })).await, "b a c");
    assert_eq!(found(json!({ "sort": [{ "field": "id" }], "limit": 2, "offset": 1 })).await, "b c");
    assert_eq!(found(json!({ "id_gt": "a", "limit": 1 })).await, "b");
    assert_eq!(found(json!({ "id_gte": "a", "id_lt": "c" })).await, "a b");
    for payload in
        [json!({ "limit": 101 }), json!({ "offset": 1001 }), json!({ "filter_conditions": { "id": { "$no": 1 } } })]
    {
        let path = format!("users?payload={}", encoded(&payload));
        assert_eq!(pond.refuses(Method::GET, &path, "").await, (400, 4), "{payload}");
    }
    assert_eq!(pond.refuses(Method::GET, "users", "").await, (400, 4));
    assert_eq!(pond.refuses(Method::GET, "users?payload=%7B", "").await, (400, 4));
}

#[tokio::test]
async fn whoever_is_deleted_is_not_found_and_the_deactivated_only_on_request() {
    let pond = Pond::new().await;
    made(&pond, json!({ "a": { "id": "a" }, "b": { "id": "b" }, "c": { "id": "c" } })).await;
    let off = pond.post("users/a/deactivate", json!({ "created_by_id": "c" })).await.ok(201);
    assert_eq!(off["user"]["deactivated_at"], "2026-01-01T00:00:00Z");
    let gone = pond.delete("users/b?hard_delete=&mark_messages_deleted=").await.ok(200);
    assert_eq!(gone["user"]["deleted_at"], "2026-01-01T00:00:00Z");
    assert_eq!(found(&pond, json!({})).await, ["c"]);
    assert_eq!(found(&pond, json!({ "include_deactivated_users": true })).await, ["c", "a"]);
    assert_eq!(pond.user("a").get("devices").await.refusal().1, 17);
    let on = pond.v2().post("users/a/reactivate", json!({ "name": "Anew", "restore_messages": true })).await.ok(201);
    assert_eq!((&on["user"]["name"], on["user"].get("deactivated_at")), (&json!("Anew"), None));
    assert_eq!(pond.post("users/restore", json!({ "user_ids": ["b"] })).await.ok(201), json!({}));
    assert_eq!(found(&pond, json!({})).await, ["c", "b", "a"]);
}

#[tokio::test]
async fn a_state_that_is_there_already_is_refused() {
    let pond = Pond::new().await;
    made(&pond, json!({ "a": { "id": "a" } })).await;
    for (path, body, error) in [
        ("users/a/reactivate", json!({}), (400, 4)),
        ("users/nobody/deactivate", json!({}), (404, 16)),
        ("users/restore", json!({ "user_ids": ["a"] }), (400, 4)),
        ("users/restore", json!({ "user_ids": ["nobody"] }), (404, 16)),
        ("users/restore", json!({ "user_ids": [] }), (400, 4)),
    ] {
        assert_eq!(pond.refuses(Method::POST, path, body.to_string()).await, error, "{path}");
    }
    pond.post("users/a/deactivate", json!({})).await.ok(201);
    assert_eq!(pond.refuses(Method::POST, "users/a/deactivate", "{}").await, (400, 4));
    assert_eq!(pond.user("b").refuses(Method::POST, "users/a/reactivate", "{}").await, (403, 17));
}

#[tokio::test]
async fn a_guest_gets_a_fresh_id_and_a_token_of_its_own() {
    let pond = Pond::new().await;
    for client in [pond.token(None), pond.token(None).header("stream-auth-type", "anonymous"), pond.v2()] {
        let guest =
            client.post("guest", json!({ "user": { "id": "amy", "name": "Amy", "role": "admin" } })).await.ok(201);
        let id = guest["user"]["id"].as_str().unwrap();
        assert!(id.contains("amy") && id != "amy", "{id}");
        assert_eq!(guest["user"]["role"], "guest");
        let as_guest = pond.token(Some(guest["access_token"].as_str().unwrap().to_owned()));
        as_guest.patch("users", json!({ "users": [{ "id": id, "set": { "mood": "well" } }] })).await.ok(201);
    }
    assert_eq!(pond.token(None).refuses(Method::POST, "guest", "{}").await, (400, 4));
}

#[tokio::test]
async fn a_block_is_listed_with_both_users_until_it_ends() {
    let pond = Pond::new().await;
    made(&pond, json!({ "amy": { "id": "amy" }, "bob": { "id": "bob" } })).await;
    let sent = json!({ "blocked_user_id": "bob", "user_id": "amy" });
    for (client, at) in
        [(pond.client(), json!("2026-01-01T00:00:00Z")), (pond.v2(), json!(1_767_225_600_000_000_000_i64))]
    {
        let blocked = client.post("users/block", sent.clone()).await.ok(201);
        assert_eq!(blocked, json!({ "blocked_by_user_id": "amy", "blocked_user_id": "bob", "created_at": at }));
        let list = client.get("users/block?user_id=amy").await.ok(200);
        let block = &list["blocks"][0];
        assert_eq!(
            (&block["user_id"], &block["blocked_user_id"], &block["created_at"]),
            (&json!("amy"), &json!("bob"), &at)
        );
        assert_eq!((&block["user"]["id"], &block["blocked_user"]["id"]), (&json!("amy"), &json!("bob")));
        assert_eq!(block["user"]["blocked_user_ids"], json!(["bob"]));
    }
    assert_eq!(pond.user("amy").post("users/unblock", json!({ "blocked_user_id": "bob" })).await.ok(201), json!({}));
    assert_eq!(pond.user("amy").get("users/block").await.ok(200), json!({ "blocks": [] }));
    for (body, error) in [
        (json!({ "blocked_user_id": "nobody", "user_id": "amy" }), (404, 16)),
        (json!({ "blocked_user_id": "amy", "user_id": "amy" }), (400, 4)),
        (json!({ "blocked_user_id": "bob" }), (400, 4)),
        (json!({ "user_id": "amy" }), (400, 4)),
    ] {
        assert_eq!(pond.refuses(Method::POST, "users/block", body.to_string()).await, error, "{body}");
    }
}

#[tokio::test]
async fn devices_are_kept_per_user_and_the_oldest_goes_for_the_twenty_sixth() {
    let pond = Pond::new().await;
    let device =
        |id: &str| json!({ "id": id, "push_provider": "firebase", "push_provider_name": null, "user_id": "amy" });
    assert_eq!(pond.post("devices", device("d00")).await.ok(201), json!({}));
    pond.post("devices", device("d00")).await.ok(201);
    let shown =
        json!({ "id": "d00", "user_id": "amy", "push_provider": "firebase", "created_at": "2026-01-01T00:00:00Z" });
    assert_eq!(pond.get("devices?user_id=amy").await.ok(200), json!({ "devices": [shown] }));
    for n in 1..26 {
        pond.clock.advance(1_000_000);
        pond.v2().post("devices", device(&format!("d{n:02}"))).await.ok(201);
    }
    let devices = pond.user("amy").get("devices").await.ok(200)["devices"].clone();
    assert_eq!((devices.as_array().unwrap().len(), &devices[0]["id"]), (25, &json!("d01")));
    let full =
        pond.v2().get(&format!("users?payload={}", encoded(&json!({ "filter_conditions": { "id": "amy" } })))).await;
    assert_eq!(full.ok(200)["users"][0]["devices"].as_array().unwrap().len(), 25);
    pond.delete("devices?id=d01&user_id=amy").await.ok(200);
    assert_eq!(pond.get("devices?user_id=amy").await.ok(200)["devices"].as_array().unwrap().len(), 24);
    for (body, error) in [
        (json!({ "id": "d", "push_provider": "pigeon", "user_id": "amy" }), (400, 4)),
        (json!({ "id": "d", "user_id": "amy" }), (400, 4)),
        (json!({ "id": "d", "push_provider": "apn" }), (400, 4)),
    ] {
        assert_eq!(pond.refuses(Method::POST, "devices", body.to_string()).await, error, "{body}");
    }
}

#[tokio::test]
async fn who_may_not_search_finds_nobody_and_teams_are_kept_apart() {
    let pond = Pond::new().await;
    made(
        &pond,
        json!({ "a": { "id": "a", "teams": ["blue"] }, "b": { "id": "b", "teams": ["red"] }, "c": { "id": "c" } }),
    )
    .await;
    assert_eq!(found(&pond.user("a"), json!({})).await, ["c", "b", "a"]);
    pond.patch("app", json!({ "multi_tenant_enabled": true })).await.ok(201);
    assert_eq!(found(&pond.user("a"), json!({})).await, ["a"]);
    assert_eq!(found(&pond.user("c"), json!({})).await, ["c"]);
    assert_eq!(found(&pond.user("a"), json!({ "filter_conditions": { "teams": {} } })).await, ["c", "b", "a"]);
    assert_eq!(found(&pond, json!({})).await, ["c", "b", "a"]);
    pond.patch("app", json!({ "grants": { "user": [] } })).await.ok(201);
    assert_eq!(pond.user("a").get("users?payload=%7B%7D").await.refusal(), (403, 17));
}

#[tokio::test]
async fn moderation_looks_away_from_whom_it_is_told_to() {
    let pond = Pond::new().await;
    made(&pond, json!({ "a": { "id": "a" } })).await;
    let shown = async || {
        let path = format!("users?payload={}", encoded(&json!({ "filter_conditions": { "id": "a" } })));
        pond.v2().get(&path).await.ok(200)["users"][0].get("bypass_moderation").cloned()
    };
    pond.v2().post("moderation/bypass", json!({ "target_user_id": "a", "enabled": true })).await.ok(201);
    assert_eq!(shown().await, Some(json!(true)));
    pond.v2().post("moderation/bypass", json!({ "target_user_id": "a", "enabled": false })).await.ok(201);
    assert_eq!(shown().await, None);
}

#[tokio::test]
async fn found_users_are_shown_with_what_they_have_not_read_where_the_dialect_has_it() {
    let pond = Pond::new().await;
    let data = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/messaging/general/query", data).await.ok(201);
    pond.post("channels/messaging/general/message", json!({ "message": { "text": "hi", "user_id": "amy" } }))
        .await
        .ok(201);
    let filter = json!({ "filter_conditions": { "id": { "$in": ["amy", "bob"] } }, "sort": [{ "field": "id" }] });
    let users = pond.v2().get(&format!("users?payload={}", encoded(&filter))).await.ok(200)["users"].clone();
    let unread = |user: &Value| {
        ["total_unread_count", "unread_count", "unread_channels", "unread_threads"]
            .map(|name| user[name].as_i64().unwrap())
    };
    assert_eq!((unread(&users[0]), unread(&users[1])), ([0, 0, 0, 0], [1, 1, 1, 0]));
}
