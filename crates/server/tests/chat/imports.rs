//! Imports (§11.12): a file is uploaded, looked at, and stored row by row.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Answer, Pond};

const HOUR: i64 = 3600 * 1_000_000;

fn row(kind: &str, item: Value) -> Value {
    json!({ "type": kind, "item": item })
}

/// Whatever a file can hold, in an order in which nothing comes after what it refers to.
fn everything() -> Vec<Value> {
    let (t1, t2, t3) = ("2020-01-01T00:00:01Z", "2020-01-01T00:00:02Z", "2020-01-01T00:00:03Z");
    let place = |mut item: Value| {
        item["channel_type"] = "messaging".into();
        item["channel_id"] = "hq".into();
        item
    };
    vec![
        row("reaction", json!({ "message_id": "m1", "type": "love", "user_id": "bob", "created_at": t3, "score": 2 })),
        row(
            "message",
            place(json!({ "id": "r1", "user": "bob", "text": "a reply", "parent_id": "m1", "created_at": t2 })),
        ),
        row(
            "message",
            place(
                json!({ "id": "m1", "user": { "id": "ann" }, "text": "hello bob", "type": "regular", "created_at": t1,
                "mentioned_users_ids": ["bob"], "pinned_at": t2, "pinned_by_id": "bob", "priority": "high",
                "attachments": [{ "type": "image", "image_url": "https://x/y.png" }] }),
            ),
        ),
        row(
            "message",
            place(json!({ "id": "m2", "user": "bob", "text": "later", "created_at": "2020-01-01T01:00:00Z" })),
        ),
        row(
            "message",
            place(
                json!({ "id": "gone", "user": "bob", "text": "oops", "type": "deleted", "created_at": t3, "deleted_at": t3 }),
            ),
        ),
        row(
            "member",
            place(
                json!({ "user_id": "ann", "is_moderator": true, "created_at": t1, "last_read": "2020-01-01T00:10:00Z", "nick": "a" }),
            ),
        ),
        row("member", place(json!({ "user_id": "bob", "created_at": t2 }))),
        row(
            "channel",
            json!({ "id": "hq", "type": "messaging", "created_by": "ann", "created_at": t1, "name": "HQ", "team": "red" }),
        ),
        row("device", json!({ "id": "phone", "user_id": "ann", "push_provider_type": "firebase", "created_at": t1 })),
        row(
            "user",
            json!({ "id": "ann", "name": "Ann", "role": "user", "created_at": t1, "teams": ["red"], "hobby": "skates",
                "user_mutes": ["bob"], "channel_mutes": ["messaging:hq"], "push_notifications": { "disabled": true } }),
        ),
        row("user", json!({ "id": "bob", "created_at": t1, "invisible": true })),
    ]
}

impl Pond {
    /// Uploads a file; its path.
    async fn uploaded(&self, text: &str) -> String {
        let made = self.post("import_urls", json!({ "filename": "data.json" })).await.ok(201);
        assert_eq!(self.put_file(made["upload_url"].as_str().unwrap(), text).await.status, 200);
        made["path"].as_str().unwrap().to_owned()
    }

    /// Puts a file as whoever has the link does.
    async fn put_file(&self, url: &str, text: &str) -> Answer {
        let link = url.strip_prefix("http://localhost/").unwrap();
        self.token(None).call(Method::PUT, &format!("{link}&api_key="), text.to_owned()).await
    }

    /// Imports the rows, and answers what came of it.
    async fn import(&self, rows: &[Value], mode: &str) -> Value {
        let text = rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        self.import_text(&text, json!({ "mode": mode })).await
    }

    async fn import_text(&self, text: &str, mut asked: Value) -> Value {
        asked["path"] = self.uploaded(text).await.into();
        let task = self.post("imports", asked).await.ok(201)["import_task"].clone();
        self.run_tasks().await;
        let id = task["id"].as_str().unwrap();
        self.get(&format!("imports/{id}")).await.ok(200)["import_task"].clone()
    }
}

