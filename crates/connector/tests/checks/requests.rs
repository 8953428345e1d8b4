//! Requests: duplicates, several integrations, decisions: §3, §4.4, §15.3.

use connector::{
    Error, NewRequest,
    requests::Kind,
    status::{Outcome, Reason, Status},
};
use futures_util::future::join_all;
use testing::upstream::{Fault, Upstream, calls};

use crate::place::*;

#[tokio::test]
async fn check_36_one_subject_asked_for_fifty_times_at_once_is_one_request() {
    let place = Place::new().await;
    let new = NewRequest::new(Kind::Deletion, vec![email("amy@example.com")]);
    let asked = join_all((0..50).map(|_| place.connector().ask(&new))).await;
    let asked: Vec<_> = asked.into_iter().map(Result::unwrap).collect();
    assert_eq!(asked.iter().filter(|asked| is_new(asked)).count(), 1);
    let mut ids: Vec<&str> = asked.iter().map(|asked| asked.request().id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let spelled = NewRequest::new(Kind::Deletion, vec![email(" AMY@example.com ")]);
    assert!(!is_new(&place.connector().ask(&spelled).await.unwrap()));
}

#[tokio::test]
async fn check_36_an_idempotency_key_stands_for_one_body() {
    let place = Place::new().await;
    let keyed =
        |id: &str| NewRequest { idempotency_key: Some("k".into()), ..NewRequest::new(Kind::Access, vec![user_id(id)]) };
    let first = place.ask(&keyed("amy")).await;
    place.finish(&first.id).await;
    assert_eq!(place.ask(&keyed("amy")).await.id, first.id, "the stored answer, though it is done");
    assert!(matches!(place.connector().ask(&keyed("bob")).await, Err(Error::Conflict(_))));
    place.clock.advance(25 * HOUR);
    assert_ne!(place.ask(&keyed("amy")).await.id, first.id);
}

#[tokio::test]
async fn check_36_an_idempotency_key_is_of_one_client() {
    let place = Place::new().await;
    let of = |client: &str, person: &str| NewRequest {
        idempotency_key: Some("k".into()),
        requested_by: client.into(),
        ..NewRequest::new(Kind::Access, vec![user_id(person)])
    };
    let first = place.ask(&of("portal", "amy")).await;
    assert_ne!(place.ask(&of("desk", "bob")).await.id, first.id, "another client has keys of its own");
    assert_eq!(place.ask(&of("portal", "amy")).await.id, first.id);
}

#[tokio::test]
async fn check_36_an_external_id_stands_for_one_request() {
    let place = Place::new().await;
    let external = |kind| NewRequest { external_id: Some("T-1".into()), ..NewRequest::new(kind, vec![user_id("amy")]) };
    let first = place.ask(&external(Kind::Access)).await;
    assert_eq!(place.ask(&external(Kind::Access)).await.id, first.id);
    assert!(matches!(place.connector().ask(&external(Kind::Deletion)).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn check_36_an_external_id_is_of_one_client_and_one_person() {
    let place = Place::new().await;
    let of = |client: &str, person: &str| NewRequest {
        external_id: Some("T-1".into()),
        requested_by: client.into(),
        ..NewRequest::new(Kind::Access, vec![user_id(person)])
    };
    let first = place.ask(&of("portal", "amy")).await;
    place.finish(&first.id).await;
    assert_eq!(place.ask(&of("portal", "amy")).await.id, first.id);
    assert!(matches!(place.connector().ask(&of("portal", "bob")).await, Err(Error::Conflict(_))));
    assert_ne!(place.ask(&of("desk", "bob")).await.id, first.id, "another client has ids of its own");
}

#[tokio::test]
async fn a_deletion_waits_out_its_grace_and_may_be_withdrawn_meanwhile() {
    let place = Place::with(|new| new.policies.cooling_off_secs = 24 * 3600).await;
    place.upstream.set(|world| world.add("bob", "bob@example.com"));
    let amy = place.delete(user_id("amy")).await;
    let bob = place.delete(user_id("bob")).await;
    let cooling = (Status::Held, None, Some(Reason::CoolingOff));
    assert_eq!((state(&amy), state(&bob)), (cooling, cooling));
    place.run_until(START + 23 * HOUR).await;
    place.connector().cancel(&bob.id, "operator").await.unwrap();
    assert!(place.upstream.deletions().is_empty());
    place.run_until(START + 25 * HOUR).await;
    assert_eq!(state(&place.request(&amy.id).await), ERASED);
    assert_eq!(place.upstream.deletions(), [["amy"]]);
    let preview = NewRequest { is_dry_run: true, ..NewRequest::new(Kind::Deletion, vec![user_id("bob")]) };
    let preview = place.ask(&preview).await;
    assert_eq!(place.finish(&preview.id).await.state.status(), Status::Complete, "a look needs no grace");
}

#[tokio::test]
async fn check_39_one_of_three_integrations_failing_leaves_the_others_done() {
    let place = Place::new().await;
    let mut others = Vec::new();
    for name in ["second", "third"] {
        let upstream = Upstream::start(KEY, SECRET, &place.clock).await;
        upstream.set(|world| world.add("amy", "amy@example.com"));
        let new = connector::NewIntegration { name: name.into(), base_url: Some(upstream.url()), ..place.stream() };
        place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap();
        others.push(upstream);
    }
    others[1].fail(calls::QUERY, usize::MAX, Fault::Status(403, 17));
    let request = place.delete(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::Partial), Some(Reason::PermissionMissing)));
    assert_eq!((place.upstream.deletions().len(), others[0].deletions().len()), (1, 1));
    others[1].heal();
    place.upstream.forget();
    place.connector().retry(&request.id, "ann").await.unwrap();
    assert_eq!(state(&place.finish(&request.id).await), ERASED);
    assert!(place.upstream.seen().is_empty(), "a retry touches only what failed");
    assert_eq!(others[1].deletions().len(), 1);
}

#[tokio::test]
async fn a_request_waits_for_verification_and_approval_when_the_policy_says_so() {
    let place = Place::with(|new| {
        new.policies.needs_verification = true;
        new.policies.needs_approval = true;
    })
    .await;
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    assert_eq!(state(&asked), (Status::Held, None, Some(Reason::VerificationRequired)));
    place.connector().release(&asked.id, "ann").await.unwrap();
    let request = place.finish(&asked.id).await;
    if request.state.status() == Status::Held {
        assert_eq!(request.state.reason(), Some(Reason::ApprovalRequired));
        place.connector().release(&asked.id, "bob").await.unwrap();
    }
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
}

#[tokio::test]
async fn a_shredded_request_keeps_its_state_and_loses_its_person() {
    let place = Place::new().await;
    let request = place.access(email("amy@example.com")).await;
    place.connector().shred(&request.id).await.unwrap();
    assert!(place.file(&request, "package.zip").await.is_none());
    assert!(place.connector().find(&email("amy@example.com")).await.unwrap().is_empty());
    assert_eq!(state(&place.request(&request.id).await), FOUND);
    assert!(connector::audit::verify(place.connector().store()).await.unwrap().is_ok(), "check 41: the chain holds");
}

#[tokio::test]
async fn packages_are_kept_for_a_week_and_identifiers_for_a_month() {
    let place = Place::new().await;
    let request = place.access(email("amy@example.com")).await;
    place.clock.advance(6 * DAY);
    place.connector().sweep().await.unwrap();
    assert!(place.file(&request, "package.zip").await.is_some());
    place.clock.advance(2 * DAY);
    place.connector().sweep().await.unwrap();
    assert!(place.file(&request, "package.zip").await.is_none());
    assert_eq!(place.connector().find(&email("amy@example.com")).await.unwrap().len(), 1);
    place.clock.advance(30 * DAY);
    place.connector().sweep().await.unwrap();
    assert!(place.connector().find(&email("amy@example.com")).await.unwrap().is_empty());
    assert!(place.request(&request.id).await.is_shredded);
}
