//! Leases and fencing (§4.1, §4.2): whoever stood still too long writes nothing more, and nothing is done twice.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use connector::{Connector, Error, NewRequest, requests::Kind};
use store::{Options, Store};
use testing::upstream::{Fault, calls};

use crate::place::*;

/// A worker that stood still for longer has lost its lease.
const LEASE: i64 = 60 * SECOND;
/// Turns of the runtime in which whatever left the worker arrives.
const TURNS: usize = 1_000;

/// Polls `work` so often; whether it ended.
async fn ends_within(work: &mut Pin<&mut impl Future<Output = connector::Result<usize>>>, polls: &mut usize) -> bool {
    poll_fn(|context| {
        if *polls == 0 {
            return Poll::Ready(false);
        }
        *polls -= 1;
        work.as_mut().poll(context).map(|ran| ran.is_ok())
    })
    .await
}

/// Runs a request with a worker that stands still after so many polls and comes to itself when another one is done with
/// everything; whether it was done before.
async fn stands_still_after(mut polls: usize, kind: Kind) -> bool {
    let place = Place::new().await;
    let asked = place.ask(&NewRequest::new(kind, vec![user_id("amy")])).await;
    let expected = if kind == Kind::Deletion { ERASED } else { FOUND };
    loop {
        let mut worker = pin!(place.connector().run_due());
        if !ends_within(&mut worker, &mut polls).await {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            place.clock.advance(LEASE);
            assert_eq!(state(&place.finish(&asked.id).await), expected, "after {polls} polls");
            let log = place.actions().await.len();
            worker.await.unwrap();
            assert_eq!(place.actions().await.len(), log, "it writes nothing more");
            break;
        }
        if place.request(&asked.id).await.state.status().is_final() {
            return true;
        }
        if let Some(at) = place.connector().next_due().await.unwrap() {
            place.clock.set(at.micros().max(place.clock.micros()));
        }
    }
    assert_eq!(state(&place.request(&asked.id).await), expected);
    if kind == Kind::Deletion {
        assert_eq!(place.upstream.deletions(), [["amy"]], "each deletion is accepted exactly once");
    }
    assert!(connector::audit::verify(place.connector().store()).await.unwrap().is_ok());
    false
}

#[tokio::test]
async fn check_27_a_worker_that_stood_still_at_any_point_of_a_deletion_changes_nothing_after_another_took_over() {
    let mut polls = 1;
    while !stands_still_after(polls, Kind::Deletion).await {
        polls += 2;
    }
    assert!(polls > 12, "{polls} points were tried");
}

#[tokio::test]
async fn check_27_a_worker_that_stood_still_at_any_point_of_an_access_changes_nothing_after_another_took_over() {
    let mut polls = 1;
    while !stands_still_after(polls, Kind::Access).await {
        polls += 2;
    }
    assert!(polls > 12, "{polls} points were tried");
}

#[tokio::test]
async fn check_27_a_deletion_whose_worker_waits_for_ever_is_found_out_by_another() {
    let mut place = Place::new().await;
    place.patience = std::time::Duration::from_secs(600);
    place.reopen().await;
    place.upstream.fail(calls::DELETE, 1, Fault::Hang);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    let first = async {
        loop {
            if place.connector().run_due().await.unwrap() == 0
                && let Some(at) = place.connector().next_due().await.unwrap()
            {
                place.clock.set(at.micros().max(place.clock.micros()));
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = first => unreachable!("it works for ever"),
        () = async {
            while place.upstream.deletions().is_empty() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    // The claim holds for as long as it says, and then anybody may have it.
    place.clock.advance(LEASE - SECOND);
    assert_eq!(place.connector().run_due().await.unwrap(), 0);
    place.clock.advance(SECOND);
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
    assert_eq!(place.upstream.deletions(), [["amy"]]);
}

#[tokio::test]
async fn check_27_workers_beside_one_another_make_each_step_once() {
    const REQUESTS: usize = 12;
    let place = Place::new().await;
    let mut asked = Vec::new();
    for number in 0..REQUESTS {
        place.upstream.set(|world| world.add(&format!("u{number}"), "x@example.com"));
        asked.push(place.ask(&NewRequest::new(Kind::Access, vec![user_id(&format!("u{number}"))])).await.id);
    }
    let is_open = async || {
        for id in &asked {
            if !place.request(id).await.state.status().is_final() {
                return true;
            }
        }
        false
    };
    while is_open().await {
        let [a, b, c] = [(); 3].map(|()| place.connector().run_due());
        let (a, b, c) = tokio::join!(a, b, c);
        let ran = a.unwrap() + b.unwrap() + c.unwrap();
        if let (0, Some(at)) = (ran, place.connector().next_due().await.unwrap()) {
            place.clock.set(at.micros().max(place.clock.micros()));
        }
    }
    for call in [calls::QUERY, calls::EXPORT, calls::REPORT] {
        assert_eq!(place.upstream.count(call), REQUESTS, "{call}");
    }
}

#[tokio::test]
async fn check_27_a_process_whose_directory_was_taken_over_writes_nothing_more() {
    let place = Place::new().await;
    let dir = tempfile::tempdir().unwrap();
    // The lock of the operating system keeps a second process out; a store whose lock does not hold has two.
    let store = Store::open(&dir.path().join("store"), &Options::default()).unwrap();
    let first = Connector::on(store.clone(), dir.path(), place.setup()).await.unwrap();
    let pair = || pair(KEY, SECRET);
    first.connect(&place.stream(), pair()).await.unwrap();
    let asked = first.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await.unwrap().request().id.clone();
    let second = Connector::on(store, dir.path(), place.setup()).await.unwrap();
    place.upstream.forget();
    assert!(matches!(first.run_due().await, Err(Error::Superseded)));
    assert!(matches!(first.cancel(&asked, "operator").await, Err(Error::Superseded)));
    let refused = first.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await.unwrap_err();
    assert!(refused.to_string().contains("another process has taken over"), "{refused}");
    assert_eq!(place.upstream.calls(), [""; 0], "nothing leaves a process that was replaced");
    while !second.request(&asked).await.unwrap().state.status().is_final() {
        second.run_due().await.unwrap();
        if let Some(at) = second.next_due().await.unwrap() {
            place.clock.set(at.micros().max(place.clock.micros()));
        }
    }
    assert_eq!(place.upstream.deletions(), [["amy"]]);
    assert!(connector::audit::verify(second.store()).await.unwrap().is_ok());
}
