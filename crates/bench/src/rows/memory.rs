//! Row 11: memory for each timeline entry: what the process has grown by once every timeline was read to its end.
//!
//! Each round starts the server anew on the same data and pages through all timelines. Everything that grows counts: the
//! views, the activities, the caches, and the buffers of the connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;

use super::Row;
use crate::api::{SECRET, path};
use crate::bench::Bench;
use crate::bound::Bound;
use crate::data::{DataSet, Shape, timeline};
use crate::http::{self, Connection};
use crate::redis;
use crate::report::{Line, grouped};
use crate::token::Scope;

/// Activities on a page.
const PAGE: u64 = 100;
/// Connections that read.
const READERS: usize = 8;
/// How long reading everything may take before the round goes on with what was read.
const READ_MAX: Duration = Duration::from_secs(90);
/// Rounds at most: memory varies little, and reading everything takes long.
const ROUNDS_MAX: usize = 3;

pub(crate) const ROW: Row = Row {
    number: 11,
    name: "RAM per timeline entry",
    must: "≤ 29 B",
    goal: "≤ 14 B",
    wants_redis: true,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let data = bench.data_set(bench.sizes.scale).await?;
    let rounds = bench.sizes.rounds.min(ROUNDS_MAX);
    let (mut grown, mut read) = (Vec::new(), 0);
    for round in 1..=rounds {
        bench.progress.now(&format!("row 11: round {round} of {rounds}"));
        let (bytes, entries) = read_everything(bench, &data).await?;
        grown.push(bytes);
        read = entries;
    }
    let what = format!("memory for each of {} timeline entries, all read", grouped(read));
    let subject = Line::new(what.clone(), "B", &grown).must(Bound::AtMost(29.0)).goal(Bound::AtMost(14.0));
    let beside_redis = match redis_bytes(bench, &data.shape).await? {
        Ok(bytes) => Line::new(what, "B", &grown).over("Redis, lists of 16-byte ids", &vec![bytes; grown.len()]),
        Err(missing) => Line::new(what, "B", &grown).missing("Redis, lists of 16-byte ids", &missing),
    };
    Ok(vec![subject, beside_redis])
}

/// Bytes for each entry, and how many entries were read.
async fn read_everything(bench: &Bench, data: &DataSet) -> Result<(f64, u64)> {
    let server = bench.serve(&data.folder).await?;
    let before = server.running.memory()?;
    let entries = read_all(server.address, &data.shape).await?;
    ensure!(entries > 0, "nothing was read");
    let grown = server.running.memory()?.saturating_sub(before);
    server.running.stop().await?;
    Ok((grown as f64 / entries as f64, entries))
}

/// Pages through the timelines over a few connections, and returns how many entries were read.
async fn read_all(address: SocketAddr, shape: &Shape) -> Result<u64> {
    let next = Arc::new(AtomicU64::new(0));
    let deadline = Instant::now() + READ_MAX;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let reader = Reader {
            connection: Connection::open(address).await?,
            token: Scope::everything().sign(SECRET)?,
            shape: *shape,
            next: Arc::clone(&next),
        };
        readers.spawn(reader.read(deadline));
    }
    let mut entries = 0;
    while let Some(reader) = readers.join_next().await {
        entries += reader.context("a reader failed")??;
    }
    Ok(entries)
}

struct Reader {
    connection: Connection,
    token: String,
    shape: Shape,
    next: Arc<AtomicU64>,
}

impl Reader {
    /// Reads whole timelines until there are no more, or no more time.
    async fn read(mut self, deadline: Instant) -> Result<u64> {
        let mut entries = 0;
        while Instant::now() < deadline {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.shape.timelines {
                break;
            }
            entries += self.timeline(number).await.with_context(|| format!("reading timeline {number}"))?;
        }
        Ok(entries)
    }

    async fn timeline(&mut self, number: u64) -> Result<u64> {
        let endpoint = format!("feed/timeline/{}/", timeline(number));
        let whole = self.shape.entries_each();
        for offset in (0..whole).step_by(PAGE as usize) {
            let query = format!("&limit={PAGE}&offset={offset}");
            let request = http::get(&path(&endpoint, &query), Some(&self.token));
            let response = self.connection.exchange(&request).await?;
            let count = memchr::memmem::find_iter(response.body, b"\"foreign_id\":\"note:").count() as u64;
            let expected = PAGE.min(whole - offset);
            ensure!(response.status == 200, "status {}", response.status);
            ensure!(count == expected, "{count} activities at {offset} instead of {expected}");
        }
        Ok(whole)
    }
}

/// What Redis needs for each entry of the same shape, activities included.
async fn redis_bytes(bench: &mut Bench, shape: &Shape) -> Result<Result<f64, crate::install::Missing>> {
    let folder = match bench.redis_snapshot(shape).await? {
        Ok(folder) => folder,
        Err(missing) => return Ok(Err(missing)),
    };
    let program = match &bench.redis {
        Ok(program) => program,
        Err(missing) => return Ok(Err(missing.clone())),
    };
    let empty = redis::Server::start_on_snapshot(program, &bench.folder("redis-empty")?, &bench.cores).await?;
    let before = empty.memory()?;
    empty.stop().await?;
    let loaded = redis::Server::start_on_snapshot(program, &folder, &bench.cores).await?;
    let grown = loaded.memory()?.saturating_sub(before);
    loaded.stop().await?;
    Ok(Ok(grown as f64 / shape.entries().max(1) as f64))
}
