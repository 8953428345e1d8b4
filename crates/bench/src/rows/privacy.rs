//! Row 12: all that a person has in feeds is exported, and erased.
//!
//! Alternately with the server, the run writes a file of the export's bytes and syncs it, which is what no export can do
//! without. An export is timed from the request until its task is completed, an erasure likewise; both are looked at every
//! [`EVERY`]. How long the erasure's own request takes, after which no query finds the person, is set beside one small
//! append and its `fdatasync`. The store holds as many activities of somebody else.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Row;
use crate::api::{Api, KEY, SECRET};
use crate::bench::Bench;
use crate::bound::Bound;
use crate::data::activity;
use crate::disk::Disk;
use crate::http::{self, Connection};
use crate::report::{Line, grouped};
use crate::stats::median;
use crate::token::sign_server;
use crate::verify::excerpt;

/// How often a task is looked at.
const EVERY: Duration = Duration::from_millis(2);
/// How long a task may take.
const TASK_MAX: Duration = Duration::from_secs(120);
/// Activities in one request.
const BATCH: u64 = 100;
/// Appends and syncs that are timed in one round.
const SYNCS: usize = 50;

pub(crate) const ROW: Row = Row {
    number: 12,
    name: "GDPR export / erase of 10,000 activities",
    must: "≥ 0.3× disk",
    goal: "≥ 0.7× disk; hidden within 2 fdatasync",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let folder = bench.folder("data-privacy")?;
    let server = bench.serve(&folder).await?;
    let (mut api, mut desk) = (server.api().await?, Desk::open(server.address).await?);
    let count = bench.sizes.activities;
    post(&mut api, "somebody", count).await?;
    let mut disk = Disk::new(bench.root())?;
    let mut found = Found::default();
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 12: round {round} of {}", bench.sizes.rounds));
        let person = format!("person{round}");
        desk.make(&person).await?;
        post(&mut api, &person, count).await?;
        let (export, bytes) = desk.export(&person, count).await?;
        found.export.push(export);
        found.disk.push(written_ms(bench, &bytes)?);
        let (hidden, erased) = desk.erase(&person).await?;
        found.hidden.push(hidden * 1e3);
        found.erase.push(erased);
        found.sync.push(median(&disk.sync_us(SYNCS)?));
        let left = api.get(&format!("feed/user/{person}/"), "").await?;
        ensure!(left["results"] == json!([]), "activities are left after the erasure");
    }
    Ok(found.into_lines(count))
}

/// Figures of each round: milliseconds, and microseconds for what is set beside a sync.
#[derive(Default)]
struct Found {
    export: Vec<f64>,
    erase: Vec<f64>,
    disk: Vec<f64>,
    hidden: Vec<f64>,
    sync: Vec<f64>,
}

impl Found {
    fn into_lines(self, count: u64) -> Vec<Line> {
        let (count, disk) = (grouped(count), "the same bytes written and synced");
        vec![
            Line::new(format!("export of {count} activities"), "ms", &self.export)
                .under(disk, &self.disk)
                .must(Bound::AtLeast(0.3))
                .goal(Bound::AtLeast(0.7)),
            Line::new(format!("erasure of {count} activities"), "ms", &self.erase)
                .under(disk, &self.disk)
                .must(Bound::AtLeast(0.3))
                .goal(Bound::AtLeast(0.7)),
            Line::new("a person who is erased is hidden", "µs", &self.hidden)
                .over("append and fdatasync", &self.sync)
                .goal(Bound::AtMost(2.0)),
        ]
    }
}

/// Posts `count` activities of `person` to the person's feed.
async fn post(api: &mut Api, person: &str, count: u64) -> Result<()> {
    for first in (0..count).step_by(usize::try_from(BATCH)?) {
        let batch = first..(first + BATCH).min(count);
        let activities: Vec<Value> = batch.map(|number| activity(person, number)).collect();
        api.post(&format!("feed/user/{person}/"), "", &json!({ "activities": activities })).await?;
    }
    Ok(())
}

/// How long it takes to write `bytes` to a new file and to sync it, in milliseconds.
fn written_ms(bench: &Bench, bytes: &[u8]) -> Result<f64> {
    let path = bench.root().join("written");
    let since = Instant::now();
    let mut file = File::create(&path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let elapsed = since.elapsed();
    std::fs::remove_file(path)?;
    Ok(elapsed.as_secs_f64() * 1e3)
}

/// Where requests of people are dealt with: the app's own server, and a connection.
struct Desk {
    connection: Connection,
    token: String,
}

impl Desk {
    async fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self { connection: Connection::open(address).await?, token: sign_server(SECRET)? })
    }

    async fn make(&mut self, person: &str) -> Result<()> {
        let user = json!({ "users": { person: { "id": person } } });
        self.post("/api/v2/users", &user).await.map(drop)
    }

    /// Exports what the person has; how long that took in milliseconds, and the file.
    async fn export(&mut self, person: &str, count: u64) -> Result<(f64, Vec<u8>)> {
        let since = Instant::now();
        let task = self.post(&format!("/api/v2/feeds/users/{person}/export"), &Value::Null).await?;
        let done = self.completed(&task).await?;
        let elapsed = since.elapsed();
        let url = done["result"]["url"].as_str().context("no link to the export")?;
        let path = url.splitn(4, '/').nth(3).context("the link has no path")?;
        let bytes = self.send(&http::get(&format!("/{path}"), None)).await?;
        let file: Value = serde_json::from_slice(&bytes).context("reading the export")?;
        let told = file["activities"].as_array().map_or(0, Vec::len);
        ensure!(told as u64 == count, "{told} activities in the export of {count}");
        Ok((elapsed.as_secs_f64() * 1e3, bytes))
    }

    /// Erases the person; how long it took until they were hidden, and until nothing was left, in milliseconds.
    async fn erase(&mut self, person: &str) -> Result<(f64, f64)> {
        let hard = json!({ "user_ids": [person], "user": "hard", "messages": "hard", "conversations": "hard" });
        let since = Instant::now();
        let task = self.post("/api/v2/users/delete", &hard).await?;
        let hidden = since.elapsed();
        let done = self.completed(&task).await?;
        let elapsed = since.elapsed();
        ensure!(done["result"][person]["status"] == "ok", "the erasure ended with {}", done["result"]);
        Ok((hidden.as_secs_f64() * 1e3, elapsed.as_secs_f64() * 1e3))
    }

    /// The task when it is completed.
    async fn completed(&mut self, task: &Value) -> Result<Value> {
        let id = task["task_id"].as_str().context("no task")?;
        let request = http::get(&format!("/api/v2/tasks/{id}?api_key={KEY}"), Some(&self.token));
        let since = Instant::now();
        while since.elapsed() < TASK_MAX {
            let told: Value = serde_json::from_slice(&self.send(&request).await?)?;
            match told["status"].as_str() {
                Some("completed") => return Ok(told),
                Some("failed") => bail!("the task failed: {told}"),
                _ => tokio::time::sleep(EVERY).await,
            }
        }
        bail!("the task was not done after {TASK_MAX:?}")
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let request = http::post(&format!("{path}?api_key={KEY}"), Some(&self.token), &body.to_string());
        Ok(serde_json::from_slice(&self.send(&request).await.with_context(|| format!("POST {path}"))?)?)
    }

    async fn send(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        let response = self.connection.exchange(request).await?;
        let is_good = matches!(response.status, 200 | 201);
        ensure!(is_good, "status {}: {}", response.status, excerpt(response.body, 0));
        Ok(response.body.to_vec())
    }
}
