//! Row 7: from the moment a message is sent until the last of 1,000 who watch the channel was told of it.
//!
//! The subject stores the message, synced, before anybody is told; the limit stores nothing.

use anyhow::Result;

use super::Row;
use crate::bench::Bench;
use crate::bound::Bound;
use crate::report::Line;
use crate::room::{Room, Square};
use crate::stats::median;

/// Who watches.
pub(super) const WATCHERS: usize = 1000;

pub(crate) const ROW: Row = Row {
    number: 7,
    name: "message sent → delivered to the last of 1,000",
    must: "≤ 2× raw floor",
    goal: "≤ 1.25×",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let server = bench.serve(&bench.folder("room")?).await?;
    let raw = bench.broadcaster().await?;
    bench.progress.now("row 7: connecting");
    let room = Room::open(server.address, WATCHERS).await?;
    let mut square = Square::open(raw.address, WATCHERS - 1).await?;
    let mut speaker = room.speaker().await?;
    let (mut subject, mut limit) = (Vec::new(), Vec::new());
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 7: round {round} of {}", bench.sizes.rounds));
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..bench.sizes.samples {
            ours.push(room.time_one(&mut speaker).await?.as_secs_f64() * 1e3);
            theirs.push(square.time_one().await?.as_secs_f64() * 1e3);
        }
        subject.push(median(&ours));
        limit.push(median(&theirs));
    }
    let line = Line::new(format!("message to the last of {WATCHERS}, median"), "ms", &subject);
    Ok(vec![line.over("raw broadcaster", &limit).must(Bound::AtMost(2.0)).goal(Bound::AtMost(1.25))])
}
