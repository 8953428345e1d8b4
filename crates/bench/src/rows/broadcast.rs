//! Row 8: messages of 1 KB to 1,000 who watch the channel, as fast as they are delivered.
//!
//! Eight speak at once, each when its last message is stored. The limit and ejabberd, which stores nothing, are given frames as fast as
//! they take them.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;

use super::{Row, delivery::WATCHERS};
use crate::bench::Bench;
use crate::bound::Bound;
use crate::ejabberd;
use crate::report::Line;
use crate::room::{Room, Speaker, Square};

/// Who speaks at once.
const SPEAKERS: usize = 8;
/// Frames that the limit is given at once.
const FRAMES: u64 = 50;

pub(crate) const ROW: Row = Row {
    number: 8,
    name: "broadcast 1 KB × 1,000, full chat path",
    must: "≥ 0.7× raw floor",
    goal: "≥ 0.9×; ≥ 8× ejabberd",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let server = bench.serve(&bench.folder("room")?).await?;
    let raw = bench.broadcaster().await?;
    bench.progress.now("row 8: connecting");
    let room = Room::open(server.address, WATCHERS).await?;
    let mut square = Square::open(raw.address, WATCHERS - 1).await?;
    bench.progress.now("row 8: starting ejabberd");
    let mut hall = match ejabberd::Server::start(bench, "ejabberd").await? {
        Ok(server) => Ok((Square::enter(&server, WATCHERS - 1).await?, server)),
        Err(missing) => Err(missing),
    };
    let mut speakers = Vec::new();
    for _ in 0..SPEAKERS {
        speakers.push(room.speaker().await?);
    }
    let (mut subject, mut limit, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 8: round {round} of {}", bench.sizes.rounds));
        subject.push(deliveries(bench, &room, &mut speakers).await?);
        limit.push(frames(bench, &mut square).await?);
        if let Ok((hall, _)) = &mut hall {
            peer.push(frames(bench, hall).await?);
        }
    }
    let line = || Line::new(format!("messages of 1 KB to {WATCHERS}"), "deliveries/s", &subject);
    let beside_raw = line().over("raw broadcaster", &limit).must(Bound::AtLeast(0.7)).goal(Bound::AtLeast(0.9));
    let beside_ejabberd = match &hall {
        Ok(_) => line().over("ejabberd", &peer),
        Err(missing) => line().missing("ejabberd", missing),
    };
    Ok(vec![beside_raw, beside_ejabberd.goal(Bound::AtLeast(8.0))])
}

/// Deliveries of the subject in a second.
async fn deliveries(bench: &Bench, room: &Room, speakers: &mut [Speaker]) -> Result<f64> {
    let (since, before) = (Instant::now(), room.receivers.frames());
    try_join_all(speakers.iter_mut().map(|speaker| speak(speaker, since, bench.sizes.measure))).await?;
    Ok((room.receivers.frames() - before) as f64 / since.elapsed().as_secs_f64())
}

/// Speaks until the time is over.
async fn speak(speaker: &mut Speaker, since: Instant, measure: Duration) -> Result<()> {
    while since.elapsed() < measure {
        speaker.say().await?;
    }
    Ok(())
}

/// Deliveries of the limit, or of ejabberd, in a second.
async fn frames(bench: &Bench, square: &mut Square) -> Result<f64> {
    let (since, before) = (Instant::now(), square.receivers.frames());
    while since.elapsed() < bench.sizes.measure {
        square.send_many(FRAMES).await?;
    }
    Ok((square.receivers.frames() - before) as f64 / since.elapsed().as_secs_f64())
}
