//! Times and ids (§1.4, §4.3).

use serde_json::json;

use crate::pond::{Members, Pond, activity};

#[tokio::test]
async fn a_time_comes_back_in_utc_with_six_digits_and_no_zone() {
    let pond = Pond::new().await;
    for (sent, shown) in [
        ("2018-07-08T14:09:36", "2018-07-08T14:09:36.000000"),
        ("2018-07-08T14:09:36.1", "2018-07-08T14:09:36.100000"),
        ("2018-07-08T14:09:36.123456789", "2018-07-08T14:09:36.123456"),
        ("2018-07-08T14:09:36Z", "2018-07-08T14:09:36.000000"),
        ("2018-07-08T14:09:36.5+01:00", "2018-07-08T13:09:36.500000"),
        ("2018-07-08T14:09:36+1200", "2018-07-08T02:09:36.000000"),
        ("1969-12-31T23:59:59", "1969-12-31T23:59:59.000000"),
    ] {
        let added = pond.add("user:amy", json!({ "time": sent })).await;
        assert_eq!(added["time"], shown, "{sent}");
    }
}

#[tokio::test]
async fn a_time_that_is_not_sent_is_now() {
    let pond = Pond::new().await;
    pond.clock.advance(1_500_001);
    assert_eq!(pond.add("user:amy", json!({})).await["time"], "2026-01-01T00:00:01.500001");
}

#[tokio::test]
async fn ids_made_from_foreign_ids_are_those_of_the_contract() {
    let pond = Pond::new().await;
    for (foreign_id, time, id) in [
        ("123sdsd333}}}", "2015-12-28T00:00:00", "f01c0000-acf5-11e5-8080-80006a8b5bc2"),
        ("6621934", "2016-01-15T12:54:42", "24f9d500-bb87-11e5-8080-80012ce3cc51"),
        ("6621938", "2016-01-15T12:54:49", "2925f280-bb87-11e5-8080-8001597d791f"),
        ("6621941", "2016-01-15T12:54:52", "2aefb600-bb87-11e5-8080-8001226fe2f2"),
        ("6621945", "2016-01-15T12:54:56", "2d521000-bb87-11e5-8080-800026259780"),
        ("top_issues_summary_557dc1d9e46fea0a4c000002", "2016-05-22T11:00:00", "53dbf800-200c-11e6-8080-800023ec2877"),
        ("6625387", "2016-01-15T13:54:15", "76a65d80-bb8f-11e5-8080-8000530672db"),
        ("UserPrediction:11127278", "2016-11-26T15:28:37", "00000080-b3ed-11e6-8080-8000444ef374"),
        ("467791-42-follow", "2016-12-11T17:05:21", "ffa65e80-bfc3-11e6-8080-800027086507"),
    ] {
        let added = pond.add("user:amy", json!({ "foreign_id": foreign_id, "time": time })).await;
        assert_eq!(added["id"], id, "{foreign_id}");
    }
    let read = pond.get("feed/user/amy/").await.ok(200).list("time");
    let mut sorted = read.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    assert_eq!(read, sorted);
}

#[tokio::test]
async fn a_list_without_times_is_read_back_reversed() {
    let pond = Pond::new().await;
    let list: Vec<_> = (0..30).map(|n| activity(json!({ "object": format!("{n}") }))).collect();
    let added = pond.post("feed/user/amy/", json!({ "activities": list })).await.ok(201);
    let times: Vec<_> = added["activities"].as_array().unwrap().iter().map(|one| one.text("time").to_owned()).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let expected: Vec<_> = (0..30).rev().map(|n| n.to_string()).collect();
    assert_eq!(pond.objects("user:amy").await, expected);
}

#[tokio::test]
async fn two_activities_alike_are_two_unless_they_say_when() {
    let pond = Pond::new().await;
    pond.add("user:amy", json!({})).await;
    pond.add("user:amy", json!({})).await;
    assert_eq!(pond.objects("user:amy").await.len(), 2);
    for _ in 0..2 {
        pond.add("user:bob", json!({ "time": "2026-01-01T00:00:00" })).await;
    }
    assert_eq!(pond.objects("user:bob").await.len(), 1);
}

#[tokio::test]
async fn back_dated_activities_take_their_place() {
    let pond = Pond::new().await;
    pond.follow("timeline:bob", "user:amy").await;
    for (object, time) in [("b", "2026-01-02T00:00:00"), ("c", "2026-01-03T00:00:00"), ("a", "1999-01-01T00:00:00")] {
        pond.add("user:amy", json!({ "object": object, "time": time })).await;
    }
    for feed in ["user:amy", "timeline:bob"] {
        assert_eq!(pond.objects(feed).await, ["c", "b", "a"], "{feed}");
    }
}
