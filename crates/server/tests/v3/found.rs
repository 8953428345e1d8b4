//! What is found out for a user: friends' reactions, feeds to follow (§3.2).

use serde_json::{Value, json};

use crate::pond::{Pond, ids};

async fn pond() -> Pond {
    let pond = Pond::new().await;
    for who in ["amy", "bob", "cat", "dan"] {
        pond.make(&format!("user:{who}"), "visible").await;
        pond.make(&format!("timeline:{who}"), "visible").await;
    }
    for (source, target) in [("timeline:amy", "user:bob"), ("timeline:bob", "user:cat")] {
        pond.post("follows", json!({ "source": source, "target": target })).await;
    }
    pond
}

#[tokio::test]
async fn a_read_shows_what_friends_of_the_reader_made_of_activities() {
    let pond = pond().await;
    pond.add("b1", "bob", &["user:bob"]).await;
    for who in ["bob", "cat"] {
        pond.reacted("activities/b1", who, "like").await;
    }
    let read = async |options: Value| {
        let body = json!({ "user_id": "amy", "friend_reactions_options": options });
        pond.post("feed_groups/timeline/feeds/amy", body).await["activities"][0].clone()
    };
    let shown = read(json!({ "enabled": true })).await;
    assert_eq!((&shown["friend_reaction_count"], &shown["reaction_count"]), (&json!(1), &json!(2)));
    assert_eq!(shown["friend_reactions"][0]["user"]["id"], "bob");
    assert!(read(json!({ "enabled": false })).await.get("friend_reactions").is_none());
    assert_eq!(read(json!({ "enabled": true, "type": "mutual" })).await["friend_reaction_count"], 0);
    pond.post("follows", json!({ "source": "user:bob", "target": "user:amy" })).await;
    assert_eq!(read(json!({ "enabled": true, "type": "mutual" })).await["friend_reaction_count"], 1);
    for unfit in [json!({ "enabled": true, "limit": 11 }), json!({ "enabled": true, "type": "all" })] {
        let body = json!({ "user_id": "amy", "friend_reactions_options": unfit });
        assert_eq!(pond.refuses_post("feed_groups/timeline/feeds/amy", body).await, (400, 4));
    }
}

#[tokio::test]
async fn what_friends_follow_is_suggested_first_and_selected_by_follow_suggestion() {
    let pond = pond().await;
    let found = pond.user("amy").get("feed_groups/user/follow_suggestions?limit=2").await;
    let suggested = &found["suggestions"];
    assert_eq!(ids(suggested), "cat dan");
    assert_eq!(suggested[0]["reason"], "followed by 1 whom you follow");
    assert_eq!(pond.refuses(http::Method::GET, "feed_groups/user/follow_suggestions", json!(null)).await, (400, 4));
    pond.add("c1", "cat", &["user:cat"]).await;
    pond.add("b1", "bob", &["user:bob"]).await;
    pond.post("feed_groups/new", json!({ "activity_selectors": [{ "type": "follow_suggestion" }] })).await;
    let page = pond.post("feed_groups/new/feeds/amy", json!({ "user_id": "amy" })).await;
    assert_eq!(ids(&page["activities"]), "c1");
}

#[tokio::test]
async fn collections_in_an_activity_are_made_with_it_and_referred_to() {
    let pond = Pond::new().await;
    let entry = json!({ "name": "movies", "id": "lotr", "custom": { "year": 2001 } });
    let activity = json!({ "id": "a1", "type": "post", "user_id": "amy", "feeds": ["user:amy"],
        "collections": [entry], "collection_refs": ["movies:dune"] });
    let shown = pond.post("activities", activity).await["activity"]["collections"].clone();
    let seen = (&shown["movies:lotr"]["status"], &shown["movies:lotr"]["user_id"], &shown["movies:dune"]["status"]);
    assert_eq!(seen, (&json!("ok"), &json!("amy"), &json!("notfound")));
    let read = pond.get("collections?collection_refs=movies:lotr").await;
    assert_eq!(read["collections"][0]["custom"], json!({ "year": 2001 }));
    // Another's is not changed on the way.
    let other = json!({ "type": "post", "feeds": ["user:bob"], "collections": [entry] });
    assert_eq!(pond.user("bob").refuses_post("activities", other).await, (403, 17));
    let many: Vec<Value> = (0..11).map(|n| json!({ "name": "x", "id": n.to_string(), "custom": { "n": n } })).collect();
    let body = json!({ "type": "post", "user_id": "amy", "feeds": ["user:amy"], "collections": many });
    assert_eq!(pond.refuses_post("activities", body).await, (400, 4));
}

#[tokio::test]
async fn revisions_are_asked_for_with_a_filter_and_none_are_kept() {
    let pond = Pond::new().await;
    let found = pond.post("revisions/query", json!({ "filter": { "object_id": "a1" } })).await;
    assert_eq!(found, json!({ "revisions": [] }));
    assert_eq!(pond.refuses_post("revisions/query", json!({})).await, (400, 4));
    assert_eq!(pond.refuses_post("revisions/query", json!({ "filter": { "magic": 1 } })).await, (400, 4));
}
