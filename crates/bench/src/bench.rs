//! What the rows of one run share: its sizes, its folder, its processes and its data sets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::api::{APP, Api, KEY, SECRET};
use crate::args::{Args, Sizes};
use crate::child::Running;
use crate::cores::Cores;
use crate::data::{DataSet, Shape};
use crate::install::{self, Missing};
use crate::load::{self, Outcome, Pace, Repeated};
use crate::others::Others;
use crate::progress::Progress;
use crate::redis;
use crate::report::grouped;
use crate::verify::Expected;
use crate::{data, http};

/// How much more the client must be able to do than it did, for the figure to be the server's.
pub(crate) const HEADROOM: f64 = 1.3;

/// The part of a measurement that the client may wait for its core.
const WAITED_MAX: f64 = 0.05;
/// The part of a core that may go to others in a round: well below the hundredth of the requests that a p99 leaves out, and
/// above a tick of the kernel's account.
const OTHERS_MAX: f64 = 0.004;
/// How often a round beside other work is taken, at most.
const TAKES_MAX: usize = 10;

/// A server under measurement: the subject or a peer.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) running: Running,
}

impl Server {
    /// A careful client of it.
    pub(crate) async fn api(&self) -> Result<Api> {
        Api::open(self.address).await
    }
}

/// One run.
pub(crate) struct Bench {
    pub(crate) sizes: Sizes,
    pub(crate) cores: Cores,
    pub(crate) progress: Progress,
    /// What a reader of the table should know.
    pub(crate) notes: Vec<String>,
    /// The program of the Redis peer, or why there is none.
    pub(crate) redis: Result<PathBuf, Missing>,
    /// Whether peers that are not there may be installed.
    pub(crate) may_install: bool,
    folder: TempDir,
    /// The executable that runs the peers.
    own: PathBuf,
    /// The executable that runs the subject.
    server: PathBuf,
    data_sets: BTreeMap<u64, DataSet>,
    snapshots: BTreeMap<u64, PathBuf>,
    /// How much other work there was beside the rounds of a row.
    beside: BTreeMap<String, Beside>,
}

/// Other work beside the rounds of one row, in parts of a core.
#[derive(Default)]
struct Beside {
    /// How many were taken anew.
    anew: usize,
    /// The most beside any.
    most: f64,
    /// The most beside one that counts.
    kept: f64,
}

