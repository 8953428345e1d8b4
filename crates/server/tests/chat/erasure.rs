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

/// Ann and bob in a group channel with eve: ann said a1, with a reply by bob and a reaction by eve; bob said b1, to which
/// ann replied and reacted; ann was quoted and mentioned by bob.
async fn talk(pond: &Pond) {
    pond.people(&["ann", "bob", "eve", "support"]).await;
    let channel = json!({ "data": { "created_by_id": "ann", "members": ["ann", "bob", "eve"] } });
    pond.post("channels/messaging/group/query", channel).await.ok(201);
    let channel = json!({ "data": { "created_by_id": "ann", "members": ["ann", "bob"] } });
    pond.post("channels/messaging/pair/query", channel).await.ok(201);
    for (channel, message) in [
        ("group", json!({ "id": "a1", "user_id": "ann", "text": "Needle-7f3c one" })),
        ("group", json!({ "id": "b1", "user_id": "bob", "text": "hello", "mentioned_users": ["ann"] })),
        ("group", json!({ "id": "r1", "user_id": "bob", "text": "a reply", "parent_id": "a1" })),
        ("group", json!({ "id": "r2", "user_id": "ann", "text": "Needle-7f3c reply", "parent_id": "a1" })),
        ("group", json!({ "id": "r3", "user_id": "ann", "text": "Needle-7f3c other", "parent_id": "b1" })),
        ("group", json!({ "id": "b2", "user_id": "bob", "text": "as said", "quoted_message_id": "a1" })),
        ("group", json!({ "id": "a2", "user_id": "ann", "text": "Needle-7f3c two" })),
        ("pair", json!({ "id": "p1", "user_id": "ann", "text": "Needle-7f3c three" })),
        ("pair", json!({ "id": "p2", "user_id": "bob", "text": "aside" })),
    ] {
        pond.post(&format!("channels/messaging/{channel}/message"), json!({ "message": message })).await.ok(201);
        pond.clock.advance(1_000_000);
    }
    for (to, user, kind) in [("a1", "eve", "like"), ("b1", "ann", "like"), ("b1", "eve", "like"), ("b1", "ann", "haha")]
    {
        let reaction = json!({ "reaction": { "type": kind, "user_id": user } });
        pond.post(&format!("messages/{to}/reaction"), reaction).await.ok(201);
        pond.clock.advance(1_000_000);
    }
}

const HARD: &str =
    r#"{"user_ids":["ann"],"user":"hard","messages":"hard","conversations":"hard","calls":"hard","files":true}"#;

fn hard() -> Value {
    serde_json::from_str(HARD).unwrap()
}

