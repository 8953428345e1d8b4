//! Roles and permissions (§8, §11.11).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

fn find<'a>(list: &'a Value, key: &str, value: &str) -> Option<&'a Value> {
    list.as_array().unwrap().iter().find(|item| item[key] == value)
}

#[tokio::test]
async fn a_role_is_made_listed_found_and_deleted() {
    let pond = Pond::new().await;
    let at = "2026-01-01T00:00:00Z";
    let made = pond.post("roles", json!({ "name": "Vip" })).await.ok(201);
    let role = json!({ "name": "Vip", "custom": true, "scopes": [], "created_at": at, "updated_at": at });
    assert_eq!(made, json!({ "role": role }));
    let roles = pond.get("roles").await.ok(200)["roles"].clone();
    assert_eq!((roles.as_array().unwrap().len(), find(&roles, "name", "Vip")), (10, Some(&role)));
    let admin = find(&roles, "name", "admin").unwrap();
    assert_eq!(
        (&admin["custom"], &admin["scopes"]),
        (&json!(false), &json!([".app", "commerce", "gaming", "livestream", "messaging", "team"]))
    );
    let found = pond.v2().get("roles/search?query=channel&limit=1").await.ok(200)["roles"].clone();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["name"]), (1, &json!("channel_member")));
    let found = pond.get("roles/search?query=channel&name_gt=channel_member").await.ok(200);
    assert_eq!(found["roles"][0]["name"], "channel_moderator");
    assert_eq!(pond.delete("roles/Vip").await.ok(200), json!({}));
    assert_eq!(pond.refuses(Method::DELETE, "roles/Vip", "null").await, (404, 16));
}

#[tokio::test]
async fn a_role_that_is_granted_something_or_held_by_users_stays() {
    let pond = Pond::new().await;
    pond.post("roles", json!({ "name": "vip" })).await.ok(201);
    pond.put("channeltypes/team", json!({ "grants": { "vip": ["read-channel"] } })).await.ok(201);
    let roles = pond.get("roles").await.ok(200)["roles"].clone();
    assert_eq!(find(&roles, "name", "vip").unwrap()["scopes"], json!(["team"]));
    assert_eq!(pond.refuses(Method::DELETE, "roles/vip", "null").await, (400, 4));
    pond.put("channeltypes/team", json!({ "grants": { "vip": [] } })).await.ok(201);
    let amy = |role| json!({ "users": { "amy": { "id": "amy", "role": role } } });
    pond.post("users", amy("vip")).await.ok(201);
    assert_eq!(pond.refuses(Method::DELETE, "roles/vip", "null").await, (400, 4));
    pond.post("users", amy("user")).await.ok(201);
    pond.delete("roles/vip").await.ok(200);
    for body in [r#"{"name":"admin"}"#, r#"{"name":""}"#, r#"{"name":"a b"}"#] {
        assert_eq!(pond.refuses(Method::POST, "roles", body).await, (400, 4), "{body}");
    }
    assert_eq!(pond.refuses(Method::DELETE, "roles/user", "null").await, (400, 4));
}

#[tokio::test]
async fn an_app_has_at_most_twenty_five_roles_of_its_own() {
    let pond = Pond::new().await;
    for n in 0..25 {
        pond.post("roles", json!({ "name": format!("r{n}") })).await.ok(201);
    }
    assert_eq!(pond.refuses(Method::POST, "roles", r#"{"name":"more"}"#).await, (400, 4));
}

#[tokio::test]
async fn built_in_permissions_are_listed_and_read() {
    let pond = Pond::new().await;
    let all = pond.get("permissions").await.ok(200)["permissions"].clone();
    for id in ["create-channel", "read-channel", "create-message-owner", "search-user-any-team"] {
        assert!(find(&all, "id", id).is_some(), "{id}");
    }
    let permission = json!({ "id": "create-message-owner", "name": "Create Message in Owned Channel",
        "description": "Allows to create message in Owned Channel", "action": "CreateMessage", "owner": true,
        "owner_resource": "Channel", "same_team": true, "level": "channel", "custom": false, "tags": [],
        "condition": null });
    let read = pond.v2().get("permissions/create-message-owner").await.ok(200);
    assert_eq!(read, json!({ "permission": permission }));
    assert_eq!(pond.refuses(Method::GET, "permissions/none", "").await, (404, 16));
}

#[tokio::test]
async fn a_permission_of_the_apps_own_is_made_changed_and_deleted() {
    let pond = Pond::new().await;
    let sent = json!({ "id": "My-Own", "name": "Mine", "description": "d", "action": "DeleteChannel", "owner": true,
        "same_team": true, "condition": { "$subject.magic": { "$eq": "x" } } });
    assert_eq!(pond.post("permissions", sent.clone()).await.ok(201), json!({}));
    let read = pond.get("permissions/My-Own").await.ok(200)["permission"].clone();
    for name in ["id", "name", "description", "action", "owner", "same_team", "condition"] {
        assert_eq!(read[name], sent[name], "{name}");
    }
    assert_eq!(read["custom"], true);
    pond.put("permissions/My-Own", json!({ "name": "Other", "condition": {} })).await.ok(201);
    let read = pond.get("permissions/My-Own").await.ok(200)["permission"].clone();
    assert_eq!(
        (&read["name"], &read["action"], &read["condition"]),
        (&json!("Other"), &json!("DeleteChannel"), &json!(null))
    );
    assert_eq!(pond.refuses(Method::POST, "permissions", sent.to_string()).await, (400, 4));
    pond.delete("permissions/My-Own").await.ok(200);
    assert_eq!(pond.refuses(Method::GET, "permissions/My-Own", "").await, (404, 16));
    assert_eq!(pond.refuses(Method::PUT, "permissions/read-channel", "{}").await, (400, 4));
    assert_eq!(pond.refuses(Method::DELETE, "permissions/read-channel", "null").await, (400, 4));
    assert_eq!(pond.refuses(Method::POST, "permissions", r#"{"id":"x"}"#).await, (400, 4));
}