impl Bench {
    /// A run that keeps its data in a new folder inside `args.dir`, removed at its end.
    pub(crate) fn new(args: &Args, wants_redis: bool, cores: Cores, progress: Progress) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(".millpond-bench-")
            .tempdir_in(&args.dir)
            .with_context(|| format!("making a folder in {}", args.dir.display()))?;
        let own = std::env::current_exe().context("finding this executable")?;
        let redis = match wants_redis {
            true => install::redis(args.redis_bin.as_deref(), !args.no_install, &progress),
            false => Err(Missing("no row asked for it".to_owned())),
        };
        Ok(Self {
            sizes: Sizes::new(args),
            cores,
            progress,
            notes: Vec::new(),
            redis,
            may_install: !args.no_install,
            folder,
            server: args.server_bin.clone().unwrap_or_else(|| own.clone()),
            own,
            data_sets: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            beside: BTreeMap::new(),
        })
    }

    /// The folder of the run, on the filesystem that is measured.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A folder inside it, made if it is not there.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Starts the subject on the data in `folder` and waits until it is ready.
    pub(crate) async fn serve(&self, folder: &Path) -> Result<Server> {
        let mut running = self.spawn_subject(folder, "127.0.0.1:0")?;
        Ok(Server { address: running.ready().await?, running })
    }

    /// Starts the subject, listening on `listen`, and does not wait.
    pub(crate) fn spawn_subject(&self, folder: &Path, listen: &str) -> Result<Running> {
        let mut command = Command::new(&self.server);
        command.arg("serve").arg("--data-dir").arg(folder).args(["--listen", listen]);
        command.args(["--preset", "sdk-suites", "--rate-limits", "off"]);
        command.args(["--app-key", KEY, "--app-secret", SECRET, "--app-id", APP]);
        Running::start("server", command, &self.cores, self.root())
    }

    /// Starts a bare hyper server that answers `body`, and waits until it is ready.
    pub(crate) async fn hyper(&self, status: u16, body: &[u8]) -> Result<Server> {
        let mut running = self.spawn_hyper(status, &self.body_file(body)?, "127.0.0.1:0")?;
        Ok(Server { address: running.ready().await?, running })
    }

    /// A file with the body that a bare hyper server is to answer.
    pub(crate) fn body_file(&self, body: &[u8]) -> Result<PathBuf> {
        let file = tempfile::NamedTempFile::new_in(self.root())?.into_temp_path().keep()?;
        std::fs::write(&file, body)?;
        Ok(file)
    }

    /// Starts a bare hyper server that answers the body in `file`, listening on `listen`, and does not wait.
    pub(crate) fn spawn_hyper(&self, status: u16, file: &Path, listen: &str) -> Result<Running> {
        let mut command = Command::new(&self.own);
        command.args(["bench-peer", "hyper", "--listen", listen, "--status", &status.to_string(), "--body-file"]);
        command.arg(file);
        Running::start("hyper", command, &self.cores, self.root())
    }

    /// Starts a raw WebSocket broadcaster, and waits until it is ready.
    pub(crate) async fn broadcaster(&self) -> Result<Server> {
        let mut command = Command::new(&self.own);
        command.args(["bench-peer", "broadcaster"]);
        let mut running = Running::start("broadcaster", command, &self.cores, self.root())?;
        Ok(Server { address: running.ready().await?, running })
    }

    /// Starts the front that reads pages from the Redis at `redis`, and waits until it is ready.
    pub(crate) async fn redis_front(&self, redis: SocketAddr, next: &str) -> Result<Server> {
        let mut command = Command::new(&self.own);
        command.args(["bench-peer", "redis-front", "--redis", &redis.to_string(), "--secret", SECRET, "--next", next]);
        let mut running = Running::start("redis-front", command, &self.cores, self.root())?;
        Ok(Server { address: running.ready().await?, running })
    }

    /// How an open loop is to wait.
    pub(crate) fn pace(&self) -> Pace {
        if self.cores.are_split() { Pace::Spin } else { Pace::Sleep }
    }

    /// The throughput of `scripts` against `address`, with a note if the client was the limit.
    pub(crate) async fn throughput<S: load::Script>(
        &mut self,
        what: &str,
        address: SocketAddr,
        scripts: Vec<S>,
    ) -> Result<f64> {
        let outcome = load::closed(address, scripts, self.sizes.warm, self.sizes.measure)
            .await
            .with_context(|| format!("measuring the throughput of {what}"))?;
        self.watch(what, &outcome);
        Ok(outcome.rate)
    }

    /// Takes a round of the row called `what`; one beside other work is taken anew, all sides of it, and the calmest is kept. What
    /// a round finds has no part in that.
    pub(crate) async fn calmest<T>(&mut self, what: &str, take: impl AsyncFn(&mut Self) -> Result<T>) -> Result<T> {
        let notes = self.notes.clone();
        let mut calmest: Option<(f64, T, Vec<String>)> = None;
        let mut beside = self.beside.remove(what).unwrap_or_default();
        for takes in 0..TAKES_MAX {
            self.notes.clone_from(&notes);
            let others = Others::start();
            let found = take(self).await?;
            // Where the kernel does not tell, there is nothing to go by.
            let part = others.part().unwrap_or(0.0);
            beside.most = beside.most.max(part);
            beside.anew += usize::from(takes > 0);
            if calmest.as_ref().is_none_or(|(least, ..)| part < *least) {
                calmest = Some((part, found, self.notes.clone()));
            }
            if part <= OTHERS_MAX {
                break;
            }
        }
        let (part, found, notes) = calmest.context("a round was taken")?;
        self.notes = notes;
        beside.kept = beside.kept.max(part);
        self.beside.insert(what.to_owned(), beside);
        Ok(found)
    }

    /// Notes how much other work there was beside rounds that were taken anew.
    pub(crate) fn note_beside(&mut self) {
        for (what, Beside { anew, most, kept }) in self.beside.iter().filter(|(_, beside)| beside.anew > 0) {
            self.notes.push(format!(
                "{what}: {anew} rounds were taken anew; up to {:.1}% of a core went to others, up to {:.1}% beside what counts",
                most * 1e2,
                kept * 1e2
            ));
        }
    }

    /// Notes, once for each name, that something else had the client's core for part of the time.
    pub(crate) fn watch_core(&mut self, what: &str, outcome: &Outcome) {
        if let Some(waited) = outcome.waited.filter(|waited| *waited > WAITED_MAX) {
            self.note_once(
                &format!("{what}: other work took the client's core"),
                &format!(" for {:.0}% of the time: the figures are not to be relied on", waited * 100.0),
            );
        }
    }

    /// Notes, once for each name, that the client had too little headroom, or not its core to itself.
    fn watch(&mut self, what: &str, outcome: &Outcome) {
        self.watch_core(what, outcome);
        let Some(capacity) = outcome.capacity().filter(|capacity| *capacity < outcome.rate * HEADROOM) else { return };
        self.note_once(
            &format!("{what}: the client was the limit"),
            &format!(
                " ({:.0} requests/s of the {capacity:.0} it could do): the ratio is nearer to 1 than it should be",
                outcome.rate
            ),
        );
    }

    /// Adds a note unless there is one with the same beginning.
    fn note_once(&mut self, beginning: &str, rest: &str) {
        if !self.notes.iter().any(|note| note.starts_with(beginning)) {
            self.notes.push(format!("{beginning}{rest}"));
        }
    }

    /// Measures the client itself against a trivially small answer, and notes what it can do.
    pub(crate) async fn prove_headroom(&mut self) -> Result<()> {
        self.progress.now("the client's own headroom");
        let body = b"ok";
        let hyper = self.hyper(200, body).await?;
        let script = Repeated { request: http::get("/", None), expected: Expected::exactly(200, body) };
        let scripts = vec![script; self.sizes.connections];
        let outcome = load::closed(hyper.address, scripts, self.sizes.warm, self.sizes.measure).await?;
        let capacity = outcome.capacity().map_or_else(|| "unknown".to_owned(), |capacity| format!("{capacity:.0}"));
        let busy = outcome.busy.map_or_else(|| "unknown".to_owned(), |busy| format!("{:.0}%", busy * 100.0));
        self.notes.push(format!(
            "client: {:.0} requests/s against a bare hyper server's 2-byte answer, busy {busy} of its core: it could do {capacity}",
            outcome.rate
        ));
        Ok(())
    }

    /// The data set of about `entries` timeline entries, loaded through the API the first time.
    pub(crate) async fn data_set(&mut self, entries: u64) -> Result<DataSet> {
        if let Some(data_set) = self.data_sets.get(&entries) {
            return Ok(data_set.clone());
        }
        self.progress.now(&format!("loading {} timeline entries", grouped(entries)));
        let folder = self.folder(&format!("data-{entries}"))?;
        let server = self.serve(&folder).await?;
        let since = Instant::now();
        let shape = Shape::of_entries(entries);
        let timelines = data::load(server.address, &shape, self.sizes.load_max).await?;
        let shape = Shape { timelines, ..shape };
        server.running.stop().await?;
        if entries > 0 {
            ensure!(timelines > 0, "no timeline was loaded within {:?}", self.sizes.load_max);
            self.notes.push(format!("{shape}, loaded in {:.1} s", since.elapsed().as_secs_f64()));
        }
        let data_set = DataSet { folder, shape };
        self.data_sets.insert(entries, data_set.clone());
        Ok(data_set)
    }

    /// A Redis snapshot of the same shape, written the first time; the error says why there is none.
    pub(crate) async fn redis_snapshot(&mut self, shape: &Shape) -> Result<Result<PathBuf, Missing>> {
        let program = match &self.redis {
            Ok(program) => program.clone(),
            Err(missing) => return Ok(Err(missing.clone())),
        };
        if let Some(folder) = self.snapshots.get(&shape.entries()) {
            return Ok(Ok(folder.clone()));
        }
        self.progress.now(&format!("loading {} timeline entries into Redis", grouped(shape.entries())));
        let folder = self.folder(&format!("redis-{}", shape.entries()))?;
        let server = redis::Server::start_on_snapshot(&program, &folder, &self.cores).await?;
        data::load_redis(&server, shape).await?;
        server.save_and_stop().await?;
        self.snapshots.insert(shape.entries(), folder.clone());
        Ok(Ok(folder))
    }
}
