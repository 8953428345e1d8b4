//! Reactions (§5.10): adding, changing, deleting, listing, and what activities show of them.

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Answer, Client, Members, Pond, with};

const NOBODY: &str = "8b866680-82b8-11e8-8080-80014b9d80a2";

async fn put(client: &Client, path: &str, body: Value) -> Answer {
    client.call(Method::PUT, path, body.to_string()).await
}

impl Pond {
    async fn activity(&self) -> String {
        self.add("user:amy", json!({})).await.text("id").to_owned()
    }

    /// Bob reacts, a second after whatever was before.
    async fn react(&self, fields: Value) -> Value {
        self.clock.advance(1_000_000);
        self.post("reaction/", with(json!({ "kind": "like", "user_id": "bob" }), fields)).await.ok(201)
    }

    async fn child(&self, parent: &Value, fields: Value) -> Value {
        self.react(with(json!({ "parent": parent.text("id") }), fields)).await
    }

    async fn read(&self, query: &str) -> Value {
        self.get(&format!("enrich/feed/user/amy/?{query}")).await.ok(200)["results"][0].clone()
    }
}

#[tokio::test]
async fn a_reaction_has_exactly_the_keys_of_the_contract() {
    let pond = Pond::new().await;
    pond.post("user/", json!({ "id": "bob", "data": { "name": "Bob" } })).await.ok(201);
    let activity = pond.activity().await;
    let added = pond.react(json!({ "id": "r1", "activity_id": activity, "data": null, "target_feeds": null })).await;
    assert_eq!(
        added,
        json!({
            "id": "r1",
            "kind": "like",
            "activity_id": activity,
            "user_id": "bob",
            "user": {
                "id": "bob",
                "data": { "name": "Bob" },
                "created_at": "2026-01-01T00:00:00.000000Z",
                "updated_at": "2026-01-01T00:00:00.000000Z",
            },
            "data": {},
            "created_at": "2026-01-01T00:00:01.000000Z",
            "updated_at": "2026-01-01T00:00:01.000000Z",
            "parent": "",
            "latest_children": {},
            "children_counts": {},
        })
    );
    assert_eq!(pond.get("reaction/r1/").await.ok(200), added);
}

#[tokio::test]
async fn the_user_of_a_reaction_need_not_be_there_nor_the_activity() {
    let pond = Pond::new().await;
    let added = pond.react(json!({ "activity_id": NOBODY })).await;
    assert_eq!(
        added["user"],
        json!({ "id": "bob", "error": "ReferenceNotFound", "reference": "SU:bob", "reference_type": "user" })
    );
}

#[tokio::test]
async fn what_is_not_a_reaction_is_refused() {
    let pond = Pond::new().await;
    let good = json!({ "kind": "like", "user_id": "bob", "activity_id": NOBODY });
    for wrong in [
        json!({ "kind": null }),
        json!({ "kind": "" }),
        json!({ "kind": "x".repeat(256) }),
        json!({ "user_id": null }),
        json!({ "user_id": 1 }),
        json!({ "activity_id": null }),
        json!({ "activity_id": 7 }),
        json!({ "activity_id": {} }),
        json!({ "activity_id": "x" }),
        json!({ "data": "text" }),
        json!({ "data": [1] }),
        json!({ "parent": "nobody" }),
        json!({ "target_feeds": "user:1" }),
        json!({ "target_feeds": vec!["user:1"; 21] }),
    ] {
        let body = with(good.clone(), wrong.clone()).to_string();
        assert_eq!(pond.refuses("reaction/", body).await.error, (400, 4), "{wrong}");
    }
    let unknown = with(good, json!({ "target_feeds": ["nope:1"] })).to_string();
    assert_eq!(pond.refuses("reaction/", unknown).await.error, (400, 6));
}

#[tokio::test]
async fn a_parameter_at_fault_leaves_nothing_behind() {
    let pond = Pond::new().await;
    let like = json!({ "kind": "like", "user_id": "bob", "activity_id": pond.activity().await });
    assert_eq!(pond.refuses("reaction/?withOwnChildren=perhaps", like.to_string()).await.error, (400, 4));
}

