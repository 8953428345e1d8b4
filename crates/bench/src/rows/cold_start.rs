//! Row 10: from the start of the process to the first good answer.
//!
//! Every start is on a data directory that was closed properly, with its files in the page cache. `empty` has an app and
//! nothing else. Redis loads a snapshot of as many entries, its fastest start. How long the first timeline then takes is
//! told beside it, so that what a start puts off is seen.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use super::Row;
use crate::bench::{Bench, Server};
use crate::bound::Bound;
use crate::child::free_address;
use crate::data::{DataSet, timeline};
use crate::redis;
use crate::report::{Line, grouped};
use crate::stats::median;

/// The body of the limit.
const BODY: &[u8] = b"ok";
/// What is asked until it is answered.
const READY: &str = "/readyz";

pub(crate) const ROW: Row = Row {
    number: 10,
    name: "cold start, empty / 10⁷ entries",
    must: "≤ 2× hyper",
    goal: "≤ 1.2× / ≤ 0.1× Redis load",
    wants_redis: true,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let empty = bench.data_set(0).await?;
    let large = bench.data_set(bench.sizes.scale).await?;
    let snapshot = bench.redis_snapshot(&large.shape).await?;
    let body = bench.body_file(BODY)?;
    let mut found = Found::default();
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 10: round {round} of {}", bench.sizes.rounds));
        found.hyper.push(repeat(bench, Start::Hyper(&body)).await?);
        found.empty.push(repeat(bench, Start::Subject(&empty.folder)).await?);
        found.large.push(repeat(bench, Start::Subject(&large.folder)).await?);
        found.first_page.push(first_page_ms(bench, &large).await?);
        found.new.push(repeat(bench, Start::New).await?);
        if let (Ok(program), Ok(folder)) = (&bench.redis, &snapshot) {
            let server = redis::Server::start_on_snapshot(program, folder, &bench.cores).await?;
            found.redis.push(server.started_in.as_secs_f64() * 1e3);
            server.stop().await?;
        }
    }
    Ok(found.into_lines(large.shape.entries(), snapshot.err()))
}

/// Medians of each round, in milliseconds.
#[derive(Default)]
struct Found {
    hyper: Vec<f64>,
    empty: Vec<f64>,
    large: Vec<f64>,
    first_page: Vec<f64>,
    new: Vec<f64>,
    redis: Vec<f64>,
}

impl Found {
    fn into_lines(self, entries: u64, missing: Option<crate::install::Missing>) -> Vec<Line> {
        let entries = grouped(entries);
        let large = || Line::new(format!("cold start, {entries} entries"), "ms", &self.large);
        let beside_redis = match &missing {
            None => large().over("Redis loading its snapshot", &self.redis),
            Some(missing) => large().missing("Redis loading its snapshot", missing),
        };
        let empty = Line::new("cold start, empty", "ms", &self.empty).over("hyper", &self.hyper);
        let first_page = format!("cold start to the first timeline page, {entries} entries");
        vec![
            empty.must(Bound::AtMost(2.0)).goal(Bound::AtMost(1.2)),
            large().over("hyper", &self.hyper).must(Bound::AtMost(2.0)),
            beside_redis.goal(Bound::AtMost(0.1)),
            Line::new(first_page, "ms", &self.first_page).over("hyper", &self.hyper),
            Line::new("first start ever, on a new directory", "ms", &self.new).over("hyper", &self.hyper),
        ]
    }
}

/// What is started.
#[derive(Clone, Copy)]
enum Start<'a> {
    /// The limit, with the file of its body.
    Hyper(&'a Path),
    /// The subject, on this directory.
    Subject(&'a Path),
    /// The subject on a directory that is not there yet.
    New,
}

/// The median time of several starts, in milliseconds.
async fn repeat(bench: &Bench, start: Start<'_>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..bench.sizes.starts {
        times.push(once(bench, start).await?);
    }
    Ok(median(&times))
}

async fn once(bench: &Bench, start: Start<'_>) -> Result<f64> {
    let fresh = tempfile::tempdir_in(bench.root())?;
    let address = free_address()?;
    let listen = address.to_string();
    let since = Instant::now();
    let mut running = match start {
        Start::Hyper(body) => bench.spawn_hyper(200, body, &listen)?,
        Start::Subject(folder) => bench.spawn_subject(folder, &listen)?,
        Start::New => bench.spawn_subject(&fresh.path().join("data"), &listen)?,
    };
    let elapsed = running.first_answer(address, READY, since).await?;
    running.stop().await?;
    Ok(elapsed.as_secs_f64() * 1e3)
}

/// From the start of the process until a timeline was read.
async fn first_page_ms(bench: &Bench, data: &DataSet) -> Result<f64> {
    let address = free_address()?;
    let since = Instant::now();
    let mut running = bench.spawn_subject(&data.folder, &address.to_string())?;
    running.first_answer(address, READY, since).await?;
    let server = Server { address, running };
    let page = server.api().await?.get(&format!("feed/timeline/{}/", timeline(0)), "&limit=25").await?;
    let elapsed = since.elapsed();
    anyhow::ensure!(page["results"].as_array().is_some_and(|results| results.len() == 25), "not a whole page");
    server.running.stop().await?;
    Ok(elapsed.as_secs_f64() * 1e3)
}
