//! Check 40: a batch of ten thousand deletions with wrong rows, through a restart in its middle, and somebody who asks
//! meanwhile.
//!
//! One small test in a process of its own, so that it is soon built with optimisation.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

#[path = "../shared/size.rs"]
mod size;
#[path = "../shared/start.rs"]
mod start;

use std::sync::Arc;

use connector::{Connector, http::Service};
use serde_json::{Value, json};
use store::Options;
use testing::{clock::HandClock, upstream::Upstream};

const START: i64 = 1_767_225_600_000_000;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const KEY: &str = "batchkey01";
const SECRET: &str = "a-secret-that-is-long-enough-for-hs256";
/// The rows, without and with `MILLPOND_SCALE`.
const ROWS: (usize, usize) = (100, 10_000);
/// One row in so many is wrong.
const WRONG_EVERY: usize = 100;
const PAGE: usize = 200;

struct Office {
    connector: Option<Arc<Connector>>,
    clock: HandClock,
    upstream: Upstream,
    dir: tempfile::TempDir,
}

impl Office {
    /// A connector and a service with the users of all rows.
    async fn with_users(users: usize) -> Self {
        let clock = HandClock::at(START);
        let upstream = Upstream::start(KEY, SECRET, &clock).await;
        upstream.set(|world| {
            world.add("amy", "amy@example.com");
            (0..users).for_each(|number| world.add(&user(number), &format!("{number}@example.com")));
        });
        let dir = tempfile::tempdir().unwrap();
        let mut office = Office { connector: None, clock, upstream, dir };
        office.open().await;
        start::connect(office.connector(), office.upstream.url(), "stream_v2", (KEY, SECRET)).await;
        office
    }

    /// What a process has that is killed and started again.
    async fn open(&mut self) {
        drop(self.connector.take());
        self.connector = Some(Arc::new(start::open(self.dir.path(), &self.clock, Options::default()).await));
    }

    fn connector(&self) -> &Arc<Connector> {
        self.connector.as_ref().unwrap()
    }

    async fn call(&self, method: &str, path: &str, body: Vec<u8>, media_type: &str) -> Vec<u8> {
        let service = Service::local(self.connector().clone());
        let reply = service.send(method, path, body, Some(media_type), None).await.unwrap();
        assert!(reply.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&reply.body));
        reply.body
    }

    async fn get(&self, path: &str) -> Value {
        serde_json::from_slice(&self.call("GET", path, Vec::new(), "application/json").await).unwrap()
    }

    /// One round of the worker: what is due, and then the next moment at which something is.
    async fn round(&self) {
        let ran = self.connector().run_due().await.unwrap() + self.connector().run_batches().await.unwrap();
        self.upstream.forget();
        if ran == 0 {
            let due = self.connector().next_due().await.unwrap().map(|at| at.micros());
            let soon = self.clock.micros() + SECOND;
            self.clock.set(due.map_or(soon, |due| due.clamp(self.clock.micros() + 1, soon)));
        }
    }

    /// How many calls deleted somebody.
    fn deletions(&self) -> usize {
        self.upstream.set(|world| world.deletions.len())
    }
}

fn user(number: usize) -> String {
    format!("user-{number:05}")
}

fn rows(count: usize) -> String {
    let row = |number: usize| match number % WRONG_EVERY {
        99 => json!({"type": "deletion", "identifiers": [{"category": "email", "value": "canary"}]}),
        _ => json!({
            "type": "deletion",
            "external_id": format!("T-{number}"),
            "identifiers": [{"category": "user_id", "value": user(number)}],
        }),
    };
    (0..count).map(|number| format!("{}\n", row(number))).collect()
}

#[tokio::test]
async fn check_40_ten_thousand_deletions_survive_a_restart_and_each_row_has_its_result() {
    let rows_count = size::sized(ROWS.0, ROWS.1, ROWS.1);
    let wrong = rows_count / WRONG_EVERY;
    let mut office = Office::with_users(rows_count).await;
    let path = format!("/v1/batches?i_know=true&max_deletions_per_hour={rows_count}");
    let made = office.call("POST", &path, rows(rows_count).into_bytes(), "application/x-ndjson").await;
    let made: Value = serde_json::from_slice(&made).unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    while office.deletions() < rows_count / 2 {
        office.round().await;
    }
    office.open().await;

    // A single request meanwhile does not wait for the batch.
    let asked = json!({"type": "access", "identifiers": [{"category": "user_id", "value": "amy"}]}).to_string();
    let asked = office.call("POST", "/v1/requests", asked.into_bytes(), "application/json").await;
    let asked: Value = serde_json::from_slice(&asked).unwrap();
    let began = office.clock.micros();
    while office.get(asked["links"]["self"].as_str().unwrap()).await["status"] != "complete" {
        office.round().await;
    }
    assert!(office.clock.micros() - began < MINUTE, "{} s", (office.clock.micros() - began) / SECOND);

    while office.connector().batch(&id).await.unwrap().finished_at.is_none() {
        office.round().await;
    }
    let done = office.get(&format!("/v1/batches/{id}")).await;
    let expected = json!({
        "total": rows_count, "queued": 0, "processing": 0, "complete": rows_count - wrong, "no_records": 0, "failed": wrong,
        "held": 0, "canceled": 0, "eta_s": null,
    });
    assert_eq!((&done["state"], &done["progress"]), (&json!("completed"), &expected));
    assert!(office.upstream.deletions().iter().all(|ids| ids.len() <= 100));
    let mut deleted = office.upstream.deletions().concat();
    deleted.sort_unstable();
    let meant: Vec<String> = (0..rows_count).filter(|number| number % WRONG_EVERY != 99).map(user).collect();
    assert_eq!(deleted, meant, "each is deleted once");
    let invalid = office.get(&format!("/v1/batches/{id}/rows?status=invalid&limit={PAGE}")).await;
    assert_eq!(invalid["data"].as_array().unwrap().len(), wrong);
    let report = office.call("GET", &format!("/v1/batches/{id}/report.csv"), Vec::new(), "application/json").await;
    assert_eq!(report.split(|byte| *byte == b'\n').count(), rows_count + 2, "a head, and the end of the last line");
}
