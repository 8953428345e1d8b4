//! Deletion and its proof: §11, §13.

use connector::{
    Error, NewRequest,
    integrations::{Behavior, MultiMatch},
    requests::{Flag, Kind},
    signing,
    status::{Outcome, Reason, Status},
};
use serde_json::{Value, json};
use testing::upstream::{Fault, calls};

use crate::place::*;

#[tokio::test]
async fn check_15_a_deletion_is_hard_in_everything_and_ends_with_a_certificate() {
    let place = Place::new().await;
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until_deleted().await;
    assert_eq!(place.request(&asked.id).await.state.status(), Status::Processing);
    let request = place.finish(&asked.id).await;
    assert_eq!(state(&request), ERASED);
    let sent = place.upstream.seen().into_iter().find(|seen| seen.call == calls::DELETE).unwrap();
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let hard = json!({
        "user_ids": ["amy"], "user": "hard", "messages": "hard", "conversations": "hard", "calls": "hard",
        "files": "hard",
    });
    assert_eq!(body, hard);
    let certificate = place.file(&request, "erasure-certificate.json").await.unwrap();
    let signature = place.file(&request, "erasure-certificate.json.sig").await.unwrap();
    let signature = String::from_utf8(signature).unwrap();
    assert!(signing::verify(&certificate, &signature, &place.connector().public_key()));
    let certificate: Value = serde_json::from_slice(&certificate).unwrap();
    assert_eq!(certificate["task_id"], "task-1");
    assert_eq!(certificate["checks"].as_array().unwrap().len(), 4);
    assert!(!certificate.to_string().contains("amy"), "a certificate names nobody");
}

#[tokio::test]
async fn check_09_a_deletion_of_three_users_is_held_until_one_is_chosen() {
    let place = Place::new().await;
    place.upstream.set(|world| ["bob", "eve"].map(|id| world.add(id, "amy@example.com")));
    let request = place.delete(email("amy@example.com")).await;
    assert_eq!(state(&request), (Status::Held, None, Some(Reason::MultipleMatches)));
    let detail = place.detail(&request).await;
    assert_eq!(detail.targets.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a***", "b***", "e***"]);
    place.connector().select_targets(&detail.execution.id, &[1], "ann").await.unwrap();
    assert_eq!(state(&place.finish(&request.id).await), ERASED);
    assert_eq!(place.upstream.deletions(), [["bob"]]);
}

#[tokio::test]
async fn check_16_complete_on_submit_says_no_more_than_that() {
    let place = Place::with(|new| new.async_deletion_behavior = Behavior::CompleteOnSubmit).await;
    place.upstream.set(|world| world.task_words = vec!["running".into(), "failed".into()]);
    let request = place.delete(user_id("amy")).await;
    let submitted = (Status::Complete, Some(Outcome::Submitted), None);
    assert_eq!(state(&request), submitted);
    // The job fails, and so do those that are asked for again: `amy` is put back each time.
    for _ in 0..5 {
        place.upstream.set(|world| world.add("amy", "amy@example.com"));
        place.run_until(place.clock.micros() + 8 * HOUR).await;
    }
    assert_eq!(state(&place.request(&request.id).await), submitted, "what was said is not rewritten");
    let actions = place.actions().await;
    let failed = actions.iter().any(|action| action == "request.post_completion_failure");
    let flags = place.detail(&request).await.execution.flags;
    assert!(failed == flags.contains(&Flag::PostCompletionFailure));
}

#[tokio::test]
async fn check_17_the_behaviour_of_an_open_request_stays() {
    let place = Place::new().await;
    place.upstream.set(|world| world.task_words = vec!["running".into(), "running".into(), "completed".into()]);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until_deleted().await;
    place.connector().set_behavior(&place.integration, Behavior::CompleteOnSubmit).await.unwrap();
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
}

#[tokio::test]
async fn check_18_the_other_form_of_files_is_tried_and_files_are_never_left_out() {
    let place = Place::new().await;
    place.upstream.set(|world| world.files_forms = vec![json!(true)]);
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    assert_eq!(place.upstream.count(calls::DELETE), 2);
    let place = Place::new().await;
    place.upstream.set(|world| world.files_forms.clear());
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::None), Some(Reason::FilesOptionRefused)));
    assert!(place.upstream.deletions().is_empty());
}

#[tokio::test]
async fn check_22_what_is_still_there_is_looked_for_again() {
    let place = Place::new().await;
    place.upstream.set(|world| world.lingers = 4);
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    assert!(place.detail_rounds().await >= 2);
    let place = Place::new().await;
    place.upstream.set(|world| world.deletes = false);
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::Partial), Some(Reason::ResidualData)));
    assert!(place.clock.micros() - START > 30 * HOUR, "after a day and more");
    let residue = place.detail(&request).await.execution.residue;
    for what in ["user of subject 1", "export of subject 1", "report of subject 1", "identifier of subject 1"] {
        assert!(residue.iter().any(|one| one == what), "{what} is not among {residue:?}");
    }
    assert!(place.file(&request, "erasure-certificate.json").await.is_none(), "nothing is certified");
}

