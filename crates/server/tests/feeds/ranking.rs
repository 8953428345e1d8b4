//! Feed groups and their ranking methods (§4.1, §6).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Members, Pond};

async fn put(pond: &Pond, name: &str, group: Value) -> crate::pond::Answer {
    pond.admin(Method::PUT, &format!("apps/7/feed_groups/{name}"), group).await
}

async fn ranked(score: &str) -> Pond {
    let pond = Pond::new().await;
    let hot = json!({ "score": score, "defaults": { "popularity": 1, "external": { "boost": 0 } } });
    put(&pond, "news", json!({ "type": "flat", "ranking": { "hot": hot } })).await.ok(200);
    for (object, popularity) in [("carp", 1), ("pike", 5), ("eel", 3)] {
        pond.add("news:amy", json!({ "object": object, "popularity": popularity })).await;
    }
    pond
}

#[tokio::test]
async fn a_ranked_read_has_scores_and_pages_by_offset() {
    let pond = ranked("popularity + external.boost").await;
    let first = pond.get("feed/news/amy/?ranking=hot&limit=2&withScoreVars=true").await.ok(200);
    assert_eq!(first.list("object"), ["pike", "eel"]);
    assert_eq!(first["results"][0]["score"], 5.0);
    assert_eq!(first["results"][0]["score_vars"], json!({ "external.boost": 0.0, "popularity": 5.0 }));
    assert!(first.text("next").contains("offset=2") && first.text("next").contains("ranking=hot"), "{first}");
    let second = pond.get(first.text("next")).await.ok(200);
    assert_eq!((second.list("object"), second.text("next")), (vec!["carp".to_owned()], ""));
    for name in ["ranking_vars", "rankingVars"] {
        let read = pond.get(&format!("enrich/feed/news/amy/?ranking=hot&{name}=%7B%22boost%22:10%7D")).await.ok(200);
        assert_eq!(read["results"][0]["score"], 15.0, "{name}");
        assert!(read["results"][0].get("score_vars").is_none());
    }
}

#[tokio::test]
async fn a_read_that_cannot_be_ranked_is_refused() {
    let pond = ranked("1 / (popularity - 3)").await;
    assert_eq!(pond.get("feed/news/amy/?ranking=hot").await.refusal().error, (400, 11));
    assert_eq!(pond.get("feed/news/amy/?ranking=cold").await.refusal().error, (400, 12));
    let by_id = "feed/news/amy/?ranking=hot&id_lt=8b866680-82b8-11e8-8080-80014b9d80a2";
    assert_eq!(pond.get(by_id).await.refusal().error, (400, 4));
    assert_eq!(pond.get("feed/news/amy/").await.ok(200).list("object").len(), 3, "by time it can be read");
}

#[tokio::test]
async fn a_group_can_be_ranked_by_default_and_a_change_of_it_shows_at_once() {
    let pond = ranked("popularity").await;
    let hot = json!({ "hot": { "score": "-popularity", "defaults": { "popularity": 1 } } });
    pond.get("feed/news/amy/").await.ok(200);
    put(&pond, "news", json!({ "type": "flat", "ranking": hot, "default_ranking": "hot" })).await.ok(200);
    assert_eq!(pond.get("feed/news/amy/").await.ok(200).list("object"), ["carp", "eel", "pike"]);
}

#[tokio::test]
async fn a_ranked_aggregated_feed_has_the_score_of_each_group_and_pages_by_offset() {
    let pond = Pond::new().await;
    let hot =
        json!({ "score": "popularity + external.boost", "defaults": { "popularity": 1, "external": { "boost": 0 } } });
    let group = json!({ "type": "aggregated", "aggregation_format": "{{ object }}", "ranking": { "hot": hot } });
    put(&pond, "news", group).await.ok(200);
    for (object, popularity) in [("carp", 1), ("pike", 5), ("eel", 3), ("carp", 4)] {
        pond.add("news:amy", json!({ "object": object, "popularity": popularity })).await;
        pond.clock.advance(1_000_000);
    }
    let first = pond.get("feed/news/amy/?ranking=hot&limit=2&withScoreVars=true").await.ok(200);
    assert_eq!(first.list("group"), ["pike", "carp"]);
    let group = &first["results"][1];
    assert_eq!((&group["score"], &group["activity_count"]), (&json!(4.0), &json!(2)));
    assert_eq!(group["score_vars"], json!({ "external.boost": 0.0, "popularity": 4.0 }));
    assert!(group["activities"][0].get("score").is_none(), "the score is the group's");
    assert!(first.text("next").contains("offset=2"), "{first}");
    let second = pond.get(first.text("next")).await.ok(200);
    assert_eq!((second.list("group"), second.text("next")), (vec!["eel".to_owned()], ""));
    for name in ["ranking_vars", "rankingVars"] {
        let read = pond.get(&format!("enrich/feed/news/amy/?ranking=hot&{name}=%7B%22boost%22:10%7D")).await.ok(200);
        assert_eq!(read["results"][0]["score"], 15.0, "{name}");
    }
    let by_time = pond.get("feed/news/amy/").await.ok(200);
    assert_eq!(by_time.list("group"), ["carp", "eel", "pike"]);
    assert!(by_time["results"][0].get("score").is_none());
    let id = by_time["results"][0].text("id").to_owned();
    let by_id = pond.get(&format!("feed/news/amy/?ranking=hot&id_lt={id}")).await.refusal();
    assert_eq!(by_id.error, (400, 4));
}

