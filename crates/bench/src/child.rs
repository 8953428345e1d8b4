//! Processes that the run starts: it knows them by their id, and stops them and no others.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use crate::cores::Cores;
use crate::http::{self, Connection};

/// How long a process may take until it is ready.
const READY_MAX: Duration = Duration::from_secs(120);
/// How long a process may take to end by itself after it was asked to.
const STOP_MAX: Duration = Duration::from_secs(20);
/// The line that a process prints when it takes requests, before its address.
const READY: &str = "ready http://";

/// A running process; stopped when dropped.
pub(crate) struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `command` on the servers' cores, with its errors in a file of `logs`.
    pub(crate) fn start(name: &str, mut command: Command, cores: &Cores, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let errors = File::options().create(true).append(true).open(&log)?;
        // A peer ends when its standard input does, so none outlives a run that was killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MILLPOND_")) {
            command.env_remove(variable);
        }
        let program = command.get_program().to_string_lossy().into_owned();
        let child = cores.spawn(&mut command).with_context(|| format!("starting {program}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Waits for the line that says where the process listens.
    pub(crate) async fn ready(&mut self) -> Result<SocketAddr> {
        let stdout = self.child.stdout.take().context("the output of the process is already read")?;
        let (found, address) = oneshot::channel();
        std::thread::spawn(move || read_ready(stdout, found));
        match tokio::time::timeout(READY_MAX, address).await {
            Ok(Ok(address)) => Ok(address),
            Ok(Err(_)) => bail!("{} ended before it was ready: {}", self.name, self.last_words()),
            Err(_) => bail!("{} was not ready after {READY_MAX:?}: {}", self.name, self.last_words()),
        }
    }

    /// Asks `path` until it is answered with 200, and returns how long that took from `since`.
    pub(crate) async fn first_answer(&mut self, address: SocketAddr, path: &str, since: Instant) -> Result<Duration> {
        let request = http::get(path, None);
        loop {
            if let Some(elapsed) = try_answer(address, &request, since).await {
                return Ok(elapsed);
            }
            if !self.is_alive()? {
                bail!("{} ended: {}", self.name, self.last_words());
            }
            if since.elapsed() > READY_MAX {
                bail!("{} did not answer {path} within {READY_MAX:?}: {}", self.name, self.last_words());
            }
            pause();
        }
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.pid() {
            kill_process(pid, Signal::TERM).with_context(|| format!("stopping {}", self.name))?;
        }
        let since = Instant::now();
        while self.child.try_wait()?.is_none() {
            if since.elapsed() > STOP_MAX {
                bail!("{} did not end within {STOP_MAX:?} of being asked to", self.name);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Bytes of memory that the process has in use.
    pub(crate) fn memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// Whether the process has not ended.
    pub(crate) fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }

    /// The end of what the process had to say about errors.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" / ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing to do about a process that has already ended, or that cannot be waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds the address, then reads on, so that the process never waits for a full pipe.
fn read_ready(stdout: ChildStdout, found: oneshot::Sender<SocketAddr>) {
    let mut found = Some(found);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let address = line.strip_prefix(READY).and_then(|rest| rest.trim_end_matches('/').parse().ok());
        if let (Some(address), Some(sender)) = (address, found.take_if(|_| address.is_some())) {
            let _ = sender.send(address);
        }
    }
}

/// Waits a little for a process that is not ready yet.
///
/// It blocks the thread, which has nothing else to do: the runtime's timers are exact only to a millisecond, about what a
/// start takes.
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_micros(100));
}

async fn try_answer(address: SocketAddr, request: &[u8], since: Instant) -> Option<Duration> {
    let answer = async {
        let mut connection = Connection::open(address).await.ok()?;
        let response = connection.exchange(request).await.ok()?;
        (response.status == 200).then(|| since.elapsed())
    };
    tokio::time::timeout(READY_MAX, answer).await.ok()?
}

/// An address on loopback that nobody listens on now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
