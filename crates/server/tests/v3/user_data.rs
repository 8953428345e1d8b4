//! What feeds hold of a user, told and removed (v2 §4, checks 7–10 and 46–52).

use http::Method;
use serde_json::{Value, json};
use testing::answer::Answer;

use crate::pond::Pond;

/// The documented sets, after the user's own row.
const SETS: [&str; 8] =
    ["feeds", "follows", "activities", "comments", "reactions", "bookmarks", "bookmark_folders", "collections"];
/// How many rows of each ann has.
const COUNTS: [usize; 8] = [2, 2, 2, 2, 2, 2, 2, 1];
/// What every text of ann's holds, and every text of bob's.
const NEEDLE: &str = "Needle-7f3c";
const BOBS: &str = "Secret-1b9e";

impl Pond {
    /// Ann and bob, who each have something in every set, with each other.
    async fn planted(&self) {
        let users = json!({ "ann": { "id": "ann", "name": format!("Ann {NEEDLE}"), "custom": { "email": "ann@example.com" } },
            "bob": { "id": "bob", "name": format!("Bob {BOBS}"), "custom": { "email": "bob@example.com" } } });
        self.post("/api/v2/users", json!({ "users": users })).await;
        // A feed is of whoever posts to it first.
        for user in ["ann", "bob"] {
            for group in ["user", "timeline"] {
                self.post(&format!("feed_groups/{group}/feeds/{user}"), json!({ "user_id": user })).await;
            }
        }
        for (user, word) in [("ann", NEEDLE), ("bob", BOBS)] {
            for (id, feed) in [("1", "ann"), ("2", "bob")] {
                let activity = json!({ "type": "post", "feeds": [format!("user:{feed}")], "user_id": user,
                    "id": format!("{user}{id}"), "text": word, "custom": { "of": word } });
                self.post("activities", activity).await;
                self.clock.advance(1_000_000);
            }
            let body =
                json!({ "collections": [{ "name": "movies", "id": user, "custom": { "of": word } }], "user_id": user });
            self.post("collections", body).await;
        }
        for (source, target) in [("timeline:ann", "user:bob"), ("timeline:bob", "user:ann")] {
            self.post("follows", json!({ "source": source, "target": target })).await;
        }
        for (id, user, on, parent) in
            [("c-bob", "bob", "bob2", None), ("c-ann", "ann", "bob2", None), ("r-ann", "ann", "bob2", Some("c-bob"))]
        {
            let word = if user == "ann" { NEEDLE } else { BOBS };
            let comment = json!({ "id": id, "comment": word, "user_id": user, "object_id": on, "object_type": "activity",
                "parent_id": parent });
            self.post("comments", comment).await;
            self.clock.advance(1_000_000);
        }
        let reply = json!({ "id": "r-bob", "comment": BOBS, "user_id": "bob", "parent_id": "c-ann" });
        self.post("comments", reply).await;
        for user in ["ann", "bob"] {
            let word = if user == "ann" { NEEDLE } else { BOBS };
            for object in ["activities/bob2", "comments/c-bob"] {
                let body = json!({ "type": "like", "user_id": user, "custom": { "of": word } });
                self.post(&format!("{object}/reactions"), body).await;
                let body = json!({ "user_id": user, "new_folder": { "name": word }, "custom": { "of": word } });
                self.post(&format!("{object}/bookmarks"), body).await;
            }
        }
        // A folder in which nothing is any more.
        let body = json!({ "user_id": "ann", "new_folder": { "name": format!("empty {NEEDLE}") } });
        let bookmark = self.post("activities/bob2/bookmarks", body).await;
        let folder = bookmark["bookmark"]["folder"]["id"].as_str().unwrap().to_owned();
        self.delete(&format!("activities/bob2/bookmarks?user_id=ann&folder_id={folder}")).await;
    }

    /// What came of a task.
    async fn done(&self, path: &str, body: &str) -> Value {
        let task = self.call(Method::POST, path, body.to_owned()).await.ok(201);
        self.run_tasks().await;
        let task = self.get(&format!("/api/v2/tasks/{}", task["task_id"].as_str().unwrap())).await;
        assert_eq!(task["status"], "completed", "{task}");
        task["result"].clone()
    }

