//! Clocks that jump (§12.1, §14).

use connector::{NewRequest, requests::Kind};
use testing::upstream::calls;

use crate::place::*;

/// A deletion whose job is awaited.
async fn awaited(place: &Place, user: &str) -> String {
    place.upstream.set(|world| {
        world.add(user, "x@example.com");
        world.task_words = vec!["running".into()];
    });
    let before = place.upstream.deletions().len();
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id(user)])).await;
    while place.upstream.deletions().len() == before {
        place.run().await;
        if let Some(at) = place.connector().next_due().await.unwrap() {
            place.clock.set(at.micros().max(place.clock.micros()));
        }
    }
    place.run().await;
    asked.id
}

#[tokio::test]
async fn check_35_a_clock_that_steps_back_is_told_of_once() {
    let place = Place::new().await;
    let told = async || place.actions().await.iter().filter(|action| *action == "clock.stepped_back").count();
    place.connector().look_at_clock().await.unwrap();
    place.clock.advance(-30 * SECOND);
    place.connector().look_at_clock().await.unwrap();
    assert_eq!(told().await, 0, "half a minute is no step");
    place.clock.advance(-10 * MINUTE);
    for _ in 0..3 {
        place.connector().look_at_clock().await.unwrap();
    }
    assert_eq!(told().await, 1);
}

#[tokio::test]
async fn check_35_looks_at_jobs_that_were_missed_are_made_once_and_spread_over_a_minute() {
    const JOBS: usize = 12;
    let mut place = Place::new().await;
    for number in 0..JOBS {
        awaited(&place, &format!("u{number}")).await;
    }
    // Nobody looks for three hours: the machine slept, and then the process is started again.
    for is_new in [false, true] {
        place.connector().look_at_clock().await.unwrap();
        place.clock.advance(3 * HOUR);
        if is_new {
            place.reopen().await;
        }
        place.connector().look_at_clock().await.unwrap();
        place.upstream.forget();
        let back = place.clock.micros();
        place.run_until(back + MINUTE).await;
        let looks: Vec<i64> =
            place.upstream.seen().iter().filter(|seen| seen.call == calls::TASK).map(|seen| seen.at - back).collect();
        assert_eq!(looks.len(), JOBS, "each once: {looks:?}");
        let early = looks.iter().filter(|at| **at < MINUTE / 2).count();
        assert!((1..JOBS).contains(&early), "not all at once: {looks:?}");
    }
}
