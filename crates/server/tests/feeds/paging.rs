//! Reading a feed page by page (§4.5).

use serde_json::{Value, json};

use crate::pond::{Client, KEY, Members, Pond, activity};

/// Sixty activities in `user:amy`, which `timeline:bob` follows.
async fn pond_of_sixty() -> Pond {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    let list: Vec<_> = (0..60).map(|n| activity(json!({ "object": format!("{n}") }))).collect();
    pond.post("feed/user/amy/", json!({ "activities": list })).await.ok(201);
    pond
}

fn newest_first(range: std::ops::Range<usize>) -> Vec<String> {
    range.rev().map(|n| n.to_string()).collect()
}

/// Follows `next` to the end; answers the pages.
async fn walk(client: &Client, path: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), path.to_owned());
    while !next.is_empty() {
        let page = client.get(&next).await.ok(200);
        pages.push(page.list("object"));
        next = page.text("next").to_owned();
        assert!(pages.len() < 100, "it never ends");
    }
    pages
}

#[tokio::test]
async fn a_page_has_twenty_five_activities_when_nothing_is_asked_and_a_hundred_at_most() {
    let pond = pond_of_sixty().await;
    let list: Vec<_> = vec![activity(json!({})); 60];
    pond.post("feed/user/amy/", json!({ "activities": list })).await.ok(201);
    for (query, count) in [("", 25), ("?limit=", 25), ("?limit=1", 1), ("?limit=100", 100), ("?limit=500", 100)] {
        let page = pond.get(&format!("feed/user/amy/{query}")).await.ok(200);
        assert_eq!(page["results"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(pond.get("feed/user/amy/?limit=0").await.ok(200), json!({ "results": [], "next": "" }));
}

#[tokio::test]
async fn next_leads_through_the_whole_feed_once_and_ends_empty() {
    let pond = pond_of_sixty().await;
    for path in
        ["feed/user/amy/", "feed/timeline/bob/", "enrich/feed/timeline/bob/", "feed/user/amy/?withReactionCounts=true"]
    {
        let pages = walk(&pond, path).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 10], "{path}");
        assert_eq!(pages.concat(), newest_first(0..60), "{path}");
    }
    for (limit, pages) in [(1, 60), (7, 9), (20, 3), (60, 1), (100, 1)] {
        let walked = walk(&pond, &format!("feed/timeline/bob/?limit={limit}")).await;
        assert_eq!((walked.len(), walked.concat()), (pages, newest_first(0..60)), "{limit}");
    }
}

#[tokio::test]
async fn next_leads_on_by_offset_when_it_began_by_offset() {
    let pond = pond_of_sixty().await;
    for feed in ["user/amy", "timeline/bob"] {
        let walked = walk(&pond, &format!("feed/{feed}/?offset=5&limit=20")).await;
        assert_eq!(walked.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 15], "{feed}");
        assert_eq!(walked.concat(), newest_first(0..55), "{feed}");
    }
    let page = pond.get("feed/user/amy/?offset=5&limit=20").await.ok(200);
    assert!(page.text("next").contains("offset=25"), "{}", page.text("next"));
    assert!(pond.get("feed/user/amy/?offset=60").await.ok(200).list("object").is_empty());
}

#[tokio::test]
async fn next_is_a_path_with_the_parameters_that_were_sent() {
    let pond = pond_of_sixty().await;
    let page =
        pond.get("enrich/feed/user/amy/?limit=2&user_id=b%26b&withReactionCounts=true&location=user").await.ok(200);
    let (path, query) = page.text("next").split_once('?').unwrap();
    assert_eq!(path, "/api/v1.0/enrich/feed/user/amy/");
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_unstable();
    let (key, below) = (format!("api_key={KEY}"), format!("id_lt={}", page["results"][1].text("id")));
    assert_eq!(pairs, [key.as_str(), &below, "limit=2", "location=user", "user_id=b%26b", "withReactionCounts=true"]);
}

#[tokio::test]
async fn next_has_the_api_key_that_came_in_a_header() {
    let pond = pond_of_sixty().await;
    let page = pond.key("").header("x-api-key", KEY).get("feed/user/amy/").await.ok(200);
    assert!(page.text("next").contains(&format!("api_key={KEY}&")), "{}", page.text("next"));
}

