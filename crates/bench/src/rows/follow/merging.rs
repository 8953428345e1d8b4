//! A follow on Redis: the newest 300 ids of the followed feed, merged into the follower's sorted set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;

use super::{COPIED, POSTED};
use crate::args::Sizes;
use crate::bench::Bench;
use crate::install::Missing;
use crate::load::Window;
use crate::redis::{Commands, Durability, Link, Server};

/// The sorted set of the followed feed.
const SOURCE: &[u8] = b"s:copied";

/// A Redis with a feed to follow.
pub(super) struct Merges {
    server: Server,
    next: Arc<AtomicU64>,
}

impl Merges {
    /// Starts Redis with the followed feed.
    pub(super) async fn start(bench: &Bench) -> Result<Result<Self, Missing>> {
        let program = match &bench.redis {
            Ok(program) => program,
            Err(missing) => return Ok(Err(missing.clone())),
        };
        let server = Server::start(program, &bench.folder("redis-follow")?, &bench.cores).await?;
        let mut commands = Commands::default();
        for number in 0..POSTED {
            commands.push(&[b"ZADD", SOURCE, number.to_string().as_bytes(), format!("{number:036}").as_bytes()]);
        }
        server.link().await?.run(&commands).await?;
        Ok(Ok(Self { server, next: Arc::default() }))
    }

    /// Follows a second, from as many connections as the subject gets.
    pub(super) async fn throughput(&mut self, durability: Durability, sizes: &Sizes) -> Result<f64> {
        let mut link = self.server.link().await?;
        self.server.set(&mut link, durability).await?;
        let window = Arc::new(Window::after(sizes.warm, sizes.measure));
        let mut workers = JoinSet::new();
        for _ in 0..sizes.connections {
            let (link, next) = (self.server.link().await?, Arc::clone(&self.next));
            workers.spawn(follow(link, next, Arc::clone(&window)));
        }
        while let Some(worker) = workers.join_next().await {
            worker.context("a connection's task failed")??;
        }
        Ok(window.rate())
    }
}

/// Follows until the window is over.
async fn follow(mut link: Link, next: Arc<AtomicU64>, window: Arc<Window>) -> Result<()> {
    let newest = (COPIED - 1).to_string();
    loop {
        let follower = format!("t:f{:09}", next.fetch_add(1, Ordering::Relaxed));
        let pairs =
            link.command(&[b"ZREVRANGE", SOURCE, b"0", newest.as_bytes(), b"WITHSCORES"]).await?.into_parts()?;
        ensure!(pairs.len() == 2 * COPIED, "{} parts instead of {}", pairs.len(), 2 * COPIED);
        let mut commands = Commands::default();
        commands.open(pairs.len() + 2);
        commands.part(b"ZADD");
        commands.part(follower.as_bytes());
        for pair in pairs.chunks_exact(2) {
            commands.part(&pair[1]);
            commands.part(&pair[0]);
        }
        commands.push(&[b"ZREMRANGEBYRANK", follower.as_bytes(), b"0", b"-1001"]);
        link.run(&commands).await?;
        let now = Instant::now();
        window.count(now);
        if window.is_over(now) {
            return Ok(());
        }
    }
}
