//! Row 2: the 99th percentile of the same page, open loop, at half of what bare hyper can do.

use anyhow::{Context, Result};

use super::Row;
use super::feed_page::Pages;
use crate::bench::Bench;
use crate::bound::Bound;
use crate::load::{self, Opened};
use crate::report::{Line, grouped};

pub(crate) const ROW: Row = Row {
    number: 2,
    name: "its p99, open loop at half of hyper's maximum",
    must: "≤ 3× hyper",
    goal: "≤ 1.5×",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let pages = Pages::load(bench).await?;
    let hyper = bench.hyper(200, pages.body()).await?;
    let rate = bench.calmest("row 2", async |bench| {
        bench.throughput("feed page, hyper", hyper.address, pages.scripts_for_hyper()).await
    });
    let rate = rate.await? / 2.0;
    let (length, pace) = (bench.sizes.measure, bench.pace());
    let (mut subject, mut limit) = (Found::default(), Found::default());
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 2: round {round} of {}", bench.sizes.rounds));
        let found = bench.calmest("row 2", async |_| {
            let ours = load::open(pages.server.address, pages.scripts()?, rate, length, pace).await;
            let bare = load::open(hyper.address, pages.scripts_for_hyper(), rate, length, pace).await;
            Ok((ours.context("reading pages")?, bare.context("reading pages from hyper")?))
        });
        let (ours, bare) = found.await?;
        subject.add(bench, "row 2", &ours);
        limit.add(bench, "row 2", &bare);
    }
    bench.notes.push(format!(
        "row 2: the client handed out requests at most {:.0} µs late (p99); both latencies include that",
        subject.lag.max(limit.lag)
    ));
    let rate = grouped(rate as u64);
    let tail = Line::new(format!("feed page p99 at {rate} req/s, open loop"), "µs", &subject.tail);
    let middle = Line::new(format!("feed page p50 at {rate} req/s, open loop"), "µs", &subject.middle);
    Ok(vec![
        tail.over("hyper, same bytes", &limit.tail).must(Bound::AtMost(3.0)).goal(Bound::AtMost(1.5)),
        middle.over("hyper, same bytes", &limit.middle),
    ])
}

/// Quantiles of each round, in microseconds.
#[derive(Default)]
pub(super) struct Found {
    pub(super) middle: Vec<f64>,
    pub(super) tail: Vec<f64>,
    /// How late the client was at most.
    pub(super) lag: f64,
}

impl Found {
    /// Adds a round of `row`.
    pub(super) fn add(&mut self, bench: &mut Bench, row: &str, opened: &Opened) {
        bench.watch_core(row, &opened.outcome);
        self.middle.push(opened.outcome.latency_us(0.5));
        self.tail.push(opened.outcome.latency_us(0.99));
        self.lag = self.lag.max(opened.lag_us);
    }
}
