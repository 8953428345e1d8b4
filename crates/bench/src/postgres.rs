//! PostgreSQL as a peer: a server of the run's own with its defaults, which sync every commit, driven by its own `pgbench`.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;

use crate::args::Sizes;
use crate::bench::Bench;
use crate::child::{Running, free_address, pause};
use crate::install::{self, Missing};

/// The user that Debian's package makes: PostgreSQL refuses to be root.
const USER: &str = "postgres";
/// How long the first answer may take.
const START_MAX: Duration = Duration::from_secs(60);
/// The shortest measurement: `pgbench` counts whole seconds, and its connections, a process each, take their time.
const SECONDS_MIN: u64 = 5;
/// Where Debian puts the programs, below a folder for each version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// A running PostgreSQL.
pub(crate) struct Server {
    address: SocketAddr,
    programs: PathBuf,
    /// Kept for as long as it is asked.
    _running: Running,
}

impl Server {
    /// Starts one on a new directory in `name`, and runs `schema`; the inner error says why there is none.
    pub(crate) async fn start(bench: &Bench, name: &str, schema: &str) -> Result<Result<Self, Missing>> {
        let programs = match install::find("postgres", "postgresql", &debian, bench.may_install, &bench.progress) {
            Ok(postgres) => postgres.parent().context("a program in no folder")?.to_owned(),
            Err(missing) => return Ok(Err(missing)),
        };
        let folder = bench.folder(name)?;
        if let Err(missing) = let_in(bench.root(), &folder) {
            return Ok(Err(missing));
        }
        let data = folder.join("data");
        let mut initdb = as_user(&programs.join("initdb"));
        initdb.arg("--pgdata").arg(&data).args([
            "--auth=trust",
            "--username=bench",
            "--encoding=UTF8",
            "--no-instructions",
        ]);
        run(&mut initdb)?;
        let address = free_address()?;
        let mut postgres = as_user(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-p", &address.port().to_string()]);
        // More memory than the default, and no checkpoint in the middle of a measurement: in its favour.
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=256MB", "max_wal_size=8GB"]
        {
            postgres.args(["-c", setting]);
        }
        let mut running = Running::start("postgres", postgres, &bench.cores, bench.root())?;
        first_answer(&mut running, &programs, address)?;
        let server = Self { address, programs, _running: running };
        let mut psql = server.client("psql");
        run(psql.args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command", schema]))?;
        Ok(Ok(server))
    }

    /// Transactions a second of `script`, from as many connections as the subject gets.
    pub(crate) fn throughput(&self, script: &Path, sizes: &Sizes) -> Result<f64> {
        let connections = sizes.connections.to_string();
        let seconds = sizes.measure.as_secs().max(SECONDS_MIN).to_string();
        let mut pgbench = self.client("pgbench");
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--client", &connections, "--time", &seconds]);
        let said = run(pgbench.arg("--file").arg(script))?;
        rate(&said).with_context(|| format!("pgbench said no rate: {said}"))
    }

    /// The one number that `query` answers.
    pub(crate) fn number(&self, query: &str) -> Result<u64> {
        let said = run(self.client("psql").args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", query]))?;
        said.trim().parse().with_context(|| format!("not a number: {said}"))
    }

    fn client(&self, program: &str) -> Command {
        let mut client = Command::new(self.programs.join(program));
        client.env("PGHOST", self.address.ip().to_string()).env("PGPORT", self.address.port().to_string());
        client.env("PGUSER", "bench").env("PGDATABASE", "postgres");
        client
    }
}

/// The newest version of a program that Debian's packages have.
fn debian(program: &str) -> Option<PathBuf> {
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let folders = std::fs::read_dir(PROGRAMS).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = folders.filter(|folder| folder.join("bin").join(program).is_file()).max_by_key(version)?;
    Some(newest.join("bin").join(program))
}

/// Gives `folder` to the user that runs the server, and lets it through to there.
fn let_in(root: &Path, folder: &Path) -> Result<(), Missing> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let missing =
        |what: &dyn std::fmt::Display| Missing(format!("{USER} cannot be given {}: {what}", folder.display()));
    std::fs::set_permissions(root, PermissionsExt::from_mode(0o711)).map_err(|error| missing(&error))?;
    let given = Command::new("chown").arg(USER).arg(folder).status().map_err(|error| missing(&error))?;
    if !given.success() {
        return Err(missing(&given));
    }
    let reached = as_user(Path::new("test")).arg("-w").arg(folder).status().map_err(|error| missing(&error))?;
    if reached.success() {
        Ok(())
    } else {
        Err(missing(&"a folder above it is closed to others; choose another --dir"))
    }
}

/// A command that is not root's: it becomes the user's and stays the same process.
fn as_user(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--init-groups", "--"]).arg(program);
    command
}

/// Runs `command` to its end, and returns what it said.
fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir("/").stdin(Stdio::null()).output().with_context(|| format!("starting {name}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}: {complaint}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn first_answer(running: &mut Running, programs: &Path, address: SocketAddr) -> Result<()> {
    let since = Instant::now();
    loop {
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["--quiet", "--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
        if ready.status()?.success() {
            return Ok(());
        }
        ensure!(running.is_alive()?, "postgres ended: {}", running.last_words());
        ensure!(since.elapsed() < START_MAX, "postgres did not answer within {START_MAX:?}");
        pause();
    }
}

/// `tps = 1234.5 (without initial connection time)`.
fn rate(said: &str) -> Option<f64> {
    said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() {
        let said = "number of failed transactions: 0 (0.000%)\ntps = 6123.456789 (without initial connection time)\n";
        assert_eq!(rate(said), Some(6123.456789));
        assert_eq!(rate("pgbench: error"), None);
    }
}
