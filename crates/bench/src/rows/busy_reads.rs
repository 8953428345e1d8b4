//! Row 14: how long a page takes while a popular feed posts, beside how long it takes when nobody does.
//!
//! Followers of the popular feed are read in turn over 64 connections, open loop, at half of what the subject does while the
//! feed posts: first while it does not, then while 20 activities a second reach every one of them. Each page is looked through: it has 25
//! activities. That the posts arrived is seen after each round.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::Row;
use super::feed_page::PAGE;
use super::feed_page_tail::Found;
use crate::api::{Api, SECRET, path};
use crate::bench::{Bench, Server};
use crate::bound::Bound;
use crate::data::{self, Shape, edge, timeline};
use crate::http::{self, Connection, Response};
use crate::load::{self, Opened, Script};
use crate::report::{Line, grouped};
use crate::token::Scope;

/// What the popular feed posts in a second.
const POSTS_A_SECOND: u32 = 20;
/// The feed that everybody follows.
const POPULAR: &str = "popular";
/// Follows in one request.
const FOLLOWS: usize = 1_000;

pub(crate) const ROW: Row = Row {
    number: 14,
    name: "read p99 while 20 posts/s go to 10,000 followers each",
    must: "≤ 4× quiet",
    goal: "≤ 1.5×",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let crowd = Crowd::load(bench).await?;
    crowd.read_each().await?;
    // Half of what it does when nobody posts would be all that it can do while somebody does, and the better it keeps pages, the
    // sooner: what is measured then is a queue.
    let rate = bench.calmest("row 14", async |bench| {
        let posting = Posting::start(crowd.server.address, &crowd.posted);
        let rate = bench.throughput("followers' pages", crowd.server.address, crowd.scripts(bench)).await;
        posting.stop().await?;
        rate
    });
    let rate = rate.await? / 2.0;
    let (mut quiet, mut busy) = (Found::default(), Found::default());
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 14: round {round} of {}", bench.sizes.rounds));
        let found = bench.calmest("row 14", async |bench| {
            let before = crowd.read(bench, rate).await.context("reading while nobody posts")?;
            let posting = Posting::start(crowd.server.address, &crowd.posted);
            let beside = crowd.read(bench, rate).await;
            posting.stop().await?;
            crowd.check().await?;
            Ok((before, beside.context("reading while somebody posts")?))
        });
        let (before, beside) = found.await?;
        quiet.add(bench, "row 14", &before);
        busy.add(bench, "row 14", &beside);
    }
    bench.notes.push(format!(
        "row 14: {} posts in all; the client handed out requests at most {:.0} µs late (p99)",
        crowd.posted.load(Ordering::Relaxed),
        quiet.lag.max(busy.lag)
    ));
    let rate = grouped(rate as u64);
    let followers = grouped(crowd.followers as u64);
    let line = |what: &str, samples: &[f64]| {
        let what = format!("page {what} at {rate} req/s, {POSTS_A_SECOND} posts/s to {followers} followers each");
        Line::new(what, "µs", samples)
    };
    Ok(vec![
        line("p99", &busy.tail).over("itself, quiet", &quiet.tail).must(Bound::AtMost(4.0)).goal(Bound::AtMost(1.5)),
        line("p50", &busy.middle).over("itself, quiet", &quiet.middle),
    ])
}

/// A subject in which many timelines follow one feed, and some others so that their pages are full.
struct Crowd {
    server: Server,
    followers: usize,
    /// The requests that read them.
    requests: Arc<[Vec<u8>]>,
    /// The next that is read.
    next: Arc<AtomicUsize>,
    /// Activities of the popular feed.
    posted: Arc<AtomicU64>,
}

