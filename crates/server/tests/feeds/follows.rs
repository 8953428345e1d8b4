//! Following: what it brings, its limits, its lists and counts (§4.6, §4.7, §5.4, §5.5, §5.7).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Members, Pond, activity};

const BAD: (u16, i64) = (400, 4);
const COPY_LIMIT: &str = "activity_copy_limit must be a non-negative number not greater than 1000";
const BOB: &str = "feed/timeline/bob/follows/";

async fn origins(pond: &Pond, feed: &str) -> Vec<Value> {
    let read = pond.get(&crate::pond::path(feed)).await.ok(200);
    read["results"].as_array().unwrap().iter().map(|activity| activity["origin"].clone()).collect()
}

#[tokio::test]
async fn a_follow_brings_what_was_there_and_what_comes_with_its_origin() {
    let pond = Pond::new().await;
    pond.add("user:amy", json!({ "object": "before" })).await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.clock.advance(1);
    pond.add("user:amy", json!({ "object": "after" })).await;
    assert_eq!(pond.objects("timeline:bob").await, ["after", "before"]);
    assert_eq!(origins(&pond, "timeline:bob").await, [json!("user:amy"), json!("user:amy")]);
    assert_eq!(origins(&pond, "user:amy").await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn what_a_follow_brought_goes_no_further() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:carl", "timeline:bob").await;
    pond.add("user:amy", json!({})).await;
    assert_eq!(pond.objects("timeline:bob").await, ["fish"]);
    assert!(pond.objects("timeline:carl").await.is_empty());
}

#[tokio::test]
async fn a_target_and_its_followers_see_the_activity() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:club").await;
    pond.add("user:amy", json!({ "to": ["user:club"] })).await;
    assert_eq!(origins(&pond, "user:club").await, [Value::Null]);
    assert_eq!(origins(&pond, "timeline:bob").await, [json!("user:club")]);
}

#[tokio::test]
async fn add_to_many_reaches_the_feeds_and_not_their_followers() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:1").await;
    let body = json!({ "feeds": ["user:1", "user:2", "user:1"], "activity": activity(json!({})) });
    pond.post("feed/add_to_many/", body).await.ok(201);
    assert_eq!(pond.objects("user:1").await, ["fish"]);
    assert_eq!(pond.objects("user:2").await, ["fish"]);
    assert!(pond.objects("timeline:bob").await.is_empty());
}

#[tokio::test]
async fn unfollowing_takes_away_what_the_follow_brought_unless_its_history_is_kept() {
    let cases = [
        ("", false),
        ("?keep_history=0", false),
        ("?keep_history=False", false),
        ("?keep_history=", false),
        ("?keep_history=1", true),
        ("?keep_history=True", true),
        ("?keep_history=true", true),
    ];
    for (query, is_kept) in cases {
        let pond = Pond::new().await;
        pond.add("user:amy", json!({})).await;
        pond.follow("timeline:bob", "user:amy").await;
        pond.delete(&format!("{BOB}user:amy/{query}")).await.ok(200);
        assert_eq!(!pond.objects("timeline:bob").await.is_empty(), is_kept, "{query}");
        assert_eq!(pond.get(BOB).await.ok(200), json!({ "results": [] }), "{query}");
    }
}

#[tokio::test]
async fn unfollow_many_keeps_the_history_where_it_is_told_to() {
    let pond = Pond::new().await;
    for (name, object) in [("amy", "a"), ("carl", "c")] {
        pond.add(&format!("user:{name}"), json!({ "object": object })).await;
        pond.follow("timeline:bob", &format!("user:{name}")).await;
    }
    let pairs = json!([
        { "source": "timeline:bob", "target": "user:amy", "keep_history": true },
        { "source": "timeline:bob", "target": "user:carl" },
        { "source": "timeline:bob", "target": "user:nobody" },
    ]);
    pond.post("unfollow_many/", pairs).await.ok(200);
    assert_eq!(pond.objects("timeline:bob").await, ["a"]);
}

#[tokio::test]
async fn unfollowing_what_is_not_followed_is_fine() {
    let pond = Pond::new().await;
    assert_eq!(pond.delete(&format!("{BOB}user:amy/")).await.ok(200), json!({}));
    assert_eq!(pond.refuses_to(Method::DELETE, &format!("{BOB}user/"), "").await.error, BAD);
    assert_eq!(pond.refuses_to(Method::DELETE, &format!("{BOB}user:amy/?keep_history=maybe"), "").await.error, BAD);
}