#[tokio::test]
async fn an_id_is_given_once_and_free_again_after_a_deletion() {
    let pond = Pond::new().await;
    let body = json!({ "id": "r1", "kind": "like", "user_id": "bob", "activity_id": NOBODY });
    pond.post("reaction/", body.clone()).await.ok(201);
    assert_eq!(pond.refuses("reaction/", body.to_string()).await.error, (409, 22));
    pond.delete("reaction/r1/?soft=True").await.ok(200);
    assert_eq!(pond.refuses("reaction/", body.to_string()).await.error, (409, 22), "it can be restored");
    put(&pond, "reaction/r1/restore/", json!({})).await.ok(200);
    pond.delete("reaction/r1/").await.ok(200);
    pond.post("reaction/", body).await.ok(201);
}

#[tokio::test]
async fn an_update_replaces_the_data() {
    let pond = Pond::new().await;
    pond.react(json!({ "id": "r1", "activity_id": NOBODY, "data": { "a": 1 } })).await;
    pond.clock.advance(1_000_000);
    let changed = put(&pond, "reaction/r1/", json!({ "data": { "b": 2 } })).await.ok(201);
    assert_eq!((&changed["data"], &changed["updated_at"]), (&json!({ "b": 2 }), &json!("2026-01-01T00:00:02.000000Z")));
    assert_eq!(changed["created_at"], "2026-01-01T00:00:01.000000Z");
    assert_eq!(put(&pond, "reaction/none/", json!({ "data": {} })).await.refusal().error, (404, 16));
}

#[tokio::test]
async fn a_soft_deletion_can_be_undone_and_another_not() {
    let pond = Pond::new().await;
    let activity = pond.activity().await;
    pond.react(json!({ "id": "r1", "activity_id": activity })).await;
    pond.delete("reaction/r1/?soft=true").await.ok(200);
    let deleted = pond.get("reaction/r1/").await.ok(200);
    assert!(deleted["deleted_at"].is_string(), "{deleted}");
    let shown = pond.read("withRecentReactions=true&withReactionCounts=true").await;
    assert_eq!((&shown["latest_reactions"], &shown["reaction_counts"]), (&json!({}), &json!({ "like": 0 })));
    assert_eq!(pond.delete("reaction/r1/").await.refusal().error, (404, 16), "it is gone already");
    put(&pond, "reaction/r1/restore/", json!({})).await.ok(200);
    assert_eq!(pond.read("withReactionCounts=true").await["reaction_counts"], json!({ "like": 1 }));
    assert_eq!(put(&pond, "reaction/r1/restore/", json!({})).await.refusal().error, (404, 16), "it is not deleted");
    pond.delete("reaction/r1/?soft=False").await.ok(200);
    assert_eq!(pond.get("reaction/r1/").await.refusal().error, (404, 16));
    assert_eq!(put(&pond, "reaction/r1/restore/", json!({})).await.refusal().error, (404, 16));
}

#[tokio::test]
async fn a_user_reacts_as_themselves_and_changes_only_their_own() {
    let pond = Pond::new().await;
    let (amy, bob) = (pond.user("amy"), pond.user("bob"));
    let body = json!({ "id": "r1", "kind": "like", "activity_id": NOBODY });
    assert_eq!(amy.post("reaction/", body.clone()).await.ok(201)["user_id"], "amy");
    let as_bob = with(body.clone(), json!({ "id": "r2", "user_id": "bob" })).to_string();
    assert_eq!(amy.refuses("reaction/", as_bob).await.error, (400, 4));
    bob.get("reaction/r1/").await.ok(200);
    assert_eq!(put(&bob, "reaction/r1/", json!({ "data": {} })).await.refusal().error, (403, 17));
    assert_eq!(bob.delete("reaction/r1/").await.refusal().error, (403, 17));
    put(&amy, "reaction/r1/", json!({ "data": { "a": 1 } })).await.ok(201);
    amy.delete("reaction/r1/").await.ok(200);
    assert_eq!(bob.delete("reaction/r1/").await.refusal().error, (404, 16));
    let posted = with(body, json!({ "target_feeds": ["timeline:123"] })).to_string();
    assert_eq!(amy.refuses("reaction/", posted).await.error, (403, 17));
}

