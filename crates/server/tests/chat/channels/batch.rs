//! `PUT /channels/batch`, `POST /channels/grouped` and predefined filters (§7, §11.3).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

async fn made(pond: &Pond, ids: &[&str]) {
    for id in ids {
        let data = json!({ "data": { "created_by_id": "amy", "members": ["amy"] } });
        pond.post(&format!("channels/messaging/{id}/query"), data).await.ok(201);
    }
}

/// Starts the batch and does it; what came of it.
async fn batched(pond: &Pond, body: Value) -> Value {
    let started = pond.put("channels/batch", body).await.ok(201);
    let id = started["task_id"].as_str().unwrap();
    pond.run_tasks().await;
    let task = pond.get(&format!("tasks/{id}")).await.ok(200);
    assert_eq!(task["status"], "completed", "{task}");
    assert_eq!(task["result"]["task_id"], started["task_id"]);
    task["result"].clone()
}

async fn state(pond: &Pond, id: &str) -> Value {
    pond.post(&format!("channels/messaging/{id}/query"), json!({ "user_id": "amy" })).await.ok(201)
}

#[tokio::test]
async fn a_batch_adds_members_to_channels_and_tells_which_it_could_not_change() {
    let pond = Pond::new().await;
    made(&pond, &["a", "b"]).await;
    let result = batched(
        &pond,
        json!({ "operation": "addMembers", "members": [{ "user_id": "bob", "channel_role": "channel_moderator" }],
            "filter": { "cids": { "$in": ["messaging:a", "messaging:b", "messaging:none"] } } }),
    )
    .await;
    let reason = "Can't find channel with id messaging:none";
    assert_eq!(
        result,
        json!({ "task_id": result["task_id"], "operation": "addMembers", "status": "completed",
            "success_channels_count": 2, "failed_channels": [{ "reason": reason, "cids": ["messaging:none"] }],
            "batch_created_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z" })
    );
    for id in ["a", "b"] {
        let members = &state(&pond, id).await["members"];
        assert_eq!((&members[1]["user_id"], &members[1]["channel_role"]), (&json!("bob"), &json!("channel_moderator")));
    }
}

#[tokio::test]
async fn a_batch_changes_data_in_both_dialects() {
    let pond = Pond::new().await;
    made(&pond, &["a"]).await;
    let change = json!({ "operation": "updateData", "filter": { "types": { "$eq": "messaging" } },
        "members": null, "data": { "frozen": true, "team": null, "custom": { "color": "red" } } });
    batched(&pond, change).await;
    let channel = &state(&pond, "a").await["channel"];
    assert_eq!((&channel["frozen"], &channel["color"]), (&json!(true), &json!("red")));
    let change = json!({ "operation": "updateData", "filter": { "cids": { "$eq": "messaging:a" } },
        "data": { "custom": { "custom": 1 } } });
    pond.v2().put("chat/channels/batch", change).await.ok(201);
    pond.run_tasks().await;
    let channel = &state(&pond, "a").await["channel"];
    assert_eq!((&channel["frozen"], &channel["custom"]), (&json!(true), &json!(1)));
}

