//! Tasks (§14, v2 §3).

use http::Method;
use serde_json::json;

use crate::pond::Pond;

/// Starts a task that has nothing to do.
async fn started(pond: &Pond) -> String {
    let answer = pond.post("channels/delete", json!({ "cids": ["messaging:none"] })).await.ok(201);
    assert_eq!(answer.as_object().unwrap().len(), 1);
    answer["task_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_task_waits_and_then_is_completed_in_both_dialects() {
    let pond = Pond::new().await;
    let id = started(&pond).await;
    let at = "2026-01-01T00:00:00Z";
    let waiting = json!({ "task_id": id, "status": "waiting", "created_at": at, "updated_at": at });
    assert_eq!(pond.get(&format!("tasks/{id}")).await.ok(200), waiting);
    pond.clock.advance(1_000_000);
    pond.run_tasks().await;
    let result = json!({ "messaging:none": { "status": "error", "error": "channel not found" } });
    let later = "2026-01-01T00:00:01Z";
    assert_eq!(
        pond.get(&format!("tasks/{id}")).await.ok(200),
        json!({ "task_id": id, "status": "completed", "created_at": at, "updated_at": later, "result": result })
    );
    let (at, later) = (1_767_225_600_000_000_000_i64, 1_767_225_601_000_000_000_i64);
    assert_eq!(
        pond.v2().get(&format!("tasks/{id}")).await.ok(200),
        json!({ "task_id": id, "status": "completed", "created_at": at, "updated_at": later, "result": result })
    );
}

#[tokio::test]
async fn an_unknown_task_does_not_exist_and_users_do_not_ask() {
    let pond = Pond::new().await;
    assert_eq!(pond.refuses(Method::GET, "tasks/none", "").await, (404, 16));
    let id = started(&pond).await;
    assert_eq!(pond.user("amy").refuses(Method::GET, &format!("tasks/{id}"), "").await, (403, 17));
}

#[tokio::test]
async fn a_task_is_forgotten_after_ninety_days() {
    let pond = Pond::new().await;
    let id = started(&pond).await;
    pond.run_tasks().await;
    pond.clock.advance(90 * 24 * 3600 * 1_000_000);
    pond.run_tasks().await;
    assert_eq!(pond.refuses(Method::GET, &format!("tasks/{id}"), "").await, (404, 16));
}

#[tokio::test]
async fn deleting_channels_names_1_to_100_of_them() {
    let pond = Pond::new().await;
    let many: Vec<_> = (0..101).map(|n| format!("messaging:{n}")).collect();
    for body in [json!({}), json!({ "cids": [] }), json!({ "cids": many }), json!({ "cids": ["nonsense"] })] {
        assert_eq!(pond.refuses(Method::POST, "channels/delete", body.to_string()).await, (400, 4), "{body}");
        assert_eq!(pond.v2().refuses(Method::POST, "chat/channels/delete", body.to_string()).await, (400, 4));
    }
    assert_eq!(pond.user("amy").refuses(Method::POST, "channels/delete", "{}").await, (403, 17));
}