impl Crowd {
    async fn load(bench: &mut Bench) -> Result<Self> {
        bench.progress.now("loading followers");
        let followers = bench.sizes.followers;
        let server = bench.serve(&bench.folder("data-crowd")?).await?;
        let shape = Shape { authors: 100, posts: 30, followed: 20, timelines: followers as u64 };
        let timelines = data::load(server.address, &shape, bench.sizes.load_max).await?;
        ensure!(timelines == shape.timelines, "only {timelines} timelines were loaded in time");
        let mut api = server.api().await?;
        let edges: Vec<Value> = (0..timelines)
            .map(|number| edge(&format!("timeline:{}", timeline(number)), &format!("user:{POPULAR}")))
            .collect();
        for some in edges.chunks(FOLLOWS) {
            api.post("follow_many/", "", &json!(some)).await?;
        }
        let token = Scope::everything().sign(SECRET)?;
        let request = |number| {
            http::get(&path(&format!("feed/timeline/{}/", timeline(number)), &format!("&limit={PAGE}")), Some(&token))
        };
        let requests = (0..timelines).map(request).collect();
        Ok(Self { server, followers, requests, next: Arc::default(), posted: Arc::default() })
    }

    fn scripts(&self, bench: &Bench) -> Vec<Reader> {
        let reader = || Reader { requests: Arc::clone(&self.requests), next: Arc::clone(&self.next) };
        std::iter::repeat_with(reader).take(bench.sizes.connections).collect()
    }

    /// Reads each follower's page once: all that is measured are pages that were read before.
    async fn read_each(&self) -> Result<()> {
        let mut connection = Connection::open(self.server.address).await?;
        for request in &*self.requests {
            let response = connection.exchange(request).await?;
            ensure!(response.status == 200, "reading a page: status {}", response.status);
        }
        Ok(())
    }

    async fn read(&self, bench: &Bench, rate: f64) -> Result<Opened> {
        load::open(self.server.address, self.scripts(bench), rate, bench.sizes.measure, bench.pace()).await
    }

    /// The newest activity of the popular feed is the first that a follower sees.
    async fn check(&self) -> Result<()> {
        let last = note(self.posted.load(Ordering::Relaxed).checked_sub(1).context("nothing was posted")?);
        let mut api = self.server.api().await?;
        for number in [0, self.followers as u64 / 2, self.followers as u64 - 1] {
            let page = api.get(&format!("feed/timeline/{}/", timeline(number)), "&limit=1").await?;
            let first = &page["results"][0]["foreign_id"];
            ensure!(first == &last, "{} shows {first} first and not {last}", timeline(number));
        }
        Ok(())
    }
}

fn note(number: u64) -> String {
    format!("note:{POPULAR}-{number}")
}

/// Reads one follower after the other.
struct Reader {
    requests: Arc<[Vec<u8>]>,
    next: Arc<AtomicUsize>,
}

impl Script for Reader {
    fn request(&mut self) -> &[u8] {
        &self.requests[self.next.fetch_add(1, Ordering::Relaxed) % self.requests.len()]
    }

    fn check(&mut self, response: &Response<'_>) -> Result<()> {
        let count = memchr::memmem::find_iter(response.body, b"\"foreign_id\":\"note:").count();
        ensure!(response.status == 200, "reading a page: status {}", response.status);
        ensure!(count == PAGE, "{count} activities on a page");
        Ok(())
    }
}

/// Somebody who posts until told to stop.
struct Posting {
    task: tokio::task::JoinHandle<Result<()>>,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Posting {
    fn start(address: SocketAddr, posted: &Arc<AtomicU64>) -> Self {
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let posted = Arc::clone(posted);
        let task = tokio::spawn(async move {
            let mut api = Api::open(address).await?;
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / POSTS_A_SECOND);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                tokio::select! {
                    _ = ticks.tick() => post(&mut api, &posted).await?,
                    _ = &mut stopped => return Ok(()),
                }
            }
        });
        Self { task, stop }
    }

    /// A post that is on its way is waited for.
    async fn stop(self) -> Result<()> {
        // Whoever has failed no longer listens.
        let _ = self.stop.send(());
        self.task.await.context("the task that posts failed")?.context("posting")
    }
}

async fn post(api: &mut Api, posted: &AtomicU64) -> Result<()> {
    let number = posted.load(Ordering::Relaxed);
    let body = json!({ "actor": "SU:popular", "verb": "post", "object": note(number), "foreign_id": note(number), "text": "A heron." });
    api.post(&format!("feed/user/{POPULAR}/"), "", &body).await?;
    posted.fetch_add(1, Ordering::Relaxed);
    Ok(())
}
