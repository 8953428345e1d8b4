//! Row 3: an activity added to a feed with 10,000 followers, until a follower reads it.
//!
//! The subject is timed from the `POST` to the follower's `GET` that shows the activity, a different follower each time, so
//! that no timeline is kept warm by being asked. Redis is timed from the first to the last of the writes to 10,000
//! lists, pipelined, and one read of the last: without a front, and with commands encoded beforehand.

mod copying;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Row;
use crate::api::{Api, SECRET, path};
use crate::bench::{Bench, Server};
use crate::bound::Bound;
use crate::data::edge;
use crate::disk::Disk;
use crate::http::{self, Connection};
use crate::redis::Durability;
use crate::report::{Line, grouped};
use crate::stats::{Mixed, median};
use crate::token::Scope;
use copying::{Copies, in_memory_us};

/// Followers of the feed that is not popular.
const FEW: usize = 10;
/// Follows in one request.
const FOLLOWS: usize = 1_000;
/// Reads until an activity must have been seen.
const READS_MAX: usize = 10_000;

pub(crate) const ROW: Row = Row {
    number: 3,
    name: "add an activity, 10,000 followers, readable by the last",
    must: "≥ 10× Redis",
    goal: "≥ 50×; durable ack ≤ 1.3× one fdatasync, same at 10 and 10,000",
    wants_redis: true,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let followers = bench.sizes.followers;
    let folder = bench.folder("data-add")?;
    let server = bench.serve(&folder).await?;
    let mut popular = Author::new(&server, "popular", followers).await?;
    let mut quiet = Author::new(&server, "quiet", FEW).await?;
    let mut disk = Disk::new(bench.root())?;
    let mut redis = Copies::start(bench, followers).await?;
    let mut found = Found::default();
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 3: round {round} of {}", bench.sizes.rounds));
        found.add_subject(popular.add(bench.sizes.samples).await?);
        found.sync.push(median(&disk.sync_us(bench.sizes.samples)?));
        found.few.push(median(&quiet.add(bench.sizes.samples).await?.acknowledged));
        found.memory.push(in_memory_us(followers, bench.sizes.samples));
        if let Ok(redis) = &mut redis {
            let samples = bench.sizes.redis_samples;
            found.always.push(median(&redis.add_us(Durability::Always, samples).await?));
            found.every_second.push(median(&redis.add_us(Durability::EverySecond, samples).await?));
        }
    }
    Ok(found.into_lines(followers, redis.err()))
}

/// Medians of each round, in microseconds.
#[derive(Default)]
struct Found {
    readable: Vec<f64>,
    acknowledged: Vec<f64>,
    few: Vec<f64>,
    sync: Vec<f64>,
    memory: Vec<f64>,
    always: Vec<f64>,
    every_second: Vec<f64>,
}

impl Found {
    fn add_subject(&mut self, times: Times) {
        self.readable.push(median(&times.readable));
        self.acknowledged.push(median(&times.acknowledged));
    }

    fn into_lines(self, followers: usize, missing: Option<crate::install::Missing>) -> Vec<Line> {
        let followers = grouped(followers as u64);
        let readable = || Line::new(format!("add, {followers} followers, until readable"), "µs", &self.readable);
        let acknowledged = || Line::new(format!("add, {followers} followers, durable ack"), "µs", &self.acknowledged);
        let beside_redis = |name: &str, samples: &[f64]| match &missing {
            None => readable().under(name, samples),
            Some(missing) => readable().missing(name, missing),
        };
        vec![
            beside_redis("Redis, appendfsync always", &self.always)
                .must(Bound::AtLeast(10.0))
                .goal(Bound::AtLeast(50.0)),
            beside_redis("Redis, appendfsync everysec", &self.every_second),
            readable().over("in-memory copies, no disk, no network", &self.memory),
            acknowledged().over("one append and fdatasync", &self.sync).goal(Bound::AtMost(1.3)),
            acknowledged().over(&format!("itself at {FEW} followers"), &self.few).goal(Bound::AtMost(1.1)),
        ]
    }
}

/// Times of single adds, in microseconds.
struct Times {
    acknowledged: Vec<f64>,
    readable: Vec<f64>,
}

/// A feed with followers, and the connections of its author and of those who read.
struct Author {
    name: &'static str,
    followers: usize,
    author: Connection,
    reader: Connection,
    token: String,
    mixed: Mixed,
    added: usize,
}

impl Author {
    async fn new(server: &Server, name: &'static str, followers: usize) -> Result<Self> {
        let mut api = server.api().await?;
        follow(&mut api, name, followers).await?;
        Ok(Self {
            name,
            followers,
            author: Connection::open(server.address).await?,
            reader: Connection::open(server.address).await?,
            token: Scope::everything().sign(SECRET)?,
            mixed: Mixed::new(followers as u64),
            added: 0,
        })
    }

    /// Adds `count` activities, each read by some follower before the next.
    async fn add(&mut self, count: usize) -> Result<Times> {
        let mut times = Times { acknowledged: Vec::new(), readable: Vec::new() };
        for _ in 0..count {
            let (acknowledged, readable) = self.add_one().await?;
            times.acknowledged.push(acknowledged);
            times.readable.push(readable);
        }
        Ok(times)
    }

    async fn add_one(&mut self) -> Result<(f64, f64)> {
        self.added += 1;
        let body =
            json!({ "actor": "SU:amy", "verb": "post", "object": format!("note:{}", self.added), "text": "A heron." });
        let post = http::post(&path(&format!("feed/user/{}/", self.name), ""), Some(&self.token), &body.to_string());
        let follower = format!("feed/timeline/{}/", follower(self.name, self.mixed.below(self.followers)));
        let get = http::get(&path(&follower, "&limit=1"), Some(&self.token));

        let since = Instant::now();
        let response = self.author.exchange(&post).await?;
        let acknowledged = since.elapsed();
        ensure!(response.status == 201, "adding an activity: status {}", response.status);
        let id = id_of(response.body)?;
        let readable = read_until(&mut self.reader, &get, &id, since).await?;
        Ok((acknowledged.as_secs_f64() * 1e6, readable))
    }
}

/// Reads until the first activity is `id`, and returns the microseconds from `since`.
async fn read_until(reader: &mut Connection, get: &[u8], id: &str, since: Instant) -> Result<f64> {
    for _ in 0..READS_MAX {
        let response = reader.exchange(get).await?;
        let elapsed = since.elapsed();
        ensure!(response.status == 200, "reading a follower's timeline: status {}", response.status);
        if is_first(response.body, id)? {
            return Ok(elapsed.as_secs_f64() * 1e6);
        }
    }
    anyhow::bail!("an acknowledged activity is not readable after {READS_MAX} reads")
}

fn id_of(body: &[u8]) -> Result<String> {
    let value: Value = serde_json::from_slice(body)?;
    Ok(value["id"].as_str().context("an activity without id")?.to_owned())
}

fn is_first(body: &[u8], id: &str) -> Result<bool> {
    let value: Value = serde_json::from_slice(body)?;
    Ok(value["results"][0]["id"] == id)
}

fn follower(name: &str, number: usize) -> String {
    format!("{name}-{number:06}")
}

async fn follow(api: &mut Api, name: &str, followers: usize) -> Result<()> {
    let target = format!("user:{name}");
    for first in (0..followers).step_by(FOLLOWS) {
        let edges: Vec<Value> = (first..followers.min(first + FOLLOWS))
            .map(|number| edge(&format!("timeline:{}", follower(name, number)), &target))
            .collect();
        api.post("follow_many/", "", &Value::Array(edges)).await?;
    }
    Ok(())
}
