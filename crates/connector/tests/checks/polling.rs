//! Jobs of the other side: §12.

use connector::{
    NewRequest,
    integrations::{Ledger, Poll},
    requests::Kind,
    status::{Outcome, Reason, Status},
};
use testing::upstream::{Fault, calls};

use crate::place::*;

#[tokio::test]
async fn check_19_a_job_is_watched_quickly_at_first_and_hourly_in_the_end() {
    let place = Place::new().await;
    place.upstream.set(|world| world.task_words = vec!["running".into()]);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until(START + 3 * DAY).await;
    assert_eq!(place.request(&asked.id).await.state.status(), Status::Processing);
    let seen = place.upstream.seen();
    let polls: Vec<i64> = seen.iter().filter(|seen| seen.call == calls::TASK).map(|seen| seen.at).collect();
    let waits: Vec<i64> = polls.windows(2).map(|pair| (pair[1] - pair[0]) / SECOND).collect();
    assert!((9..=11).contains(&waits[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 3960), "{waits:?}");
    let late = polls.iter().filter(|at| **at > START + 2 * DAY).count();
    assert!((20..=28).contains(&late), "about one an hour: {late}");
    assert_eq!(place.actions().await.iter().filter(|action| *action == "task.slow").count(), 1);
}

#[tokio::test]
async fn check_20_a_job_that_fails_is_asked_for_again_and_then_given_up() {
    let place = Place::new().await;
    place.upstream.set(|world| {
        world.task_words = vec!["failed".into()];
        world.deletes = false;
    });
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::Partial), Some(Reason::TaskFailed)));
    assert_eq!(place.upstream.count(calls::DELETE), 4);
    let detail = place.detail(&request).await;
    let said = detail.tasks.iter().filter_map(|(task, _)| task.last_error.as_ref()).next_back().unwrap();
    assert_eq!(said.message, "the disk is full");
    assert!(place.clock.micros() - START > 7 * HOUR);
}

#[tokio::test]
async fn check_21_a_job_that_is_not_known_is_never_taken_for_done() {
    let place = Place::new().await;
    place.upstream.fail(calls::TASK, 1, Fault::Status(404, 16));
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), ERASED);
    assert!(place.clock.micros() - START > HOUR, "reconciled, at most once an hour");
    assert_eq!(place.upstream.deletions().len(), 1);
}

#[tokio::test]
async fn a_word_that_nobody_knows_is_waited_out() {
    let place = Place::new().await;
    place.upstream.set(|world| world.task_words = vec!["pondering".into(), "completed".into()]);
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    assert!(place.actions().await.contains(&"task.unknown_word".to_owned()));
}

#[tokio::test]
async fn a_job_that_never_ends_times_out_and_may_still_turn_out_well() {
    let place = Place::new().await;
    place.upstream.set(|world| world.task_words = vec!["running".into()]);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until(START + 45 * DAY).await;
    let request = place.request(&asked.id).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::Partial), Some(Reason::TaskTimeout)));
    place.upstream.set(|world| world.tasks.get_mut("task-1").unwrap().words = vec!["completed".into()]);
    place.run_until(START + 48 * DAY).await;
    assert_eq!(state(&place.request(&asked.id).await), ERASED);
}

#[tokio::test]
async fn the_schedule_of_looks_is_that_of_the_integration() {
    let place = Place::with(|new| new.watching.poll = Poll::PRESETS[1].1).await;
    place.upstream.set(|world| world.task_words = vec!["running".into()]);
    place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until(START + DAY).await;
    let polls = place.upstream.count(calls::TASK);
    assert!((21..=27).contains(&polls), "about one an hour: {polls}");
    let exact = Poll { first_secs: 7, most_secs: 7, spread_percent: 0, ..Poll::default() };
    let place = Place::with(|new| new.watching.poll = exact).await;
    place.upstream.set(|world| world.task_words = vec!["running".into()]);
    place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until(START + 3 * MINUTE).await;
    let seen = place.upstream.seen();
    let polls: Vec<i64> = seen.iter().filter(|seen| seen.call == calls::TASK).map(|seen| seen.at).collect();
    assert!(polls.len() > 20 && polls.windows(2).all(|pair| pair[1] - pair[0] == 7 * SECOND), "{polls:?}");
}

#[tokio::test]
async fn without_a_look_at_what_is_left_nothing_is_called_erased() {
    let place = Place::with(|new| new.watching.verify_erasure = false).await;
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Complete, Some(Outcome::Submitted), Some(Reason::NotVerified)));
    assert_eq!(place.upstream.count(calls::EXPORT), 0, "nobody looked");
    assert!(place.file(&request, "erasure-certificate.json").await.is_none());
    let warnings = place.connector().integrations().await.unwrap()[0].warnings();
    assert_eq!(warnings, ["nobody looks whether anything is left: deletions are never called erased"]);
}

#[tokio::test]
async fn without_a_look_a_lost_answer_is_looked_after_all_the_same() {
    let place = Place::with(|new| new.watching.verify_erasure = false).await;
    place.upstream.fail(calls::DELETE, 1, Fault::LoseAnswer);
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
}

#[tokio::test]
async fn what_is_promised_less_than_could_be_is_warned_of_for_as_long_as_it_is_set_so() {
    let place = Place::with(|new| {
        new.watching.ledger = Ledger::Off;
        new.throttle_percent = 95;
        new.with_delete_probe = false;
    })
    .await;
    let warnings = place.connector().integrations().await.unwrap()[0].warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    let place = Place::new().await;
    assert!(place.connector().integrations().await.unwrap()[0].warnings().is_empty());
}