#[tokio::test]
async fn check_22_a_report_that_cannot_be_read_proves_nothing() {
    let place = Place::new().await;
    place.upstream.fail(calls::REPORT, 1, Fault::Half);
    assert_eq!(state(&place.delete(user_id("amy")).await), ERASED);
    assert_eq!(place.upstream.count(calls::REPORT), 2);
}

#[tokio::test]
async fn check_24_a_lost_answer_is_found_out_and_nothing_is_sent_twice() {
    for fault in [Fault::LoseAnswer, Fault::Hang, Fault::Truncate] {
        let place = Place::new().await;
        place.upstream.fail(calls::DELETE, 1, fault.clone());
        let began = place.clock.micros();
        let request = place.delete(user_id("amy")).await;
        assert_eq!(state(&request), ERASED, "{fault:?}");
        assert_eq!(place.upstream.deletions().len(), 1);
        assert!(place.clock.micros() - began > 20 * MINUTE, "three confirmations, ten minutes apart");
    }
}

#[tokio::test]
async fn a_deletion_that_did_not_arrive_is_sent_again() {
    for fault in [Fault::Refuse, Fault::Status(500, -1), Fault::Status(503, -1), Fault::Garbage, Fault::Half] {
        let place = Place::new().await;
        place.upstream.fail(calls::DELETE, 1, fault.clone());
        assert_eq!(state(&place.delete(user_id("amy")).await), ERASED, "{fault:?}");
        assert_eq!(place.upstream.deletions().len(), 1);
        assert_eq!(place.upstream.count(calls::DELETE), 2);
    }
}

#[tokio::test]
async fn check_25_an_account_that_is_another_person_now_is_left_alone() {
    let place = Place::new().await;
    place.upstream.fail(calls::DELETE, 1, Fault::LoseAnswer);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until_deleted().await;
    place.upstream.set(|world| {
        world.add("someone", "s@example.com");
        world.add("amy", "new@example.com");
    });
    let request = place.finish(&asked.id).await;
    assert_eq!(state(&request), (Status::Held, None, Some(Reason::IdentityChanged)));
    assert!(place.upstream.set(|world| world.users.contains_key("amy")));
    assert_eq!(place.upstream.deletions().len(), 1);
}

#[tokio::test]
async fn check_37_a_dry_run_only_reads_and_its_token_is_for_exactly_these_users() {
    let place = Place::with(|new| new.policies.multi_match_delete = MultiMatch::All).await;
    let dry = NewRequest { is_dry_run: true, ..NewRequest::new(Kind::Deletion, vec![email("amy@example.com")]) };
    let asked = place.ask(&dry).await;
    let request = place.finish(&asked.id).await;
    assert_eq!(state(&request), (Status::Complete, Some(Outcome::Preview), None));
    assert!(place.upstream.seen().iter().all(|seen| seen.method == "GET"));
    let token = place.connector().confirm_token(&request.id).await.unwrap();
    let real =
        NewRequest { confirm_token: Some(token), ..NewRequest::new(Kind::Deletion, vec![email("amy@example.com")]) };
    place.upstream.set(|world| world.add("bob", "amy@example.com"));
    let asked = place.ask(&real).await;
    let request = place.finish(&asked.id).await;
    assert_eq!(state(&request), (Status::Held, None, Some(Reason::IdentityChanged)));
    assert!(place.upstream.deletions().is_empty());
}

#[tokio::test]
async fn check_38_a_request_is_canceled_before_it_is_submitted_and_never_after() {
    let place = Place::new().await;
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.connector().cancel(&asked.id, "ann").await.unwrap();
    place.run_until(START + HOUR).await;
    assert!(place.upstream.seen().is_empty());
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until_deleted().await;
    assert!(matches!(place.connector().cancel(&asked.id, "ann").await, Err(Error::Irreversible)));
}

#[tokio::test]
async fn a_soft_deletion_never_says_erased() {
    let place = Place::with(|new| {
        new.delete_options.user = connector::integrations::Depth::Soft;
    })
    .await;
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Complete, Some(Outcome::Submitted), Some(Reason::NotHard)));
}

impl Place {
    /// The rounds of checks of the only request.
    async fn detail_rounds(&self) -> u32 {
        let found = self.connector().find(&user_id("amy")).await.unwrap();
        self.detail(&found[0]).await.execution.round
    }
}

#[tokio::test]
async fn the_package_of_an_access_is_made_before_a_deletion_where_that_is_set() {
    let place = Place::with(|new| new.contents.export_before_delete = true).await;
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), ERASED);
    let package = place.package(&request).await;
    assert!(connector::package::verify(std::io::Cursor::new(&package.0)).is_ok());
    assert!(package.text("users/1/messages.jsonl").contains("amy-1"));
    assert!(place.file(&request, "erasure-certificate.json").await.is_some());
    // Without the whole package nothing is deleted, until it is there.
    let place = Place::with(|new| new.contents.export_before_delete = true).await;
    place.upstream.fail(calls::REPORT, 1, Fault::Status(403, 17));
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::Partial), Some(Reason::PermissionMissing)));
    assert!(place.upstream.deletions().is_empty());
    place.connector().retry(&request.id, "ann").await.unwrap();
    assert_eq!(state(&place.finish(&request.id).await), ERASED);
    assert_eq!(place.upstream.deletions(), [["amy"]]);
}
