//! A `millpond serve` of the release build, started for a test and stopped after it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempPath;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::api::App;
use crate::shell;

/// How long a server may take until it prints its `ready` line.
const READY_MAX: Duration = Duration::from_secs(60);

/// How long a server may take to drain after SIGTERM.
const DRAIN_MAX: Duration = Duration::from_secs(20);

/// A running server. Dropping it kills the process.
pub(crate) struct Server {
    child: Child,
    url: String,
    log: TempPath,
}

/// Where a test server keeps its data.
pub(crate) enum Data<'a> {
    /// A fresh directory that the server itself removes.
    Ephemeral,
    /// This directory, kept between starts.
    Kept(&'a Path),
}

/// The app that test servers are started with.
pub(crate) fn test_app() -> App {
    App { key: "e2e-key".into(), secret: "e2e-secret-that-is-long-enough-for-hs256".into(), id: "1".into() }
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    shell::root().join(target)
}

/// Where the release build of the server lies.
pub(crate) fn binary() -> PathBuf {
    target().join("release/millpond")
}

/// The command that serves `app` with everything the client libraries' suites presume, on a free port.
pub(crate) fn command(app: &App, data: &Data<'_>) -> Result<Command> {
    let mut command = bare(&binary())?;
    match data {
        Data::Ephemeral => command.arg("--ephemeral"),
        Data::Kept(directory) => command.arg("--data-dir").arg(directory),
    };
    // The suites serve pages of their own to be looked up.
    command.args(["--outbound-allow", "127.0.0.1/32"]);
    command.args(["--preset", "sdk-suites", "--rate-limits", "off", "--listen", "127.0.0.1:0"]);
    command.args(["--app-key", &app.key, "--app-secret", &app.secret, "--app-id", &app.id]);
    Ok(command)
}

/// `millpond serve` without options, and with no settings taken from this environment.
pub(crate) fn bare(binary: &Path) -> Result<Command> {
    if !binary.is_file() {
        bail!("no server at {}; build it first: cargo xtask test --only build", binary.display());
    }
    let mut command = Command::new(binary);
    command.arg("serve");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MILLPOND_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free loopback port")?.local_addr()?.port())
}

impl Server {
    /// Starts `command` and waits for its `ready` line.
    pub(crate) async fn start(command: Command) -> Result<Self> {
        let (child, lines, log) = Self::spawn(command)?;
        let mut starting = Self { child, url: String::new(), log };
        match tokio::time::timeout(READY_MAX, ready_line(lines)).await {
            Ok(Ok(url)) => starting.url = url,
            Ok(Err(error)) => bail!("the server did not start: {error}\n{}", starting.log_tail()),
            Err(_) => bail!("the server printed no `ready` line within {READY_MAX:?}\n{}", starting.log_tail()),
        }
        Ok(starting)
    }

    /// Starts `command` and kills it after `delay`, whether or not it was ready by then.
    pub(crate) async fn start_and_kill(command: Command, delay: Duration) -> Result<()> {
        let (mut child, lines, _log) = Self::spawn(command)?;
        tokio::spawn(drain(lines));
        tokio::time::sleep(delay).await;
        child.kill().await.context("cannot kill the server")
    }

    fn spawn(mut command: Command) -> Result<(Child, Lines<BufReader<ChildStdout>>, TempPath)> {
        let (file, log) = tempfile::Builder::new().prefix("millpond-").suffix(".log").tempfile()?.into_parts();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.as_std().get_program()))?;
        let stdout = child.stdout.take().context("the server has no standard output")?;
        Ok((child, BufReader::new(stdout).lines(), log))
    }

    /// The base URL, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("the server has ended by itself")
    }

    /// Kills the server at once, as a power cut of the process.
    pub(crate) async fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended by itself: {status}\n{}", self.log_tail());
        }
        self.child.kill().await.context("cannot kill the server")
    }

    /// Asks the server to drain (SIGTERM) and waits until it has ended.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let id = self.id()?;
        shell::output(Command::new("kill").args(["-TERM", &id.to_string()]), DRAIN_MAX).await?;
        match tokio::time::timeout(DRAIN_MAX, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(status) => bail!("the server ended badly after SIGTERM: {status:?}\n{}", self.log_tail()),
            Err(_) => bail!("the server had not drained {DRAIN_MAX:?} after SIGTERM\n{}", self.log_tail()),
        }
    }

    /// A failure of a test against this server, with the end of the server's log below it.
    pub(crate) fn explain(&self, failure: &anyhow::Error) -> anyhow::Error {
        anyhow::anyhow!("{failure:#}\n{}", self.log_tail())
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(30)..].join("\n");
        format!("the end of the server's log:\n{tail}")
    }
}

async fn ready_line(mut lines: Lines<BufReader<ChildStdout>>) -> Result<String> {
    while let Some(line) = lines.next_line().await? {
        if let Some(url) = line.trim().strip_prefix("ready ") {
            let url = url.trim_end_matches('/').to_owned();
            tokio::spawn(drain(lines));
            return Ok(url);
        }
    }
    bail!("it ended before it was ready")
}

/// Reads the rest of the output, so that the server never waits for a full pipe.
async fn drain(mut lines: Lines<BufReader<ChildStdout>>) {
    while let Ok(Some(_)) = lines.next_line().await {}
}
