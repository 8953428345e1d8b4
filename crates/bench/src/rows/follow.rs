//! Row 4: a feed with more than 300 activities is followed, with a copy of its newest 300.
//!
//! Throughput: every connection follows with one new timeline after the other. The limit is a hyper server that reads the
//! same `POST` and answers the same bytes without storing anything; Redis reads 300 ids and merges them into the follower's
//! sorted set, from as many connections. After each round some of the new timelines are read to see that exactly 300
//! activities arrived.

mod merging;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Row;
use crate::api::{Api, SECRET, path};
use crate::bench::Bench;
use crate::bound::Bound;
use crate::data::activity;
use crate::http::{self, Connection, Response};
use crate::load::Script;
use crate::redis::Durability;
use crate::report::Line;
use crate::stats::Mixed;
use crate::token::Scope;
use crate::verify::Expected;
use merging::Merges;

/// What a follow copies.
const COPIED: usize = 300;
/// What there is to copy from.
const POSTED: u64 = 320;
/// New timelines that are read after a round.
const READ: usize = 10;
/// The feed that is followed.
const TARGET: &str = "copied";

pub(crate) const ROW: Row = Row {
    number: 4,
    name: "follow with copy of 300",
    must: "≥ 5× Redis",
    goal: "≥ 0.6× a bare small POST",
    wants_redis: true,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let folder = bench.folder("data-follow")?;
    let server = bench.serve(&folder).await?;
    let mut api = server.api().await?;
    post(&mut api).await?;
    let followers = Followers::new(Connection::open(server.address).await?).await?;
    let hyper = bench.hyper(201, &followers.body).await?;
    let mut redis = Merges::start(bench).await?;
    let count = bench.sizes.connections;
    let (mut subject, mut limit, mut always, mut every_second) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 4: round {round} of {}", bench.sizes.rounds));
        subject.push(bench.throughput("follow", server.address, followers.scripts(count)?).await?);
        followers.check(&mut api).await?;
        limit.push(bench.throughput("small POST, hyper", hyper.address, followers.scripts_for_hyper(count)).await?);
        if let Ok(redis) = &mut redis {
            always.push(redis.throughput(Durability::Always, &bench.sizes).await?);
            every_second.push(redis.throughput(Durability::EverySecond, &bench.sizes).await?);
        }
    }
    let line = || Line::new(format!("follow with copy of {COPIED}, {count} connections"), "req/s", &subject);
    let beside_redis = |name: &str, samples: &[f64]| match &redis {
        Ok(_) => line().over(name, samples),
        Err(missing) => line().missing(name, missing),
    };
    Ok(vec![
        beside_redis("Redis, appendfsync always", &always).must(Bound::AtLeast(5.0)),
        beside_redis("Redis, appendfsync everysec", &every_second),
        line().over("hyper, bare small POST", &limit).goal(Bound::AtLeast(0.6)),
    ])
}

async fn post(api: &mut Api) -> Result<()> {
    for first in (0..POSTED).step_by(80) {
        let activities: Vec<Value> = (first..first + 80).map(|number| activity(TARGET, number)).collect();
        api.post(&format!("feed/user/{TARGET}/"), "", &json!({ "activities": activities })).await?;
    }
    Ok(())
}

/// Timelines that have not followed yet, without end.
struct Followers {
    /// The number of the next; each is used once.
    next: Arc<AtomicU64>,
    template: Template,
    /// The answer to a follow.
    body: Vec<u8>,
}

impl Followers {
    /// Lets a first timeline follow, to see the answer.
    async fn new(mut connection: Connection) -> Result<Self> {
        let template = Template::new()?;
        let response = connection.exchange(&template.request).await?;
        ensure!(response.status == 201, "following: status {}", response.status);
        let body = response.body.to_vec();
        Ok(Self { next: Arc::new(AtomicU64::new(1)), template, body })
    }

    fn scripts(&self, count: usize) -> Result<Vec<Follow>> {
        let expected = Expected::with_duration(201, &self.body)?;
        Ok(self.make(&self.next, &expected, count))
    }

    /// The same requests to the limit, which has its own numbers because nobody follows there.
    fn scripts_for_hyper(&self, count: usize) -> Vec<Follow> {
        self.make(&Arc::default(), &Expected::exactly(201, &self.body), count)
    }

    fn make(&self, next: &Arc<AtomicU64>, expected: &Expected, count: usize) -> Vec<Follow> {
        let script = Follow { next: Arc::clone(next), template: self.template.clone(), expected: expected.clone() };
        vec![script; count]
    }

    /// Reads some of the timelines that have followed.
    async fn check(&self, api: &mut Api) -> Result<()> {
        let followed = self.next.load(Ordering::Relaxed);
        let mut mixed = Mixed::new(followed);
        for _ in 0..READ {
            let number = mixed.below(usize::try_from(followed)?) as u64;
            check_one(api, number).await.with_context(|| format!("reading {}", follower(number)))?;
        }
        Ok(())
    }
}

/// The last page of the copy is full, and behind it is nothing.
async fn check_one(api: &mut Api, number: u64) -> Result<()> {
    let endpoint = format!("feed/timeline/{}/", follower(number));
    let first = api.get(&endpoint, "&limit=1").await?;
    let newest = format!("note:{:08}", POSTED - 1);
    ensure!(first["results"][0]["foreign_id"] == newest, "the newest is {}", first["results"][0]["foreign_id"]);
    let page = api.get(&endpoint, &format!("&limit=100&offset={}", COPIED - 100)).await?;
    let count = page["results"].as_array().map_or(0, Vec::len);
    ensure!(count == 100, "{count} activities instead of the last 100 of {COPIED}");
    let behind = api.get(&endpoint, &format!("&limit=1&offset={COPIED}")).await?;
    ensure!(behind["results"] == json!([]), "more than {COPIED} activities");
    Ok(())
}

/// Follows with one timeline after the other.
#[derive(Clone)]
struct Follow {
    next: Arc<AtomicU64>,
    template: Template,
    expected: Expected,
}

impl Script for Follow {
    fn request(&mut self) -> &[u8] {
        self.template.fill(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn check(&mut self, response: &Response<'_>) -> Result<()> {
        self.expected.check(response)
    }
}

/// A follow whose follower's number is written over the bytes of the one before.
#[derive(Clone)]
struct Template {
    request: Vec<u8>,
    digits: usize,
}

/// Digits of a follower's number.
const DIGITS: usize = 9;

impl Template {
    fn new() -> Result<Self> {
        let first = follower(0);
        let body = json!({ "target": format!("user:{TARGET}"), "activity_copy_limit": COPIED }).to_string();
        let token = Scope::everything().sign(SECRET)?;
        let request = http::post(&path(&format!("feed/timeline/{first}/following/"), ""), Some(&token), &body);
        let place = memchr::memmem::find(&request, first.as_bytes()).context("no follower in the request")?;
        Ok(Self { digits: place + first.len() - DIGITS, request })
    }

    fn fill(&mut self, number: u64) -> &[u8] {
        let mut rest = number;
        for digit in self.request[self.digits..self.digits + DIGITS].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        &self.request
    }
}

fn follower(number: u64) -> String {
    format!("f{number:09}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_each_follower() {
        let mut template = Template::new().unwrap();
        for number in [0, 7, 123_456_789] {
            let request = String::from_utf8(template.fill(number).to_vec()).unwrap();
            let path = format!("POST /api/v1.0/feed/timeline/{}/following/?api_key=", follower(number));
            assert!(request.starts_with(&path), "{request}");
        }
    }
}