async fn channel(pond: &Pond, id: &str) -> Value {
    let body = json!({ "state": true, "data": { "created_by_id": "bob" } });
    pond.post(&format!("channels/messaging/{id}/query"), body).await.ok(201)
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn after_a_hard_deletion_the_privacy_connectors_walk_finds_nothing_in_either_dialect() {
    for is_v2 in [false, true] {
        let pond = Pond::new().await;
        talk(&pond).await;
        let update =
            json!({ "users": { "ann": { "id": "ann", "email": "ann@example.com", "name": "Ann Needle-7f3c" } } });
        pond.post("users", update).await.ok(201);
        let client = if is_v2 { pond.v2() } else { (*pond).clone() };
        let search = "users?payload=%7B%22filter_conditions%22%3A%7B%22email%22%3A%22ann%40example.com%22%7D%7D";
        let found = client.get(search).await.ok(200);
        assert_eq!(ids(&found["users"]), ["ann"]);
        assert_eq!(ids(&client.get("users/ann/export").await.ok(200)["messages"]), ["a1", "r2", "r3", "a2", "p1"]);
        let id = client.post("users/delete", hard()).await.ok(201)["task_id"].as_str().unwrap().to_owned();
        assert_eq!(client.get(search).await.ok(200)["users"], json!([]), "gone before the task runs");
        pond.run_tasks().await;
        let task = client.get(&format!("tasks/{id}")).await.ok(200);
        // Calls were asked for, and there are none.
        let ended = json!({ "ann": { "status": "ok", "calls_deleted": 0 } });
        assert_eq!((&task["status"], &task["result"]), (&json!("completed"), &ended));
        assert_eq!(client.get(search).await.ok(200)["users"], json!([]));
        assert_eq!(client.refuses(Method::GET, "users/ann/export", "").await, (404, 16));
        assert_eq!(pond.residue("ann").await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn counts_on_what_survives_equal_a_recount_and_latest_reactions_pull_in_the_next() {
    let pond = Pond::new().await;
    talk(&pond).await;
    assert_eq!(pond.get("messages/b1").await.ok(200)["message"]["reaction_counts"], json!({ "like": 2, "haha": 1 }));
    pond.done("users/delete", hard()).await;
    let b1 = pond.get("messages/b1").await.ok(200)["message"].clone();
    assert_eq!((&b1["reaction_counts"], &b1["reaction_scores"]), (&json!({ "like": 1 }), &json!({ "like": 1 })));
    assert_eq!(b1["latest_reactions"].as_array().unwrap().len(), 1);
    assert_eq!((&b1["reply_count"], &b1["mentioned_users"]), (&json!(0), &json!([])));
    let group = channel(&pond, "group").await;
    assert_eq!(group["channel"]["member_count"], 2);
    assert!(!group.to_string().contains("Needle"), "{group}");
}

#[tokio::test]
async fn replies_of_others_stay_under_a_stub_without_an_author_and_quotes_go() {
    let pond = Pond::new().await;
    talk(&pond).await;
    pond.done("users/delete", hard()).await;
    let replies = pond.get("messages/a1/replies").await.ok(200);
    assert_eq!(ids(&replies["messages"]), ["r1"]);
    let stub = pond.get("messages/a1").await.ok(200)["message"].clone();
    assert_eq!((&stub["type"], &stub["text"], &stub["user"]), (&json!("deleted"), &json!(""), &Value::Null));
    let b2 = pond.get("messages/b2").await.ok(200)["message"].clone();
    assert!(b2["quoted_message"].is_null() || b2["quoted_message"]["text"] == "", "{b2}");
    for gone in ["r2", "r3", "a2", "p1"] {
        assert_eq!(pond.refuses(Method::GET, &format!("messages/{gone}"), "").await, (404, 16), "{gone}");
    }
}

#[tokio::test]
async fn a_stub_goes_with_its_channel() {
    let pond = Pond::new().await;
    talk(&pond).await;
    pond.done("users/delete", hard()).await;
    pond.done("channels/delete", json!({ "cids": ["messaging:group"], "hard_delete": true })).await;
    for gone in ["a1", "r1", "b1", "b2"] {
        assert_eq!(pond.refuses(Method::GET, &format!("messages/{gone}"), "").await, (404, 16), "{gone}");
    }
    assert!(!pond.residue("bob").await.iter().any(|left| left.starts_with("message") || left.starts_with("reply")));
}

#[tokio::test]
async fn a_conversation_goes_with_what_both_said_and_a_group_gets_a_named_or_generated_owner() {
    for heir in [None, Some("support")] {
        let pond = Pond::new().await;
        talk(&pond).await;
        let mut body = hard();
        body["new_channel_owner_id"] = heir.into();
        pond.done("users/delete", body).await;
        assert_eq!(pond.refuses(Method::GET, "messages/p2", "").await, (404, 16));
        let owner =
            channel(&pond, "group").await["channel"]["created_by"]["id"].as_str().unwrap_or_default().to_owned();
        match heir {
            Some(heir) => assert_eq!(owner, heir),
            None => {
                let letters = owner.strip_prefix("delete-user-").unwrap_or_else(|| panic!("{owner}"));
                let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                assert!(letters.len() >= 14 && letters.chars().all(is_plain) && !letters.contains("ann"), "{owner}");
                let payload = "users?payload=%7B%22filter_conditions%22%3A%7B%7D%7D";
                assert!(!ids(&pond.get(payload).await.ok(200)["users"]).contains(&owner.as_str()));
            }
        }
    }
}

#[tokio::test]
async fn softly_deleted_messages_are_stubs_for_clients_and_whole_in_the_export() {
    let pond = Pond::new().await;
    talk(&pond).await;
    pond.done("users/delete", json!({ "user_ids": ["ann"], "messages": "soft" })).await;
    let a1 = pond.get("messages/a1").await.ok(200)["message"].clone();
    assert_eq!((&a1["type"], &a1["text"]), (&json!("deleted"), &json!("")));
    let exported = pond.get("users/ann/export").await.ok(200);
    assert_eq!(exported["messages"][0]["text"], "Needle-7f3c one");
    assert_eq!(pond.get("messages/b1").await.ok(200)["message"]["reaction_counts"], json!({ "like": 2, "haha": 1 }));
}

#[tokio::test]
async fn pruned_messages_keep_id_and_place_and_nothing_that_was_said() {
    let pond = Pond::new().await;
    talk(&pond).await;
    let body = json!({ "user_ids": ["ann"], "user": "pruning", "messages": "pruning" });
    pond.done("users/delete", body).await;
    let exported = pond.get("users/ann/export").await.ok(200);
    assert_eq!(ids(&exported["messages"]), ["a1", "r2", "r3", "a2", "p1"]);
    assert!(!exported.to_string().contains("Needle") && exported["reactions"] == json!([]), "{exported}");
    assert_eq!(ids(&pond.get("messages/a1/replies").await.ok(200)["messages"]), ["r1", "r2"]);
    assert_eq!(pond.get("messages/a1").await.ok(200)["message"]["reaction_counts"], json!({}));
    assert_eq!(pond.get("messages/b1").await.ok(200)["message"]["reaction_counts"], json!({ "like": 1 }));
    assert_eq!(pond.refuses(Method::POST, "users/restore", r#"{"user_ids":["ann"]}"#).await, (400, 4));
}

#[tokio::test]
async fn restoring_a_softly_deleted_user_brings_back_exactly_what_was_there() {
    let pond = Pond::new().await;
    talk(&pond).await;
    let payload = "users?payload=%7B%22filter_conditions%22%3A%7B%22id%22%3A%22ann%22%7D%7D";
    let mut before = pond.get(payload).await.ok(200);
    pond.done("users/delete", json!({ "user_ids": ["ann"] })).await;
    assert_eq!(pond.get(payload).await.ok(200)["users"], json!([]));
    pond.post("users/restore", json!({ "user_ids": ["ann"] })).await.ok(201);
    let mut after = pond.get(payload).await.ok(200);
    for users in [&mut before, &mut after] {
        users["users"][0].as_object_mut().unwrap().remove("updated_at");
    }
    assert_eq!(before, after);
    pond.user("ann").get("messages/a1").await.ok(200);
}

#[tokio::test]
async fn deleting_one_user_is_soft_unless_it_is_asked_hard() {
    let pond = Pond::new().await;
    talk(&pond).await;
    let gone = pond.delete("users/eve").await.ok(200);
    assert!(gone["user"]["deleted_at"].is_string(), "{gone}");
    let gone = pond.delete("users/ann?mark_messages_deleted=true&delete_conversation_channels=true").await.ok(200);
    assert!(gone["user"]["deleted_at"].is_string(), "{gone}");
    pond.run_tasks().await;
    assert_eq!(pond.get("messages/a1").await.ok(200)["message"]["type"], "deleted");
    assert_eq!(pond.get("users/ann/export").await.ok(200)["messages"][0]["text"], "Needle-7f3c one");
    pond.delete("users/ann?user=hard&messages=hard").await.ok(200);
    pond.run_tasks().await;
    assert_eq!(pond.residue("ann").await, Vec::<String>::new());
    assert_eq!(pond.refuses(Method::DELETE, "users/ann?hard_delete=true", "null").await, (404, 16));
    assert_eq!(pond.refuses(Method::DELETE, "users/nobody", "null").await, (404, 16));
}

#[tokio::test]
async fn a_deactivation_can_mark_messages_deleted_and_a_reactivation_brings_them_back() {
    let pond = Pond::new().await;
    talk(&pond).await;
    pond.delete("messages/a2").await.ok(200);
    pond.clock.advance(1_000_000);
    pond.post("users/ann/deactivate", json!({ "mark_messages_deleted": true })).await.ok(201);
    assert_eq!(pond.get("messages/a1").await.ok(200)["message"]["type"], "deleted");
    pond.post("users/ann/reactivate", json!({ "restore_messages": true })).await.ok(201);
    assert_eq!(pond.get("messages/a1").await.ok(200)["message"]["text"], "Needle-7f3c one");
    assert_eq!(pond.get("messages/a2").await.ok(200)["message"]["type"], "deleted", "it was deleted before");
}

#[tokio::test]
async fn the_same_hard_deletion_again_completes_and_changes_nothing() {
    let pond = Pond::new().await;
    talk(&pond).await;
    pond.done("users/delete", hard()).await;
    let again = pond.done("users/delete", hard()).await;
    assert_eq!(again["ann"]["error"], "user not found");
    let made = pond.post("users", json!({ "users": { "ann": { "id": "ann" } } })).await.ok(201);
    assert_eq!(made["users"]["ann"].get("name"), None);
    let exported = pond.get("users/ann/export").await.ok(200);
    assert_eq!(
        (&exported["messages"], &exported["reactions"], &exported["memberships"]),
        (&json!([]), &json!([]), &json!([]))
    );
}

#[tokio::test]
async fn conversations_go_and_come_with_a_user_who_is_locked_out_and_let_in_again() {
    for is_batch in [true, false] {
        let pond = Pond::new().await;
        talk(&pond).await;
        let shown = async |user: &str| {
            let channels =
                pond.user(user).post("channels", json!({ "filter_conditions": {} })).await.ok(201)["channels"].clone();
            let mut ids: Vec<_> = channels
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["channel"]["id"].as_str().unwrap().to_owned())
                .collect();
            ids.sort();
            ids
        };
        assert_eq!(shown("bob").await, ["group", "pair"]);
        let body = json!({ "user_ids": ["ann"], "mark_channels_deleted": true, "mark_messages_deleted": true });
        match is_batch {
            true => drop(pond.done("users/deactivate", body).await),
            false => drop(pond.post("users/ann/deactivate", body).await.ok(201)),
        }
        assert_eq!(shown("bob").await, ["group"], "a group does not go with one of its members");
        assert_eq!(pond.get("messages/a1").await.ok(200)["message"]["type"], "deleted");
        pond.clock.advance(1_000_000);
        let body = json!({ "user_ids": ["ann"], "restore_channels": true, "restore_messages": true });
        match is_batch {
            true => drop(pond.done("users/reactivate", body).await),
            false => drop(pond.post("users/ann/reactivate", body).await.ok(201)),
        }
        assert_eq!(shown("bob").await, ["group", "pair"]);
        let pair = channel(&pond, "pair").await;
        assert_eq!(ids(&pair["messages"]), ["p1", "p2"]);
        assert_eq!(pond.get("messages/a1").await.ok(200)["message"]["text"], "Needle-7f3c one");
    }
}

#[tokio::test]
async fn a_conversation_that_was_deleted_before_does_not_come_back_with_the_user() {
    let pond = Pond::new().await;
    talk(&pond).await;
    pond.delete("channels/messaging/pair").await.ok(200);
    pond.clock.advance(1_000_000);
    pond.done("users/deactivate", json!({ "user_ids": ["ann"], "mark_channels_deleted": true })).await;
    pond.done("users/reactivate", json!({ "user_ids": ["ann"], "restore_channels": true })).await;
    let channels = pond.user("bob").post("channels", json!({ "filter_conditions": {} })).await.ok(201);
    assert_eq!(channels["channels"].as_array().unwrap().len(), 1);
}
