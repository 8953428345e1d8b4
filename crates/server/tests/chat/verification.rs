//! Facts of the contract's verification list that have no other home (v2 §8), and that the page which maps its numbers to
//! tests names tests that there are.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::keyspace::{AUTHORED, At, LOG, MESSAGE};
use http::Method;
use serde_json::{Value, json};
use server::{apps::NewApp, front::RateLimitSetting};
use store::{Limit, Stamp};

use crate::pond::{Pond, SECRET, encoded, sign};

mod load;

const NEEDLE: &str = "needle7f3c";

impl Pond {
    /// Ann, bob and eve in a group; ann said two things with the needle, bob one.
    async fn group(&self) {
        let users = json!({ "ann": { "id": "ann", "name": format!("Ann {NEEDLE}"), "email": "ann@example.com" },
            "bob": { "id": "bob" }, "eve": { "id": "eve" } });
        self.post("users", json!({ "users": users })).await.ok(201);
        let data = json!({ "data": { "created_by_id": "ann", "members": ["ann", "bob", "eve"] } });
        self.post("channels/messaging/group/query", data).await.ok(201);
        for (id, user, text) in [("a1", "ann", NEEDLE), ("b1", "bob", "hello"), ("a2", "ann", NEEDLE)] {
            self.say(id, user, text).await;
        }
    }

    async fn say(&self, id: &str, user: &str, text: &str) {
        let message = json!({ "message": { "id": id, "user_id": user, "text": text } });
        self.post("channels/messaging/group/message", message).await.ok(201);
        self.clock.advance(1_000_000);
    }

    /// Deletes ann in these modes, and does the task.
    async fn delete_ann(&self, modes: Value) {
        let mut body = modes;
        body["user_ids"] = json!(["ann"]);
        self.post("users/delete", body).await.ok(201);
        self.run_tasks().await;
    }

    async fn erase_ann(&self) {
        self.delete_ann(json!({ "user": "hard", "messages": "hard", "conversations": "hard" })).await;
    }