#[tokio::test]
async fn next_keeps_the_lower_bound() {
    let pond = pond_of_sixty().await;
    let ids = pond.get("feed/user/amy/?limit=100").await.ok(200).list("id");
    let walked = walk(&pond, &format!("feed/user/amy/?limit=4&id_gt={}", ids[10])).await;
    assert_eq!(walked.concat(), newest_first(50..60));
    let walked = walk(&pond, &format!("feed/user/amy/?limit=4&offset=1&id_lte={}&id_gte={}", ids[5], ids[14])).await;
    assert_eq!(walked.concat(), newest_first(45..54));
}

#[tokio::test]
async fn bounds_cut_the_feed_with_or_without_their_ends() {
    let pond = pond_of_sixty().await;
    for feed in ["user/amy", "timeline/bob"] {
        let ids = pond.get(&format!("feed/{feed}/?limit=100")).await.ok(200).list("id");
        let read = async |query: String| pond.get(&format!("feed/{feed}/?{query}")).await.ok(200).list("object");
        let id = &ids[57];
        assert_eq!(read(format!("id_lt={id}")).await, newest_first(0..2));
        assert_eq!(read(format!("id_lte={id}")).await, newest_first(0..3));
        let id = &ids[2];
        assert_eq!(read(format!("id_gt={id}")).await, newest_first(58..60));
        assert_eq!(read(format!("id_gte={id}")).await, newest_first(57..60));
        assert_eq!(read(format!("id_lt={}&id_gte={}", ids[2], ids[4])).await, newest_first(55..57));
        assert!(read(format!("id_lt={}&id_gt={}", ids[4], ids[4])).await.is_empty());
        assert!(read(format!("id_lt={}&id_gt={}", ids[9], ids[4])).await.is_empty());
        assert_eq!(read(format!("offset=1&id_lt={}&limit=2", ids[4])).await, newest_first(52..54));
    }
}

#[tokio::test]
async fn one_activity_is_found_by_its_id_at_both_ends() {
    let pond = pond_of_sixty().await;
    let ids = pond.get("feed/user/amy/?limit=100").await.ok(200).list("id");
    for id in [&ids[0], &ids[30], &ids[59]] {
        for path in ["feed/user/amy/", "feed/timeline/bob/", "enrich/feed/user/amy/"] {
            let page = pond.get(&format!("{path}?id_lte={id}&id_gte={id}&limit=1")).await.ok(200);
            assert_eq!((page.list("id"), page.text("next")), (vec![id.clone()], ""), "{path}");
        }
    }
}

#[tokio::test]
async fn a_bound_need_not_be_an_activity_of_the_feed() {
    let pond = pond_of_sixty().await;
    let page = pond.get("feed/user/amy/?id_gt=8b866680-82b8-11e8-8080-80014b9d80a2&limit=100").await.ok(200);
    assert_eq!(page["results"].as_array().unwrap().len(), 60);
    let page = pond.get("feed/user/amy/?id_lt=8b866680-82b8-11e8-8080-80014b9d80a2").await.ok(200);
    assert_eq!(page, json!({ "results": [], "next": "" }));
}

#[tokio::test]
async fn a_cursor_stands_while_the_feed_changes() {
    let pond = pond_of_sixty().await;
    let first = pond.get("feed/timeline/bob/?limit=20").await.ok(200);
    pond.clock.advance(1_000_000);
    pond.add("user:amy", json!({ "object": "new" })).await;
    pond.delete(&format!("feed/user/amy/{}/", first["results"][19].text("id"))).await.ok(200);
    let rest = walk(&pond, first.text("next")).await.concat();
    assert_eq!(rest, newest_first(0..40));
}

#[tokio::test]
async fn activities_of_some_actors_can_be_left_out() {
    let pond = Pond::new().await;
    for actor in ["SU:amy", "SU:bob", "SU:carl"] {
        pond.add("user:amy", json!({ "actor": actor })).await;
        pond.clock.advance(1);
    }
    let read = pond.get("feed/user/amy/?discard_actors=SU:amy,SU:carl").await.ok(200);
    assert_eq!(read.list("actor"), ["SU:bob"]);
}

#[tokio::test]
async fn reaction_data_that_is_asked_for_is_there_and_empty() {
    let pond = pond_of_sixty().await;
    let query = "limit=1&withRecentReactions=true&withOwnReactions=1&withReactionCounts=True";
    let page = pond.get(&format!("feed/user/amy/?{query}")).await.ok(200);
    for key in ["latest_reactions", "latest_reactions_extra", "own_reactions", "reaction_counts"] {
        assert_eq!(page["results"][0][key], json!({}), "{key}");
    }
    let page = pond.get("feed/user/amy/?limit=1&withReactionCounts=False&ownReactions=").await.ok(200);
    assert_eq!(page["results"][0].get("reaction_counts"), None::<&Value>);
}
