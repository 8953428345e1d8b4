//! Batches: §15.5.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use connector::{Filter, NewRequest, http::Reply, requests::Kind};
use serde_json::{Value, json};
use testing::upstream::calls;

use crate::{hooks::receiver, place::*};

/// The contract's 10,000 rows are in `tests/batch`.
const ROWS: usize = 100;
const STEPS_MAX: usize = 2_000_000;

async fn send(place: &Place, path: &str, media_type: &str, text: &str) -> Reply {
    place.send("POST", path, media_type, text.as_bytes().to_vec()).await
}

async fn call(place: &Place, method: &str, path: &str) -> Reply {
    place.send(method, path, "application/json", Vec::new()).await
}

async fn batch(place: &Place, id: &str) -> Value {
    call(place, "GET", &format!("/v1/batches/{id}")).await.json()
}

/// One round of the worker: what is due, and then the next moment at which something is.
async fn round(place: &Place) {
    let ran = place.connector().run_due().await.unwrap() + place.connector().run_batches().await.unwrap();
    if ran == 0 {
        let due = place.connector().next_due().await.unwrap().map(|at| at.micros());
        let soon = place.clock.micros() + SECOND;
        place.clock.set(due.map_or(soon, |due| due.clamp(place.clock.micros() + 1, soon)));
    }
}

/// Works until the batch is in this state.
async fn until(place: &Place, id: &str, state: &str) -> Value {
    for _ in 0..STEPS_MAX {
        round(place).await;
        let state_now = place.connector().batch(id).await.unwrap().state.word();
        if state_now == state {
            return batch(place, id).await;
        }
    }
    panic!("it never becomes {state}: {}", batch(place, id).await);
}

fn populate(place: &Place, users: usize) {
    place.upstream.set(|world| {
        for number in 0..users {
            world.add(&format!("user-{number:04}"), &format!("user-{number}@example.com"));
        }
    });
}

/// Lines that delete users; every hundredth is wrong.
fn deletions(rows: usize) -> String {
    let line = |number: usize| match number % 100 {
        99 => "{\"type\":\"deletion\",\"identifiers\":[{\"category\":\"email\",\"value\":\"canary\"}]}\n".to_owned(),
        _ => format!(
            "{}\n",
            json!({
                "type": "deletion",
                "external_id": format!("T-{number}"),
                "identifiers": [{"category": "user_id", "value": format!("user-{number:04}")}],
            })
        ),
    };
    (0..rows).map(line).collect()
}

#[tokio::test]
async fn check_40_a_batch_survives_a_restart_and_has_a_result_for_every_row() {
    let mut place = Place::new().await;
    // One row in a hundred is wrong.
    let (rows, wrong) = (ROWS, ROWS / 100);
    populate(&place, rows);
    let (url, _, taken) = receiver().await;
    place.connector().add_webhook(&url).await.unwrap();
    let path = format!("/v1/batches?i_know=true&max_deletions_per_hour={rows}");
    let made = send(&place, &path, "application/x-ndjson", &deletions(rows)).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["progress"]["failed"], wrong, "what is wrong is told before anything runs");
    while place.upstream.deletions().len() < rows / 2 {
        round(&place).await;
    }
    place.reopen().await;
    // A single request meanwhile does not wait for the batch.
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    let started = place.clock.micros();
    while !place.request(&asked.id).await.state.status().is_final() {
        round(&place).await;
    }
    assert!(place.clock.micros() - started < MINUTE, "{} s", (place.clock.micros() - started) / SECOND);
    let done = until(&place, &id, "completed").await;
    let expected = json!({
        "total": rows, "queued": 0, "processing": 0, "complete": rows - wrong, "no_records": 0, "failed": wrong, "held": 0,
        "canceled": 0, "eta_s": null,
    });
    assert_eq!(done["progress"], expected);
    let mut deleted: Vec<String> = place.upstream.deletions().into_iter().flatten().collect();
    assert!(place.upstream.deletions().iter().all(|ids| ids.len() <= 100));
    let all = deleted.len();
    deleted.sort_unstable();
    deleted.dedup();
    assert_eq!((all, deleted.len()), (rows - wrong, rows - wrong), "each is deleted once");
    let invalid = call(&place, "GET", &format!("/v1/batches/{id}/rows?status=invalid&limit=200")).await.json();
    assert_eq!(invalid["data"].as_array().unwrap().len(), wrong);
    assert_eq!(invalid["data"][0]["row"], 100);
    let report = String::from_utf8(call(&place, "GET", &format!("/v1/batches/{id}/report.csv")).await.body).unwrap();
    assert_eq!(report.lines().count(), rows + 1);
    assert!(report.contains("1,T-0,deletion,dsr_") && report.contains(",complete,erased,"));
    assert!(!report.contains("user-0") && !report.contains("canary"), "a report names nobody");
    while place.connector().deliver_due().await.unwrap() > 0 {}
    let completed = taken.lock().iter().filter(|(_, body)| body.contains("\"batch.completed\"")).count();
    assert_eq!(completed, 1);
}

/// Polls `work` so often and then drops it, as a process that is killed; whether it ended before.
async fn ends_within(work: impl Future<Output = ()>, polls: &mut usize) -> bool {
    let mut work = pin!(work);
    poll_fn(|context| {
        if *polls == 0 {
            return Poll::Ready(false);
        }
        *polls -= 1;
        work.as_mut().poll(context).map(|()| true)
    })
    .await
}