    /// Posts to feeds v1.0.
    async fn v1(&self, path: &str, body: Value) -> Answer {
        let token =
            testing::token::sign(crate::pond::SECRET, &json!({ "resource": "*", "action": "*", "feed_id": "*" }));
        self.with_token(token).call(Method::POST, &format!("/api/v1.0/{path}"), body.to_string()).await
    }

    /// Fetches a signed link, with nothing else.
    async fn fetched(&self, url: &str) -> Answer {
        let at = url.find("/exports/").expect("a link to an export");
        self.call(Method::GET, &url[at..], String::new()).await
    }

    /// The file of an export: its text, and what it says.
    async fn told(&self, user: &str) -> (String, Value) {
        let result = self.done(&format!("users/{user}/export"), "null").await;
        let text = self.fetched(result["url"].as_str().unwrap()).await.text;
        let file = serde_json::from_str(&text).unwrap();
        (text, file)
    }
}

/// `payload` as it stands in a query.
fn encoded(payload: &Value) -> String {
    form_urlencoded::byte_serialize(payload.to_string().as_bytes()).collect()
}

fn sizes(file: &Value) -> [usize; 8] {
    SETS.map(|set| file[set].as_array().unwrap_or_else(|| panic!("no {set}")).len())
}

#[tokio::test]
async fn an_export_holds_all_nine_sets_with_the_exact_counts_and_each_can_be_empty() {
    let pond = Pond::new().await;
    pond.planted().await;
    pond.post("/api/v2/users", json!({ "users": { "cat": { "id": "cat" } } })).await;
    let (_, file) = pond.told("ann").await;
    assert_eq!(sizes(&file), COUNTS);
    assert_eq!((&file["version"], &file["user_id"]), (&json!("1"), &json!("ann")));
    assert_eq!(file["user"]["custom"]["email"], "ann@example.com");
    let (_, file) = pond.told("cat").await;
    assert_eq!(sizes(&file), [0; 8]);
    assert_eq!(file["user"]["id"], "cat");
}

#[tokio::test]
async fn an_export_lists_a_follow_when_the_user_owns_only_the_source_and_when_only_the_target() {
    let pond = Pond::new().await;
    pond.planted().await;
    let (_, file) = pond.told("ann").await;
    let mut follows: Vec<_> = file["follows"].as_array().unwrap().iter().map(|row| row["source"].clone()).collect();
    follows.sort_by_key(Value::to_string);
    assert_eq!(follows, ["timeline:ann", "timeline:bob"]);
    assert_eq!(file["follows"][0]["status"], "accepted");
}

