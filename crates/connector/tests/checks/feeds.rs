//! Feeds data over its own endpoints: §9.5, §11.5.

use connector::{
    NewRequest,
    requests::Kind,
    status::{Outcome, Reason, Status},
};
use serde_json::{Value, json};
use testing::upstream::{Fault, calls};

use crate::place::*;

/// A place whose upstream has feeds, and in them something of `amy`.
async fn with_feeds(include_feeds: Option<bool>) -> Place {
    let mut place = Place::empty().await;
    place.upstream.set(|world| {
        world.add("amy", "amy@example.com");
        world.feeds = Some([("amy".to_owned(), json!({"activities": [{"text": "skates"}]}))].into());
    });
    let mut new = place.stream();
    new.contents.include_feeds = include_feeds;
    place.integration = place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap().integration.id;
    place.upstream.forget();
    place
}

#[tokio::test]
async fn feeds_data_is_exported_where_the_test_finds_it_and_listed_apart() {
    let place = with_feeds(None).await;
    assert!(
        place.connector().integration(&place.integration).await.unwrap().capabilities.contains(&"feeds".to_owned())
    );
    place.upstream.set(|world| world.expired_links = 1);
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    let package = place.package(&request).await;
    assert!(package.text("users/1/feeds/export.jsonl").contains("skates"));
    let files = package.json("manifest.json")["files"].clone();
    let feeds = files.as_array().unwrap().iter().find(|file| file["path"] == "users/1/feeds/export.jsonl");
    assert_eq!(feeds.unwrap()["source_call"], "feeds_export");
    connector::package::verify(std::io::Cursor::new(&package.0)).unwrap();
    // Each look at the job and each download is an attempt; the log has them, and no address.
    let fetched = place.fetched("export file").await;
    assert_eq!(fetched, [("4".to_owned(), "403".to_owned()), ("6".to_owned(), "200".to_owned())]);
}

#[tokio::test]
async fn feeds_data_is_left_alone_where_it_is_not_there_or_not_wanted() {
    let place = Place::new().await;
    assert_eq!(state(&place.access(user_id("amy")).await), FOUND);
    assert_eq!(place.upstream.calls(), [calls::QUERY, calls::EXPORT, calls::REPORT]);
    let place = with_feeds(Some(false)).await;
    place.access(user_id("amy")).await;
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    assert_eq!(place.upstream.count(calls::FEEDS_EXPORT) + place.upstream.count(calls::FEEDS_DELETE), 0);
}

#[tokio::test]
async fn feeds_data_is_deleted_hard_before_the_account_with_a_job_of_its_own() {
    let place = with_feeds(None).await;
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), ERASED);
    let seen = place.upstream.seen();
    let at = |call: &str| seen.iter().position(|seen| seen.call == call).unwrap();
    assert!(at(calls::FEEDS_DELETE) < at(calls::DELETE));
    let between = &seen[at(calls::FEEDS_DELETE)..at(calls::DELETE)];
    assert!(between.iter().any(|seen| seen.call == calls::TASK), "its job is awaited");
    let body: Value = serde_json::from_slice(&seen[at(calls::FEEDS_DELETE)].body).unwrap();
    assert_eq!(body, json!({"hard_delete": true}));
    assert_eq!(place.upstream.set(|world| world.feeds_deletions.clone()), ["amy"]);
    let certificate = place.file(&request, "erasure-certificate.json").await.unwrap();
    let certificate: Value = serde_json::from_slice(&certificate).unwrap();
    assert_eq!(certificate["feeds_task_ids"], json!(["task-1"]));
}

#[tokio::test]
async fn a_failed_deletion_of_feeds_data_stops_before_the_account_and_is_done_again_by_retry() {
    let place = with_feeds(None).await;
    place.upstream.set(|world| world.task_words = vec!["failed".to_owned()]);
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::Partial), Some(Reason::TaskFailed)));
    assert!(place.upstream.deletions().is_empty(), "the account is there");
    place.upstream.set(|world| world.task_words = vec!["completed".to_owned()]);
    place.connector().retry(&request.id, "ann").await.unwrap();
    assert_eq!(state(&place.finish(&request.id).await), ERASED);
    assert_eq!(place.upstream.count(calls::FEEDS_DELETE), 2);
    assert_eq!(place.upstream.deletions(), [["amy"]]);
}

#[tokio::test]
async fn a_lost_answer_to_the_deletion_of_feeds_data_is_asked_for_again_unless_the_id_is_somebody_elses() {
    let place = with_feeds(None).await;
    place.upstream.fail(calls::FEEDS_DELETE, 1, Fault::LoseAnswer);
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    assert_eq!(place.upstream.count(calls::FEEDS_DELETE), 2);
    let place = with_feeds(None).await;
    place.upstream.fail(calls::FEEDS_DELETE, 1, Fault::LoseAnswer);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    while place.upstream.count(calls::FEEDS_DELETE) == 0 {
        place.connector().run_due().await.unwrap();
        let due = place.connector().next_due().await.unwrap().unwrap().micros();
        place.clock.set(due.max(place.clock.micros()));
    }
    place.upstream.set(|world| {
        world.users.remove("amy");
        world.add("bob", "bob@example.com");
        world.add("amy", "new@example.com");
    });
    let held = place.finish(&asked.id).await;
    assert_eq!((held.state.status(), held.state.reason()), (Status::Held, Some(Reason::IdentityChanged)));
    assert_eq!(place.upstream.count(calls::FEEDS_DELETE), 1);
}
