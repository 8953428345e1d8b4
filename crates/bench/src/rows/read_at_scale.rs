//! Row 13: the median latency of a page with ever more entries in the store.
//!
//! A server for each power of ten, all running; in each round each is read in turn by one connection, a different timeline
//! each time. Every timeline that is read was read once before: what the first read costs is told apart.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Row;
use super::feed_page::PAGE;
use crate::api::{SECRET, path};
use crate::bench::{Bench, Server};
use crate::bound::Bound;
use crate::data::timeline;
use crate::http::{self, Connection};
use crate::report::{Line, grouped};
use crate::stats::{Mixed, median};
use crate::token::Scope;

/// The smallest store.
const SMALLEST: u64 = 1_000;
/// Timelines of each store that are read.
const READ_MAX: u64 = 2_000;
/// Reads in one round, for each sample of other rows.
const READS: usize = 20;

pub(crate) const ROW: Row = Row {
    number: 13,
    name: "read p50 from 10³ to 10⁷ entries",
    must: "≤ 2×",
    goal: "≤ 1.3×",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let mut stores = Vec::new();
    for entries in sizes(bench.sizes.scale) {
        let data = bench.data_set(entries).await?;
        let server = bench.serve(&data.folder).await?;
        stores.push(Store::open(server, data.shape.entries(), data.shape.timelines).await?);
    }
    let reads = bench.sizes.samples * READS;
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 13: round {round} of {}", bench.sizes.rounds));
        for store in &mut stores {
            let time = store.read_us(reads, round as u64).await?;
            store.times.push(time);
        }
    }
    Ok(into_lines(&stores))
}

/// Every power of ten up to `scale`, and `scale`.
fn sizes(scale: u64) -> Vec<u64> {
    let powers = std::iter::successors(Some(SMALLEST), |size| size.checked_mul(10));
    powers.take_while(|size| *size < scale).chain([scale]).collect()
}

fn into_lines(stores: &[Store]) -> Vec<Line> {
    let Some((smallest, larger)) = stores.split_first() else { return Vec::new() };
    let name = format!("itself at {} entries", grouped(smallest.entries));
    let line = |store: &Store| {
        let what = format!("page p50 at {} entries", grouped(store.entries));
        let line = Line::new(what, "µs", &store.times).over(&name, &smallest.times);
        line.must(Bound::AtMost(2.0)).goal(Bound::AtMost(1.3))
    };
    let first = |store: &Store| {
        Line::new(
            format!("first read of a timeline, p50 at {} entries", grouped(store.entries)),
            "µs",
            &[store.first_read],
        )
    };
    if larger.is_empty() {
        return vec![line(smallest), first(smallest)];
    }
    larger.iter().map(line).chain(larger.last().map(first)).collect()
}

/// A running server and the requests that read it.
struct Store {
    entries: u64,
    requests: Vec<Vec<u8>>,
    connection: Connection,
    /// The median time of the first read of each timeline, in microseconds.
    first_read: f64,
    /// Medians of each round, in microseconds.
    times: Vec<f64>,
    /// Kept running for as long as it is read.
    _server: Server,
}

impl Store {
    async fn open(server: Server, entries: u64, timelines: u64) -> Result<Self> {
        let token = Scope::everything().sign(SECRET)?;
        let request = |number| {
            let endpoint = format!("feed/timeline/{}/", timeline(number));
            http::get(&path(&endpoint, &format!("&limit={PAGE}")), Some(&token))
        };
        let requests: Vec<Vec<u8>> = (0..timelines.min(READ_MAX)).map(request).collect();
        let mut connection = connect(server.address).await?;
        let mut times = Vec::new();
        for request in &requests {
            times.push(read_us(&mut connection, request).await?);
        }
        Ok(Self { entries, requests, connection, first_read: median(&times), times: Vec::new(), _server: server })
    }

    /// The median time of `count` reads of timelines in a mixed order, in microseconds.
    async fn read_us(&mut self, count: usize, seed: u64) -> Result<f64> {
        let mut mixed = Mixed::new(seed);
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let request = &self.requests[mixed.below(self.requests.len())];
            times.push(read_us(&mut self.connection, request).await?);
        }
        Ok(median(&times))
    }
}

async fn connect(address: SocketAddr) -> Result<Connection> {
    Connection::open(address).await.context("opening a store")
}

async fn read_us(connection: &mut Connection, request: &[u8]) -> Result<f64> {
    let since = Instant::now();
    let response = connection.exchange(request).await?;
    let elapsed = since.elapsed();
    let count = memchr::memmem::find_iter(response.body, b"\"foreign_id\":\"note:").count();
    ensure!(response.status == 200, "reading a page: status {}", response.status);
    ensure!(count == PAGE, "{count} activities on a page");
    Ok(elapsed.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_powers_of_ten_up_to_the_scale() {
        assert_eq!(sizes(1_000), [1_000]);
        assert_eq!(sizes(10_000), [1_000, 10_000]);
        assert_eq!(sizes(250_000), [1_000, 10_000, 100_000, 250_000]);
    }
}