#[tokio::test]
async fn a_batch_adds_filter_tags_to_channels_and_takes_them_away() {
    let pond = Pond::new().await;
    made(&pond, &["a", "b"]).await;
    let both = json!({ "cids": { "$in": ["messaging:a", "messaging:b"] } });
    let tags = async |id: &str| state(&pond, id).await["channel"].get("filter_tags").cloned();
    let change = json!({ "operation": "addFilterTags", "filter": both, "filter_tags_update": ["ice", "snow"] });
    assert_eq!(batched(&pond, change).await["success_channels_count"], 2);
    assert_eq!((tags("a").await, tags("b").await), (Some(json!(["ice", "snow"])), Some(json!(["ice", "snow"]))));
    let one = json!({ "cids": { "$eq": "messaging:a" }, "filter_tags": { "$in": ["ice"] } });
    let change = json!({ "operation": "removeFilterTags", "filter": one, "filter_tags_update": ["ice"] });
    pond.v2().put("chat/channels/batch", change).await.ok(201);
    pond.run_tasks().await;
    assert_eq!((tags("a").await, tags("b").await), (Some(json!(["snow"])), Some(json!(["ice", "snow"]))));
    for body in [
        json!({ "operation": "addFilterTags", "filter": both }),
        json!({ "operation": "removeFilterTags", "filter": both, "filter_tags_update": [] }),
        json!({ "operation": "addFilterTags", "filter": both, "filter_tags_update": ["x"], "members": [{ "user_id": "amy" }] }),
        json!({ "operation": "hide", "filter": both, "filter_tags_update": ["x"], "members": [{ "user_id": "amy" }] }),
    ] {
        assert_eq!(pond.refuses(Method::PUT, "channels/batch", body.to_string()).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn a_batch_that_says_too_little_or_too_much_is_refused() {
    let pond = Pond::new().await;
    let (all, bob) = (json!({ "types": { "$in": ["messaging"] } }), json!([{ "user_id": "bob" }]));
    for body in [
        json!({ "filter": all, "members": bob }),
        json!({ "operation": "kick", "filter": all, "members": bob }),
        json!({ "operation": "hide", "members": bob }),
        json!({ "operation": "hide", "filter": {}, "members": bob }),
        json!({ "operation": "hide", "filter": { "types": "messaging" }, "members": bob }),
        json!({ "operation": "hide", "filter": { "types": { "$gt": "a" } }, "members": bob }),
        json!({ "operation": "hide", "filter": { "cids": { "$in": [] } }, "members": bob }),
        json!({ "operation": "hide", "filter": { "cids": { "$in": ["nonsense"] } }, "members": bob }),
        json!({ "operation": "hide", "filter": { "color": { "$eq": "red" } }, "members": bob }),
        json!({ "operation": "hide", "filter": all }),
        json!({ "operation": "hide", "filter": all, "members": bob, "data": { "frozen": true } }),
        json!({ "operation": "assignRoles", "filter": all, "members": bob }),
        json!({ "operation": "updateData", "filter": all }),
        json!({ "operation": "updateData", "filter": all, "members": bob, "data": {} }),
        json!({ "operation": "updateData", "filter": all, "data": { "color": "red" } }),
        json!({ "operation": "updateData", "filter": all, "data": { "config_overrides": { "replies": 7 } } }),
    ] {
        assert_eq!(pond.refuses(Method::PUT, "channels/batch", body.to_string()).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn predefined_filters_are_filled_in_by_the_caller_and_told_as_they_were_used() {
    let pond = Pond::new().await;
    made(&pond, &["a", "b"]).await;
    let filters = json!({ "mine": { "filter": { "members": { "$in": ["{{user_id}}"] }, "id": "{{id}}" },
        "sort": [{ "field": "{{by}}", "direction": -1 }] } });
    pond.patch("app", json!({ "predefined_filters": filters })).await.ok(201);
    assert_eq!(pond.get("app").await.ok(200)["app"]["predefined_filters"], filters);
    let asked = json!({ "predefined_filter": "mine", "filter_values": { "id": "b" }, "sort_values": { "by": "created_at" },
        "filter_conditions": {}, "user_id": "amy" });
    for (client, path) in [(pond.client(), "channels"), (pond.v2(), "chat/channels")] {
        let answer = client.post(path, asked.clone()).await.ok(201);
        assert_eq!(answer["channels"].as_array().unwrap().len(), 1);
        assert_eq!(answer["channels"][0]["channel"]["id"], "b");
        assert_eq!(
            answer["predefined_filter"],
            json!({ "name": "mine", "filter": { "id": "b", "members": { "$in": ["amy"] } },
                "sort": [{ "field": "created_at", "direction": -1 }] })
        );
    }
    let refused = |body: &str| pond.refuses(Method::POST, "channels", body.to_owned());
    assert_eq!(refused(r#"{"predefined_filter":"none"}"#).await, (404, 16));
    assert_eq!(refused(r#"{"predefined_filter":"mine","user_id":"amy"}"#).await, (400, 4));
    assert_eq!(refused(r#"{"predefined_filter":"mine","filter_conditions":{"id":"a"}}"#).await, (400, 4));
    let wrong = r#"{"predefined_filters":{"x":{"sort":[]}}}"#;
    assert_eq!(pond.refuses(Method::PATCH, "app", wrong).await, (400, 4));
}

#[tokio::test]
async fn groups_of_channels_are_predefined_filters_with_a_cursor_where_one_is_asked_for() {
    let pond = Pond::new().await;
    made(&pond, &["a", "b", "c"]).await;
    let mine =
        json!({ "filter": { "members": { "$in": ["{{user_id}}"] } }, "sort": [{ "field": "id", "direction": 1 }] });
    let frozen = json!({ "filter": { "frozen": true } });
    pond.patch("app", json!({ "predefined_filters": { "mine": mine, "frozen": frozen } })).await.ok(201);
    let text = json!({ "message": { "text": "hi", "user_id": "bob" } });
    pond.post("channels/messaging/b/message", text).await.ok(201);
    let ids = |bucket: &Value| {
        let channels = bucket["channels"].as_array().unwrap().iter();
        channels.map(|state| state["channel"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let both = json!({ "groups": { "mine": { "limit": 2 }, "frozen": {} }, "user_id": "amy" });
    let groups = &pond.post("channels/grouped", both).await.ok(201)["groups"];
    assert_eq!((ids(&groups["mine"]), &groups["mine"]["unread_channels"]), (vec!["a".into(), "b".into()], &json!(1)));
    assert_eq!(groups["frozen"], json!({ "channels": [], "unread_channels": 0 }));
    assert!(groups["mine"].get("next").is_none());

    let page = async |group: Value| {
        let body = json!({ "groups": { "mine": group }, "limit": 2, "user_id": "amy" });
        pond.post("channels/grouped", body).await.ok(201)["groups"]["mine"].clone()
    };
    let first = page(json!({})).await;
    let second = page(json!({ "next": first["next"] })).await;
    assert_eq!((ids(&second), second.get("next")), (vec!["c".to_owned()], None));
    assert_eq!(ids(&page(json!({ "prev": second["prev"] })).await), ids(&first));
    for body in [
        json!({}),
        json!({ "groups": { "mine": { "next": "x" }, "frozen": {} }, "user_id": "amy" }),
        json!({ "groups": { "mine": { "next": "!" } }, "user_id": "amy" }),
        json!({ "groups": { "mine": { "limit": 31 } }, "user_id": "amy" }),
        json!({ "groups": { "mine": {} } }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "channels/grouped", body.to_string()).await, (400, 4), "{body}");
    }
    let unknown = r#"{"groups":{"none":{}},"user_id":"amy"}"#;
    assert_eq!(pond.refuses(Method::POST, "channels/grouped", unknown).await, (404, 16));
}
