//! Deleting users, and locking many out (v2 §2.4, §2.5).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

impl Pond {
    async fn people(&self, ids: &[&str]) {
        let users: serde_json::Map<_, _> =
            ids.iter().map(|id| ((*id).to_owned(), json!({ "id": id, "name": format!("Name of {id}") }))).collect();
        self.post("users", json!({ "users": users })).await.ok(201);
    }

    /// Starts a task, does it, and answers its result.
    async fn done(&self, path: &str, body: Value) -> Value {
        let id = self.post(path, body).await.ok(201)["task_id"].as_str().unwrap().to_owned();
        self.run_tasks().await;
        let task = self.get(&format!("tasks/{id}")).await.ok(200);
        assert_eq!(task["status"], "completed", "{task}");
        task["result"].clone()
    }
}

#[tokio::test]
async fn a_batch_tells_of_each_user_and_unknown_ones_do_not_stop_the_others() {
    let pond = Pond::new().await;
    pond.people(&["amy", "bob"]).await;
    let body = json!({ "user_ids": ["amy", "bob", "nobody", "amy"], "user": "hard", "messages": "hard" });
    assert_eq!(
        pond.done("users/delete", body).await,
        json!({
            "amy": { "status": "ok" },
            "bob": { "status": "ok" },
            "nobody": { "status": "error", "error": "user not found" },
        })
    );
}

#[tokio::test]
async fn a_user_is_locked_out_before_the_task_runs() {
    let pond = Pond::new().await;
    pond.people(&["amy"]).await;
    pond.v2().post("users/delete", json!({ "user_ids": ["amy"] })).await.ok(201);
    let own = json!({ "users": { "amy": { "id": "amy" } } }).to_string();
    assert_eq!(pond.user("amy").refuses(Method::POST, "users", own.clone()).await, (401, 5));
    assert_eq!(pond.refuses(Method::POST, "users", own).await, (400, 4));
}

#[tokio::test]
async fn a_hard_deleted_id_is_free_again_and_a_soft_deleted_one_is_not() {
    let pond = Pond::new().await;
    pond.people(&["amy", "bob"]).await;
    pond.done("users/delete", json!({ "user_ids": ["amy"], "user": "hard", "messages": "hard" })).await;
    let again = pond.post("users", json!({ "users": { "amy": { "id": "amy" } } })).await.ok(201);
    assert_eq!(again["users"]["amy"].get("name"), None);
    pond.done("users/delete", json!({ "user_ids": ["bob"] })).await;
    let body = json!({ "users": { "bob": { "id": "bob" } } }).to_string();
    assert_eq!(pond.refuses(Method::POST, "users", body).await, (400, 4));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_and_nothing_changes() {
    let pond = Pond::new().await;
    pond.people(&["amy", "bob"]).await;
    let many: Vec<_> = (0..101).map(|n| format!("u{n}")).collect();
    for body in [
        json!({}),
        json!({ "user_ids": [] }),
        json!({ "user_ids": many }),
        json!({ "user_ids": ["amy"], "user": "gone" }),
        json!({ "user_ids": ["amy"], "conversations": "pruning" }),
        json!({ "user_ids": ["amy"], "calls": "pruning" }),
        json!({ "user_ids": ["amy"], "user": "hard" }),
        json!({ "user_ids": ["amy"], "user": "hard", "messages": "soft" }),
        json!({ "user_ids": ["amy"], "user": "hard", "messages": "hard", "conversations": "soft" }),
        json!({ "user_ids": ["amy"], "new_channel_owner_id": "amy" }),
        json!({ "user_ids": ["amy"], "new_channel_owner_id": "nobody" }),
    ] {
        for client in [pond.v2(), (*pond).clone()] {
            assert_eq!(client.refuses(Method::POST, "users/delete", body.to_string()).await, (400, 4), "{body}");
        }
    }
    assert_eq!(pond.user("amy").refuses(Method::POST, "users/delete", r#"{"user_ids":["amy"]}"#).await, (403, 17));
}

#[tokio::test]
async fn softer_users_go_with_harder_content_and_empty_modes_are_none() {
    let pond = Pond::new().await;
    pond.people(&["amy"]).await;
    let body = json!({ "user_ids": ["amy"], "user": "soft", "messages": "hard", "conversations": "", "calls": "",
        "files": true, "new_call_owner_id": "bob" });
    assert_eq!(pond.done("users/delete", body).await, json!({ "amy": { "status": "ok" } }));
}

#[tokio::test]
async fn many_users_are_locked_out_and_let_in_again() {
    let pond = Pond::new().await;
    pond.people(&["amy", "bob"]).await;
    let both = json!({ "user_ids": ["amy", "bob"] });
    let own = json!({ "users": { "amy": { "id": "amy", "name": "A" } } });
    let ok = json!({ "amy": { "status": "ok" }, "bob": { "status": "ok" } });
    assert_eq!(pond.done("users/deactivate", both.clone()).await, ok);
    assert_eq!(pond.user("amy").refuses(Method::POST, "users", own.to_string()).await, (403, 17));
    let again = pond.done("users/deactivate", json!({ "user_ids": ["amy"] })).await;
    assert_eq!(again["amy"]["status"], "error", "{again}");
    assert_eq!(pond.done("users/reactivate", both).await, ok);
    pond.user("amy").post("users", own).await.ok(201);
}
