//! Kills: the work is dropped at one await point after another, and the process starts again on what is on disk.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use connector::{Connector, Error, NewRequest, Setup, requests::Kind, status::Status, surroundings::Surroundings};

use crate::place::*;

/// A future that dies when it has been polled so often.
struct Mortal<'a, F> {
    work: Pin<&'a mut F>,
    polls: &'a mut usize,
}

impl<F: Future> Future for Mortal<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if *self.polls == 0 {
            return Poll::Ready(None);
        }
        *self.polls -= 1;
        self.work.as_mut().poll(context).map(Some)
    }
}

/// Runs a request and kills the process after so many polls; answers whether it lived to the end.
async fn killed_after(mut polls: usize, kind: Kind) -> bool {
    let mut place = Place::new().await;
    let asked = place.ask(&NewRequest::new(kind, vec![user_id("amy")])).await;
    let lived = loop {
        let work = pin!(place.connector().run_due());
        if (Mortal { work, polls: &mut polls }).await.is_none() {
            break false;
        }
        if place.request(&asked.id).await.state.status().is_final() {
            break true;
        }
        if let Some(at) = place.connector().next_due().await.unwrap() {
            place.clock.set(at.micros().max(place.clock.micros()));
        }
    };
    place.reopen().await;
    let request = place.finish(&asked.id).await;
    match kind {
        Kind::Deletion => {
            assert_eq!(state(&request), ERASED);
            assert_eq!(place.upstream.deletions(), [["amy"]], "each deletion is accepted exactly once");
        }
        Kind::Access => {
            assert_eq!(state(&request), FOUND);
            let package = place.package(&request).await;
            connector::package::verify(std::io::Cursor::new(&package.0)).unwrap();
        }
    }
    assert!(connector::audit::verify(place.connector().store()).await.unwrap().is_ok());
    lived
}

#[tokio::test]
async fn check_23_a_deletion_survives_a_kill_at_any_point_and_is_accepted_once() {
    let mut polls = 1;
    while !killed_after(polls, Kind::Deletion).await {
        polls += 2;
    }
    assert!(polls > 12, "{polls} points were tried");
}

#[tokio::test]
async fn check_23_an_access_survives_a_kill_at_any_point() {
    let mut polls = 1;
    while !killed_after(polls, Kind::Access).await {
        polls += 2;
    }
    assert!(polls > 12, "{polls} points were tried");
}

/// Kills `work` after so many polls; whether it lived to its end.
async fn lives<F: Future>(work: F, polls: usize) -> bool {
    let mut polls = polls;
    (Mortal { work: pin!(work), polls: &mut polls }).await.is_some()
}

/// What a receiver hears of an access, if the process is killed after so many polls of the delivery and starts again;
/// and whether the delivery lived to its end.
async fn heard(polls: usize) -> (Vec<String>, bool) {
    let mut place = Place::new().await;
    let (url, _, taken) = crate::hooks::receiver().await;
    place.connector().add_webhook(&url).await.unwrap();
    place.access(user_id("amy")).await;
    let lived = lives(place.connector().deliver_due(), polls).await;
    place.reopen().await;
    while place.connector().deliver_due().await.unwrap() > 0 {}
    let mut known = Vec::new();
    let mut events = Vec::new();
    for (headers, body) in taken.lock().iter() {
        // A receiver that knows an event by its id takes it once.
        if !known.contains(&headers["webhook-id"]) {
            known.push(headers["webhook-id"].clone());
            let event: serde_json::Value = serde_json::from_str(body).unwrap();
            events.push(format!("{} {}", event["type"], event["data"]["status"]));
        }
    }
    (events, lived)
}

#[tokio::test]
async fn check_23_a_kill_in_a_callback_sends_the_same_event_again() {
    let (expected, _) = heard(usize::MAX).await;
    assert!(expected.last().unwrap().contains("complete"), "{expected:?}");
    for polls in 0.. {
        let (events, lived) = heard(polls).await;
        assert_eq!(events, expected, "killed after {polls} polls");
        if lived {
            assert!(polls > 3, "{polls} points were tried");
            break;
        }
    }
}

#[tokio::test]
async fn check_23_a_kill_in_the_rotation_of_keys_is_finished_by_the_next_one() {
    let mut polls = 0;
    loop {
        let mut place = Place::new().await;
        let lived = lives(place.connector().rotate_keys(kek_of(9)), polls).await;
        // Until the rotation is done the old key opens the directory, and after it the new one.
        if place.try_reopen().await.is_ok() {
            place.connector().rotate_keys(kek_of(9)).await.unwrap();
        }
        place.kek = 9;
        place.reopen().await;
        connector::keys::verify(place.connector().store(), place.connector().keyring()).await.unwrap();
        assert_eq!(state(&place.access(user_id("amy")).await), FOUND, "killed after {polls} polls");
        if lived {
            break;
        }
        polls += 1;
    }
    assert!(polls > 3, "{polls} points were tried");
}

#[tokio::test]
async fn check_27_a_second_process_on_the_directory_is_refused() {
    let place = Place::new().await;
    let http = connector::upstream::Http::new(connector::upstream::HttpOptions::default()).unwrap();
    let setup = Setup { kek: kek(), surroundings: Surroundings::system(), http, dialects: Vec::new() };
    assert!(matches!(Connector::open(place.dir.path(), setup).await.err(), Some(Error::Open(_))));
}

#[tokio::test]
async fn what_was_asked_is_there_after_a_restart() {
    let mut place = Place::new().await;
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    place.reopen().await;
    assert_eq!(place.request(&asked.id).await.state.status(), Status::Queued);
    assert_eq!(state(&place.finish(&asked.id).await), FOUND);
}