#[tokio::test]
async fn following_twice_changes_nothing() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    let first = pond.get(BOB).await.ok(200);
    pond.clock.advance(1_000_000);
    pond.follow("timeline:bob", "user:amy").await;
    assert_eq!(pond.get(BOB).await.ok(200), first);
    let stats = pond.get("stats/follow/?followers=user:amy").await.ok(200);
    assert_eq!(stats["results"]["followers"]["count"], 1);
}

#[tokio::test]
async fn bad_follows_are_refused() {
    let pond = Pond::new().await;
    let cases: [(Value, &[&str]); 8] = [
        (json!({}), &["target"]),
        (json!({ "target": null }), &["target"]),
        (json!({ "target": 1 }), &["target"]),
        (json!({ "target": "" }), &["target"]),
        (json!({ "target": "user" }), &["target"]),
        (json!({ "target": "user:a b" }), &["target"]),
        (json!({ "target": "timeline:bob" }), &[]),
        (json!({ "target": "notification:amy" }), &[]),
    ];
    for (body, fields) in cases {
        let refusal = pond.refuses(BOB, body.to_string()).await;
        assert_eq!((refusal.error, refusal.fields), (BAD, fields.iter().map(ToString::to_string).collect()), "{body}");
    }
    assert_eq!(pond.get(BOB).await.ok(200), json!({ "results": [] }));
}

#[tokio::test]
async fn a_follow_brings_as_many_old_activities_as_it_asks_for() {
    for (body, query, brought) in [
        (json!(0), "", 0),
        (json!(2), "", 2),
        (json!("2"), "", 2),
        (json!(1000), "", 5),
        (json!(null), "?activity_copy_limit=1", 1),
        (json!(null), "", 5),
        (json!(3), "?activity_copy_limit=1", 3),
    ] {
        let pond = Pond::new().await;
        pond.post("feed/user/amy/", json!({ "activities": vec![activity(json!({})); 5] })).await.ok(201);
        let body = json!({ "target": "user:amy", "activity_copy_limit": body });
        pond.post(&format!("{BOB}{query}"), body.clone()).await.ok(201);
        assert_eq!(pond.objects("timeline:bob").await.len(), brought, "{body} {query}");
    }
}

#[tokio::test]
async fn a_follow_brings_a_hundred_old_activities_when_nothing_is_asked() {
    let pond = Pond::new().await;
    for _ in 0..2 {
        pond.post("feed/user/amy/", json!({ "activities": vec![activity(json!({})); 60] })).await.ok(201);
        pond.clock.advance(1000);
    }
    pond.follow("timeline:bob", "user:amy").await;
    assert_eq!(pond.objects("timeline:bob").await.len(), 100);
    let rest = pond.get("feed/timeline/bob/?offset=100").await.ok(200);
    assert_eq!(rest, json!({ "results": [], "next": "" }));
}

#[tokio::test]
async fn a_bad_copy_limit_is_told_before_a_missing_group() {
    let pond = Pond::new().await;
    for limit in [json!(1001), json!(-1), json!("x"), json!(1.5), json!({}), json!(true), json!("-1"), json!(1e300)] {
        let one = json!({ "target": "nope:amy", "activity_copy_limit": limit }).to_string();
        let many = json!([{ "source": "nope:bob", "target": "nope:amy", "activity_copy_limit": limit }]).to_string();
        for (path, body) in [
            (BOB, one),
            ("feed/nope/bob/following/", json!({ "target": "nope:amy", "activity_copy_limit": limit }).to_string()),
            ("follow_many/", many),
        ] {
            let refusal = pond.refuses(path, body).await;
            assert_eq!((refusal.error, refusal.detail.as_str()), (BAD, COPY_LIMIT), "{limit} to {path}");
        }
    }
    for limit in ["1001", "-1", "x", "1.5"] {
        let query = format!("?activity_copy_limit={limit}");
        let many = json!([{ "source": "nope:bob", "target": "nope:amy" }]).to_string();
        for (path, body) in [(BOB, json!({ "target": "nope:amy" }).to_string()), ("follow_many/", many)] {
            let refusal = pond.refuses(&format!("{path}{query}"), body).await;
            assert_eq!((refusal.error, refusal.detail.as_str()), (BAD, COPY_LIMIT), "{limit} to {path}");
        }
    }
}

