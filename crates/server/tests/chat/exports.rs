//! Telling what is stored of users and channels (v2 §2.7, §2.8, §3.2, §4.2).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Answer, Pond};

const DAY: i64 = 24 * 3600 * 1_000_000;

impl Pond {
    /// Ann and bob talk: ann says two things, bob one; each reacts to the other.
    async fn talk(&self) {
        let users = json!({ "ann": { "id": "ann", "name": "Ann", "email": "ann@example.com" }, "bob": { "id": "bob", "name": "Bob" } });
        self.post("users", json!({ "users": users })).await.ok(201);
        let channel = json!({ "data": { "created_by_id": "ann", "members": ["ann", "bob"] } });
        self.post("channels/messaging/general/query", channel).await.ok(201);
        for (id, user, text) in [("a1", "ann", "hello"), ("b1", "bob", "hi ann"), ("a2", "ann", "bye")] {
            let message = json!({ "message": { "id": id, "user_id": user, "text": text } });
            self.post("channels/messaging/general/message", message).await.ok(201);
            self.clock.advance(1_000_000);
        }
        for (to, user, kind) in [("b1", "ann", "haha"), ("a1", "bob", "like")] {
            let reaction = json!({ "reaction": { "type": kind, "user_id": user } });
            self.post(&format!("messages/{to}/reaction"), reaction).await.ok(201);
        }
    }

    /// Starts a task, does it, and answers its id.
    pub(crate) async fn exported(&self, path: &str, body: Value) -> String {
        let id = self.post(path, body).await.ok(201)["task_id"].as_str().unwrap().to_owned();
        self.run_tasks().await;
        id
    }

    /// The link that the task tells now.
    pub(crate) async fn link(&self, task: &str) -> String {
        let task = self.get(&format!("tasks/{task}")).await.ok(200);
        assert_eq!(task["status"], "completed", "{task}");
        let url = task["result"]["url"].as_str().unwrap_or_else(|| panic!("no url: {task}"));
        url.strip_prefix("http://localhost/").unwrap().to_owned()
    }