/// Runs a batch and kills the process after so many polls; whether it lived to the end.
async fn killed_after(mut polls: usize) -> bool {
    let mut place = Place::new().await;
    populate(&place, 3);
    let made = send(&place, "/v1/batches?i_know=true", "application/x-ndjson", &deletions(3)).await.json();
    let id = made["id"].as_str().unwrap().to_owned();
    let mut is_alive = true;
    while is_alive && place.connector().batch(&id).await.unwrap().finished_at.is_none() {
        is_alive = ends_within(round(&place), &mut polls).await;
    }
    place.reopen().await;
    until(&place, &id, "completed").await;
    let mut deleted = place.upstream.deletions().concat();
    deleted.sort_unstable();
    assert_eq!(deleted, ["user-0000", "user-0001", "user-0002"], "each is deleted once");
    let all = place.connector().requests(&Filter::default(), None, 10).await.unwrap().requests;
    assert_eq!(all.len(), 3, "each row is one request");
    is_alive
}

#[tokio::test]
async fn check_23_a_batch_survives_a_kill_at_any_point_and_asks_once_for_each_row() {
    let mut polls = 1;
    while !killed_after(polls).await {
        polls += 11;
    }
    assert!(polls > 12, "{polls} points were tried");
}

#[tokio::test]
async fn check_40_deletions_of_a_batch_stay_below_the_fuse() {
    let place = Place::new().await;
    populate(&place, 8);
    let path = "/v1/batches?i_know=true&max_deletions_per_hour=3";
    let made = send(&place, path, "application/x-ndjson", &deletions(8)).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let started = place.clock.micros();
    until(&place, &id, "completed").await;
    assert!(place.clock.micros() - started >= 2 * HOUR);
    let sent = place.upstream.seen().into_iter().filter(|seen| seen.call == calls::DELETE);
    let sent: Vec<i64> = sent.map(|seen| seen.at).collect();
    for first in &sent {
        let within = sent.iter().filter(|at| (*first..*first + 50 * MINUTE).contains(at)).count();
        assert!(within <= 3, "{within} within an hour");
    }
}

#[tokio::test]
async fn check_40_the_fuse_is_one_for_all_batches() {
    let place = Place::new().await;
    populate(&place, 6);
    let rows = deletions(6);
    let (some, rest) = rows.split_at(rows.match_indices('\n').nth(2).unwrap().0 + 1);
    let started = place.clock.micros();
    for rows in [some, rest] {
        let made = send(&place, "/v1/batches?i_know=true&max_deletions_per_hour=4", "application/x-ndjson", rows).await;
        assert_eq!(made.status, 201);
    }
    while place.clock.micros() < started + HOUR - MINUTE {
        round(&place).await;
    }
    assert_eq!(place.upstream.deletions().len(), 4, "whichever batches they are of");
    while place.upstream.deletions().len() < 6 {
        round(&place).await;
    }
    assert!(place.clock.micros() >= started + HOUR);
}

#[tokio::test]
async fn check_40_a_batch_that_deletes_a_large_share_of_the_users_waits_for_a_person() {
    let place = Place::new().await;
    populate(&place, 150);
    let line = |id: &str| {
        format!("{{\"type\":\"deletion\",\"identifiers\":[{{\"category\":\"user_id\",\"value\":\"{id}\"}}]}}\n")
    };
    let few = (0..7).map(|number| line(&format!("user-{number:04}"))).collect::<String>();
    let made = send(&place, "/v1/batches", "application/x-ndjson", &few).await.json();
    assert_eq!(made["state"], "checking");
    until(&place, made["id"].as_str().unwrap(), "completed").await;
    assert_eq!(place.upstream.deletions().len(), 7, "7 of 151 are a small share");
    let many = (7..17).map(|number| line(&format!("user-{number:04}"))).collect::<String>();
    let made = send(&place, "/v1/batches", "application/x-ndjson", &many).await.json();
    let id = made["id"].as_str().unwrap();
    let held = until(&place, id, "held").await;
    assert_eq!((&held["reason"], &held["users_counted"]), (&json!("share_too_large"), &json!(144)));
    assert_eq!(place.upstream.deletions().len(), 7);
    assert_eq!(call(&place, "POST", &format!("/v1/batches/{id}/resume")).await.status, 200);
    until(&place, id, "completed").await;
    assert_eq!(place.upstream.deletions().len(), 17);
}

#[tokio::test]
async fn check_40_a_table_is_read_and_a_paused_batch_stands_still_until_it_is_canceled() {
    let place = Place::new().await;
    populate(&place, 60);
    let mut table = "type,user_id,external_id,integration\r\n".to_owned();
    for number in 0..60 {
        table.push_str(&format!("access,user-{number:04},=cmd{number},Stream\r\n"));
    }
    let made = send(&place, "/v1/batches", "text/csv", &table).await.json();
    let id = made["id"].as_str().unwrap();
    round(&place).await;
    let paused = call(&place, "POST", &format!("/v1/batches/{id}/pause")).await.json();
    assert_eq!(paused["state"], "paused");
    for _ in 0..400 {
        round(&place).await;
    }
    let stands = batch(&place, id).await;
    assert_eq!((&stands["progress"]["complete"], &stands["progress"]["queued"]), (&json!(20), &json!(40)));
    let canceled = call(&place, "POST", &format!("/v1/batches/{id}/cancel")).await.json();
    assert_eq!((&canceled["state"], &canceled["progress"]["canceled"]), (&json!("canceled"), &json!(40)));
    assert_eq!(call(&place, "POST", &format!("/v1/batches/{id}/resume")).await.status, 409);
    let report = String::from_utf8(call(&place, "GET", &format!("/v1/batches/{id}/report.csv")).await.body).unwrap();
    assert!(report.contains(",'=cmd0,"), "a cell is never a formula");
    let refused = send(&place, "/v1/batches", "text/csv", "type,colour\r\naccess,red\r\n").await;
    assert_eq!(refused.status, 422);
    assert_eq!(send(&place, "/v1/batches", "application/x-ndjson", "\n").await.status, 422);
}
