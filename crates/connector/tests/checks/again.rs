//! `retry`, and what one request that cannot go on means for others: §3, §7.3.

use connector::{
    Connector, NewIntegration, NewRequest,
    requests::Kind,
    status::{Outcome, Reason, Status},
    upstream::Dialect,
};
use testing::upstream::{Fault, calls};

use crate::place::*;

const TROUBLE: (Status, Option<Outcome>, Option<Reason>) = (Status::Retrying, None, Some(Reason::UpstreamTrouble));

async fn next_due(connector: &Connector) -> i64 {
    connector.next_due().await.unwrap().unwrap().micros()
}

#[tokio::test]
async fn retry_tries_at_once_what_waits_in_the_slow_lane() {
    let place = Place::new().await;
    place.upstream.fail(calls::QUERY, usize::MAX, Fault::Bare(503));
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    place.run_until(START + 20 * MINUTE).await;
    assert_eq!(state(&place.request(&asked.id).await), TROUBLE);
    assert!(next_due(place.connector()).await > place.clock.micros() + MINUTE, "it waits longer than any jitter");
    place.upstream.heal();
    place.connector().retry(&asked.id, "operator").await.unwrap();
    place.run().await;
    assert_eq!(state(&place.request(&asked.id).await), FOUND, "and the clock stood still");
    let refused = place.connector().retry(&asked.id, "operator").await.unwrap_err();
    assert_eq!(refused.to_string(), "nothing of this request failed or waits to be tried again");
}

#[tokio::test]
async fn after_a_retry_the_waits_begin_with_the_shortest() {
    let place = Place::new().await;
    place.upstream.fail(calls::QUERY, usize::MAX, Fault::Bare(503));
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    place.run_until(START + HOUR).await;
    place.connector().retry(&asked.id, "operator").await.unwrap();
    place.connector().run_due().await.unwrap();
    assert_eq!(state(&place.request(&asked.id).await), TROUBLE);
    assert!(next_due(place.connector()).await <= place.clock.micros() + SECOND);
}

#[tokio::test]
async fn an_access_that_failed_in_part_is_made_whole_by_retry() {
    let place = Place::new().await;
    place.upstream.fail(calls::REPORT, 1, Fault::Status(403, 17));
    let failed = place.access(user_id("amy")).await;
    assert_eq!(state(&failed), (Status::Failed, Some(Outcome::Partial), Some(Reason::PermissionMissing)));
    assert_eq!(place.package(&failed).await.json("manifest.json")["complete"], false);
    place.connector().retry(&failed.id, "operator").await.unwrap();
    assert_eq!(state(&place.finish(&failed.id).await), FOUND);
    assert_eq!(
        place.upstream.calls(),
        [calls::QUERY, calls::EXPORT, calls::REPORT, calls::REPORT],
        "what was brought stays"
    );
    assert_eq!(place.package(&failed).await.json("manifest.json")["complete"], true);
}

#[tokio::test]
async fn what_turns_out_too_large_at_a_retry_is_in_the_package_all_the_same() {
    let place = Place::new().await;
    place.upstream.fail(calls::EXPORT, 1, Fault::Status(403, 17));
    let failed = place.access(user_id("amy")).await;
    assert_eq!(failed.state.status(), Status::Failed);
    place.upstream.set(|world| world.too_large = ["amy".to_owned()].into());
    place.connector().retry(&failed.id, "operator").await.unwrap();
    assert_eq!(state(&place.finish(&failed.id).await), FOUND);
    assert!(place.package(&failed).await.names().contains(&"users/1/async/export.jsonl".to_owned()));
}

#[tokio::test]
async fn retry_is_no_way_round_a_limit() {
    let place = Place::new().await;
    place.upstream.set(|world| world.storm_until = START + 5 * MINUTE);
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    place.run().await;
    for _ in 0..10 {
        place.connector().retry(&asked.id, "operator").await.unwrap();
        place.run().await;
    }
    assert_eq!(place.upstream.count(calls::QUERY), 1);
    assert_eq!(state(&place.finish(&asked.id).await), FOUND);
    let early = place.upstream.seen().iter().filter(|seen| seen.at > START && seen.at < START + 5 * MINUTE).count();
    assert_eq!(early, 0, "no call before the reset");
}

