//! Users (§6.1, §11.7).

use http::Method;
use serde_json::json;

use crate::pond::Pond;

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
            "language": "", "shadow_banned": false, "invisible": false,
        } } })
    );
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