#[tokio::test]
async fn a_file_is_uploaded_by_its_link_and_imported_in_states_that_its_history_tells() {
    let pond = Pond::new().await;
    let made = pond.post("import_urls", json!({ "filename": "data.json" })).await.ok(201);
    let (url, path) = (made["upload_url"].as_str().unwrap(), made["path"].as_str().unwrap());
    assert!(path.starts_with("imports/7/") && path.ends_with("/data.json"), "{path}");
    let early = json!({ "path": path, "mode": "upsert" }).to_string();
    assert_eq!(pond.refuses(Method::POST, "imports", early).await, (400, 4));
    let text = row("user", json!({ "id": "ann" })).to_string();
    assert_eq!(pond.put_file(url, &text).await.status, 200);
    assert_eq!(pond.put_file(url, "{}").await.status, 409, "a file is put once");
    let task = pond.post("imports", json!({ "path": path, "mode": "upsert" })).await.ok(201)["import_task"].clone();
    let at = "2026-01-01T00:00:00Z";
    let expected = json!({ "id": task["id"], "mode": "upsert", "path": path, "state": "uploaded", "size": text.len(),
        "history": [], "created_at": at, "updated_at": at });
    assert_eq!(task, expected);
    assert_eq!(pond.put_file(url, "{}").await.status, 410, "its file is the import's");
    pond.run_tasks().await;
    let id = task["id"].as_str().unwrap();
    let task = pond.get(&format!("imports/{id}")).await.ok(200)["import_task"].clone();
    let turn = |from: &str, to: &str| json!({ "created_at": at, "prev_state": from, "next_state": to });
    let history = [turn("uploaded", "analyzing"), turn("analyzing", "importing"), turn("importing", "completed")];
    assert_eq!((&task["state"], &task["history"]), (&json!("completed"), &json!(history)));
    let result = json!({ "counts": { "user": { "inserted": 1 } }, "errors_count": 0, "errors": [] });
    assert_eq!(task["result"], result);
    let again = json!({ "path": path, "mode": "upsert" }).to_string();
    assert_eq!(pond.refuses(Method::POST, "imports", again).await, (400, 4));
    let v2 = pond.v2().get(&format!("imports/{id}")).await.ok(200)["import_task"].clone();
    assert_eq!(v2["created_at"], 1_767_225_600_000_000_000_i64);
    assert_eq!(v2["history"][0]["created_at"], 1_767_225_600_000_000_000_i64);
    assert_eq!(pond.get("imports/nothing").await.refusal(), (404, 16));
}

#[tokio::test]
async fn a_link_is_good_for_an_hour_and_for_its_own_place() {
    let pond = Pond::new().await;
    let made = pond.post("import_urls", json!({ "filename": "a b.json" })).await.ok(201);
    let url = made["upload_url"].as_str().unwrap();
    let (before, signature) = url.rsplit_once('=').unwrap();
    assert_eq!(pond.put_file(&format!("{before}=0{signature}"), "{}").await.status, 403);
    let other = pond.post("import_urls", json!({ "filename": "b.json" })).await.ok(201);
    let id = other["path"].as_str().unwrap().split('/').nth(2).unwrap();
    let own = made["path"].as_str().unwrap().split('/').nth(2).unwrap();
    assert_eq!(pond.put_file(&url.replace(own, id), "{}").await.status, 403);
    pond.clock.advance(2 * HOUR);
    assert_eq!(pond.put_file(url, "{}").await.status, 403);
    for name in ["../x", "a\\b"] {
        let refused = pond.refuses(Method::POST, "import_urls", json!({ "filename": name }).to_string()).await;
        assert_eq!(refused, (400, 4), "{name}");
    }
}

