//! The data that is measured: authors who post, timelines that follow some of them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::Api;
use crate::redis::{self, Commands};
use crate::report::grouped;

/// Feeds that a timeline follows.
const FOLLOWED: u64 = 20;
/// Activities of each author in a large data set: a timeline has 1,000 entries.
const POSTS: u64 = 50;
/// Activities in one request.
const BATCH: u64 = 100;
/// Timelines whose follows are made in one request.
const SLICE: u64 = 50;
/// Connections that load.
const LOADERS: usize = 4;

/// How many of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) authors: u64,
    /// Activities of each author.
    pub(crate) posts: u64,
    /// Authors that each timeline follows.
    pub(crate) followed: u64,
    pub(crate) timelines: u64,
}

impl Shape {
    /// Timelines of 1,000 entries each, `entries` in all.
    pub(crate) fn of_entries(entries: u64) -> Self {
        let timelines = entries / (FOLLOWED * POSTS);
        Self { authors: (timelines * FOLLOWED).min(500), posts: POSTS, followed: FOLLOWED, timelines }
    }

    /// Entries of each timeline.
    pub(crate) fn entries_each(&self) -> u64 {
        self.posts * self.followed
    }

    /// Entries of all timelines.
    pub(crate) fn entries(&self) -> u64 {
        self.entries_each() * self.timelines
    }

    /// The authors that `timeline` follows: evenly spread, each once.
    fn followed_by(&self, timeline: u64) -> impl Iterator<Item = u64> {
        let authors = self.authors.max(1);
        let step = (authors / self.followed).max(1);
        (0..self.followed.min(authors)).map(move |index| (timeline + index * step) % authors)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} timeline entries: {} timelines that each follow {} of {} feeds with {} activities",
            grouped(self.entries()),
            grouped(self.timelines),
            self.followed,
            self.authors,
            self.posts
        )
    }
}

/// A data directory that no server runs on.
#[derive(Debug, Clone)]
pub(crate) struct DataSet {
    pub(crate) folder: PathBuf,
    pub(crate) shape: Shape,
}

/// The id of an author's feed in the group `user`.
pub(crate) fn author(number: u64) -> String {
    format!("a{number:06}")
}

/// The id of a timeline in the group `timeline`.
pub(crate) fn timeline(number: u64) -> String {
    format!("t{number:06}")
}

/// An activity such as a small post: about 400 bytes when it is read.
pub(crate) fn activity(author: &str, sequence: u64) -> Value {
    json!({
        "actor": format!("SU:{author}"),
        "verb": "post",
        "object": format!("note:{sequence:08}"),
        "foreign_id": format!("note:{sequence:08}"),
        "time": time(sequence),
        "text": "The mill pond lies still at dawn; a heron stands where the stream comes in and waits for what it brings.",
        "tags": ["water", "birds"],
        "likes": sequence % 100,
    })
}

/// A second for each number, from the first of January 2020.
fn time(sequence: u64) -> String {
    let (days, seconds) = (sequence / 86_400, sequence % 86_400);
    let (month, day) = (days / 28 % 12 + 1, days % 28 + 1);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let year = 2020 + days / (28 * 12);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000000")
}

/// Loads `shape` through the API, and returns how many timelines there are when `budget` is used up.
pub(crate) async fn load(address: SocketAddr, shape: &Shape, budget: Duration) -> Result<u64> {
    let deadline = Instant::now() + budget;
    let shape = *shape;
    let batches = shape.posts.div_ceil(BATCH);
    let posted = in_parallel(address, shape.authors * batches, deadline, async move |api, job| {
        post(api, &shape, job / batches, job % batches).await
    });
    let posted = posted.await.context("loading activities")?;
    ensure!(posted == shape.authors * batches, "the activities were not loaded within {budget:?}");
    let slices = shape.timelines.div_ceil(SLICE);
    let done = in_parallel(address, slices, deadline, async move |api, slice| follow(api, &shape, slice).await);
    let done = done.await.context("loading follows")?;
    Ok((done * SLICE).min(shape.timelines))
}

/// Adds one batch of an author's activities; the authors take turns in time.
async fn post(api: &mut Api, shape: &Shape, number: u64, batch: u64) -> Result<()> {
    let author = author(number);
    let posts = (batch * BATCH)..((batch + 1) * BATCH).min(shape.posts);
    let activities: Vec<Value> = posts.map(|post| activity(&author, post * shape.authors + number)).collect();
    api.post(&format!("feed/user/{author}/"), "", &json!({ "activities": activities })).await?;
    Ok(())
}

