//! After a hard deletion nothing of a person is left: not in rows, not in files, not in the raw bytes of the data directory
//! (v2 §5, §8 no. 30, 31).

use std::path::Path;

use http::Method;
use serde_json::{Value, json};

use crate::{files::upload, pond::Pond};

/// Stands in every field of ann's that can hold a text, and nowhere else. It is one word, as the search cuts texts.
const CANARY: &str = "needle7f3c";

/// What ann is called, says and has, each with the canary and a name of its own.
fn canary(what: &str) -> String {
    format!("{CANARY} {what}")
}

fn small() -> store::Options {
    store::Options { cache_bytes: 8 << 20, ..store::Options::default() }
}

async fn plant(pond: &Pond) {
    plant_users(pond).await;
    plant_talk(pond).await;
    plant_moderation(pond).await;
    plant_feeds(pond).await;
    for (path, body) in [
        ("export/users", json!({ "user_ids": ["ann"] })),
        ("export_channels", json!({ "channels": [{ "cid": "messaging:group" }], "export_users": true })),
    ] {
        pond.post(path, body).await.ok(201);
    }
    pond.v2().call(Method::POST, "feeds/users/ann/export", "null").await.ok(201);
    pond.run_tasks().await;
}

async fn plant_users(pond: &Pond) {
    let ann = json!({ "id": "ann", "name": canary("name"), "image": format!("https://example.com/{CANARY}.png"),
        "email": format!("{CANARY}@example.com"), "nested": { "deep": [canary("custom")] }, "teams": [CANARY] });
    let users =
        json!({ "ann": ann, "bob": { "id": "bob" }, "eve": { "id": "eve" }, "mod": { "id": "mod", "role": "admin" } });
    pond.post("users", json!({ "users": users })).await.ok(201);
    let set = json!({ "users": [{ "id": "ann", "set": { "city": canary("city") } }] });
    pond.patch("users", set).await.ok(201);
    let device = json!({ "id": CANARY, "push_provider": "firebase", "user_id": "ann" });
    pond.post("devices", device).await.ok(201);
    pond.user("ann").post("users/block", json!({ "blocked_user_id": "eve" })).await.ok(201);
    pond.user("eve").post("moderation/mute", json!({ "target_ids": ["ann"] })).await.ok(201);
    let group = json!({ "id": "staff", "name": "Staff", "member_ids": ["ann"] });
    pond.v2().post("usergroups", group).await.ok(201);
}