#[tokio::test]
async fn reactions_nest_three_deep() {
    let pond = Pond::new().await;
    let top = pond.react(json!({ "activity_id": NOBODY })).await;
    let child = pond.child(&top, json!({ "kind": "comment", "activity_id": null })).await;
    assert_eq!((child.text("parent"), child.text("activity_id")), (top.text("id"), NOBODY));
    let grandchild = pond.child(&child, json!({ "kind": "clap" })).await;
    let fourth = json!({ "kind": "no", "user_id": "bob", "parent": grandchild.text("id") }).to_string();
    assert_eq!(pond.refuses("reaction/", fourth).await.error, (400, 4));
    let read = pond.get(&format!("reaction/{}/", top.text("id"))).await.ok(200);
    assert_eq!(read["children_counts"], json!({ "comment": 1 }));
    let shown = &read["latest_children"]["comment"][0];
    assert_eq!((&shown["id"], &shown["children_counts"]), (&child["id"], &json!({ "clap": 1 })));
    assert_eq!(shown["latest_children"]["clap"][0]["id"], grandchild["id"]);
}

#[tokio::test]
async fn a_reaction_shows_its_ten_newest_children_of_all_kinds_together() {
    let pond = Pond::new().await;
    let top = pond.react(json!({ "activity_id": NOBODY })).await;
    for kind in ["like", "unlike", "clap", "like"] {
        for n in 0..4 {
            pond.child(&top, json!({ "kind": kind, "user_id": format!("u{n}") })).await;
        }
    }
    let read = pond.get(&format!("reaction/{}/", top.text("id"))).await.ok(200);
    let count = |kind: &str| read["latest_children"][kind].as_array().map_or(0, Vec::len);
    assert_eq!((count("like"), count("clap"), count("unlike")), (4, 4, 2));
    assert_eq!(read["children_counts"], json!({ "like": 8, "unlike": 4, "clap": 4 }));
}

#[tokio::test]
async fn own_children_are_there_when_asked_for() {
    let pond = Pond::new().await;
    let top = pond.react(json!({ "activity_id": NOBODY })).await;
    let of_amy = pond.child(&top, json!({ "user_id": "amy", "kind": "clap" })).await;
    pond.child(&top, json!({ "user_id": "carl" })).await;
    let path = format!("reaction/activity_id/{NOBODY}/");
    assert!(pond.get(&path).await.ok(200)["results"][0].get("own_children").is_none());
    let read = pond.user("amy").get(&format!("{path}?with_own_children=true")).await.ok(200);
    let own = &read["results"][0]["own_children"];
    assert_eq!(own.keys(), ["clap"]);
    assert_eq!(own["clap"][0]["id"], of_amy["id"]);
    let none = pond.user("dora").get(&format!("{path}?withOwnChildren=true")).await.ok(200);
    assert_eq!(none["results"][0]["own_children"], json!({}));
}

#[tokio::test]
async fn children_go_with_their_parent() {
    let pond = Pond::new().await;
    let top = pond.react(json!({ "activity_id": NOBODY })).await;
    let child = pond.child(&top, json!({ "user_id": "carl" })).await;
    pond.delete(&format!("reaction/{}/", top.text("id"))).await.ok(200);
    assert_eq!(pond.get(&format!("reaction/{}/", child.text("id"))).await.refusal().error, (404, 16));
    for path in [format!("reaction/reaction_id/{}/", top.text("id")), "reaction/user_id/carl/".to_owned()] {
        assert_eq!(pond.get(&path).await.ok(200), json!({ "results": [], "next": "" }), "{path}");
    }
}