#[tokio::test]
async fn one_bad_follow_refuses_the_whole_list() {
    let pond = Pond::new().await;
    let good = json!({ "source": "timeline:bob", "target": "user:amy" });
    let cases = [
        (json!({ "source": "timeline:bob", "target": ["user:amy"] }), BAD),
        (json!({ "source": "timeline:bob", "target": 1 }), BAD),
        (json!({ "source": "timeline:bob" }), BAD),
        (json!({ "target": "user:amy" }), BAD),
        (json!({ "source": "timeline", "target": "user:amy" }), BAD),
        (json!({ "source": "timeline:bob", "target": "timeline:bob" }), BAD),
        (json!({ "source": "timeline:bob", "target": "aggregated:amy" }), BAD),
        (json!({ "source": "timeline:bob", "target": "nope:amy" }), (400, 6)),
    ];
    for (bad, error) in cases {
        let refusal = pond.refuses("follow_many/", json!([good, bad]).to_string()).await;
        assert_eq!(refusal.error, error, "{bad}");
    }
    assert_eq!(pond.get(BOB).await.ok(200), json!({ "results": [] }));
}

#[tokio::test]
async fn one_bad_unfollow_refuses_the_whole_list() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    let good = json!({ "source": "timeline:bob", "target": "user:amy" });
    for bad in
        [json!({ "source": "timeline:bob", "target": ["user:amy"] }), json!({ "source": "x", "target": "user:amy" })]
    {
        let refusal = pond.refuses("unfollow_many/", json!([good, bad]).to_string()).await;
        assert_eq!(refusal.error, BAD, "{bad}");
    }
    let payload = json!([{ "source": "timeline:bob", "target": 1 }]).to_string();
    assert_eq!(pond.refuses("unfollow_many/", payload).await.detail, "invalid request payload");
    assert_eq!(pond.get(BOB).await.ok(200).list("target_id"), ["user:amy"]);
}

#[tokio::test]
async fn lists_of_follows_have_at_most_two_and_a_half_thousand() {
    let pond = Pond::new().await;
    let pairs: Vec<_> = (0..2501).map(|n| json!({ "source": "timeline:bob", "target": format!("user:{n}") })).collect();
    for path in ["follow_many/", "unfollow_many/"] {
        assert_eq!(pond.refuses(path, Value::from(pairs.clone()).to_string()).await.error, BAD, "{path}");
    }
}

/// Bob follows five users, each a second later.
async fn bob_follows_five(pond: &Pond) {
    for name in ["a", "b", "c", "d", "e"] {
        pond.follow("timeline:bob", &format!("user:{name}")).await;
        pond.clock.advance(1_000_000);
    }
}

#[tokio::test]
async fn the_latest_follow_comes_first_and_pages_go_on_by_offset() {
    let pond = Pond::new().await;
    bob_follows_five(&pond).await;
    let page = async |query: &str| pond.get(&format!("{BOB}{query}")).await.ok(200).list("target_id");
    assert_eq!(page("").await, ["user:e", "user:d", "user:c", "user:b", "user:a"]);
    assert_eq!(page("?limit=2").await, ["user:e", "user:d"]);
    assert_eq!(page("?limit=2&offset=2").await, ["user:c", "user:b"]);
    assert_eq!(page("?offset=4").await, ["user:a"]);
    assert!(page("?offset=5").await.is_empty());
    assert!(page("?limit=0").await.is_empty());
    assert_eq!(page("?limit=500").await.len(), 5);
}

#[tokio::test]
async fn follow_many_lists_its_follows_in_an_order_that_stays() {
    let pond = Pond::new().await;
    let pairs: Vec<_> =
        ["a", "b", "c"].map(|name| json!({ "source": "timeline:bob", "target": format!("user:{name}") })).into();
    pond.post("follow_many/", pairs.into()).await.ok(201);
    assert_eq!(pond.get(BOB).await.ok(200).list("target_id"), ["user:c", "user:b", "user:a"]);
}

#[tokio::test]
async fn lists_of_follows_can_be_filtered_by_feeds() {
    let pond = Pond::new().await;
    bob_follows_five(&pond).await;
    let page = async |query: &str| pond.get(&format!("{BOB}{query}")).await.ok(200).list("target_id");
    assert_eq!(page("?filter=user:b,user:d,user:x").await, ["user:d", "user:b"]);
    assert_eq!(page("?filter=user:b,user:d&limit=1&offset=1").await, ["user:b"]);
    assert_eq!(page("?filter=user:b&filter=user:c").await, ["user:c", "user:b"]);
    assert!(page("?filter=user:x").await.is_empty());
    assert_eq!(page("?filter=").await.len(), 5);
    let followers = pond.get("feed/user/a/followers/?filter=timeline:bob,timeline:carl").await.ok(200);
    assert_eq!(followers.list("feed_id"), ["timeline:bob"]);
}

