//! Power cuts: what was not synced when the power failed is gone; no request is lost and none is doubled.

use std::sync::Arc;

use connector::{NewRequest, requests::Kind};
use store::fault::Fault;

use crate::place::*;

/// Runs a request until the power fails at the commit with this number; answers whether it was done before.
async fn cut_at(commit: u64, kind: Kind) -> bool {
    let mut place = Place::new().await;
    let asked = place.ask(&NewRequest::new(kind, vec![user_id("amy")])).await;
    // From this commit on nothing reaches the disk.
    place.faults = Some(Arc::new(move |number| if number >= commit { Fault::WriteFails } else { Fault::None }));
    let lived = place.try_reopen().await.is_ok() && runs_to_the_end(&place, &asked.id).await;
    place.faults = None;
    place.reopen().await;
    let request = place.finish(&asked.id).await;
    match kind {
        Kind::Deletion => {
            assert_eq!(state(&request), ERASED, "cut at commit {commit}");
            assert_eq!(place.upstream.deletions(), [["amy"]], "cut at commit {commit}");
        }
        Kind::Access => assert_eq!(state(&request), FOUND, "cut at commit {commit}"),
    }
    assert!(connector::audit::verify(place.connector().store()).await.unwrap().is_ok());
    lived
}

async fn runs_to_the_end(place: &Place, id: &str) -> bool {
    loop {
        if place.connector().run_due().await.is_err() {
            return false;
        }
        if place.request(id).await.state.status().is_final() {
            return true;
        }
        if let Some(at) = place.connector().next_due().await.unwrap() {
            place.clock.set(at.micros().max(place.clock.micros()));
        }
    }
}

#[tokio::test]
async fn check_26_a_deletion_survives_a_power_cut_at_any_commit_and_is_accepted_once() {
    let mut commit = 0;
    while !cut_at(commit, Kind::Deletion).await {
        commit += 1;
    }
    assert!(commit > 10, "{commit} commits were cut, T1 and T2 among them");
}

#[tokio::test]
async fn check_26_an_access_survives_a_power_cut_at_any_commit() {
    let mut commit = 0;
    while !cut_at(commit, Kind::Access).await {
        commit += 1;
    }
    assert!(commit > 4, "{commit} commits were cut");
}