    /// Ids of the users that a filter finds.
    async fn find(&self, filter: Value) -> Vec<String> {
        let path = format!("users?payload={}", encoded(&json!({ "filter_conditions": filter })));
        let users = self.get(&path).await.ok(200)["users"].clone();
        users.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn search(&self, user: Option<&str>) -> Vec<Value> {
        let payload = json!({ "filter_conditions": { "members": { "$in": ["bob"] } }, "query": NEEDLE });
        let client = user.map_or_else(|| self.client(), |user| self.user(user));
        let path = format!("search?payload={}", encoded(&payload));
        client.get(&path).await.ok(200)["results"].as_array().unwrap().clone()
    }
}

/// No. 2.
#[tokio::test]
async fn an_email_is_found_by_either_name_and_in_whichever_dialect_it_was_stored() {
    let pond = Pond::new().await;
    pond.post("users", json!({ "users": { "amy": { "id": "amy", "email": "amy@x" } } })).await.ok(201);
    let nested = json!({ "users": { "bob": { "id": "bob", "custom": { "email": "bob@x" } } } });
    pond.v2().post("users", nested).await.ok(201);
    for id in ["amy", "bob"] {
        for name in ["email", "custom.email"] {
            for client in [pond.client(), pond.v2()] {
                let filter = json!({ "filter_conditions": { name: format!("{id}@x") } });
                let users = client.get(&format!("users?payload={}", encoded(&filter))).await.ok(200)["users"].clone();
                assert_eq!((users.as_array().unwrap().len(), &users[0]["id"]), (1, &json!(id)), "{name}");
            }
        }
    }
}

/// No. 4. Messages are put below the API, for ten thousand calls would take long.
#[tokio::test]
async fn ten_thousand_messages_are_exported_and_one_more_is_refused() {
    let pond = Pond::new().await;
    pond.group().await;
    let copy = async |from: usize, until: usize| {
        for first in (from..until).step_by(400) {
            let write = pond.store().write(async |tx: &mut store::Transaction| {
                let message = MESSAGE.get(tx, 7, &"a1".to_owned()).await?.unwrap();
                for n in first..(first + 400).min(until) {
                    let id = format!("m{n:05}");
                    MESSAGE.put(tx, 7, &id, &message);
                    AUTHORED.put(tx, 7, &("ann".to_owned(), At(message.created_at), id), &());
                }
                Ok::<_, store::Error>(())
            });
            write.await.unwrap();
        }
    };
    copy(0, 9_998).await;
    let export = pond.get("users/ann/export").await.ok(200);
    assert_eq!(export["messages"].as_array().unwrap().len(), 10_000);
    let file = pond.exported("export/users", json!({ "user_ids": ["ann"] })).await;
    let link = pond.link(&file).await;
    let told = pond.fetch(&link).await.text.lines().filter(|line| line.starts_with(r#"{"type":"message","#)).count();
    assert_eq!(told, 10_000);
    copy(9_998, 9_999).await;
    assert_eq!(pond.refuses(Method::GET, "users/ann/export", "").await, (400, 4));
    let late = pond.exported("export/users", json!({ "user_ids": ["ann"] })).await;
    assert_eq!(pond.get(&format!("tasks/{late}")).await.ok(200)["status"], "failed");
}

/// No. 13 and 22: the process dies at each commit of the export in turn, and the next one ends it.
#[tokio::test]
async fn an_export_that_is_killed_is_begun_anew_and_its_file_outlives_a_restart() {
    let (mut expected, mut dies_at) = (None, 0);
    loop {
        let dir = tempfile::tempdir().unwrap();
        let pond = Pond::on_disk(dir.path(), &store::Options::default(), |_| {}).await;
        pond.group().await;
        let id = pond.post("export/users", json!({ "user_ids": ["ann"] })).await.ok(201)["task_id"].clone();
        let id = id.as_str().unwrap().to_owned();
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
        // What it is asked to do is due by then; what the worker makes of its end is its own affair.
        dying.clock.advance(30_000_000);
        drop(dying.try_tasks().await);
        dying.stop();
        let pond = Pond::on_disk(dir.path(), &store::Options::default(), |_| {}).await;
        // The lease of who died ends.
        pond.clock.advance(60_000_000);
        pond.run_tasks().await;
        let link = pond.link(&id).await;
        let text = pond.fetch(&link).await.text.clone();
        assert_eq!(*expected.get_or_insert(text.clone()), text, "killed at commit {dies_at}");
        let files = std::fs::read_dir(dir.path().join("files/exports/users/7")).unwrap().count();
        assert_eq!(files, 1, "what was begun is not left");
        pond.stop();
        if !has_died.load(Ordering::Relaxed) {
            assert!(dies_at >= 2, "an export takes more commits than {dies_at}");
            return;
        }
        dies_at += 1;
    }
}

/// No. 15.
#[tokio::test]
async fn an_export_tells_of_one_moment_while_others_react() {
    let pond = Pond::new().await;
    pond.group().await;
    for n in 0..300 {
        pond.say(&format!("m{n}"), "ann", "more").await;
    }
    let id = pond.post("export/users", json!({ "user_ids": ["ann"] })).await.ok(201)["task_id"].clone();
    let react = async {
        for n in 0..300 {
            let reaction = json!({ "reaction": { "type": format!("like{}", n % 7), "user_id": "bob" } });
            pond.post(&format!("messages/m{n}/reaction"), reaction).await.ok(201);
        }
    };
    tokio::join!(pond.run_tasks(), react);
    let text = pond.fetch(&pond.link(id.as_str().unwrap()).await).await.text.clone();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> =
        lines.iter().filter(|line| line["type"] == "message").map(|line| line["data"]["id"].to_string()).collect();
    assert_eq!((said.len(), said.iter().collect::<BTreeSet<_>>().len()), (302, 302));
}

/// No. 17.
#[tokio::test]
async fn a_task_of_another_app_does_not_exist() {
    let pond = Pond::new().await;
    pond.group().await;
    let id = pond.exported("export/users", json!({ "user_ids": ["ann"] })).await;
    let other = NewApp {
        id: Some(8),
        name: None,
        key: Some("other-key".into()),
        secret: Some(SECRET.into()),
        is_for_sdk_suites: false,
    };
    let (other, _running) = Pond::start_on(pond.store().clone(), |options| options.app = Some(other)).await;
    let other = other.token(Some(sign(SECRET, &json!({ "server": true }))));
    let path = |key: &str| format!("tasks/{id}?api_key={key}");
    assert_eq!(other.refuses(Method::GET, &path("other-key"), "").await, (404, 16));
    other.get(&path("pond-key")).await.ok(200);
}

/// No. 21.
#[tokio::test]
async fn a_deletion_client_that_backs_off_when_it_is_told_to_finishes() {
    let (pond, _running) = Pond::start(|options| options.rate_limits = RateLimitSetting::Factor(0.02)).await;
    pond.group().await;
    let body = json!({ "user_ids": ["ann"], "user": "hard", "messages": "hard" });
    let id = pond.post("users/delete", body).await.ok(201)["task_id"].as_str().unwrap().to_owned();
    let mut refusals = 0;
    for _ in 0..1000 {
        let answer = pond.get(&format!("tasks/{id}")).await;
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            answer.headers[name].to_str().unwrap().parse::<u64>().unwrap();
        }
        if answer.status == 429 {
            assert_eq!(answer.refusal(), (429, 9));
            assert!(answer.text.contains("Too many requests"), "{}", answer.text);
            let wait: i64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            pond.clock.advance(wait * 1_000_000);
            refusals += 1;
            if refusals == 2 {
                pond.run_tasks().await;
            }
        } else if answer.ok(200)["status"] == "completed" {
            assert!(refusals >= 2);
            return;
        }
    }
    panic!("the client never came to its end");
}

/// No. 25.
#[tokio::test]
async fn only_softly_deleted_users_are_restored_and_a_hundred_at_most() {
    let pond = Pond::new().await;
    pond.group().await;
    pond.erase_ann().await;
    let many: Vec<_> = (0..101).map(|n| format!("u{n}")).collect();
    for ids in [json!(["ann"]), json!(["bob"]), json!(many), json!([])] {
        let body = json!({ "user_ids": ids }).to_string();
        assert_eq!(pond.refuses(Method::POST, "users/restore", body).await.0 / 100, 4, "{ids}");
    }
}

/// No. 26.
#[tokio::test]
async fn a_pruned_user_keeps_messages_and_nothing_of_the_profile() {
    let pond = Pond::new().await;
    pond.group().await;
    pond.delete_ann(json!({ "user": "pruning" })).await;
    let wanted =
        server::residue::wanted("nobody", vec![NEEDLE.to_owned(), "ann@example.com".to_owned()], None).unwrap();
    let report = server::residue::find(pond.store(), Path::new("/nowhere"), &wanted, &mut |_| {}).await.unwrap();
    for row in &report.rows.residue {
        assert!(["message", "word", "log"].contains(&row.table), "{row:?}");
    }
    assert_eq!(pond.get("messages/a1").await.ok(200)["message"]["text"], NEEDLE);
}

/// No. 27, the half about flags.
#[tokio::test]
async fn pruned_messages_lose_the_reports_about_them_and_the_snapshot_of_what_they_said() {
    let pond = Pond::new().await;
    pond.group().await;
    let flag = json!({ "entity_type": "message", "entity_id": "a1", "user_id": "bob",
        "moderation_payload": { "texts": [NEEDLE] } });
    pond.v2().post("moderation/flag", flag).await.ok(201);
    let report =
        async || pond.get("moderation/user_report?user_id=ann").await.ok(200)["summary"]["flags_received"].clone();
    assert_eq!(report().await, 1);
    pond.delete_ann(json!({ "user": "soft", "messages": "pruning" })).await;
    assert_eq!(report().await, 0);
    let wanted = server::residue::wanted("nobody", vec![NEEDLE.to_owned()], None).unwrap();
    let found = server::residue::find(pond.store(), Path::new("/nowhere"), &wanted, &mut |_| {}).await.unwrap();
    assert!(found.rows.residue.iter().all(|row| ["user", "user_name", "log"].contains(&row.table)), "{found:?}");
}

/// No. 28.
#[tokio::test]
async fn a_softly_deleted_conversation_is_out_of_sight_and_made_anew_it_is_empty() {
    for mode in ["soft", "hard"] {
        let pond = Pond::new().await;
        pond.group().await;
        let data = json!({ "state": true, "data": { "created_by_id": "bob", "members": ["ann", "bob"] } });
        pond.post("channels/messaging/pair/query", data.clone()).await.ok(201);
        let message = json!({ "message": { "id": "p1", "user_id": "bob", "text": "aside" } });
        pond.post("channels/messaging/pair/message", message).await.ok(201);
        pond.delete_ann(json!({ "user": "soft", "conversations": mode })).await;
        let shown =
            pond.user("bob").post("channels", json!({ "filter_conditions": {} })).await.ok(201)["channels"].clone();
        assert_eq!(shown.as_array().unwrap().len(), 1, "{mode}: {shown}");
        pond.clock.advance(1_000_000);
        let anew = json!({ "state": true, "data": { "created_by_id": "bob" } });
        let anew = pond.post("channels/messaging/pair/query", anew).await.ok(201);
        assert_eq!(anew["messages"], json!([]), "{mode}");
        let exported = pond.get("users/bob/export").await.ok(200).to_string();
        assert_eq!(exported.contains("aside"), mode == "soft", "{mode}");
    }
}

/// No. 32, 34, 37, 41, 44.
#[tokio::test]
async fn after_a_hard_deletion_searches_unread_counts_and_a_new_user_of_the_same_id_begin_anew() {
    let pond = Pond::new().await;
    pond.group().await;
    let ban = json!({ "target_user_id": "ann", "user_id": "eve", "reason": "loud" });
    pond.post("moderation/ban", ban).await.ok(201);
    let unread = async |user: &str| pond.user(user).get("unread").await.ok(200)["total_unread_count"].clone();
    assert_eq!((unread("bob").await, pond.search(None).await.len()), (json!(1), 2));
    assert_eq!(pond.find(json!({ "name": { "$autocomplete": "Ann" } })).await, ["ann"]);
    pond.erase_ann().await;
    assert_eq!((unread("bob").await, unread("eve").await), (json!(0), json!(1)), "eve has not read what bob said");
    assert!(pond.find(json!({ "name": { "$autocomplete": "Ann" } })).await.is_empty());
    pond.post("users", json!({ "users": { "ann": { "id": "ann" } } })).await.ok(201);
    for user in [None, Some("bob"), Some("ann")] {
        assert_eq!(pond.search(user).await, Vec::<Value>::new(), "{user:?}");
    }
    let export = pond.get("users/ann/export").await.ok(200);
    for (name, list) in export.as_object().unwrap() {
        assert!(name == "user" || name == "duration" || *list == json!([]), "{name}: {list}");
    }
    assert_eq!((&export["user"]["banned"], unread("ann").await), (&json!(false), json!(0)));
    let report = pond.get("moderation/user_report?user_id=ann").await.ok(200);
    assert!(report["summary"].as_object().unwrap().values().all(|count| *count == 0), "{report}");
}

/// No. 43 and 45.
#[tokio::test]
async fn a_deletion_is_told_once_and_no_event_that_is_left_holds_what_was_said() {
    let pond = Pond::new().await;
    pond.group().await;
    pond.erase_ann().await;
    pond.erase_ann().await;
    let mut tx = pond.store().read();
    let events =
        LOG.scan(&mut tx, 7, Stamp::default(), Limit { rows: usize::MAX, bytes: usize::MAX }).await.unwrap().rows;
    let told = |kind: &str| {
        let is_kind =
            |event: &domain::log::Event| matches!(event, domain::log::Event::Chat(event) if event.kind == kind);
        events.iter().filter(|(_, event)| is_kind(event)).count()
    };
    assert_eq!((told("user.deleted"), told("user.messages.deleted")), (1, 1));
    assert!(events.iter().all(|(_, event)| !format!("{event:?}").contains(NEEDLE)));
}

/// No. 54.
#[tokio::test]
async fn what_others_write_while_somebody_is_erased_leaves_no_orphans() {
    let pond = Pond::new().await;
    pond.group().await;
    for n in 0..120 {
        pond.say(&format!("m{n}"), "ann", NEEDLE).await;
    }
    let body = json!({ "user_ids": ["ann"], "user": "hard", "messages": "hard" });
    pond.post("users/delete", body).await.ok(201);
    let write = async {
        for n in 0..120 {
            // Some of them find the message, some do not.
            let reaction = json!({ "reaction": { "type": "like", "user_id": "bob" } });
            pond.post(&format!("messages/m{n}/reaction"), reaction).await;
            let reply = json!({ "message": { "id": format!("r{n}"), "user_id": "bob", "text": "a reply", "parent_id": format!("m{n}") } });
            pond.post("channels/messaging/group/message", reply).await;
        }
    };
    tokio::join!(pond.run_tasks(), write);
    assert_eq!(pond.residue("ann").await, Vec::<String>::new());
    let of_bob = pond.get("users/bob/export").await.ok(200);
    for reaction in of_bob["reactions"].as_array().unwrap() {
        let message = pond.get(&format!("messages/{}", reaction["message_id"].as_str().unwrap())).await;
        assert_eq!(message.status, 200, "a reaction to nothing: {reaction}");
    }
    for reply in of_bob["messages"].as_array().unwrap().iter().filter(|message| message["parent_id"].is_string()) {
        let parent = pond.get(&format!("messages/{}", reply["parent_id"].as_str().unwrap())).await.ok(200);
        assert_eq!((&parent["message"]["text"], &parent["message"]["user"]), (&json!(""), &Value::Null));
    }
}

/// No. 55.
#[tokio::test]
async fn after_a_restore_of_an_older_backup_the_list_of_erasures_erases_again() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pond = Pond::on_disk(old.path(), &store::Options::default(), |_| {}).await;
    pond.group().await;
    let mut backup = Vec::new();
    pond.store().dump(&mut backup, &mut |_| {}).unwrap();
    pond.erase_ann().await;
    let list: Vec<_> =
        server::erasures::all(pond.store()).await.unwrap().into_iter().map(server::erasures::Line::from).collect();
    assert!(list.len() == 1 && !serde_json::to_string(&list).unwrap().contains("ann"), "{list:?}");
    pond.stop();
    store::Store::restore(new.path(), &mut backup.as_slice(), &store::Options::default(), &mut |_| {}).unwrap();
    let store = store::Store::open(new.path(), &store::Options::default()).unwrap();
    assert_eq!(server::erasures::apply(&store, &list, &server::front::SystemClock).await.unwrap(), 1);
    store.close();
    drop(store);
    let pond = Pond::on_disk(new.path(), &store::Options::default(), |options| {
        options.clock = Arc::new(server::front::SystemClock)
    })
    .await;
    assert!(!pond.residue("ann").await.is_empty(), "the backup is from before the erasure");
    pond.run_tasks().await;
    assert_eq!(pond.residue("ann").await, Vec::<String>::new());
    pond.get("messages/b1").await.ok(200);
    // Who was made since is somebody else.
    pond.post("users", json!({ "users": { "ann": { "id": "ann" } } })).await.ok(201);
    assert_eq!(server::erasures::apply(pond.store(), &list, &*pond.clock).await.unwrap(), 0);
}

#[test]
fn the_pages_that_map_rules_to_tests_name_tests_that_there_are() {
    // As cargo names it when it runs this: checkouts that share a target directory share the binary.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let root = Path::new(&folder).join("../..");
    let mut sources = String::new();
    for folder in ["crates", "e2e/python/tests"] {
        gather(&root.join(folder), &mut sources);
    }
    for page in ["docs/verification.md", "docs/chat-checks.md"] {
        check(page, &std::fs::read_to_string(root.join(page)).unwrap(), &sources);
    }
}

fn check(name_of_page: &str, page: &str, sources: &str) {
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        for name in row
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.contains('_') && !name.contains(['/', ':', '.', '-', ' ']))
        {
            let is_there =
                [format!("fn {name}("), format!("def {name}(")].iter().any(|text| sources.contains(text.as_str()));
            assert!(is_there, "{name_of_page} names `{name}`, and there is no such test");
            named += 1;
        }
    }
    assert!(named > 50, "{named}");
}

fn gather(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => gather(&path, sources),
            Some("rs" | "py") => sources.push_str(&std::fs::read_to_string(&path).unwrap()),
            _ => {}
        }
    }
}
