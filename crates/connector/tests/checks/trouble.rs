//! Trouble on the way: §7.2, §7.3, §14.

use connector::{
    NewRequest,
    integrations::Health,
    requests::Kind,
    status::{Reason, Status},
};
use testing::upstream::{Fault, calls};

use crate::place::*;

/// The requests of the storm.
const STORM: usize = 200;

#[tokio::test]
async fn check_28_a_storm_of_429_is_waited_out_by_everybody() {
    let place = Place::new().await;
    place.upstream.set(|world| (0..STORM).for_each(|n| world.add(&format!("u{n}"), "x@example.com")));
    let storm_until = START + 5 * MINUTE;
    place.upstream.set(|world| world.storm_until = storm_until);
    let mut requests = Vec::new();
    for n in 0..STORM {
        requests.push(place.ask(&NewRequest::new(Kind::Access, vec![user_id(&format!("u{n}"))])).await);
    }
    place.run_until(START + 2 * HOUR).await;
    for request in requests {
        assert_eq!(state(&place.request(&request.id).await), FOUND);
    }
    let seen = place.upstream.seen();
    let refused = seen.iter().filter(|seen| seen.status == 429).count();
    assert!(refused <= 4, "the class is closed at once: {refused}");
    let early = seen.iter().filter(|seen| seen.at > START && seen.at < storm_until).count();
    assert_eq!(early, 0, "no call before the reset");
}

#[tokio::test]
async fn check_29_the_pace_stays_below_the_limit() {
    let place = Place::new().await;
    place.upstream.set(|world| {
        (0..50).for_each(|n| world.add(&format!("u{n}"), "x@example.com"));
        world.limit = Some(60);
    });
    for n in 0..50 {
        place.ask(&NewRequest::new(Kind::Access, vec![user_id(&format!("u{n}"))])).await;
    }
    place.run_until(START + HOUR).await;
    let seen = place.upstream.seen();
    assert!(seen.iter().all(|seen| seen.status == 200));
    let queries: Vec<i64> = seen.iter().filter(|seen| seen.call == calls::QUERY).map(|seen| seen.at).collect();
    let busiest = queries.iter().map(|at| queries.iter().filter(|other| (*at..at + MINUTE).contains(other)).count());
    assert!(busiest.max().unwrap() <= 46);
    assert_eq!(queries.len(), 50);
}

#[tokio::test]
async fn check_31_an_access_comes_through_a_bad_day() {
    let place = Place::new().await;
    for status in [500, 502, 503, 504] {
        place.upstream.fail(calls::QUERY, 1, Fault::Status(status, -1));
        place.upstream.fail(calls::EXPORT, 1, Fault::Bare(status));
    }
    place.upstream.fail(calls::REPORT, 2, Fault::Status(408, 23));
    place.upstream.fail(calls::REPORT, 1, Fault::Garbage);
    place.upstream.fail(calls::REPORT, 1, Fault::Hang);
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    let detail = place.detail(&request).await;
    let tries: Vec<usize> =
        detail.tasks.iter().map(|(_, attempts)| attempts.len()).filter(|tries| *tries > 0).collect();
    assert_eq!(tries, [5, 5, 5]);
}

#[tokio::test]
async fn check_33_a_server_that_is_away_is_waited_for() {
    let place = Place::new().await;
    place.upstream.fail(calls::QUERY, usize::MAX, Fault::Refuse);
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    place.run_until(START + 10 * MINUTE).await;
    let request = place.request(&asked.id).await;
    assert_eq!(request.state.status(), Status::Retrying);
    assert!(request.state.reason().is_some());
    assert!(place.detail(&request).await.execution.next_run_at.is_some());
    place.upstream.heal();
    assert_eq!(state(&place.finish(&asked.id).await), FOUND);
}

#[tokio::test]
async fn check_34_requests_wait_for_a_new_secret_and_go_on_by_themselves() {
    let place = Place::new().await;
    place.upstream.set(|world| world.secret = "another-secret".into());
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    place.run_until(START + HOUR).await;
    let request = place.request(&asked.id).await;
    assert_eq!(state(&request), (Status::Retrying, None, Some(Reason::IntegrationDisconnected)));
    assert_eq!(place.connector().integrations().await.unwrap()[0].health, Health::Disconnected);
    let (id, new) = (&place.integration, pair(KEY, "another-secret"));
    place.connector().rotate_credentials(id, &new, false).await.unwrap();
    place.run().await;
    assert_eq!(state(&place.finish(&asked.id).await), FOUND);
    assert_eq!(place.connector().integrations().await.unwrap()[0].health, Health::Connected);
}

#[tokio::test]
async fn check_35_a_clock_that_steps_back_makes_nothing_run_twice() {
    let place = Place::new().await;
    place.upstream.set(|world| world.task_words = vec!["running".into(), "running".into(), "completed".into()]);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until_deleted().await;
    place.clock.advance(-10 * MINUTE);
    place.run().await;
    assert_eq!(place.upstream.count(calls::TASK), 0);
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
    assert_eq!(place.upstream.deletions().len(), 1);
}

/// Above it a table of ten equal shares is not by chance, but one time in a thousand.
const CHI_SQUARED_MAX: f64 = 27.88;

#[tokio::test]
async fn check_31_with_three_in_ten_calls_failing_every_access_completes_and_every_attempt_is_logged() {
    const REQUESTS: usize = 60;
    let place = Place::new().await;
    place.upstream.set(|world| (0..REQUESTS).for_each(|n| world.add(&format!("u{n}"), "x@example.com")));
    let mix = vec![
        Fault::Status(500, -1),
        Fault::Bare(500),
        Fault::Bare(502),
        Fault::Bare(503),
        Fault::Bare(504),
        Fault::Status(408, 23),
    ];
    place.upstream.rain(31, 30, mix);
    let (mut logged, mut waits) = (0, Vec::new());
    // One after another, so that nothing is waited for but the failures.
    for n in 0..REQUESTS {
        let request = place.access(user_id(&format!("u{n}"))).await;
        assert_eq!(state(&request), FOUND, "access {n}");
        for (task, attempts) in place.detail(&request).await.tasks {
            let Some((last, failed)) = attempts.split_last() else { continue };
            assert_eq!(last.http, Some(200), "{:?}", task.kind);
            assert!(failed.iter().all(|attempt| matches!(attempt.http, Some(408 | 500 | 502..=504))));
            logged += attempts.len();
            for (number, pair) in (0..).zip(attempts.windows(2)) {
                let cap = (SECOND << number).min(MINUTE);
                waits.push((pair[1].started_at.micros() - pair[0].started_at.micros()) as f64 / cap as f64);
            }
        }
    }
    let seen = place.upstream.seen();
    assert_eq!(logged, seen.len(), "every call is an attempt in the log");
    let failed = seen.iter().filter(|seen| seen.status != 200).count();
    assert!((20..=40).contains(&(failed * 100 / seen.len())), "{failed} of {}", seen.len());
    let mut tenths = [0_usize; 10];
    for wait in &waits {
        tenths[((wait * 10.0) as usize).min(9)] += 1;
    }
    let expected = waits.len() as f64 / 10.0;
    let chi_squared: f64 = tenths.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum();
    assert!(waits.len() > 50 && chi_squared < CHI_SQUARED_MAX, "waits are spread evenly: {tenths:?}");
}