#[tokio::test]
async fn reactions_are_listed_by_activity_by_parent_and_by_user() {
    let pond = Pond::new().await;
    let top = pond.react(json!({ "id": "a", "activity_id": NOBODY })).await;
    pond.react(json!({ "id": "b", "activity_id": NOBODY, "kind": "clap", "user_id": "carl" })).await;
    pond.child(&top, json!({ "id": "c", "user_id": "carl" })).await;
    for (path, ids) in [
        (format!("activity_id/{NOBODY}/"), vec!["b", "a"]),
        (format!("activity_id/{NOBODY}/clap/"), vec!["b"]),
        ("reaction_id/a/".to_owned(), vec!["c"]),
        ("reaction_id/none/".to_owned(), vec![]),
        ("user_id/carl/".to_owned(), vec!["c", "b"]),
        ("user_id/carl/like/?kind=like&limit=10".to_owned(), vec!["c"]),
        ("user_id/nobody/".to_owned(), vec![]),
    ] {
        assert_eq!(pond.user("zoe").get(&format!("reaction/{path}")).await.ok(200).list("id"), ids, "{path}");
    }
    assert_eq!(pond.get("reaction/kind/like/").await.refusal().error, (400, 4));
    assert_eq!(pond.get("reaction/activity_id/x/").await.refusal().error, (400, 4));
}

#[tokio::test]
async fn a_list_is_paged_in_both_directions() {
    let pond = Pond::new().await;
    for n in 0..7 {
        pond.react(json!({ "id": format!("r{n}"), "activity_id": NOBODY })).await;
    }
    let path = format!("reaction/activity_id/{NOBODY}/");
    let first = pond.get(&format!("{path}?limit=3")).await.ok(200);
    assert_eq!(first.list("id"), ["r6", "r5", "r4"]);
    assert!(first.text("next").starts_with(&format!("/api/v1.0/{path}?")), "{first}");
    let second = pond.get(first.text("next")).await.ok(200);
    assert_eq!(second.list("id"), ["r3", "r2", "r1"]);
    let last = pond.get(second.text("next")).await.ok(200);
    assert_eq!((last.list("id"), last.text("next")), (vec!["r0".to_owned()], ""));
    for (bound, ids) in
        [("id_lte=r1", vec!["r1", "r0"]), ("id_gt=r4", vec!["r5", "r6"]), ("id_gte=r5", vec!["r5", "r6"])]
    {
        assert_eq!(pond.get(&format!("{path}?{bound}")).await.ok(200).list("id"), ids, "{bound}");
    }
    let up = pond.get(&format!("{path}?id_gte=r0&limit=2")).await.ok(200);
    assert_eq!(pond.get(up.text("next")).await.ok(200).list("id"), ["r2", "r3"]);
    assert_eq!(pond.get(&format!("{path}?id_lt=none")).await.refusal().error, (400, 4));
    assert_eq!(pond.get(&format!("{path}?id_lt=r1&id_gt=r2")).await.refusal().error, (400, 4));
}

#[tokio::test]
async fn a_page_of_reactions_is_ten_and_at_most_twenty_five() {
    let pond = Pond::new().await;
    for _ in 0..27 {
        pond.react(json!({ "activity_id": NOBODY })).await;
    }
    let path = format!("reaction/activity_id/{NOBODY}/");
    assert_eq!(pond.get(&path).await.ok(200).list("id").len(), 10);
    assert_eq!(pond.get(&format!("{path}?limit=100")).await.ok(200).list("id").len(), 25);
}

