//! Slow answers: they are cut off by what they bring, and hold up nobody else.

use std::time::Duration;

use connector::{NewRequest, requests::Kind, status::Status};
use testing::upstream::{Fault, calls};

use crate::place::*;

const HOURS: Duration = Duration::from_secs(7200);

#[tokio::test]
async fn check_32_a_body_that_trickles_is_cut_off_and_asked_for_again() {
    let place = Place::new().await;
    place.upstream.fail(calls::EXPORT, 1, Fault::Trickle(Duration::from_millis(5)));
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    assert_eq!(place.upstream.count(calls::EXPORT), 2);
    let detail = place.detail(&request).await;
    let (_, attempts) = detail.tasks.iter().find(|(task, _)| task.attempts == 2).expect("one was tried twice");
    assert!(attempts[0].bytes < attempts[1].bytes, "{attempts:?}");
}

#[tokio::test]
async fn check_32_calls_that_hang_hold_up_no_other_request() {
    let mut place = Place::new().await;
    // Nobody here lives to see an answer that hangs.
    place.patience = HOURS;
    place.reopen().await;
    place.upstream.set(|world| (0..12).for_each(|n| world.add(&format!("u{n}"), "x@example.com")));
    place.upstream.fail(calls::EXPORT, 3, Fault::Hang);
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(place.ask(&NewRequest::new(Kind::Access, vec![user_id(&format!("u{n}"))])).await.id);
    }
    let connector = place.shared();
    let (mut settled, mut left) = (0, ids.clone());
    let others = async {
        while settled < 9 {
            place.clock.advance(SECOND / 100);
            let mut open = Vec::new();
            for id in left.drain(..) {
                let is_done = place.request(&id).await.state.status() == Status::Complete;
                settled += usize::from(is_done);
                if !is_done {
                    open.push(id);
                }
            }
            left = open;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        worked = connector.work(std::future::pending()) => panic!("it works for ever: {worked:?}"),
        () = others => {}
    }
    assert_eq!(place.upstream.count(calls::EXPORT), 12, "three hang, nine were answered");
    for id in &left {
        assert_eq!(place.request(id).await.state.status(), Status::Processing);
    }
}
