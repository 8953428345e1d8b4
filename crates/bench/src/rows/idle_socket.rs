//! Row 9: memory for each idle WebSocket: of a user, watching a channel, for which nothing happens.
//!
//! The limit is the raw broadcaster with the same number of sockets, its buffers tuned for sockets that say little. On both
//! sides as many are open before: what the first sockets need once is not what one more costs. The users are known before,
//! too: their rows are there whether they are connected or not.

use anyhow::Result;

use super::{Row, delivery::WATCHERS};
use crate::bench::Bench;
use crate::bound::Bound;
use crate::report::Line;
use crate::room::{Room, Square};

/// Rounds at most: memory varies little, and opening sockets takes long.
const ROUNDS_MAX: usize = 3;

pub(crate) const ROW: Row = Row {
    number: 9,
    name: "idle authenticated WebSocket watching a channel",
    must: "≤ 0.6× tuned tungstenite RSS",
    goal: "≤ 2.5 KiB",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let rounds = bench.sizes.rounds.min(ROUNDS_MAX);
    let (mut subject, mut limit) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        bench.progress.now(&format!("row 9: round {round} of {rounds}"));
        let folder = tempfile::tempdir_in(bench.root())?;
        let server = bench.serve(folder.path()).await?;
        Room::introduce(server.address, 0..2 * WATCHERS).await?;
        let first = Room::open(server.address, WATCHERS).await?;
        let before = server.running.memory()?;
        let room = Room::of(server.address, WATCHERS..2 * WATCHERS).await?;
        subject.push(each(before, server.running.memory()?));
        drop((room, first));
        server.running.stop().await?;
        let raw = bench.broadcaster().await?;
        let first = Square::open(raw.address, WATCHERS).await?;
        let before = raw.running.memory()?;
        let square = Square::open(raw.address, WATCHERS - 1).await?;
        limit.push(each(before, raw.running.memory()?));
        drop((square, first));
        raw.running.stop().await?;
    }
    let line = || Line::new(format!("memory for each of {WATCHERS} more idle sockets"), "KiB", &subject);
    let beside_raw = line().over("raw broadcaster on tungstenite", &limit).must(Bound::AtMost(0.6));
    Ok(vec![beside_raw, line().goal(Bound::AtMost(2.5))])
}

/// Kibibytes for each socket.
fn each(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64 / 1024.0 / WATCHERS as f64
}