#[tokio::test]
async fn an_export_holds_what_is_on_comments_and_on_activities_replies_and_empty_folders() {
    let pond = Pond::new().await;
    pond.planted().await;
    let (_, file) = pond.told("ann").await;
    let all = |set: &str, field: &str| {
        let mut all: Vec<_> = file[set].as_array().unwrap().iter().map(|row| row[field].to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(all("reactions", "comment_id"), ["\"c-bob\"", "null"]);
    assert_eq!(all("reactions", "activity_id"), ["\"bob2\"", "\"bob2\""]);
    assert_eq!(all("bookmarks", "object_type"), ["\"activity\"", "\"comment\""]);
    assert_eq!(all("comments", "parent_id"), ["\"c-bob\"", "null"]);
    assert_eq!(all("bookmark_folders", "name"), [format!("\"{NEEDLE}\""), format!("\"empty {NEEDLE}\"")]);
    assert_eq!(all("activities", "id"), ["\"ann1\"", "\"ann2\""]);
    assert!(file["activities"][0]["created_at"].is_string() && file["activities"][0]["deleted_at"].is_null());
    assert_eq!((&file["collections"][0]["name"], &file["collections"][0]["id"]), (&json!("movies"), &json!("ann")));
}

#[tokio::test]
async fn an_export_has_no_name_text_or_mail_of_anybody_else() {
    let pond = Pond::new().await;
    pond.planted().await;
    let (text, _) = pond.told("ann").await;
    assert!(text.contains(NEEDLE) && !text.contains(BOBS) && !text.contains("bob@example.com"), "{text}");
}

#[tokio::test]
async fn an_export_holds_v1_and_v3_together() {
    let pond = Pond::new().await;
    pond.planted().await;
    let activity = json!({ "actor": "SU:ann", "verb": "post", "object": "o:1" });
    assert_eq!(pond.v1("feed/user/ann/", activity).await.status, 201);
    let item = json!({ "id": "v1", "data": { "title": "x" }, "user_id": "ann" });
    assert_eq!(pond.v1("collections/food/", item).await.status, 201);
    let (_, file) = pond.told("ann").await;
    assert_eq!(sizes(&file), [3, 2, 3, 2, 2, 2, 2, 2]);
    let result = pond.done("users/ann/delete", r#"{"hard_delete":true}"#).await;
    assert_eq!((&result["counts"]["activities"], &result["counts"]["collections"]), (&json!(3), &json!(2)));
    assert_eq!(sizes(&pond.told("ann").await.1), [0; 8]);
}

impl Pond {
    /// Does what the sets beside the documented ones tell of, as `user` with what is bob's.
    async fn done_more(&self, user: &str, other: &str) {
        let feed = format!("feed_groups/user/feeds/{other}");
        let tagged = json!({ "type": "post", "feeds": ["user:bob"], "user_id": other, "id": format!("t-{other}"),
            "interest_tags": [format!("tag of {other}")] });
        self.post("activities", tagged).await;
        self.post(&format!("activities/t-{other}/reactions"), json!({ "type": "like", "user_id": user })).await;
        self.post(&format!("activities/t-{other}/feedback"), json!({ "show_more": true, "user_id": user })).await;
        let seen = json!({ "mark_all_seen": true, "user_id": user });
        self.post(&format!("{feed}/activities/mark/batch"), seen).await;
        let member = json!({ "operation": "upsert", "members": [{ "user_id": user, "custom": { "of": user } }] });
        self.patch(&format!("{feed}/members"), member).await;
        let (poll, activity) = (format!("poll-{user}"), format!("p-{user}"));
        let body = json!({ "id": poll, "name": format!("asked by {user}"), "user_id": user,
            "options": [{ "text": "yes" }] });
        let option = self.post("/api/v2/polls", body).await["poll"]["options"][0]["id"].clone();
        let asks = json!({ "type": "ask", "feeds": ["user:bob"], "user_id": user, "id": activity, "poll_id": poll });
        self.post("activities", asks).await;
        let vote = json!({ "user_id": user, "vote": { "option_id": option } });
        self.post(&format!("activities/{activity}/polls/{poll}/vote"), vote).await;
        self.post(&format!("feed_groups/user/feeds/bob/activities/t-{other}/pin"), json!({ "user_id": user })).await;
        let wants = json!({ "preferences": [{ "user_id": user, "chat_level": "none" }] });
        self.post("/api/v2/push_preferences", wants).await;
    }
}

/// How many rows the sets beside the documented ones have.
fn beside(file: &Value) -> Vec<(&str, usize)> {
    let sets = file["extra"].as_object().unwrap();
    sets.iter().map(|(set, rows)| (set.as_str(), rows.as_array().unwrap().len())).collect()
}

#[tokio::test]
async fn beside_the_nine_sets_the_file_tells_what_else_there_is_of_the_user_and_nobody_elses() {
    const BESIDE: [&str; 9] = [
        "activity_feedback",
        "interests",
        "mark_state",
        "memberships",
        "pins",
        "poll_votes",
        "polls",
        "profile",
        "push_preferences",
    ];
    let pond = Pond::new().await;
    pond.planted().await;
    let (_, before) = pond.told("ann").await;
    assert_eq!(beside(&before), BESIDE.map(|set| (set, 0)));
    pond.done_more("ann", "bob").await;
    pond.done_more("bob", "ann").await;
    let (_, file) = pond.told("ann").await;
    let of = |set: &str, field: &str| file["extra"][set][0][field].clone();
    for (set, field, value) in [
        ("activity_feedback", "activity_id", "t-bob"),
        ("interests", "tag", "tag of bob"),
        ("mark_state", "fid", "user:bob"),
        ("memberships", "fid", "user:bob"),
        ("pins", "activity_id", "t-bob"),
        ("poll_votes", "poll_id", "poll-ann"),
        ("polls", "name", "asked by ann"),
    ] {
        assert_eq!(of(set, field), value, "{set}");
    }
    // Of feeds v1.0 there is nothing.
    assert_eq!(beside(&file), BESIDE.map(|set| (set, usize::from(set != "profile"))), "one of each is ann's");
    assert!(of("pins", "created_at").is_string() && of("polls", "created_at").is_string(), "{file}");
    pond.done("users/ann/delete", r#"{"hard_delete":true}"#).await;
    let (_, after) = pond.told("ann").await;
    let left: Vec<_> = beside(&after).into_iter().filter(|(_, count)| *count > 0).map(|(set, _)| set).collect();
    assert_eq!(left, ["push_preferences"], "it is the account's; the poll went with the activity that showed it");
}

#[tokio::test]
async fn what_was_deleted_softly_is_still_told_with_when() {
    let pond = Pond::new().await;
    pond.planted().await;
    pond.delete("activities/ann1").await;
    pond.delete("comments/c-ann").await;
    let (_, file) = pond.told("ann").await;
    assert_eq!(sizes(&file), COUNTS);
    assert!(file["activities"][0]["deleted_at"].is_string() && file["activities"][0]["text"] == NEEDLE);
    assert!(file["comments"][0]["deleted_at"].is_string());
}

#[tokio::test]
async fn a_deletion_of_feed_data_leaves_the_account_and_the_chat_and_tells_what_went() {
    for body in ["null", r#"{"hard_delete":true}"#] {
        let pond = Pond::new().await;
        pond.planted().await;
        let channel = json!({ "data": { "created_by_id": "ann", "members": [{ "user_id": "ann" }] } });
        pond.post("/api/v2/chat/channels/messaging/pond/query", channel).await;
        let message = json!({ "message": { "id": "m", "user_id": "ann", "text": "hi" } });
        pond.post("/api/v2/chat/channels/messaging/pond/message", message).await;
        let result = pond.done("users/ann/delete", body).await;
        assert_eq!(result["ann"], json!({ "status": "ok" }));
        for (set, count) in SETS.iter().zip(COUNTS) {
            assert_eq!(result["counts"][set], count, "{set} {body}");
        }
        let users = pond
            .get(&format!("/api/v2/users?payload={}", encoded(&json!({ "filter_conditions": { "id": "ann" } }))))
            .await;
        assert_eq!(users["users"][0]["id"], "ann");
        assert_eq!(pond.get("/api/v2/chat/messages/m").await["message"]["text"], "hi");
        assert_eq!(sizes_read(&pond).await, [0; 8], "{body}");
    }
}

/// How many rows of each set of ann's anybody can still read.
async fn sizes_read(pond: &Pond) -> [usize; 8] {
    let found = async |path: &str, body: Value, list: &str| {
        pond.post(&format!("{path}/query"), body).await[list].as_array().unwrap().len()
    };
    let of_ann = || json!({ "filter": { "user_id": "ann" } });
    let reactions = found("activities/bob2/reactions", of_ann(), "reactions").await
        + found("comments/c-bob/reactions", of_ann(), "reactions").await;
    let follows = found("follows", json!({ "filter": { "source_feed": "timeline:ann" } }), "follows").await
        + found("follows", json!({ "filter": { "target_feed": "user:ann" } }), "follows").await;
    [
        found("feeds", json!({ "filter": { "created_by_id": "ann" } }), "feeds").await,
        follows,
        found("activities", of_ann(), "activities").await,
        found("comments", of_ann(), "comments").await,
        reactions,
        found("bookmarks", of_ann(), "bookmarks").await,
        found("bookmark_folders", of_ann(), "bookmark_folders").await,
        found("collections", of_ann(), "collections").await,
    ]
}

#[tokio::test]
async fn of_what_went_for_good_no_word_is_left_in_the_store_but_for_the_account() {
    let pond = Pond::new().await;
    pond.planted().await;
    let v1 = json!({ "actor": "SU:ann", "verb": "post", "object": NEEDLE, "foreign_id": NEEDLE,
        "time": "2025-12-31T10:00:00" });
    for feed in ["ann", "bob"] {
        pond.v1(&format!("feed/user/{feed}/"), v1.clone()).await.ok(201);
    }
    let before = pond.holding(NEEDLE).await;
    assert!(before.contains(&"log") && before.contains(&"v3_activity") && before.contains(&"activity"), "{before:?}");
    pond.done("users/ann/delete", r#"{"hard_delete":true}"#).await;
    assert_eq!(pond.holding(NEEDLE).await, ["user"]);
}

#[tokio::test]
async fn all_eight_sets_are_gone_from_every_read_softly_too_and_nothing_restores_them() {
    let pond = Pond::new().await;
    pond.planted().await;
    assert_eq!(sizes_read(&pond).await, COUNTS);
    pond.done("users/ann/delete", r#"{"hard_delete":false}"#).await;
    assert_eq!(sizes_read(&pond).await, [0; 8]);
    let restore = json!({ "user_id": "ann" });
    for path in ["activities/ann1", "comments/c-ann"] {
        let path = format!("{path}/restore");
        assert_eq!(pond.refuses(Method::POST, &path, restore.clone()).await, (400, 4), "{path}");
    }
    assert_eq!(pond.refuses(Method::GET, "activities/ann1", Value::Null).await, (404, 16));
    let collection = pond.get("collections?collection_refs=movies%3Aann,movies%3Abob").await;
    assert_eq!(collection["collections"].as_array().unwrap().len(), 1);
    pond.done("users/ann/delete", r#"{"hard_delete":true}"#).await;
    let left = pond.residue("ann").await;
    assert!(left.iter().all(|table| !table.starts_with("v3_")), "the rows went with the hard one: {left:?}");
}

#[tokio::test]
async fn follows_go_on_both_sides_and_the_activities_leave_the_timelines_of_followers() {
    let pond = Pond::new().await;
    pond.planted().await;
    let read = async |feed: &str| {
        let (group, id) = feed.split_once(':').unwrap();
        let body = json!({ "user_id": "bob" });
        let feed = pond.post(&format!("feed_groups/{group}/feeds/{id}"), body).await;
        let ids = feed["activities"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        let counts =
            (feed["feed"]["follower_count"].as_i64().unwrap(), feed["feed"]["following_count"].as_i64().unwrap());
        (ids.collect::<Vec<_>>().join(" "), counts)
    };
    assert_eq!(read("timeline:bob").await, ("bob1 ann1".to_owned(), (0, 1)));
    assert_eq!(read("user:bob").await, ("bob2 ann2".to_owned(), (1, 0)));
    pond.done("users/ann/delete", r#"{"hard_delete":true}"#).await;
    assert_eq!(read("timeline:bob").await, (String::new(), (0, 0)));
    assert_eq!(read("user:bob").await, ("bob2".to_owned(), (0, 0)));
}

#[tokio::test]
async fn what_is_others_stays_and_counts_what_is_left() {
    for body in ["null", r#"{"hard_delete":true}"#] {
        let pond = Pond::new().await;
        pond.planted().await;
        let refers = json!({ "type": "post", "feeds": ["user:bob"], "user_id": "bob", "id": "refers", "text": BOBS,
            "collection_refs": ["movies:ann", "movies:bob"] });
        pond.post("activities", refers).await;
        pond.done("users/ann/delete", body).await;
        let activity = pond.get("activities/refers").await["activity"].clone();
        assert_eq!(
            activity["collections"]["movies:ann"],
            json!({ "name": "movies", "id": "ann", "status": "notfound" })
        );
        assert_eq!(activity["collections"]["movies:bob"]["status"], "ok");
        let activity = pond.get("activities/bob2?user_id=bob").await["activity"].clone();
        let counted =
            ["reaction_count", "comment_count", "bookmark_count"].map(|count| activity[count].as_i64().unwrap());
        assert_eq!(counted, [1, 2, 1], "{body}");
        assert_eq!(activity["popularity"], 1 + 2 * 2 + 3);
        assert_eq!(activity["reaction_groups"]["like"]["count"], 1);
        assert_eq!(activity["latest_reactions"][0]["user"]["id"], "bob");
        assert!(!activity.to_string().contains(NEEDLE), "{activity}");
        let threads = pond.get("comments?object_id=bob2&object_type=activity").await;
        let (stub, whole) = (&threads["comments"][1], &threads["comments"][0]);
        assert_eq!((&stub["id"], &stub["status"], stub.get("text")), (&json!("c-ann"), &json!("deleted"), None));
        assert!(stub["user"]["id"] != "ann" && stub["replies"][0]["id"] == "r-bob", "{stub}");
        assert_eq!((&whole["reply_count"], &whole["reaction_count"]), (&json!(0), &json!(1)));
    }
}

#[tokio::test]
async fn deleting_the_user_for_good_leaves_the_same_of_feeds_and_no_trace_in_the_store() {
    let pond = Pond::new().await;
    pond.planted().await;
    let mention = json!({ "comment": "hi", "user_id": "bob", "object_id": "bob2", "object_type": "activity",
        "mentioned_user_ids": ["ann"] });
    pond.post("comments", mention).await;
    let result = pond.done("/api/v2/users/delete", r#"{"user_ids":["ann"],"user":"hard","messages":"hard"}"#).await;
    assert_eq!(result["ann"]["status"], "ok");
    assert_eq!(sizes_read(&pond).await, [0; 8]);
    assert_eq!(pond.residue("ann").await, Vec::<&str>::new());
    let threads = pond.get("comments?object_id=bob2&object_type=activity").await;
    assert!(!threads.to_string().contains("\"ann\""), "{threads}");
    assert_eq!(pond.refuses(Method::POST, "users/ann/export", Value::Null).await, (404, 16));
}

#[tokio::test]
async fn files_of_earlier_exports_go_with_a_deletion_and_their_tasks_tell_no_link() {
    let pond = Pond::new().await;
    pond.planted().await;
    let task = pond.call(Method::POST, "users/ann/export", "null").await.ok(201);
    pond.run_tasks().await;
    let path = format!("/api/v2/tasks/{}", task["task_id"].as_str().unwrap());
    let url = pond.get(&path).await["result"]["url"].as_str().unwrap().to_owned();
    assert_eq!(pond.fetched(&url).await.status, 200);
    pond.done("users/ann/delete", "null").await;
    assert_eq!(pond.get(&path).await["result"], json!({}));
    assert_eq!(pond.fetched(&url).await.status, 410);
}

#[tokio::test]
async fn only_the_apps_server_asks_for_user_data_and_only_of_somebody_known() {
    let pond = Pond::new().await;
    pond.planted().await;
    for path in ["users/ann/export", "users/ann/delete"] {
        assert_eq!(pond.user("ann").refuses(Method::POST, path, Value::Null).await, (403, 17), "{path}");
    }
    for path in ["users/nobody/export", "users/nobody/delete"] {
        assert_eq!(pond.refuses(Method::POST, path, Value::Null).await, (404, 16), "{path}");
    }
}

#[tokio::test]
async fn after_a_deletion_the_user_starts_anew_and_empty() {
    for body in ["null", r#"{"hard_delete":true}"#] {
        let pond = Pond::new().await;
        pond.planted().await;
        pond.done("users/ann/delete", body).await;
        let feed = pond.post("feed_groups/user/feeds/ann", json!({ "user_id": "ann" })).await;
        assert_eq!((&feed["created"], &feed["activities"], &feed["followers"]), (&json!(true), &json!([]), &json!([])));
        let collection =
            json!({ "collections": [{ "name": "movies", "id": "ann", "custom": { "new": 1 } }], "user_id": "ann" });
        let made = pond.post("collections", collection).await;
        assert_eq!(made["collections"][0]["custom"], json!({ "new": 1 }));
    }
}