#[tokio::test]
async fn a_deletion_that_was_given_up_waiting_for_its_job_is_taken_up_by_retry_whatever_the_other_side_answers() {
    let place = Place::new().await;
    place.upstream.set(|world| world.task_words = vec!["running".into()]);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    let given_up = place.finish(&asked.id).await;
    assert_eq!(state(&given_up), (Status::Failed, Some(Outcome::Partial), Some(Reason::TaskTimeout)));
    place.upstream.fail(calls::QUERY, 3, Fault::Bare(503));
    place.connector().retry(&asked.id, "operator").await.unwrap();
    assert_eq!(place.request(&asked.id).await.state.status(), Status::Queued);
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
    assert_eq!(place.upstream.deletions().len(), 1);
}

#[tokio::test]
async fn a_deletion_whose_targets_cannot_be_looked_at_again_is_not_sent() {
    let place = Place::new().await;
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.connector().run_due().await.unwrap();
    assert_eq!(place.upstream.calls(), [calls::QUERY], "she is found");
    place.upstream.fail(calls::QUERY, usize::MAX, Fault::Status(403, 17));
    let failed = place.finish(&asked.id).await;
    assert_eq!(state(&failed), (Status::Failed, Some(Outcome::None), Some(Reason::PermissionMissing)));
    assert_eq!(place.upstream.count(calls::DELETE), 0);
    place.upstream.heal();
    place.upstream.forget();
    place.connector().retry(&asked.id, "operator").await.unwrap();
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
    assert_eq!(place.upstream.calls()[..2], [calls::QUERY, calls::DELETE], "she is looked at first");
}

#[tokio::test]
async fn a_deletion_that_was_refused_looks_at_its_targets_before_it_is_sent_again() {
    let place = Place::new().await;
    place.upstream.fail(calls::DELETE, 1, Fault::Status(403, 17));
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    assert_eq!(place.finish(&asked.id).await.state.status(), Status::Failed);
    place.upstream.forget();
    place.connector().retry(&asked.id, "operator").await.unwrap();
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
    assert_eq!(place.upstream.calls()[..2], [calls::QUERY, calls::DELETE]);
}

#[tokio::test]
async fn a_deletion_that_is_never_taken_is_asked_for_ever_more_seldom_and_then_given_up() {
    let place = Place::new().await;
    place.upstream.fail(calls::DELETE, usize::MAX, Fault::Bare(503));
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until(START + 2 * HOUR).await;
    let sent = place.upstream.count(calls::DELETE);
    // Eight with jitter, then one each quarter of an hour.
    assert!((8..=17).contains(&sent), "{sent}");
    let failed = place.finish(&asked.id).await;
    assert_eq!(state(&failed), (Status::Failed, Some(Outcome::Partial), Some(Reason::UpstreamTrouble)));
    assert!(place.clock.micros() <= START + 2 * DAY);
}

#[tokio::test]
async fn a_request_that_cannot_go_on_holds_up_no_other() {
    let mut place = Place::new().await;
    let mine = include_str!("../../src/upstream/dialects/stream_v2.json").replacen("stream_v2", "mine", 1);
    place.dialects = vec![Dialect::parse(&mine).unwrap()];
    place.reopen().await;
    let new = NewIntegration { dialect: "mine".to_owned(), name: "Mine".to_owned(), ..place.stream() };
    let mine = place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap().integration.id;
    // The file of the dialect was left out by mistake.
    place.dialects.clear();
    place.reopen().await;
    let at = |integration: &str| NewRequest {
        integrations: vec![integration.to_owned()],
        ..NewRequest::new(Kind::Access, vec![user_id("amy")])
    };
    let (stuck, other) = (place.ask(&at(&mine)).await, place.ask(&at(&place.integration)).await);
    assert_eq!(state(&place.finish(&other.id).await), FOUND);
    assert!(place.actions().await.contains(&"execution.put_off".to_owned()));
    assert_eq!(place.request(&stuck.id).await.state.status(), Status::Queued);
    assert!(next_due(place.connector()).await >= START + 15 * MINUTE);
    // Nor does it end the worker: neither the test of every day, nor a search for the erased.
    place.clock.advance(2 * DAY);
    place.connector().sweep().await.unwrap();
    let since = place.connector().now();
    let replay = place.connector().replay_erasures(std::slice::from_ref(&mine), since, "ann").await.unwrap().remove(0);
    place.run().await;
    let replay = place.connector().replay(&replay.id).await.unwrap();
    assert_eq!((replay.status(), replay.reason), ("retrying", Some(Reason::IntegrationDisconnected)));
}