async fn plant_talk(pond: &Pond) {
    let group = json!({ "data": { "created_by_id": "ann", "members": ["ann", "bob", "eve"] } });
    pond.post("channels/messaging/group/query", group).await.ok(201);
    let pair = json!({ "data": { "created_by_id": "ann", "members": ["ann", "bob"], "name": canary("channel") } });
    pond.post("channels/messaging/pair/query", pair).await.ok(201);
    let attachment = json!({ "type": "image", "title": canary("title"), "text": canary("text"),
        "image_url": format!("https://example.com/{CANARY}"), "own": canary("attachment") });
    let first = json!({ "id": "a1", "user_id": "ann", "text": canary("first"), "attachments": [attachment],
        "own": canary("message"), "mentioned_users": ["bob"] });
    for (channel, message) in [
        ("group", first),
        ("group", json!({ "id": "b1", "user_id": "bob", "text": "hello", "mentioned_users": ["ann"] })),
        ("group", json!({ "id": "r1", "user_id": "bob", "text": "a reply", "parent_id": "a1" })),
        ("group", json!({ "id": "r2", "user_id": "ann", "text": canary("reply"), "parent_id": "b1" })),
        ("group", json!({ "id": "b2", "user_id": "bob", "text": "as said", "quoted_message_id": "a1" })),
        ("group", json!({ "id": "a2", "user_id": "ann", "text": canary("deleted"), "silent": true })),
        ("pair", json!({ "id": "p1", "user_id": "ann", "text": canary("aside") })),
    ] {
        pond.post(&format!("channels/messaging/{channel}/message"), json!({ "message": message })).await.ok(201);
        pond.clock.advance(1_000_000);
    }
    let edited = json!({ "message": { "user_id": "ann", "text": canary("edited"), "pinned": true } });
    pond.post("messages/a1", edited).await.ok(201);
    pond.delete("messages/a2").await.ok(200);
    let thread = json!({ "user_id": "ann", "set": { "title": canary("thread") } });
    pond.patch("threads/b1", thread).await.ok(201);
    // What is sent in the channel ends a draft there.
    plant_polls(pond).await;
    for (user, text) in [("ann", canary("draft")), ("bob", "wip".to_owned())] {
        let draft = json!({ "user_id": user, "text": text, "mentioned_users": ["ann"] });
        pond.post("channels/messaging/group/draft", json!({ "message": draft })).await.ok(201);
        let reminder = json!({ "user_id": user, "remind_at": "2026-02-01T00:00:00Z" });
        pond.post("messages/a1/reminders", reminder.clone()).await.ok(201);
        pond.post("messages/b1/reminders", reminder).await.ok(201);
    }
    let reaction = json!({ "reaction": { "type": "like", "user_id": "ann", "own": canary("reaction") } });
    pond.post("messages/b1/reaction", reaction).await.ok(201);
    let reaction = json!({ "reaction": { "type": "like", "user_id": "bob" } });
    pond.post("messages/a1/reaction", reaction).await.ok(201);
    let member = json!({ "set": { "own": canary("member") } });
    pond.patch("channels/messaging/group/member?user_id=ann", member).await.ok(201);
    let fields = [("user", None, r#"{"id":"ann"}"#), ("file", Some("needle7f3c.txt"), "needle7f3c in a file")];
    upload(pond, "channels/messaging/group/file", &fields).await.ok(201);
    pond.user("ann").post("channels/messaging/group/read", json!({})).await.ok(201);
    pond.post("moderation/mute/channel", json!({ "channel_cid": "messaging:group", "user_id": "ann" })).await.ok(201);
    // Not before they have a channel: who blocks somebody is not added to theirs.
    pond.user("bob").post("users/block", json!({ "blocked_user_id": "ann" })).await.ok(201);
}

/// Ann asks and is asked: she votes, answers and suggests an option, and others do in her poll.
async fn plant_polls(pond: &Pond) {
    for (user, poll, name) in [("ann", "pa", canary("poll")), ("bob", "pb", "lunch?".to_owned())] {
        let body = json!({ "id": poll, "name": name, "user_id": user, "allow_answers": true,
            "allow_user_suggested_options": true, "options": [{ "id": "yes", "text": "yes" }] });
        pond.post("polls", body).await.ok(201);
        let message = json!({ "id": format!("m{poll}"), "user_id": user, "poll_id": poll });
        pond.post("channels/messaging/group/message", json!({ "message": message })).await.ok(201);
        for (voter, text) in [("ann", canary("answer")), ("bob", "no".to_owned())] {
            for vote in [json!({ "option_id": "yes" }), json!({ "answer_text": text })] {
                let body = json!({ "vote": vote, "user_id": voter });
                pond.post(&format!("messages/m{poll}/polls/{poll}/vote"), body).await.ok(201);
            }
        }
    }
    pond.user("ann").post("polls/pb/options", json!({ "text": canary("option") })).await.ok(201);
}

async fn plant_moderation(pond: &Pond) {
    for (target, by) in [("ann", "mod"), ("eve", "ann")] {
        let ban = json!({ "target_user_id": target, "banned_by_id": by, "reason": canary("ban"), "type": "messaging", "id": "group" });
        pond.post("moderation/ban", ban).await.ok(201);
    }
    for (kind, id, by) in
        [("message", "a1", "bob"), ("user", "ann", "eve"), ("message", "b1", "ann"), ("user", "eve", "ann")]
    {
        // What is shown of bob's and eve's things is theirs and stays.
        let payload = if ["a1", "ann"].contains(&id) { json!({ "texts": [canary("payload")] }) } else { json!({}) };
        let flag = json!({ "entity_type": kind, "entity_id": id, "user_id": by, "reason": canary("flag"),
            "custom": { "own": canary("flag") }, "moderation_payload": payload });
        pond.v2().post("moderation/flag", flag).await.ok(201);
    }
}

async fn plant_feeds(pond: &Pond) {
    let all = pond.claims(&json!({ "resource": "*", "action": "*", "feed_id": "*" }));
    let post = async |path: &str, body: Value| {
        let answer = all.post(&format!("api/v1.0/{path}/"), body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        answer.json()
    };
    post("user", json!({ "id": "ann", "data": { "name": canary("profile") } })).await;
    let activity = json!({ "actor": "SU:ann", "verb": "post", "object": canary("object"), "foreign_id": canary("foreign"),
        "time": "2025-12-31T10:00:00", "own": canary("activity"), "to": ["notification:bob"] });
    let own = post("feed/user/ann", activity).await["id"].as_str().unwrap().to_owned();
    // In a feed of nobody's and in one of others': one that went before, and one that goes with the rest.
    for (feed, name) in [("user/clubhouse", "early"), ("user/bob", "late")] {
        let activity = json!({ "actor": "ann", "verb": "visit", "object": "o:2", "foreign_id": canary(name), "time": "2025-12-31T11:00:00" });
        let id = post(&format!("feed/{feed}"), activity).await["id"].as_str().unwrap().to_owned();
        if name == "early" {
            assert_eq!(all.delete(&format!("api/v1.0/feed/{feed}/{id}/")).await.status, 200);
        }
    }
    let activity = json!({ "actor": "SU:bob", "verb": "post", "object": "o:1", "to": ["notification:ann"] });
    let other = post("feed/user/bob", activity).await["id"].as_str().unwrap().to_owned();
    post("feed/timeline/bob/following", json!({ "target": "user:ann" })).await;
    post("feed/timeline/ann/following", json!({ "target": "user:bob" })).await;
    for (by, about) in [("ann", &other), ("bob", &own)] {
        let data = if by == "ann" { json!({ "text": canary("comment") }) } else { json!({}) };
        let reaction = json!({ "kind": "comment", "activity_id": about, "user_id": by, "data": data,
            "target_feeds": ["notification:eve"] });
        post("reaction", reaction).await;
    }
    let item = json!({ "id": "song", "data": { "title": canary("item") }, "user_id": "ann" });
    post("collections/music", item).await;
    // Pages that hold what ann posted are made and kept.
    assert!(all.get("api/v1.0/feed/timeline/bob/").await.text.contains(CANARY));
}

/// Files below `dir` whose bytes hold the canary, in letters of either case.
fn raw(dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            raw(&path, found);
        } else if holds(&std::fs::read(&path).unwrap()) || holds(path.as_os_str().as_encoded_bytes()) {
            found.push(path.display().to_string());
        }
    }
}

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window.eq_ignore_ascii_case(CANARY.as_bytes()))
}

