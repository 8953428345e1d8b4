//! A Redis server of the run's own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Link, Reply};
use crate::child::{Running, free_address, pause};
use crate::cores::Cores;

/// How long loading a data set may take.
const START_MAX: Duration = Duration::from_secs(120);

/// When a write is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Before it is acknowledged, as in Millpond.
    Always,
    /// Within a second: up to a second of acknowledged writes can be lost.
    EverySecond,
}

impl Durability {
    fn setting(self) -> &'static [u8] {
        match self {
            Self::Always => b"always",
            Self::EverySecond => b"everysec",
        }
    }
}

/// A running Redis.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    running: Running,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts a server that appends every write to a file in `folder`.
    pub(crate) async fn start(program: &Path, folder: &Path, cores: &Cores) -> Result<Self> {
        Self::run(program, folder, "yes", cores).await
    }

    /// Starts a server on the snapshot in `folder`: its fastest start.
    pub(crate) async fn start_on_snapshot(program: &Path, folder: &Path, cores: &Cores) -> Result<Self> {
        Self::run(program, folder, "no", cores).await
    }

    async fn run(program: &Path, folder: &Path, append: &str, cores: &Cores) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let address = free_address()?;
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
        command.args(["--appendonly", append, "--appendfsync", "always", "--save", "", "--loglevel", "warning"]);
        // Rewriting the log in the background would slow Redis down at times that have nothing to do with the measurement.
        command.args(["--auto-aof-rewrite-percentage", "0"]);
        command.arg("--dir").arg(std::path::absolute(folder)?);
        let since = Instant::now();
        let mut running = Running::start("redis", command, cores, folder)?;
        let started_in = first_answer(&mut running, address, since).await?;
        Ok(Self { address, running, started_in })
    }

    /// A new connection.
    pub(crate) async fn link(&self) -> Result<Link> {
        Link::open(self.address).await
    }

    /// From now on, writes are on disk when `durability` says.
    pub(crate) async fn set(&self, link: &mut Link, durability: Durability) -> Result<()> {
        link.command(&[b"CONFIG", b"SET", b"appendfsync", durability.setting()]).await?;
        Ok(())
    }

    /// Bytes of memory in use.
    pub(crate) fn memory(&self) -> Result<u64> {
        self.running.memory()
    }

    /// Writes a snapshot and ends.
    pub(crate) async fn save_and_stop(self) -> Result<()> {
        let mut link = self.link().await?;
        let saved = link.command(&[b"SAVE"]).await.context("saving a snapshot")?;
        ensure!(saved == Reply::Status("OK".into()), "saving a snapshot: {saved:?}");
        self.running.stop().await
    }

    /// Ends.
    pub(crate) async fn stop(self) -> Result<()> {
        self.running.stop().await
    }
}

async fn first_answer(running: &mut Running, address: SocketAddr, since: Instant) -> Result<Duration> {
    loop {
        if is_answering(address).await {
            return Ok(since.elapsed());
        }
        ensure!(running.is_alive()?, "redis-server ended: {}", running.last_words());
        ensure!(since.elapsed() < START_MAX, "redis-server did not answer within {START_MAX:?}");
        pause();
    }
}

/// Whether it answers, rather than being absent or still loading.
async fn is_answering(address: SocketAddr) -> bool {
    match Link::open(address).await {
        Ok(mut link) => link.command(&[b"PING"]).await.is_ok(),
        Err(_) => false,
    }
}