#[tokio::test]
async fn a_ranked_notification_feed_has_marks_and_counts_of_the_whole_feed() {
    let pond = Pond::new().await;
    let hot = json!({ "hot": { "score": "n", "defaults": { "n": 0 } } });
    let group =
        json!({ "type": "notification", "aggregation_format": "{{ verb }}", "ranking": hot, "default_ranking": "hot" });
    put(&pond, "news", group).await.ok(200);
    for (verb, n) in [("like", 2), ("share", 1)] {
        pond.add("news:amy", json!({ "verb": verb, "n": n })).await;
    }
    let read = pond.get("feed/news/amy/?limit=1&mark_read=current").await.ok(200);
    assert_eq!((read.list("group"), &read["unread"], &read["unseen"]), (vec!["like".to_owned()], &json!(2), &json!(2)));
    let keys = [
        "activities",
        "activity_count",
        "actor_count",
        "created_at",
        "group",
        "id",
        "is_read",
        "is_seen",
        "score",
        "updated_at",
        "verb",
    ];
    assert_eq!(read["results"][0].keys(), keys);
    let read = pond.get("feed/news/amy/").await.ok(200);
    assert_eq!((&read["unread"], &read["unseen"]), (&json!(1), &json!(2)), "only the page was marked");
    assert_eq!(read["results"][0]["is_read"], true);
}

#[tokio::test]
async fn variables_must_be_an_object_whether_or_not_the_read_is_ranked() {
    let pond = ranked("popularity").await;
    for query in ["rankingVars[]=popular&rankingVars[]=1", "ranking_vars=%5B1%5D", "rankingVars=1", "ranking_vars=x"] {
        for path in ["feed/news/amy/", "enrich/feed/user/amy/", "feed/notification/amy/"] {
            assert_eq!(pond.get(&format!("{path}?{query}")).await.refusal().error, (400, 4), "{path}?{query}");
        }
    }
    let accepted = "feed/user/amy/?withScoreVars=true&rankingVars=%7B%22a%22:1%7D&session=s";
    pond.get(accepted).await.ok(200);
}

#[tokio::test]
async fn a_changed_format_holds_for_what_arrives_from_then_on() {
    let pond = Pond::new().await;
    put(&pond, "news", json!({ "type": "aggregated", "aggregation_format": "{{ verb }}" })).await.ok(200);
    pond.add("news:amy", json!({ "object": "carp" })).await;
    pond.clock.advance(1_000_000);
    put(&pond, "news", json!({ "type": "aggregated", "aggregation_format": "{{ object }}" })).await.ok(200);
    pond.add("news:amy", json!({ "object": "eel" })).await;
    assert_eq!(pond.get("feed/news/amy/").await.ok(200).list("group"), ["eel", "post"]);
}

#[tokio::test]
async fn groups_are_made_shown_changed_and_taken_away() {
    let pond = Pond::new().await;
    assert_eq!(pond.get("feed/news/amy/").await.refusal().error, (400, 6));
    let format = "{{ object }}";
    let group = json!({ "type": "aggregated", "access": "global_read", "aggregation_format": format });
    put(&pond, "news", group).await.ok(200);
    pond.add("news:amy", json!({ "object": "carp" })).await;
    assert_eq!(pond.user("bob").get("feed/news/amy/").await.ok(200).list("group"), ["carp"]);
    let shown = pond.admin(Method::GET, "apps/7/feed_groups", Value::Null).await.ok(200);
    let news = shown["feed_groups"].as_array().unwrap().iter().find(|group| group["name"] == "news").unwrap().clone();
    let expected = json!({ "name": "news", "type": "aggregated", "access": "global_read", "aggregation_format": format, "realtime": true });
    assert_eq!(news, expected);
    put(&pond, "news", json!({ "type": "notification", "aggregation_format": "{{ verb }}" })).await.ok(200);
    pond.clock.advance(1_000_000);
    pond.add("news:amy", json!({ "object": "eel" })).await;
    assert_eq!(pond.get("feed/news/amy/").await.ok(200)["results"][0]["group"], "post");
    pond.admin(Method::DELETE, "apps/7/feed_groups/news", Value::Null).await.ok(200);
    assert_eq!(pond.get("feed/news/amy/").await.refusal().error, (400, 6));
    let again = pond.admin(Method::DELETE, "apps/7/feed_groups/news", Value::Null).await.refusal();
    assert_eq!(again.error, (404, 16));
}

#[tokio::test]
async fn a_group_that_makes_no_sense_is_refused() {
    let pond = Pond::new().await;
    for (group, error) in [
        (json!({}), (400, 4)),
        (json!({ "type": "round" }), (400, 4)),
        (json!({ "type": "flat", "unknown": 1 }), (400, 4)),
        (json!({ "type": "flat", "aggregation_format": "x".repeat(5000) }), (400, 4)),
        (json!({ "type": "flat", "ranking": { "hot": { "score": "1 +" } } }), (400, 11)),
        (json!({ "type": "flat", "default_ranking": "none" }), (400, 12)),
    ] {
        assert_eq!(put(&pond, "news", group.clone()).await.refusal().error, error, "{group}");
    }
    assert_eq!(put(&pond, "ne%20ws", json!({ "type": "flat" })).await.refusal().error, (400, 4));
}
