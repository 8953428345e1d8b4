//! What waits for receivers of events (§17): nobody waits for what is another's.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use connector::{NewRequest, hooks::DeliveryState, requests::Kind};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::{
    hooks::{Taken, receiver},
    place::*,
};

/// The requests whose events were taken.
fn requests(taken: &Taken) -> BTreeSet<String> {
    let event = |body: &str| serde_json::from_str::<Value>(body).unwrap();
    taken.lock().iter().map(|(_, body)| event(body)["data"]["request_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn check_44_events_that_wait_to_be_sent_again_hold_up_no_other_request() {
    let place = Place::new().await;
    let (url, status, taken) = receiver().await;
    let (hook, _) = place.connector().add_webhook(&url).await.unwrap();
    status.store(503, Ordering::SeqCst);
    let mut asked = BTreeSet::new();
    for number in 0..=store::Limit::PAGE.rows {
        asked.insert(place.ask(&NewRequest::new(Kind::Access, vec![user_id(&format!("amy-{number}"))])).await.id);
    }
    while place.connector().deliver_due().await.unwrap() > 0 {}
    status.store(200, Ordering::SeqCst);
    let late = place.ask(&NewRequest::new(Kind::Access, vec![user_id("late")])).await.id;
    while place.connector().deliver_due().await.unwrap() > 0 {}
    assert_eq!(requests(&taken), BTreeSet::from([late.clone()]), "the others are not due again yet");
    place.clock.advance(HOUR);
    while place.connector().deliver_due().await.unwrap() > 0 {}
    asked.insert(late);
    assert_eq!(requests(&taken), asked);
    assert_eq!(taken.lock().len(), asked.len(), "each was taken once");
    let waiting = place.connector().deliveries(&hook.id, Some(DeliveryState::Pending), None, 10).await.unwrap();
    assert!(waiting.0.is_empty(), "{waiting:?}");
}

#[tokio::test]
async fn check_44_what_waits_is_known_after_a_restart_and_sent_in_order() {
    let mut place = Place::new().await;
    let (url, status, taken) = receiver().await;
    place.connector().add_webhook(&url).await.unwrap();
    status.store(503, Ordering::SeqCst);
    let request = place.access(user_id("amy")).await;
    place.connector().deliver_due().await.unwrap();
    status.store(200, Ordering::SeqCst);
    place.reopen().await;
    place.clock.advance(HOUR);
    while place.connector().deliver_due().await.unwrap() > 0 {}
    let events: Vec<Value> = taken.lock().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert!(events.iter().all(|event| event["data"]["request_id"] == request.id));
    let told: Vec<&str> = events.iter().map(|event| event["data"]["status"].as_str().unwrap()).collect();
    assert_eq!(told, ["queued", "processing", "complete", "complete"]);
}

/// A receiver that takes calls and never answers; the flags say whether one came, and whether somebody gave up on it.
async fn silent() -> (String, Arc<AtomicBool>, Arc<AtomicBool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (came, left) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (comes, leaves) = (came.clone(), left.clone());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            comes.store(true, Ordering::SeqCst);
            let mut bytes = [0; 4096];
            while socket.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
            leaves.store(true, Ordering::SeqCst);
        }
    });
    (url, came, left)
}

#[tokio::test]
async fn check_44_a_receiver_that_does_not_answer_holds_up_no_other_receiver() {
    let place = Place::new().await;
    let (url, came, left) = silent().await;
    place.connector().add_webhook(&url).await.unwrap();
    let (url, _, taken) = receiver().await;
    place.connector().add_webhook(&url).await.unwrap();
    let (url, is_called_back, _) = silent().await;
    place.connector().add_webhook(&url).await.unwrap();
    place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    let stop = tokio::sync::Notify::new();
    let until_taken = async {
        while taken.lock().is_empty() || !came.load(Ordering::SeqCst) || !is_called_back.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        let was_left = left.load(Ordering::SeqCst);
        stop.notify_one();
        was_left
    };
    let (worked, was_left) = tokio::join!(place.connector().work(stop.notified()), until_taken);
    worked.unwrap();
    assert!(!was_left, "the others were told while the call to the first was still open");
}

#[tokio::test]
async fn every_receiver_is_told_however_many_and_however_long_their_addresses_are() {
    let place = Place::new().await;
    let (url, _, taken) = receiver().await;
    let long = |bytes: usize| format!("{url}?{}", "x".repeat(bytes - url.len() - 1));
    assert!(place.connector().add_webhook(&long(2_049)).await.is_err());
    let mut hooks = 0;
    while place.connector().add_webhook(&long(2_048)).await.is_ok() {
        hooks += 1;
    }
    assert_eq!(hooks, 20);
    place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    place.connector().deliver_due().await.unwrap();
    assert_eq!(taken.lock().len(), hooks);
}
