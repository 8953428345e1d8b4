//! The options of `millpond bench`.

use std::path::PathBuf;
use std::time::Duration;

/// Measures this server beside its limits and its peers, and prints ratios.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Rows to run, by their number in the table; all when omitted.
    #[arg(long, value_delimiter = ',', value_name = "N,…")]
    pub rows: Vec<u8>,

    /// Rounds of each comparison: subject, limit, peer, and again.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: Option<u16>,

    /// Small sizes and short rounds: proves that every row runs; the figures mean little.
    #[arg(long)]
    pub quick: bool,

    /// Print one JSON document instead of the Markdown table.
    #[arg(long)]
    pub json: bool,

    /// Timeline entries for the rows about size.
    #[arg(long, value_name = "ENTRIES")]
    pub scale: Option<u64>,

    /// Seconds of one measurement under load.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<f64>,

    /// Connections of the client under load.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub connections: u16,

    /// Where the data of the run is put, and removed afterwards; its filesystem is what durable writes are measured on.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,

    /// The executable to measure; this one when omitted.
    #[arg(long, value_name = "PATH")]
    pub server_bin: Option<PathBuf>,

    /// The Redis server to compare with; the one on PATH when omitted.
    #[arg(long, value_name = "PATH")]
    pub redis_bin: Option<PathBuf>,

    /// Never install a missing peer: its lines then say that it is missing.
    #[arg(long)]
    pub no_install: bool,

    /// Let client and servers share all cores, instead of one core for the client and the others for the servers.
    #[arg(long)]
    pub no_pin: bool,
}

/// Sizes and durations of a run: what `--quick` makes small.
#[derive(Debug, Clone)]
pub(crate) struct Sizes {
    /// Rounds of each comparison.
    pub(crate) rounds: usize,
    /// One measurement under load.
    pub(crate) measure: Duration,
    /// Load before a measurement, not counted.
    pub(crate) warm: Duration,
    /// Connections under load.
    pub(crate) connections: usize,
    /// Followers of the popular feed.
    pub(crate) followers: usize,
    /// Single operations timed in one round.
    pub(crate) samples: usize,
    /// Fan-outs on Redis timed in one round.
    pub(crate) redis_samples: usize,
    /// Starts timed in one round.
    pub(crate) starts: usize,
    /// Activities of a person who is exported and erased.
    pub(crate) activities: u64,
    /// Timeline entries of the large data set.
    pub(crate) scale: u64,
    /// How long loading the large data set may take before it goes on with what it has.
    pub(crate) load_max: Duration,
    /// How long the whole run may take.
    pub(crate) run_max: Duration,
}

impl Sizes {
    /// The sizes that `args` ask for.
    pub(crate) fn new(args: &Args) -> Self {
        let base = if args.quick { Self::quick() } else { Self::full() };
        Self {
            rounds: args.rounds.map_or(base.rounds, usize::from),
            measure: args.seconds.map_or(base.measure, |seconds| Duration::from_secs_f64(seconds.clamp(0.05, 60.0))),
            connections: usize::from(args.connections),
            scale: args.scale.unwrap_or(base.scale).max(1_000),
            ..base
        }
    }

    fn full() -> Self {
        Self {
            rounds: 5,
            measure: Duration::from_secs(2),
            warm: Duration::from_millis(500),
            connections: 64,
            followers: 10_000,
            samples: 100,
            redis_samples: 3,
            starts: 5,
            activities: 10_000,
            scale: 10_000_000,
            load_max: Duration::from_secs(180),
            run_max: Duration::from_secs(60 * 60),
        }
    }

    fn quick() -> Self {
        Self {
            rounds: 2,
            measure: Duration::from_millis(150),
            warm: Duration::from_millis(50),
            followers: 200,
            samples: 5,
            redis_samples: 1,
            starts: 1,
            activities: 200,
            scale: 10_000,
            load_max: Duration::from_secs(30),
            run_max: Duration::from_secs(5 * 60),
            ..Self::full()
        }
    }
}
