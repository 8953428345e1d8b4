//! Fan-out by copying, on Redis and in memory.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::install::Missing;
use crate::redis::{Commands, Durability, Link, Reply, Server};

/// Commands in one pipelined batch.
const BATCH: usize = 1_000;
/// Entries that each list keeps.
const KEPT: usize = 1_000;
/// Entries that each list in memory keeps.
const RING: usize = 64;
/// Entries that each list has from the start.
const FILLED: usize = 25;

/// A Redis with a list for each follower.
pub(super) struct Copies {
    server: Server,
    link: Link,
    followers: usize,
    added: u64,
}

impl Copies {
    /// Starts Redis with `followers` lists that are not empty.
    pub(super) async fn start(bench: &Bench, followers: usize) -> Result<Result<Self, Missing>> {
        let program = match &bench.redis {
            Ok(program) => program,
            Err(missing) => return Ok(Err(missing.clone())),
        };
        let server = Server::start(program, &bench.folder("redis-add")?, &bench.cores).await?;
        let mut link = server.link().await?;
        let mut copies = Self { link: server.link().await?, server, followers, added: 0 };
        copies.server.set(&mut link, Durability::EverySecond).await?;
        for _ in 0..FILLED {
            copies.add().await?;
        }
        Ok(Ok(copies))
    }

    /// How long `count` adds take until the last follower can read, in microseconds each.
    pub(super) async fn add_us(&mut self, durability: Durability, count: usize) -> Result<Vec<f64>> {
        self.server.set(&mut self.link, durability).await?;
        let mut times = Vec::new();
        for _ in 0..count {
            times.push(self.add().await?);
        }
        Ok(times)
    }

    /// Stores an activity, pushes its id to every list, reads the last list.
    async fn add(&mut self) -> Result<f64> {
        self.added += 1;
        let id = format!("{:036}", self.added);
        let batches = self.batches(&id);
        let last = list(self.followers - 1);
        let since = Instant::now();
        for batch in &batches {
            self.link.run(batch).await?;
        }
        let first = self.link.command(&[b"LINDEX", last.as_bytes(), b"0"]).await?;
        let elapsed = since.elapsed();
        ensure!(first == Reply::Bulk(Some(id.into())), "the last follower does not see the activity: {first:?}");
        Ok(elapsed.as_secs_f64() * 1e6)
    }

    fn batches(&self, id: &str) -> Vec<Commands> {
        let activity = "x".repeat(400);
        let kept = (KEPT - 1).to_string();
        let mut batches = vec![Commands::default()];
        batches[0].push(&[b"SET", format!("a:{id}").as_bytes(), activity.as_bytes()]);
        for number in 0..self.followers {
            if batches.last().is_none_or(|batch| batch.len() >= BATCH) {
                batches.push(Commands::default());
            }
            let list = list(number);
            if let Some(batch) = batches.last_mut() {
                batch.push(&[b"LPUSH", list.as_bytes(), id.as_bytes()]);
                batch.push(&[b"LTRIM", list.as_bytes(), b"0", kept.as_bytes()]);
            }
        }
        batches
    }
}

fn list(number: usize) -> String {
    format!("t:{number:06}")
}

/// The limit of copying: how long it takes to put one id into `followers` lists of this process's memory, in
/// microseconds, at its best of `count` times.
pub(super) fn in_memory_us(followers: usize, count: usize) -> f64 {
    let mut lists: Vec<VecDeque<u128>> = (0..followers).map(|_| VecDeque::with_capacity(RING)).collect();
    let times = (0..count.max(1)).map(|id| {
        let since = Instant::now();
        for list in &mut lists {
            if list.len() == RING {
                list.pop_back();
            }
            list.push_front(id as u128);
        }
        black_box(&lists);
        since.elapsed().as_secs_f64() * 1e6
    });
    times.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_in_memory_take_some_time() {
        assert!(in_memory_us(100, 3).is_finite());
    }
}
