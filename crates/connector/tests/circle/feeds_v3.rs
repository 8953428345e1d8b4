//! What a person leaves in feeds v3: something in each of the documented sets, of one's own and at another's.

use reqwest::Method;
use serde_json::{Value, json};
use testing::pond::Pond;

/// What bob says in feeds v3: it is his, and stays.
pub(crate) const ANOTHERS: &str = "bobs-v3-words";
/// What an access must show, a text for each set.
const TEXTS: &[&str] = &[
    "amys-v3-post",
    "amys-v3-post-at-bobs",
    "amys-v3-comment",
    "amys-v3-reply",
    "amys-v3-like",
    "amys-v3-like-of-a-comment",
    "amys-v3-bookmark",
    "amys-v3-folder",
    "amys-v3-collection",
];

async fn post(pond: &Pond, path: &str, body: Value) -> Value {
    pond.chat(Method::POST, &format!("feeds/{path}"), &body).await.ok()
}

/// Leaves something of the user everywhere; answers the texts that are only there.
pub(crate) async fn live(pond: &Pond, user: &str) -> Vec<String> {
    for (owner, group) in [(user, "user"), (user, "timeline"), ("bob", "user"), ("bob", "timeline")] {
        post(pond, &format!("feed_groups/{group}/feeds/{owner}"), json!({"user_id": owner})).await;
    }
    let activity = |id: &str, by: &str, at: &str, text: &str| json!({"id": id, "type": "post", "feeds": [format!("user:{at}")], "user_id": by, "text": text});
    post(pond, "activities", activity("v3-own", user, user, "amys-v3-post")).await;
    post(pond, "activities", activity("v3-guest", user, "bob", "amys-v3-post-at-bobs")).await;
    post(pond, "activities", activity("v3-bobs", "bob", "bob", ANOTHERS)).await;
    for (source, target) in
        [(format!("timeline:{user}"), "user:bob".to_owned()), ("timeline:bob".to_owned(), format!("user:{user}"))]
    {
        post(pond, "follows", json!({"source": source, "target": target})).await;
    }
    let on_bobs = json!({"object_id": "v3-bobs", "object_type": "activity"});
    let comment = |id: &str, by: &str, text: &str, more: &Value| {
        let mut comment = more.clone();
        (comment["id"], comment["user_id"], comment["comment"]) = (id.into(), by.into(), text.into());
        comment
    };
    post(pond, "comments", comment("v3-c-bob", "bob", ANOTHERS, &on_bobs)).await;
    post(pond, "comments", comment("v3-c-amy", user, "amys-v3-comment", &on_bobs)).await;
    post(pond, "comments", comment("v3-r-amy", user, "amys-v3-reply", &json!({"parent_id": "v3-c-bob"}))).await;
    post(pond, "comments", comment("v3-r-bob", "bob", ANOTHERS, &json!({"parent_id": "v3-c-amy"}))).await;
    let like = |text: &str| json!({"type": "like", "user_id": user, "custom": {"of": text}});
    post(pond, "activities/v3-bobs/reactions", like("amys-v3-like")).await;
    post(pond, "comments/v3-c-bob/reactions", like("amys-v3-like-of-a-comment")).await;
    let folder = json!({"name": "amys-v3-folder"});
    let bookmark = json!({"user_id": user, "new_folder": folder, "custom": {"of": "amys-v3-bookmark"}});
    post(pond, "activities/v3-bobs/bookmarks", bookmark).await;
    let entry = json!({"name": "films", "id": "v3-film", "custom": {"of": "amys-v3-collection"}});
    post(pond, "collections", json!({"collections": [entry], "user_id": user})).await;
    TEXTS.iter().map(|text| (*text).to_owned()).collect()
}

/// Nobody reads anything of the user any more, and bob's is there as before.
pub(crate) async fn is_gone(pond: &Pond, user: &str) {
    let of_user = json!({"user_id": user});
    let queries = [
        ("feeds", json!({"created_by_id": user})),
        ("follows", json!({"source_feed": format!("timeline:{user}")})),
        ("follows", json!({"target_feed": format!("user:{user}")})),
        ("activities", of_user.clone()),
        ("comments", of_user.clone()),
        ("bookmarks", of_user.clone()),
        ("bookmark_folders", of_user.clone()),
        ("collections", of_user),
    ];
    for (set, filter) in queries {
        let found = post(pond, &format!("{set}/query"), json!({"filter": filter})).await;
        assert_eq!(found[set], json!([]), "{set} {filter}");
    }
    let bobs = post(pond, "feed_groups/user/feeds/bob", json!({"user_id": "bob"})).await.to_string();
    let comments = "feeds/comments?object_id=v3-bobs&object_type=activity";
    let comments = pond.chat(Method::GET, comments, &Value::Null).await.text;
    for read in [bobs, comments] {
        assert!(read.contains(ANOTHERS), "bob's words stay: {read}");
        for text in TEXTS {
            assert!(!read.contains(text), "{text}: {read}");
        }
    }
}