#[tokio::test]
async fn what_is_asked_must_be_what_the_contract_says() {
    let pond = Pond::new().await;
    let path = pond.uploaded("{}").await;
    for body in [
        json!({ "mode": "upsert" }),
        json!({ "path": path }),
        json!({ "path": path, "mode": "replace" }),
        json!({ "path": "s3://elsewhere/x", "mode": "insert" }),
        json!({ "path": path.replace("/7/", "/8/"), "mode": "insert" }),
    ] {
        assert_eq!(pond.refuses(Method::POST, "imports", body.to_string()).await, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn rows_come_in_any_order_and_stand_as_if_they_had_been_said_then() {
    let pond = Pond::new().await;
    let done = pond.import(&everything(), "insert").await;
    assert_eq!((&done["state"], &done["result"]["errors"]), (&json!("completed"), &json!([])));
    let counts = json!({ "user": { "inserted": 2 }, "channel": { "inserted": 1 }, "member": { "inserted": 2 },
        "message": { "inserted": 4 }, "reaction": { "inserted": 1 }, "device": { "inserted": 1 } });
    assert_eq!(done["result"]["counts"], counts);

    let payload = crate::pond::encoded(&json!({ "filter_conditions": { "id": "ann" } }));
    let ann = pond.get(&format!("users?payload={payload}")).await.ok(200)["users"][0].clone();
    assert_eq!((&ann["name"], &ann["hobby"], &ann["teams"]), (&json!("Ann"), &json!("skates"), &json!(["red"])));
    assert_eq!((&ann["created_at"], &ann["mutes"][0]["target"]["id"]), (&json!("2020-01-01T00:00:01Z"), &json!("bob")));
    assert_eq!(
        (&ann["devices"][0]["id"], &ann["channel_mutes"][0]["channel"]["cid"]),
        (&json!("phone"), &json!("messaging:hq"))
    );

    let state = pond.post("channels/messaging/hq/query", json!({ "user_id": "bob" })).await.ok(201);
    let channel = &state["channel"];
    assert_eq!(
        (&channel["name"], &channel["team"], &channel["created_by"]["id"]),
        (&json!("HQ"), &json!("red"), &json!("ann"))
    );
    assert_eq!(channel["last_message_at"], "2020-01-01T01:00:00Z");
    assert_eq!(crate::messages::ids(&state["messages"]), "m1 gone m2");
    assert_eq!(crate::messages::ids(&state["pinned_messages"]), "m1");
    let first = &state["messages"][0];
    assert_eq!((&first["created_at"], &first["priority"]), (&json!("2020-01-01T00:00:01Z"), &json!("high")));
    assert_eq!((&first["reply_count"], &first["reaction_scores"]["love"]), (&json!(1), &json!(2)));
    assert_eq!((&first["mentioned_users"][0]["id"], &first["pinned_by"]["id"]), (&json!("bob"), &json!("bob")));
    assert_eq!((&state["messages"][1]["type"], &state["messages"][1]["text"]), (&json!("deleted"), &json!("")));
    let (ann, bob) = (&state["members"][0], &state["members"][1]);
    assert_eq!((&ann["channel_role"], &ann["nick"]), (&json!("channel_moderator"), &json!("a")));
    assert_eq!(bob["created_at"], "2020-01-01T00:00:02Z");

    let thread = pond.get("threads/m1").await.ok(200)["thread"].clone();
    assert_eq!((&thread["created_by_user_id"], &thread["reply_count"]), (&json!("bob"), &json!(1)));
    let search = crate::pond::encoded(&json!({ "filter_conditions": { "type": "messaging" }, "query": "hello" }));
    let found = pond.get(&format!("search?payload={search}")).await.ok(200);
    assert_eq!(found["results"][0]["message"]["id"], "m1");
}

#[tokio::test]
async fn who_read_up_to_a_moment_has_not_read_what_came_later_and_others_have_read_all() {
    let pond = Pond::new().await;
    let mut rows = everything();
    // Nothing is unread in a muted channel.
    rows.retain(|row| row["item"]["id"] != "ann");
    rows.push(row("user", json!({ "id": "ann" })));
    pond.import(&rows, "insert").await;
    let unread =
        async |user: &str| pond.get(&format!("unread?user_id={user}")).await.ok(200)["total_unread_count"].clone();
    assert_eq!((unread("ann").await, unread("bob").await), (json!(1), json!(0)));
    pond.post("channels/messaging/hq/read", json!({ "user_id": "ann" })).await.ok(201);
    assert_eq!(unread("ann").await, 0);
}

#[tokio::test]
async fn insert_keeps_what_is_known_and_upsert_takes_its_place() {
    let pond = Pond::new().await;
    pond.import(&everything(), "insert").await;
    let again = pond.import(&everything(), "insert").await;
    let skipped = json!({ "user": { "skipped": 2 }, "channel": { "skipped": 1 }, "member": { "skipped": 2 },
        "message": { "skipped": 4 }, "reaction": { "skipped": 1 }, "device": { "skipped": 1 } });
    assert_eq!(again["result"]["counts"], skipped);

    let user = row("user", json!({ "id": "ann", "name": "Anne", "color": "blue" })).to_string();
    pond.import_text(&user, json!({ "mode": "insert" })).await;
    let ann = async || {
        let payload = crate::pond::encoded(&json!({ "filter_conditions": { "id": "ann" } }));
        let ann = pond.get(&format!("users?payload={payload}")).await.ok(200)["users"][0].clone();
        (ann["name"].clone(), ann.get("hobby").cloned(), ann.get("color").cloned())
    };
    assert_eq!(ann().await, (json!("Ann"), Some(json!("skates")), None));
    pond.import_text(&user, json!({ "mode": "upsert", "merge_custom": true })).await;
    assert_eq!(ann().await, (json!("Anne"), Some(json!("skates")), Some(json!("blue"))));
    pond.import_text(&user, json!({ "mode": "upsert" })).await;
    assert_eq!(ann().await, (json!("Anne"), None, Some(json!("blue"))));

    let mut rows = everything();
    rows[2]["item"]["text"] = "hello again".into();
    rows[4]["item"]["text"] = "back".into();
    rows[4]["item"]["type"] = "regular".into();
    rows[4]["item"]["deleted_at"] = Value::Null;
    let done = pond.import(&rows, "upsert").await;
    assert_eq!(
        (&done["result"]["counts"]["message"], &done["result"]["errors"]),
        (&json!({ "updated": 4 }), &json!([]))
    );
    let message = pond.get("messages/m1").await.ok(200)["message"].clone();
    assert_eq!((&message["text"], &message["reply_count"]), (&json!("hello again"), &json!(1)));
    assert_eq!((&message["reaction_counts"]["love"], &message["pinned"]), (&json!(1), &json!(true)));
    let back = pond.get("messages/gone").await.ok(200)["message"].clone();
    assert_eq!((&back["type"], &back["text"]), (&json!("regular"), &json!("back")));
}

#[tokio::test]
async fn a_file_with_a_row_that_is_none_is_refused_whole_and_each_such_row_is_told() {
    let pond = Pond::new().await;
    let rows = [
        row("user", json!({ "id": "ann" })),
        row("user", json!({ "name": "nobody" })),
        row("planet", json!({ "id": "mars" })),
        json!({ "type": "user" }),
        row(
            "message",
            json!({ "id": "m", "channel_type": "messaging", "channel_id": "x", "user": "ann", "text": "hi" }),
        ),
        row("member", json!({ "channel_type": "messaging", "channel_id": "x", "user_id": "ann", "banned": true })),
    ];
    let done = pond.import(&rows, "insert").await;
    assert_eq!(done["state"], "analyze_failed");
    let errors = [
        json!({ "row": 2, "type": "user", "error": "id is a required field" }),
        json!({ "row": 3, "type": "", "error": "type must be one of [user device channel member message reaction]" }),
        json!({ "row": 4, "type": "user", "error": "item is a required field" }),
        json!({ "row": 5, "type": "message", "error": "created_at is a required field" }),
        json!({ "row": 6, "type": "member", "error": "banned cannot be imported" }),
    ];
    assert_eq!((&done["result"]["errors"], &done["result"]["errors_count"]), (&json!(errors), &json!(5)));
    let payload = crate::pond::encoded(&json!({ "filter_conditions": {} }));
    assert_eq!(pond.get(&format!("users?payload={payload}")).await.ok(200)["users"], json!([]));
    for (text, row) in [("", 0), ("{\"type\":", 1), ("hello", 1), ("[]", 0)] {
        let done = pond.import_text(text, json!({ "mode": "insert" })).await;
        assert_eq!(
            (&done["state"], &done["result"]["errors"][0]["row"]),
            (&json!("analyze_failed"), &json!(row)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_row_that_refers_to_what_is_not_there_is_told_without_a_name_and_the_others_are_stored() {
    let pond = Pond::new().await;
    let mut rows = everything();
    rows.retain(|row| row["item"]["id"] != "bob");
    let done = pond.import(&rows, "insert").await;
    assert_eq!(done["state"], "completed");
    let errors = done["result"]["errors"].as_array().unwrap().clone();
    let told: Vec<_> =
        errors.iter().map(|error| (error["row"].as_u64().unwrap(), error["error"].as_str().unwrap())).collect();
    let expected = [
        (7, "user_id: there is no such user"),
        (3, "mentioned_users: there is no such user"),
        (4, "user: there is no such user"),
        (5, "user: there is no such user"),
        (2, "user: there is no such user"),
        (1, "message_id: there is no such message"),
        (10, "user_mutes: there is no such user"),
    ];
    assert_eq!(told, expected);
    assert!(!done["result"].to_string().contains("bob"));
    assert_eq!(done["result"]["counts"]["member"], json!({ "inserted": 1 }));
}

#[tokio::test]
async fn who_was_deleted_or_erased_here_is_not_brought_back() {
    let pond = Pond::new().await;
    pond.import(&everything(), "insert").await;
    pond.delete("users/bob").await.ok(200);
    let hard = json!({ "user_ids": ["ann"], "user": "hard", "messages": "hard", "conversations": "hard" });
    pond.post("users/delete", hard).await.ok(201);
    pond.run_tasks().await;
    let done = pond.import(&everything(), "upsert").await;
    let errors = done["result"]["errors"].as_array().unwrap().clone();
    let of_users: Vec<_> =
        errors.iter().filter(|error| error["type"] == "user").map(|error| error["error"].clone()).collect();
    assert!(of_users.contains(&json!("id: the user was erased here")), "{of_users:?}");
    assert!(of_users.contains(&json!("id: the user was deleted here")), "{of_users:?}");
    assert_eq!(pond.residue("ann").await, Vec::<String>::new());
}

#[tokio::test]
async fn imports_are_listed_the_newest_first() {
    let pond = Pond::new().await;
    let mut ids = Vec::new();
    for name in ["ann", "bob", "cat"] {
        ids.insert(0, pond.import(&[row("user", json!({ "id": name }))], "insert").await["id"].clone());
        pond.clock.advance(1_000_000);
    }
    let listed = async |query: &str| {
        let page = pond.get(&format!("imports{query}")).await.ok(200)["import_tasks"].clone();
        page.as_array().unwrap().iter().map(|task| task["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, ids);
    assert_eq!(listed("?limit=1&offset=1").await, ids[1..2]);
    assert_eq!(pond.refuses(Method::GET, "imports?limit=101", "").await, (400, 4));
}

#[tokio::test]
async fn files_that_wait_are_few_and_go_after_a_day() {
    let pond = Pond::new().await;
    for n in 0..100 {
        pond.post("import_urls", json!({ "filename": format!("{n}.json") })).await.ok(201);
    }
    let one_more = r#"{"filename":"x.json"}"#;
    assert_eq!(pond.refuses(Method::POST, "import_urls", one_more).await, (400, 4));
    pond.clock.advance(25 * HOUR);
    pond.post("import_urls", json!({ "filename": "x.json" })).await.ok(201);
}

/// More rows than one transaction takes.
fn many() -> Vec<Value> {
    let mut rows = everything();
    rows.extend(
        (0..150).map(|n| row("user", json!({ "id": format!("user-{n}"), "created_at": "2020-01-01T00:00:00Z" }))),
    );
    rows
}

#[tokio::test]
async fn an_import_that_is_killed_at_any_commit_goes_on_and_each_row_has_its_effect_once() {
    let (mut expected, mut dies_at) = (None, 0);
    loop {
        let dir = tempfile::tempdir().unwrap();
        let pond = Pond::on_disk(dir.path(), &store::Options::default(), |_| {}).await;
        let text = many().iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let asked = json!({ "path": pond.uploaded(&text).await, "mode": "upsert" });
        let id = pond.post("imports", asked).await.ok(201)["import_task"]["id"].as_str().unwrap().to_owned();
        pond.stop();
        let has_died = Arc::new(AtomicBool::new(false));
        let died = has_died.clone();
        let faults = move |number| {
            died.fetch_or(number >= dies_at, Ordering::Relaxed);
            if number == dies_at { store::fault::Fault::WriteFails } else { store::fault::Fault::None }
        };
        let options =
            store::Options { faults: Some(Arc::new(faults)), on_fatal: Arc::new(|_| {}), ..store::Options::default() };
        let dying = Pond::on_disk(dir.path(), &options, |_| {}).await;
        dying.clock.advance(30_000_000);
        drop(dying.try_tasks().await);
        dying.stop();
        let pond = Pond::on_disk(dir.path(), &store::Options::default(), |_| {}).await;
        // The lease of who died ends.
        pond.clock.advance(60_000_000);
        pond.run_tasks().await;
        let task = pond.get(&format!("imports/{id}")).await.ok(200)["import_task"].clone();
        let state = pond.post("channels/messaging/hq/query", json!({ "user_id": "bob" })).await.ok(201);
        let seen = (task["state"].clone(), task["result"].clone(), state["messages"].clone(), state["members"].clone());
        assert_eq!(seen.0, "completed");
        let expected = expected.get_or_insert_with(|| seen.clone());
        assert_eq!(seen, *expected, "killed at commit {dies_at}");
        pond.stop();
        if !has_died.load(Ordering::Relaxed) {
            break;
        }
        dies_at += 1;
    }
    assert!(dies_at > 8, "it has several commits: {dies_at}");
}