async fn follow(api: &mut Api, shape: &Shape, slice: u64) -> Result<()> {
    let timelines = (slice * SLICE)..((slice + 1) * SLICE).min(shape.timelines);
    let edges: Vec<Value> = timelines
        .flat_map(|number| shape.followed_by(number).map(move |author| (number, author)))
        .map(|(from, to)| edge(&format!("timeline:{}", timeline(from)), &format!("user:{}", author(to))))
        .collect();
    api.post("follow_many/", "&activity_copy_limit=1000", &Value::Array(edges)).await?;
    Ok(())
}

/// An item of `follow_many`.
pub(crate) fn edge(source: &str, target: &str) -> Value {
    json!({ "source": source, "target": target })
}

/// Does jobs 0, 1, … in order over a few connections until `deadline`, and returns how many were done.
async fn in_parallel<F>(address: SocketAddr, jobs: u64, deadline: Instant, job: F) -> Result<u64>
where
    F: AsyncJob,
{
    let next = Arc::new(AtomicU64::new(0));
    let mut loaders = JoinSet::new();
    for _ in 0..LOADERS {
        let (next, job, mut api) = (Arc::clone(&next), job.clone(), Api::open(address).await?);
        loaders.spawn_local(async move {
            while Instant::now() < deadline {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= jobs {
                    break;
                }
                job(&mut api, number).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(loader) = loaders.join_next().await {
        loader.context("a loader failed")??;
    }
    Ok(next.load(Ordering::Relaxed).min(jobs))
}

/// A job over a connection.
trait AsyncJob: AsyncFn(&mut Api, u64) -> Result<()> + Clone + 'static {}
impl<F: AsyncFn(&mut Api, u64) -> Result<()> + Clone + 'static> AsyncJob for F {}

/// Loads `shape` into Redis: each timeline a list of 16-byte ids, the most compact form, and each activity a string.
pub(crate) async fn load_redis(server: &redis::Server, shape: &Shape) -> Result<()> {
    let mut link = server.link().await?;
    let mut commands = Commands::default();
    for sequence in 0..shape.authors * shape.posts {
        let text = activity(&author(sequence % shape.authors), sequence).to_string();
        commands.push(&[b"SET", &[b"a:", &id(sequence)[..]].concat(), text.as_bytes()]);
        if commands.len() == 1_000 {
            link.run(&commands).await?;
            commands.clear();
        }
    }
    link.run(&commands).await?;
    for number in 0..shape.timelines {
        link.run(&list(shape, number)).await?;
    }
    Ok(())
}

/// The command that makes the list of a timeline, newest first.
fn list(shape: &Shape, number: u64) -> Commands {
    let mut sequences: Vec<u64> = shape
        .followed_by(number)
        .flat_map(|author| (0..shape.posts).map(move |post| post * shape.authors + author))
        .collect();
    sequences.sort_unstable_by(|a, b| b.cmp(a));
    let mut commands = Commands::default();
    commands.open(sequences.len() + 2);
    commands.part(b"RPUSH");
    commands.part(format!("t:{}", timeline(number)).as_bytes());
    for sequence in sequences {
        commands.part(&id(sequence));
    }
    commands
}

/// 16 bytes that no compression makes shorter, as an activity's id is.
fn id(sequence: u64) -> [u8; 16] {
    let mixed = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (u128::from(mixed) << 64 | u128::from(!sequence)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_as_many_entries_as_were_asked_for() {
        for entries in [1_000, 10_000, 10_000_000] {
            assert_eq!(Shape::of_entries(entries).entries(), entries);
        }
        assert_eq!(Shape::of_entries(0).entries(), 0);
    }

    #[test]
    fn a_timeline_follows_each_feed_once() {
        for shape in [Shape::of_entries(1_000), Shape::of_entries(10_000), Shape::of_entries(1_000_000)] {
            for number in 0..shape.timelines.min(600) {
                let mut followed: Vec<u64> = shape.followed_by(number).collect();
                followed.sort_unstable();
                followed.dedup();
                assert_eq!(followed.len() as u64, shape.followed);
                assert!(followed.iter().all(|author| *author < shape.authors));
            }
        }
    }

    #[test]
    fn times_rise_and_are_dates() {
        let times: Vec<String> = (0..5_000_000).step_by(40_000).map(time).collect();
        assert!(times.is_sorted());
        assert_eq!(time(0), "2020-01-01T00:00:00.000000");
        assert_eq!(time(28 * 86_400 + 61), "2020-02-01T00:01:01.000000");
    }
}