#[tokio::test]
async fn the_activity_comes_with_its_reactions_when_asked_for() {
    let pond = Pond::new().await;
    let activity = pond.activity().await;
    pond.react(json!({ "activity_id": activity })).await;
    let read = pond.get(&format!("reaction/activity_id/{activity}/?with_activity_data=true")).await.ok(200);
    let shown = &read["activity"];
    assert_eq!(shown["id"], activity);
    assert_eq!(shown["actor"]["reference"], "SU:amy", "it is enriched");
    assert_eq!(shown["reaction_counts"], json!({ "like": 1 }));
    for key in ["own_reactions", "latest_reactions", "latest_reactions_extra"] {
        assert!(shown.get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn an_activity_shows_the_newest_of_each_kind_and_where_more_are() {
    let pond = Pond::new().await;
    let activity = pond.activity().await;
    for n in 0..6 {
        pond.react(json!({ "id": format!("r{n}"), "activity_id": activity })).await;
    }
    let clap = pond.react(json!({ "activity_id": activity, "kind": "clap" })).await;
    pond.child(&clap, json!({ "kind": "inner" })).await;
    let read = pond.read("withRecentReactions=true&withReactionCounts=true").await;
    let ids: Vec<_> = read["latest_reactions"]["like"].as_array().unwrap().iter().map(|one| one.text("id")).collect();
    assert_eq!(ids, ["r5", "r4", "r3", "r2", "r1"]);
    assert_eq!(read["reaction_counts"], json!({ "like": 6, "clap": 1 }));
    assert_eq!(read["latest_reactions"].keys(), ["clap", "like"], "top-level ones only");
    let extra = &read["latest_reactions_extra"];
    assert_eq!(extra["clap"]["next"], "");
    assert_eq!(
        extra["like"]["next"],
        format!(
            "http://localhost/api/v1.0/reaction/activity_id/{activity}/like/?id_lt=r1&limit=5&withOwnChildren=false"
        )
    );
    let read = pond.read("withRecentReactions=true&recentReactionsLimit=1&reactionKindsFilter=like").await;
    assert_eq!(read["latest_reactions"].keys(), ["like"]);
    assert_eq!(read["latest_reactions"]["like"].as_array().unwrap().len(), 1);
    let read = pond.read("withFirstReactions=true&reaction_limit=2").await;
    assert_eq!(read["first_reactions"]["like"][0]["id"], "r0");
}

#[tokio::test]
async fn the_reactions_of_one_user_alone_are_shown_when_one_is_named() {
    let pond = Pond::new().await;
    let activity = pond.activity().await;
    for (user, kind) in [("bob", "like"), ("carl", "like"), ("carl", "clap"), ("bob", "like")] {
        pond.react(json!({ "activity_id": activity, "user_id": user, "kind": kind })).await;
    }
    let read = pond.read("withRecentReactions=true&withReactionCounts=true&filter_user_id=bob").await;
    assert_eq!(read["latest_reactions"].keys(), ["like"]);
    let likes = read["latest_reactions"]["like"].as_array().unwrap();
    assert!(likes.len() == 2 && likes.iter().all(|like| like["user_id"] == "bob"), "{likes:?}");
    assert_eq!(read["latest_reactions_extra"], json!({ "like": { "next": "" } }));
    assert_eq!(read["reaction_counts"], json!({ "clap": 1, "like": 3 }), "counts are everybody's");
    let both = pond.get("enrich/feed/user/amy/?withFirstReactions=true&filter_user_id=bob").await.refusal();
    assert_eq!((both.error, both.fields), ((400, 4), vec!["filter_user_id".to_owned()]));
}

#[tokio::test]
async fn own_reactions_are_the_viewers() {
    let pond = Pond::new().await;
    let activity = pond.activity().await;
    pond.react(json!({ "id": "b", "activity_id": activity })).await;
    pond.react(json!({ "id": "c", "activity_id": activity, "user_id": "carl" })).await;
    let own = |read: &Value| -> Vec<String> {
        let list = read["own_reactions"]["like"].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one.text("id").to_owned()).collect()
    };
    assert_eq!(own(&pond.read("withOwnReactions=true").await), ["c", "b"], "a server that names nobody");
    for name in ["user_id", "withUserId"] {
        assert_eq!(own(&pond.read(&format!("ownReactions=true&{name}=bob")).await), ["b"], "{name}");
    }
    let read = pond.user("carl").get("enrich/feed/user/amy/?withOwnReactions=true").await.ok(200);
    assert_eq!(own(&read["results"][0]), ["c"]);
    let plain = pond.get("feed/user/amy/?withOwnReactions=true").await.ok(200);
    assert_eq!(own(&plain["results"][0]), ["c", "b"]);
    assert_eq!(plain["results"][0]["actor"], "SU:amy", "the plain path stays plain");
}

#[tokio::test]
async fn got_activities_show_reactions_too() {
    let pond = Pond::new().await;
    let activity = pond.activity().await;
    pond.react(json!({ "activity_id": activity })).await;
    let got = pond.get(&format!("enrich/activities/?ids={activity}&withReactionCounts=true")).await.ok(200);
    assert_eq!(got["results"][0]["reaction_counts"], json!({ "like": 1 }));
}

#[tokio::test]
async fn a_reaction_is_posted_to_its_target_feeds() {
    let pond = Pond::new().await;
    let activity = pond.activity().await;
    let body = json!({
        "id": "r1", "activity_id": activity, "target_feeds": ["notification:amy", "user:bob", "user:bob"],
        "target_feeds_extra_data": { "extra": 1, "verb": "dropped" },
    });
    let added = pond.react(body).await;
    assert_eq!(added["target_feeds"], json!(["notification:amy", "user:bob"]));
    let posted = pond.get("feed/user/bob/").await.ok(200)["results"][0].clone();
    let id = posted["id"].clone();
    assert_eq!(
        posted,
        json!({
            "id": id, "actor": "SU:bob", "verb": "like", "object": format!("SA:{activity}"), "target": "",
            "foreign_id": "reaction:r1", "time": "2026-01-01T00:00:01.000000", "origin": null,
            "reaction": "SR:r1", "extra": 1,
        })
    );
    let enriched = pond.get("enrich/feed/user/bob/").await.ok(200)["results"][0].clone();
    assert_eq!(enriched["object"]["id"], activity);
    assert_eq!(enriched["reaction"], pond.get("reaction/r1/").await.ok(200));
}

#[tokio::test]
async fn what_was_posted_for_a_reaction_follows_its_updates_and_deletions() {
    let pond = Pond::new().await;
    let seen = async |feed: &str| pond.objects(feed).await.len();
    pond.react(json!({ "id": "r1", "activity_id": NOBODY, "target_feeds": ["user:a", "user:b"] })).await;
    put(&pond, "reaction/r1/", json!({ "data": {}, "target_feeds": ["user:b", "user:c"] })).await.ok(201);
    assert_eq!((seen("user:a").await, seen("user:b").await, seen("user:c").await), (0, 1, 1));
    pond.delete("reaction/r1/?soft=true").await.ok(200);
    assert_eq!((seen("user:b").await, seen("user:c").await), (0, 0));
    put(&pond, "reaction/r1/restore/", json!({})).await.ok(200);
    assert_eq!((seen("user:b").await, seen("user:c").await), (1, 1));
    put(&pond, "reaction/r1/", json!({ "data": {} })).await.ok(201);
    assert_eq!((seen("user:b").await, seen("user:c").await), (0, 0));
}

#[tokio::test]
async fn many_reactions_are_got_by_id() {
    let pond = Pond::new().await;
    for id in ["a", "b", "c"] {
        pond.react(json!({ "id": id, "activity_id": NOBODY })).await;
    }
    pond.delete("reaction/b/?soft=true").await.ok(200);
    let ids = |read: &Value| -> Vec<String> {
        read["reactions"].as_array().unwrap().iter().map(|one| one.text("id").to_owned()).collect()
    };
    assert_eq!(ids(&pond.get("reaction/get_many/?ids=c,b,none,a").await.ok(200)), ["c", "a"]);
    assert_eq!(ids(&pond.get("reaction/get_many/?ids=b&include_deleted=true").await.ok(200)), ["b"]);
}

#[tokio::test]
async fn scopes_bind_reactions_users_and_collections() {
    let pond = Pond::new().await;
    for (resource, path) in [
        ("reactions", "reaction/user_id/bob/"),
        ("users", "users/?ids=bob"),
        ("collections", "collections/?foreign_ids=a:b"),
    ] {
        pond.scope(resource, "*", "*").get(path).await.ok(200);
        for scope in [pond.scope("feed", "*", "*"), pond.scope(resource, "write", "*"), pond.scope(resource, "*", "x1")]
        {
            assert_eq!(scope.get(path).await.refusal().error, (403, 17), "{path}");
        }
    }
}
