//! The connection test: §6.2, §6.3.

use connector::{
    Error, NewIntegration,
    integrations::{Behavior, Health},
    probe::{Problem, Report, StepStatus},
};
use testing::upstream::{Fault, calls};

use crate::place::*;

async fn tried(place: &Place, key: &str, secret: &str) -> Report {
    match place.connector().connect(&place.stream(), pair(key, secret)).await {
        Err(Error::TestFailed(report)) => *report,
        Ok(connected) => connected.report,
        Err(error) => panic!("{error}"),
    }
}

async fn verdict(place: &Place) -> (Problem, String) {
    let finding = tried(place, KEY, SECRET).await.verdict().unwrap();
    assert!(place.connector().integrations().await.unwrap().is_empty(), "nothing is saved");
    assert!(!finding.message.contains(SECRET), "{}", finding.message);
    (finding.problem, finding.message)
}

#[tokio::test]
async fn check_02_good_credentials_connect_with_every_step_passed() {
    let place = Place::empty().await;
    let connected = place.connector().connect(&place.stream(), pair(KEY, SECRET)).await.unwrap();
    let steps: Vec<&str> = connected.report.steps.iter().map(|step| step.name).collect();
    assert_eq!(steps, ["T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"]);
    assert!(connected.report.steps.iter().all(|step| step.status == StepStatus::Ok), "{:?}", connected.report);
    assert_eq!(connected.integration.health, Health::Connected);
    assert_eq!(connected.integration.async_deletion_behavior, Behavior::WaitForCompletion);
    assert!(place.upstream.deletions().is_empty());
}

#[tokio::test]
async fn check_03_each_refusal_has_its_own_words() {
    let place = Place::empty().await;
    let cases = [
        (Fault::Status(401, 2), Problem::ApiKeyInvalid, "Stream does not know this API Key."),
        (Fault::Status(401, 43), Problem::ApiSecretWrong, "The API Key is known but the signature was refused"),
        (Fault::Status(403, 99), Problem::AppSuspended, "This app is suspended at Stream."),
        (Fault::Bare(404), Problem::AccountTypeMismatch, "This account or address does not offer the API"),
        (Fault::Status(429, 9), Problem::RateLimited, "The app is at its rate limit until 2026-01-01T00:00:30Z"),
        (Fault::Redirect("https://evil.example".into()), Problem::Redirected, "127.0.0.1"),
        (Fault::Garbage, Problem::NotStream, "127.0.0.1"),
    ];
    for (fault, problem, words) in cases {
        place.upstream.fail(calls::QUERY, 3, fault);
        let (found, message) = verdict(&place).await;
        place.upstream.heal();
        assert_eq!(found, problem, "{message}");
        assert!(message.starts_with(words), "{message}");
    }
}

#[tokio::test]
async fn check_03_wrong_and_swapped_credentials_are_told_apart() {
    let place = Place::empty().await;
    let problem = |report: Report| report.verdict().unwrap().problem;
    assert_eq!(problem(tried(&place, "nobody", SECRET).await), Problem::ApiKeyInvalid);
    assert_eq!(problem(tried(&place, KEY, "wrong-but-long-enough").await), Problem::ApiSecretWrong);
    assert_eq!(problem(tried(&place, SECRET, KEY).await), Problem::CredentialSwapped);
}

#[tokio::test]
async fn check_03_an_address_where_nobody_answers_is_unreachable() {
    let place = Place::empty().await;
    let new = NewIntegration { base_url: Some("http://127.0.0.1:9".into()), ..NewIntegration::new("Stream") };
    let Err(Error::TestFailed(report)) = place.connector().connect(&new, pair(KEY, SECRET)).await else { panic!() };
    assert_eq!(report.verdict().unwrap().problem, Problem::Unreachable);
    let feeds = NewIntegration { base_url: Some("https://api.stream-io-api.com/api/v1.0/".into()), ..new };
    let Err(Error::TestFailed(report)) = place.connector().connect(&feeds, pair(KEY, SECRET)).await else { panic!() };
    assert_eq!(report.verdict().unwrap().problem, Problem::AccountTypeMismatch);
}

#[tokio::test]
async fn check_04_spaces_are_refused_and_removed_only_when_asked() {
    let place = Place::empty().await;
    for bad in [format!("{SECRET} "), format!("{SECRET}\u{a0}"), format!("\n{SECRET}")] {
        let finding = tried(&place, KEY, &bad).await.verdict().unwrap();
        assert_eq!(finding.problem, Problem::CredentialWhitespace);
    }
    assert!(place.upstream.seen().is_empty(), "nothing was sent");
    let new = NewIntegration { trim: true, ..place.stream() };
    let connected = place.connector().connect(&new, pair(KEY, &format!("{SECRET} "))).await.unwrap();
    assert!(connected.report.note.unwrap().contains("removed"));
}

#[tokio::test]
async fn check_05_a_missing_permission_is_named() {
    let place = Place::empty().await;
    let all = [
        (calls::QUERY, "query users"),
        (calls::EXPORT, "export user"),
        (calls::REPORT, "moderation reports"),
        (calls::TASK, "read tasks"),
        (calls::DELETE, "delete users"),
    ];
    for (call, words) in all {
        place.upstream.set(|world| world.forbidden = [call].into());
        let (problem, message) = verdict(&place).await;
        assert_eq!(problem, Problem::PermissionMissing);
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn check_35_a_clock_that_is_off_is_learnt_or_named() {
    for skew_secs in [600, -600] {
        let place = Place::empty().await;
        place.upstream.set(|world| world.skew_secs = skew_secs);
        let connected = place.connector().connect(&place.stream(), pair(KEY, SECRET)).await.unwrap();
        assert!(connected.report.is_ok(), "{skew_secs}");
        let integration = connected.integration;
        let health = (integration.health, integration.health_reason.as_deref());
        assert_eq!(health, (Health::Degraded, Some("clock_wrong")), "{skew_secs}");
    }
    let place = Place::empty().await;
    place.upstream.set(|world| world.skew_secs = 600);
    place.upstream.fail(calls::QUERY, 3, Fault::Status(401, 41));
    let (problem, message) = verdict(&place).await;
    assert_eq!(problem, Problem::ClockWrong);
    assert!(message.contains("by 600 s"), "{message}");
}

#[tokio::test]
async fn without_the_empty_deletion_the_right_to_delete_is_unproven() {
    let place = Place::empty().await;
    let new = NewIntegration { with_delete_probe: false, ..place.stream() };
    let connected = place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap();
    assert!(!connected.report.capabilities["delete"]);
    assert_eq!(place.upstream.count(calls::DELETE), 0);
}
