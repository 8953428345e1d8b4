//! Slash commands (§11.11).

use http::Method;
use serde_json::json;

use crate::pond::Pond;

#[tokio::test]
async fn a_command_is_made_read_listed_changed_and_deleted() {
    let pond = Pond::new().await;
    let sent = json!({ "name": "Ticket", "description": "Opens a ticket", "args": "[text]", "set": "support" });
    let at = "2026-01-01T00:00:00Z";
    let shown = json!({ "name": "Ticket", "description": "Opens a ticket", "args": "[text]", "set": "support",
        "created_at": at, "updated_at": at });
    assert_eq!(pond.post("commands", sent.clone()).await.ok(201), json!({ "command": shown }));
    assert_eq!(pond.get("commands/Ticket").await.ok(200), shown);
    let listed = pond.get("commands").await.ok(200)["commands"].as_array().unwrap().clone();
    assert!(listed.len() == 7 && listed.contains(&shown));
    let v2 = pond.v2().get("chat/commands/Ticket").await.ok(200);
    assert_eq!(v2["created_at"], 1_767_225_600_000_000_000_i64);
    let changed = pond.put("commands/Ticket", json!({ "name": "", "description": "Another", "args": "" })).await;
    assert_eq!(
        changed.ok(201)["command"],
        json!({ "name": "Ticket", "description": "Another", "args": "[text]", "set": "support",
            "created_at": at, "updated_at": at })
    );
    assert_eq!(pond.delete("commands/Ticket").await.ok(200), json!({ "name": "Ticket" }));
    assert_eq!(pond.refuses(Method::GET, "commands/Ticket", "").await, (404, 16));
}

#[tokio::test]
async fn a_command_that_a_type_names_stays() {
    let pond = Pond::new().await;
    pond.post("commands", json!({ "name": "t", "description": "d" })).await.ok(201);
    pond.put("channeltypes/team", json!({ "commands": ["t"] })).await.ok(201);
    let shown = pond.get("channeltypes/team").await.ok(200)["commands"].clone();
    assert_eq!((&shown[0]["name"], &shown[0]["description"]), (&json!("t"), &json!("d")));
    assert_eq!(pond.refuses(Method::DELETE, "commands/t", "null").await, (400, 4));
    pond.put("channeltypes/team", json!({ "commands": [] })).await.ok(201);
    pond.delete("commands/t").await.ok(200);
}

#[tokio::test]
async fn what_is_missing_doubled_built_in_or_unknown_is_refused() {
    let pond = Pond::new().await;
    for body in [r#"{"description":"d"}"#, r#"{"name":"x"}"#, r#"{"name":"giphy","description":"d"}"#] {
        assert_eq!(pond.refuses(Method::POST, "commands", body).await, (400, 4), "{body}");
    }
    assert_eq!(pond.refuses(Method::PUT, "commands/giphy", r#"{"description":"d"}"#).await, (400, 4));
    assert_eq!(pond.refuses(Method::DELETE, "commands/giphy", "null").await, (400, 4));
    assert_eq!(pond.refuses(Method::PUT, "commands/none", r#"{"description":"d"}"#).await, (404, 16));
}