#[tokio::test]
async fn bad_parameters_of_lists_are_refused_with_their_names() {
    let pond = Pond::new().await;
    for (query, field) in [
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=x", "offset"),
        ("offset=4001", "offset"),
        ("filter=user", "filter"),
        ("filter=user:a,b", "filter"),
    ] {
        for list in ["follows", "following", "followers"] {
            let refusal = pond.get(&format!("feed/timeline/bob/{list}/?{query}")).await.refusal();
            assert_eq!((refusal.error, refusal.fields), (BAD, vec![field.to_owned()]), "{list} {query}");
        }
    }
    pond.get(&format!("{BOB}?offset=4000")).await.ok(200);
}

#[tokio::test]
async fn statistics_count_the_groups_that_are_named_and_none_for_groups_that_are_not_there() {
    let pond = Pond::new().await;
    for (feed, target) in [("timeline:bob", "user:amy"), ("flat:bob", "user:amy"), ("timeline:bob", "topic:x")] {
        pond.follow(feed, target).await;
    }
    let count = async |query: &str| pond.get(&format!("stats/follow/?{query}")).await.ok(200)["results"].clone();
    let followers = |count: i64| json!({ "followers": { "count": count, "feed": "user:amy" } });
    assert_eq!(count("followers=user:amy").await, followers(2));
    assert_eq!(count("followers=user:amy&followers_slugs=timeline").await, followers(1));
    assert_eq!(count("followers=user:amy&followers_slugs=timeline,flat,news").await, followers(2));
    assert_eq!(count("followers=user:amy&followers_slugs=news").await, followers(0));
    let following = |count: i64| json!({ "following": { "count": count, "feed": "timeline:bob" } });
    assert_eq!(count("following=timeline:bob").await, following(2));
    assert_eq!(count("following=timeline:bob&following_slugs=topic").await, following(1));
    assert_eq!(count("following=timeline:bob&following_slugs=news").await, following(0));
}

#[tokio::test]
async fn statistics_of_nothing_or_of_bad_feeds_are_refused() {
    let pond = Pond::new().await;
    for (query, error) in [
        ("", BAD),
        ("followers=", BAD),
        ("followers=user", BAD),
        ("following=x:y:z", BAD),
        ("followers=nope:1", (400, 6)),
    ] {
        assert_eq!(pond.get(&format!("stats/follow/?{query}")).await.refusal().error, error, "{query}");
    }
}

#[tokio::test]
async fn an_activity_that_comes_by_two_ways_shows_once() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:bob", "user:club").await;
    pond.add("user:amy", json!({ "to": ["user:club"], "object": "one" })).await;
    let fixed = json!({ "time": "2026-02-01T00:00:00", "object": "two" });
    let first = pond.add("user:amy", fixed.clone()).await;
    let second = pond.add("user:club", fixed).await;
    assert_eq!(first["id"], second["id"]);
    assert_eq!(pond.objects("timeline:bob").await, ["two", "one"]);
}

#[tokio::test]
async fn removing_takes_an_activity_out_of_targets_and_followers() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:carl", "user:club").await;
    let added = pond.add("user:amy", json!({ "to": ["user:club"] })).await;
    pond.delete(&format!("feed/user/amy/{}/", added.text("id"))).await.ok(200);
    for feed in ["user:amy", "user:club", "timeline:bob", "timeline:carl"] {
        assert!(pond.objects(feed).await.is_empty(), "{feed}");
    }
    let got = pond.get(&format!("activities/?ids={}", added.text("id"))).await.ok(200);
    assert_eq!(got, json!({ "results": [] }));
}

#[tokio::test]
async fn a_foreign_id_removes_all_its_activities_of_this_feed_alone() {
    let pond = Pond::new().await;
    for (feed, time) in
        [("user:amy", "2026-01-01T00:00:00"), ("user:amy", "2026-01-02T00:00:00"), ("user:bob", "2026-01-03T00:00:00")]
    {
        pond.add(feed, json!({ "foreign_id": "fish:1", "time": time })).await;
    }
    pond.delete("feed/user/amy/fish:1/?foreign_id=1").await.ok(200);
    assert!(pond.objects("user:amy").await.is_empty());
    assert_eq!(pond.objects("user:bob").await, ["fish"]);
}