fn found(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    raw(dir, &mut found);
    found
}

async fn erase(pond: &Pond) {
    let hard =
        json!({ "user_ids": ["ann"], "user": "hard", "messages": "hard", "conversations": "hard", "files": true });
    let id = pond.post("users/delete", hard).await.ok(201)["task_id"].as_str().unwrap().to_owned();
    pond.run_tasks().await;
    let task = pond.get(&format!("tasks/{id}")).await.ok(200);
    assert_eq!((&task["status"], &task["result"]["ann"]["status"]), (&json!("completed"), &json!("ok")), "{task}");
}

async fn look(pond: &Pond, dir: &Path) -> server::residue::Report {
    let wanted = server::residue::wanted("ann", vec![CANARY.to_owned()], None).unwrap();
    server::residue::find(pond.store(), &dir.join("files"), &wanted, &mut |_| {}).await.unwrap()
}

#[tokio::test]
async fn after_a_hard_deletion_and_a_compaction_no_byte_of_the_directory_holds_what_was_in_any_field() {
    let dir = tempfile::tempdir().unwrap();
    let pond = Pond::on_disk(dir.path(), &small(), |_| {}).await;
    plant(&pond).await;
    let before = look(&pond, dir.path()).await;
    for table in [
        "user",
        "device",
        "message",
        "version",
        "draft",
        "poll",
        "vote",
        "reaction",
        "thread",
        "member",
        "flag",
        "review",
        "ban",
        "file",
        "activity",
        "activity_foreign",
        "feed_reaction",
        "collection_item",
        "profile",
        "channel",
        "word",
        "user_name",
        "log",
    ] {
        let is_needle =
            |row: &server::residue::Row| row.table == table && row.found == server::residue::Found::Needle(0);
        assert!(before.rows.residue.iter().any(is_needle), "plant the canary in {table}");
    }
    let files: Vec<_> =
        before.files.iter().map(|file| file.path.split('/').take(2).collect::<Vec<_>>().join("/")).collect();
    for kind in ["uploads/7", "exports/users", "exports/channels", "exports/feeds"] {
        assert!(files.iter().any(|file| file == kind), "plant the canary in a file of {kind}: {files:?}");
    }
    assert!(!found(dir.path()).is_empty(), "the raw bytes are not what this test takes them for");

    erase(&pond).await;
    let after = look(&pond, dir.path()).await;
    assert!(after.is_clean(), "{after:?}");
    let poll = pond.get("polls/pb").await.ok(200)["poll"].clone();
    assert_eq!((&poll["vote_counts_by_option"], &poll["answers_count"]), (&json!({ "yes": 1 }), &json!(1)));
    assert_eq!(pond.get("polls/pa").await.refusal(), (404, 16));
    server::compaction::compact(pond.store(), &*pond.clock).await.unwrap();
    let store = pond.store().clone();
    drop(pond);
    store.close();
    drop(store);
    assert_eq!(found(dir.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_is_told_so_rewrites_its_tables_after_each_erasure() {
    let dir = tempfile::tempdir().unwrap();
    let pond = Pond::on_disk(dir.path(), &small(), |options| options.compacts_after_erasure = true).await;
    plant(&pond).await;
    // What is in memory goes to tables.
    pond.store().compact().unwrap();
    let in_tables = || found(dir.path()).into_iter().filter(|path| !path.ends_with(".jnl")).collect::<Vec<_>>();
    assert!(!in_tables().is_empty());
    erase(&pond).await;
    assert_eq!(in_tables(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_no_row_knows_and_an_export_that_names_the_user_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let pond = Pond::on_disk(dir.path(), &small(), |_| {}).await;
    for (path, text) in [("uploads/7/lost", "x"), ("exports/users/7/t.jsonl", r#"{"user_id":"ann"}"#)] {
        let path = dir.path().join("files").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // The text stands across two windows of the search.
        std::fs::write(&path, [vec![b' '; (1 << 20) - 14], text.as_bytes().to_vec()].concat()).unwrap();
    }
    let found: Vec<_> = look(&pond, dir.path()).await.files.into_iter().map(|file| (file.path, file.found)).collect();
    let expected = [
        ("exports/users/7/t.jsonl", server::residue::InFile::User),
        ("uploads/7/lost", server::residue::InFile::Forgotten),
    ];
    assert_eq!(found, expected.map(|(path, found)| (path.to_owned(), found)));
}
