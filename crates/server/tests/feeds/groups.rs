//! Aggregated and notification feeds (§4.8, §5.1, §7).

use serde_json::{Value, json};

use crate::pond::{Members, Pond};

/// A pond where bob and carl liked on one day, and bob followed on another.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    for (actor, verb, time) in [
        ("SU:bob", "like", "2018-07-08T14:09:36"),
        ("SU:carl", "like", "2018-07-08T14:12:00"),
        ("SU:bob", "follow", "2018-07-09T09:00:00"),
    ] {
        pond.add("notification:amy", json!({ "actor": actor, "verb": verb, "time": time, "foreign_id": actor })).await;
    }
    pond
}

fn flags(read: &Value, name: &str) -> Vec<bool> {
    read["results"].as_array().unwrap().iter().map(|group| group[name].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn a_notification_feed_has_exactly_the_keys_of_the_contract() {
    let pond = pond().await;
    let read = pond.get("feed/notification/amy/").await.ok(200);
    assert_eq!(read.keys(), ["next", "results", "unread", "unseen"]);
    assert_eq!((&read["unread"], &read["unseen"], &read["next"]), (&json!(2), &json!(2), &json!("")));
    assert_eq!(read.list("group"), ["follow_2018-07-09", "like_2018-07-08"]);
    let mut group = read["results"][1].clone();
    let id = group.as_object_mut().unwrap().remove("id").unwrap();
    assert_eq!(id.as_str().unwrap().len(), 36);
    let activities = group.as_object_mut().unwrap().remove("activities").unwrap();
    assert_eq!(
        group,
        json!({
            "group": "like_2018-07-08", "verb": "like", "activity_count": 2, "actor_count": 2,
            "created_at": "2018-07-08T14:09:36.000000Z", "updated_at": "2018-07-08T14:12:00.000000Z",
            "is_read": false, "is_seen": false,
        })
    );
    assert_eq!(activities[0]["actor"], "SU:carl");
    let plain = ["actor", "foreign_id", "id", "object", "origin", "target", "time", "verb"];
    assert_eq!(activities[0].keys(), plain);
}

#[tokio::test]
async fn an_aggregated_feed_has_neither_counts_nor_flags() {
    let pond = Pond::new().await;
    pond.follow("aggregated:amy", "user:bob").await;
    pond.add("user:bob", json!({ "verb": "like" })).await;
    let read = pond.get("feed/aggregated/amy/?mark_read=true").await.ok(200);
    assert_eq!(read.keys(), ["next", "results"]);
    let keys = ["activities", "activity_count", "actor_count", "created_at", "group", "id", "updated_at", "verb"];
    assert_eq!(read["results"][0].keys(), keys);
    assert_eq!(read["results"][0]["activities"][0]["origin"], "user:bob");
    assert_eq!(pond.get("feed/aggregated/nobody/").await.ok(200), json!({ "results": [], "next": "" }));
}

#[tokio::test]
async fn marks_show_at_the_next_read_and_seen_is_not_read() {
    let pond = pond().await;
    let read = pond.get("feed/notification/amy/?mark_seen=true").await.ok(200);
    assert_eq!((flags(&read, "is_seen"), &read["unseen"]), (vec![false, false], &json!(2)), "the old flags");
    let read = pond.get("feed/notification/amy/").await.ok(200);
    assert_eq!((flags(&read, "is_seen"), flags(&read, "is_read")), (vec![true, true], vec![false, false]));
    assert_eq!((&read["unseen"], &read["unread"]), (&json!(0), &json!(2)));
    let like = read["results"][1].text("id").to_owned();
    pond.get(&format!("feed/notification/amy/?mark_read={like}")).await.ok(200);
    let read = pond.get("feed/notification/amy/").await.ok(200);
    assert_eq!((flags(&read, "is_read"), &read["unread"]), (vec![false, true], &json!(1)));
    pond.add("notification:amy", json!({ "verb": "like", "time": "2018-07-08T15:00:00" })).await;
    let read = pond.get("feed/notification/amy/").await.ok(200);
    assert_eq!((&read["unseen"], &read["unread"]), (&json!(1), &json!(2)), "new again");
}

#[tokio::test]
async fn the_groups_of_a_page_are_marked_by_current() {
    let pond = pond().await;
    pond.get("feed/notification/amy/?limit=1&mark_seen=current&mark_read=current").await.ok(200);
    let read = pond.get("feed/notification/amy/").await.ok(200);
    assert_eq!((flags(&read, "is_read"), flags(&read, "is_seen")), (vec![true, false], vec![true, false]));
    let ids = read.list("id").join(",");
    pond.get(&format!("feed/notification/amy/?mark_read={ids}")).await.ok(200);
    assert_eq!(pond.get("feed/notification/amy/").await.ok(200)["unread"], 0);
}

#[tokio::test]
async fn groups_are_paged_by_their_ids() {
    let pond = pond().await;
    let first = pond.get("feed/notification/amy/?limit=1&mark_seen=true").await.ok(200);
    assert_eq!(first.list("group"), ["follow_2018-07-09"]);
    assert!(!first.text("next").contains("mark_seen"), "{first}");
    let second = pond.get(first.text("next")).await.ok(200);
    assert_eq!((second.list("group"), second.text("next")), (vec!["like_2018-07-08".to_owned()], ""));
    let offset = pond.get("feed/notification/amy/?limit=1&offset=1").await.ok(200);
    assert_eq!(offset.list("group"), ["like_2018-07-08"]);
    let activity = second["results"][0]["activities"][0].text("id").to_owned();
    for query in [format!("id_lt={activity}"), format!("mark_read={activity}"), "id_lt=x".into(), "mark_seen=x".into()]
    {
        let refusal = pond.get(&format!("feed/notification/amy/?{query}")).await.refusal();
        assert_eq!(refusal.error, (400, 4), "{query}");
    }
}

#[tokio::test]
async fn groups_are_enriched_and_show_reactions() {
    let pond = pond().await;
    pond.post("user/", json!({ "id": "bob", "data": { "name": "Bob" } })).await.ok(201);
    let read = pond.get("enrich/feed/notification/amy/?withReactionCounts=true").await.ok(200);
    let activity = &read["results"][0]["activities"][0];
    assert_eq!(activity["actor"]["data"]["name"], "Bob");
    assert_eq!(activity["reaction_counts"], json!({}));
}

#[tokio::test]
async fn a_broken_format_takes_writes_and_refuses_reads() {
    let pond = Pond::new().await;
    pond.add("invalid_aggregation_format:amy", json!({})).await;
    let refusal = pond.get("feed/invalid_aggregation_format/amy/").await.refusal();
    assert_eq!((refusal.error, refusal.detail.as_str()), ((400, 14), "the format contains syntax errors"));
}

#[tokio::test]
async fn a_kept_page_follows_changes_of_its_activities_and_marks() {
    let pond = pond().await;
    let read = || pond.get("feed/notification/amy/");
    let first = read().await.ok(200);
    assert_eq!(read().await.ok(200), first);
    let id = first["results"][0]["activities"][0].text("id").to_owned();
    pond.post("activity/", json!({ "id": id, "set": { "weight": 7 } })).await.ok(201);
    assert_eq!(read().await.ok(200)["results"][0]["activities"][0]["weight"], 7);
    pond.user("amy").get("feed/notification/amy/?mark_read=true").await.ok(200);
    assert_eq!(read().await.ok(200)["unread"], 0);
    assert_eq!(pond.user("bob").get("feed/notification/amy/?mark_read=true").await.refusal().error, (403, 17));
}

#[tokio::test]
async fn activities_of_discarded_actors_are_left_out_and_groups_with_none_left() {
    let pond = pond().await;
    let shown = async |query: &str| {
        let read = pond.get(&format!("feed/notification/amy/?{query}")).await.ok(200);
        let count = |group: &Value| group["activities"].as_array().unwrap().len();
        read["results"].as_array().unwrap().iter().map(count).collect::<Vec<_>>()
    };
    assert_eq!(shown("").await, [1, 2]);
    assert_eq!(shown("discard_actors=SU:carl").await, [1, 1]);
    assert_eq!(shown("discard_actors=SU:bob").await, [1]);
    assert_eq!(shown("discard_actors=SU:bob,SU:carl").await, [0; 0]);
    assert_eq!(shown("discard_actors=SU:bob%7CSU:carl&discard_actors_sep=%7C").await, [0; 0]);
}