    /// Fetches a link, as whoever has it.
    pub(crate) async fn fetch(&self, link: &str) -> Answer {
        self.token(None).get(&format!("{link}&api_key=")).await
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_export_lists_every_message_and_reaction_of_the_user_and_none_of_anybody_else() {
    let pond = Pond::new().await;
    pond.talk().await;
    let classic = pond.get("users/ann/export").await.ok(200);
    let ids = |list: &Value, name: &str| {
        list.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(classic["user"]["email"], "ann@example.com");
    assert_eq!(ids(&classic["messages"], "id"), ["a1", "a2"]);
    assert_eq!(ids(&classic["reactions"], "message_id"), ["b1"]);
    assert_eq!(classic["messages"][0]["user"], Value::Null);
    assert_eq!(classic["messages"][0]["latest_reactions"], json!([]));
    assert_eq!(classic["reactions"][0]["user"], Value::Null);
    assert_eq!(classic["memberships"][0]["cid"], "messaging:general");
    assert!(!classic.to_string().contains("bob"), "{classic}");
    let v2 = pond.v2().get("users/ann/export").await.ok(200);
    assert_eq!(v2["user"]["custom"]["email"], "ann@example.com");
    assert_eq!(ids(&v2["messages"], "id"), ["a1", "a2"]);
    assert_eq!((&classic["calls"], &v2["calls"]), (&json!([]), &json!([])), "there are no calls here");
    assert_eq!(v2["messages"][0]["user"]["id"], "ann");
    assert!(v2["messages"][0]["created_at"].is_i64() && v2["messages"][0]["custom"].is_object());
    assert_eq!(pond.refuses(Method::GET, "users/nobody/export", "").await, (404, 16));
}

#[tokio::test]
async fn an_export_of_users_is_a_file_of_json_lines_behind_a_signed_link() {
    let pond = Pond::new().await;
    pond.talk().await;
    let id = pond.exported("export/users", json!({ "user_ids": ["ann", "nobody"] })).await;
    let link = pond.link(&id).await;
    assert!(link.starts_with("exports/users/7/"), "{link}");
    let file = pond.fetch(&link).await;
    assert_eq!(file.status, 200, "{}", file.text);
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(file.headers["cache-control"], "private, no-store");
    let lines = lines(&file.text);
    let kinds: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["user", "member", "message", "message", "reaction"]);
    assert!(lines.iter().all(|line| line["user_id"] == "ann"));
    assert_eq!((&lines[0]["data"]["name"], &lines[2]["data"]["text"]), (&json!("Ann"), &json!("hello")));
    assert!(!file.text.contains("bob"), "{}", file.text);
}

/// Ann has one of everything that chat knows of a user.
async fn live(pond: &Pond) {
    pond.talk().await;
    let ann = pond.user("ann");
    ann.post("devices", json!({ "id": "phone", "push_provider": "firebase" })).await.ok(201);
    ann.post("users/block", json!({ "blocked_user_id": "bob" })).await.ok(201);
    ann.post("moderation/mute", json!({ "target_ids": ["bob"] })).await.ok(201);
    ann.post("moderation/mute/channel", json!({ "channel_cid": "messaging:general" })).await.ok(201);
    ann.post("moderation/flag", json!({ "entity_type": "message", "entity_id": "b1", "reason": "rude" })).await.ok(201);
    let ban = json!({ "target_user_id": "ann", "banned_by_id": "bob", "reason": "loud", "type": "messaging", "id": "general" });
    pond.post("moderation/ban", ban).await.ok(201);
    let group = json!({ "id": "staff", "name": "Staff", "member_ids": ["ann"] });
    pond.v2().post("usergroups", group).await.ok(201);
    pond.v2().post("chat/messages/a1", json!({ "message": { "text": "hello!", "user_id": "ann" } })).await.ok(201);
    let reply = json!({ "message": { "id": "r1", "user_id": "ann", "text": "a reply", "parent_id": "b1" } });
    pond.post("channels/messaging/general/message", reply).await.ok(201);
    let draft = json!({ "message": { "user_id": "ann", "text": "wip", "mentioned_users": ["bob"] } });
    pond.post("channels/messaging/general/draft", draft).await.ok(201);
    pond.post("messages/b1/reminders", json!({ "user_id": "ann" })).await.ok(201);
    let preference = json!({ "user_id": "ann", "chat_level": "direct_mentions" });
    pond.post("push_preferences", json!({ "preferences": [preference] })).await.ok(201);
    let poll = json!({ "id": "p", "name": "Q?", "user_id": "ann", "options": [{ "id": "a", "text": "A" }] });
    pond.post("polls", poll).await.ok(201);
    pond.post(
        "channels/messaging/general/message",
        json!({ "message": { "id": "p1", "user_id": "bob", "poll_id": "p" } }),
    )
    .await
    .ok(201);
    pond.post("messages/p1/polls/p/vote", json!({ "vote": { "option_id": "a" }, "user_id": "ann" })).await.ok(201);
}

#[tokio::test]
async fn each_set_that_a_table_is_told_in_stands_in_the_answer_and_in_the_file() {
    let pond = Pond::new().await;
    live(&pond).await;
    let v2 = pond.v2().get("users/ann/export").await.ok(200);
    for set in domain::exports::sets::of_users() {
        let list = &v2[set.list()];
        let is_told = if set == domain::exports::sets::UserSet::User { list.is_object() } else { list[0].is_object() };
        // Files have a test of their own.
        assert!(is_told || set == domain::exports::sets::UserSet::Files, "{}: {list}", set.list());
    }
    assert!(v2["memberships"][0]["created_at"].is_i64(), "{v2}");
    assert_eq!((&v2["bans"][0]["reason"], &v2["flags"][0]["reason"]), (&json!("loud"), &json!("rude")));
    assert_eq!(v2["message_versions"][0]["text"], "hello");
    assert!(v2["bans"][0].get("banned_by").is_none());
    assert_eq!((&v2["polls"][0]["name"], &v2["poll_votes"][0]["option_id"]), (&json!("Q?"), &json!("a")));
    assert_eq!((&v2["drafts"][0]["message"]["text"], &v2["reminders"][0]["message_id"]), (&json!("wip"), &json!("b1")));
    let id = pond.exported("export/users", json!({ "user_ids": ["ann"] })).await;
    let file = lines(&pond.fetch(&pond.link(&id).await).await.text);
    for set in domain::exports::sets::of_users() {
        let told = file.iter().filter(|line| line["type"] == set.line()).count();
        let list = v2[set.list()].as_array().map_or(1, Vec::len);
        assert_eq!(told, list, "{}", set.line());
    }
}

#[tokio::test]
async fn a_file_holds_1_to_25_users_and_only_the_apps_server_asks_for_it() {
    let pond = Pond::new().await;
    pond.talk().await;
    let many: Vec<_> = (0..26).map(|n| format!("u{n}")).collect();
    for body in [json!({}), json!({ "user_ids": [] }), json!({ "user_ids": many })] {
        assert_eq!(pond.refuses(Method::POST, "export/users", body.to_string()).await, (400, 4), "{body}");
    }
    let ann = pond.user("ann");
    assert_eq!(ann.refuses(Method::POST, "export/users", r#"{"user_ids":["ann"]}"#).await, (403, 17));
    assert_eq!(ann.refuses(Method::GET, "users/ann/export", "").await, (403, 17));
    assert_eq!(ann.v2().refuses(Method::POST, "feeds/users/ann/export", "null").await, (403, 17));
    assert_eq!(ann.v2().refuses(Method::POST, "feeds/users/ann/delete", "null").await, (403, 17));
}

#[tokio::test]
async fn an_export_of_nobody_fails_and_says_why() {
    let pond = Pond::new().await;
    let id = pond.exported("export/users", json!({ "user_ids": ["nobody"] })).await;
    let task = pond.get(&format!("tasks/{id}")).await.ok(200);
    assert_eq!((&task["status"], &task["error"]["type"]), (&json!("failed"), &json!("export_failed")));
    assert!(task["error"]["description"].is_string() && task.get("result").is_none(), "{task}");
}

#[tokio::test]
async fn each_status_request_makes_a_new_link_that_is_good_for_a_day() {
    let pond = Pond::new().await;
    pond.talk().await;
    let id = pond.exported("export/users", json!({ "user_ids": ["ann"] })).await;
    let (first, second) = (pond.link(&id).await, pond.link(&id).await);
    assert_ne!(first, second);
    assert_eq!(pond.fetch(&first).await.text, pond.fetch(&second).await.text);
    pond.clock.advance(DAY);
    assert_eq!(pond.fetch(&first).await.status, 200);
    pond.clock.advance(1_000_000);
    let late = pond.fetch(&first).await;
    assert_eq!((late.status, late.text.as_str()), (403, ""));
    let fresh = pond.link(&id).await;
    assert_eq!(pond.fetch(&fresh).await.status, 200);
    let forged = fresh.replace("&sig=", "&sig=A");
    assert_eq!(pond.fetch(&forged).await.status, 403);
    let other = fresh.replace("exports/users/7/", "exports/users/8/");
    assert_eq!(pond.fetch(&other).await.status, 403);
}

#[tokio::test]
async fn a_file_goes_after_sixty_days_and_its_task_after_ninety() {
    let pond = Pond::new().await;
    pond.talk().await;
    let id = pond.exported("export/users", json!({ "user_ids": ["ann"] })).await;
    pond.clock.advance(60 * DAY - 1);
    pond.run_tasks().await;
    let link = pond.link(&id).await;
    assert_eq!(pond.fetch(&link).await.status, 200);
    pond.clock.advance(1);
    pond.run_tasks().await;
    assert_eq!(pond.fetch(&link).await.status, 410);
    let task = pond.get(&format!("tasks/{id}")).await.ok(200);
    assert_eq!((&task["status"], &task["result"]), (&json!("completed"), &json!({})));
    pond.clock.advance(30 * DAY);
    pond.run_tasks().await;
    assert_eq!(pond.refuses(Method::GET, &format!("tasks/{id}"), "").await, (404, 16));
}

#[tokio::test]
async fn deleting_a_user_for_good_destroys_the_files_that_hold_the_users_data() {
    let pond = Pond::new().await;
    pond.talk().await;
    let of_ann = pond.exported("export/users", json!({ "user_ids": ["ann", "bob"] })).await;
    let of_bob = pond.exported("export/users", json!({ "user_ids": ["bob"] })).await;
    let of_both = pond.exported("export_channels", json!({ "channels": [{ "cid": "messaging:general" }] })).await;
    let links = [pond.link(&of_ann).await, pond.link(&of_both).await];
    let body = json!({ "user_ids": ["ann"], "user": "hard", "messages": "hard" });
    let deletion = pond.exported("users/delete", body).await;
    assert_eq!(pond.get(&format!("tasks/{deletion}")).await.ok(200)["result"]["ann"]["status"], "ok");
    for link in links {
        assert_eq!(pond.fetch(&link).await.status, 410, "{link}");
    }
    assert_eq!(pond.get(&format!("tasks/{of_ann}")).await.ok(200)["result"], json!({}));
    let link = pond.link(&of_bob).await;
    assert_eq!(pond.fetch(&link).await.status, 200);
}

#[tokio::test]
async fn an_export_of_channels_is_a_document_lines_or_comma_separated_values() {
    let pond = Pond::new().await;
    pond.talk().await;
    let reply = json!({ "message": { "id": "r1", "user_id": "bob", "text": "a \"reply\", here", "parent_id": "a1" } });
    pond.post("channels/messaging/general/message", reply).await.ok(201);
    let channels = json!([{ "type": "messaging", "id": "general" }]);
    let id = pond.exported("export_channels", json!({ "channels": channels, "export_users": true })).await;
    let document = pond.fetch(&pond.link(&id).await).await.json();
    let said: Vec<_> = document["channels"][0]["messages"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(said, ["a1", "r1", "b1", "a2"]);
    assert_eq!(document["channels"][0]["channel"]["cid"], "messaging:general");
    assert_eq!(document["channels"][0]["members"].as_array().unwrap().len(), 2);
    assert_eq!(document["users"].as_array().unwrap().len(), 2);
    let told = pond.get(&format!("export_channels/{id}")).await.ok(200);
    assert!(told["result"]["url"].is_string(), "{told}");
    let id = pond.v2().post("chat/export_channels", json!({ "channels": channels, "version": "v2" })).await.ok(201);
    pond.run_tasks().await;
    let text = pond.fetch(&pond.link(id["task_id"].as_str().unwrap()).await).await.text.clone();
    let kinds: Vec<_> = lines(&text).iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["channel", "member", "member", "message", "message", "message", "message"]);
    let body = json!({ "channels": channels, "version": "v2", "format": "csv", "include_fields": ["id", "text"] });
    let id = pond.exported("export_channels", body).await;
    let text = pond.fetch(&pond.link(&id).await).await.text.clone();
    assert_eq!(text, "id,text\r\na1,hello\r\nr1,\"a \"\"reply\"\", here\"\r\nb1,hi ann\r\na2,bye\r\n");
}

#[tokio::test]
async fn an_export_of_channels_names_1_to_25_of_them_in_a_layout_that_there_is() {
    let pond = Pond::new().await;
    pond.talk().await;
    let one = json!([{ "cid": "messaging:general" }]);
    let many: Vec<_> = (0..26).map(|n| json!({ "cid": format!("messaging:{n}") })).collect();
    for body in [
        json!({}),
        json!({ "channels": [] }),
        json!({ "channels": many }),
        json!({ "channels": [{ "type": "messaging" }] }),
        json!({ "channels": one, "version": "v3" }),
        json!({ "channels": one, "format": "csv" }),
        json!({ "channels": one, "version": "v2", "format": "csv", "export_users": true }),
        json!({ "channels": one, "version": "v2", "format": "xml" }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "export_channels", body.to_string()).await, (400, 4), "{body}");
    }
    let none = json!({ "channels": [{ "cid": "messaging:none" }] }).to_string();
    assert_eq!(pond.refuses(Method::POST, "export_channels", none).await, (404, 16));
}

#[tokio::test]
async fn what_a_user_has_in_feeds_is_one_json_object_and_holds_ids_of_others_alone() {
    let pond = Pond::new().await;
    pond.talk().await;
    let post = async |path: &str, body: Value| {
        let token = json!({ "resource": "*", "action": "*", "feed_id": "*" });
        pond.claims(&token).post(&format!("api/v1.0/{path}/"), body).await
    };
    let activity = json!({ "actor": "SU:ann", "verb": "post", "object": "o:1", "mood": "glad" });
    assert_eq!(post("feed/user/ann", activity).await.status, 201);
    let activity = json!({ "actor": "bob", "verb": "post", "object": "bob-secret" });
    assert_eq!(post("feed/user/bob", activity).await.status, 201);
    assert_eq!(post("feed/timeline/ann/following", json!({ "target": "user:bob" })).await.status, 201);
    assert_eq!(post("feed/timeline/bob/following", json!({ "target": "user:ann" })).await.status, 201);
    let id = pond.v2().call(Method::POST, "feeds/users/ann/export", "null").await.ok(201);
    pond.run_tasks().await;
    let link = pond.link(id["task_id"].as_str().unwrap()).await;
    assert!(link.starts_with("exports/feeds/7/"), "{link}");
    let text = pond.fetch(&link).await.text.clone();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&file["user_id"], &file["user"]["name"]), (&json!("ann"), &json!("Ann")));
    assert!(file["user"]["created_at"].is_string());
    assert_eq!(file["feeds"][0]["fid"], "user:ann");
    assert_eq!(file["follows"].as_array().unwrap().len(), 2);
    let activities = file["activities"].as_array().unwrap();
    assert_eq!((activities.len(), &activities[0]["custom"]["mood"]), (1, &json!("glad")));
    for name in ["comments", "reactions", "bookmarks", "bookmark_folders", "collections"] {
        assert_eq!(file[name], json!([]), "{name}");
    }
    assert!(file["extra"].as_object().unwrap().values().all(|rows| *rows == json!([])), "{file}");
    assert!(!text.contains("secret") && !text.contains("Bob"), "{text}");
    let body = json!({ "hard_delete": true });
    let id = pond.v2().post("feeds/users/ann/delete", body).await.ok(201)["task_id"].as_str().unwrap().to_owned();
    pond.run_tasks().await;
    let task = pond.get(&format!("tasks/{id}")).await.ok(200);
    let counts = json!({ "activities": 1, "feeds": 0, "follows": 2 });
    assert_eq!(task["result"]["ann"], json!({ "status": "ok" }));
    assert_eq!(
        (&task["result"]["counts"]["activities"], &task["result"]["counts"]["follows"]),
        (&counts["activities"], &counts["follows"])
    );
    pond.get("users/ann/export").await.ok(200);
    assert_eq!(pond.v2().refuses(Method::POST, "feeds/users/nobody/export", "null").await, (404, 16));
}
