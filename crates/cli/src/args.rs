//! Every command, flag and setting, defined once.
//!
//! A setting is a long flag, an environment variable `MILLPOND_…` and, if it is one of [`Serve`], a key of the
//! configuration file with the flag's name. What is written here is also the help, the completion and the template.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use server::front::RateLimitSetting;

use crate::size::Size;

pub(crate) mod feeds;

use feeds::{GroupsCommand, WebhooksCommand};

/// Millpond, a server of your own that speaks the API of Stream.
#[derive(Parser, Debug)]
#[command(name = "millpond", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Example:\n  millpond serve\n  millpond help serve")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// The configuration file, in TOML; flags and the environment go before it
    #[arg(long, global = true, env = "MILLPOND_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What the binary does.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run the server
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<Serve>),
    /// Make, list, rotate and revoke apps
    #[command(after_help = "Example:\n  millpond app create --name shop")]
    App(App),
    /// Make a token of an app
    #[command(after_help = "Example:\n  millpond token --app 1 --user anna\n  millpond token --app 1 --server")]
    Token(Token),
    /// Write everything in the data directory to one file
    #[command(after_help = "Example:\n  millpond backup pond.dump --data-dir /var/lib/millpond")]
    Backup(Backup),
    /// Make a data directory from a backup
    #[command(after_help = "Example:\n  millpond restore pond.dump --data-dir /var/lib/millpond-new")]
    Restore(Restore),
    /// Read everything in the data directory, or in a backup, and say whether it is whole
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Write the data directory anew without what was erased
    #[command(after_help = "Example:\n  millpond compact --data-dir /var/lib/millpond")]
    Compact(Compact),
    /// Keep the list of erasures apart from backups, and apply it after a restore
    #[command(
        after_help = "Example:\n  millpond erasures list > erasures.jsonl\n  millpond erasures apply erasures.jsonl"
    )]
    Erasures {
        #[command(subcommand)]
        command: ErasuresCommand,
    },
    /// Work with the configuration file
    #[command(after_help = "Example:\n  millpond config template > millpond.toml")]
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Write a completion script for a shell
    #[command(after_help = "Example:\n  millpond completions bash > /etc/bash_completion.d/millpond")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Fulfil access and deletion requests of people at Stream-compatible services
    #[command(after_help = crate::privacy::EXAMPLES)]
    Privacy(Box<crate::privacy::Privacy>),
    /// Measure this server beside its limits and its peers
    #[command(after_help = "Example:\n  millpond bench --quick\n  millpond bench --rows 1,6")]
    Bench(bench::Args),
    /// Run one of the servers that the bench compares with
    #[command(hide = true)]
    BenchPeer(bench::PeerArgs),
}

const SERVE_EXAMPLES: &str = "\
Examples:
  millpond serve
  millpond serve --listen 0.0.0.0:8800 --data-dir /var/lib/millpond
  millpond serve --ephemeral --app-key key --app-secret secret --preset sdk-suites

Every setting is also a key of the configuration file, without the dashes; see
`millpond config template`. Flags go before the environment, the environment
before the file, and the file before the defaults.";

const CHECK_EXAMPLES: &str = "\
Examples:
  millpond check --data-dir /var/lib/millpond
  millpond check --backup pond.dump
  millpond check --residue ann --needle ann@example.com --app 1

With --residue, the exit code is 1 when something of that user is left.";

/// What `erasures` does.
#[derive(Subcommand, Debug)]
pub(crate) enum ErasuresCommand {
    /// Write who was erased when, one JSON object per line; hashes stand for ids
    #[command(after_help = "Example:\n  millpond erasures list > erasures.jsonl")]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Erase again who is on a list and came back with a backup; the next `serve` does it
    #[command(after_help = "Example:\n  millpond erasures apply erasures.jsonl --data-dir /var/lib/millpond-new")]
    Apply {
        /// What `list` wrote
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
}

/// What `config` does.
#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Write a configuration file with every setting, its meaning and its default
    #[command(after_help = "Example:\n  millpond config template > millpond.toml")]
    Template,
}

/// Where the data is.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Data")]
pub(crate) struct Data {
    /// The directory that holds everything; one server at a time owns it
    #[arg(long, env = "MILLPOND_DATA_DIR", value_name = "DIR", default_value = "./millpond-data")]
    pub(crate) data_dir: PathBuf,

    /// The key that seals app secrets: base64 of 32 bytes; without it, the file `server.key` in the data directory
    #[arg(long, env = "MILLPOND_SERVER_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) server_key: Option<String>,
}

/// `millpond serve`.
#[derive(Args, Debug, Clone)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) storage: Storage,
    #[command(flatten)]
    pub(crate) erasure: Erasure,
    #[command(flatten)]
    pub(crate) first_app: FirstApp,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) logs: Logs,

    /// Print what is ready as JSON, one object per line
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// Print every setting, its value and where that comes from, and stop
    #[arg(long, help_heading = "Output")]
    pub(crate) print_config: bool,
}

/// How the server is reached.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// An address to listen on; repeat it for more, port 0 takes a free one
    #[arg(long, env = "MILLPOND_LISTEN", value_name = "ADDR", value_delimiter = ',', default_value = "127.0.0.1:8800")]
    pub(crate) listen: Vec<SocketAddr>,

    /// How clients reach this server, if that is not the first address: behind a proxy, say
    #[arg(long, env = "MILLPOND_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// How long requests in flight may go on after SIGTERM
    #[arg(long, env = "MILLPOND_DRAIN_SECONDS", value_name = "SECONDS", default_value_t = 25)]
    pub(crate) drain_seconds: u64,

    /// How long to go on accepting after SIGTERM while /readyz already says 503, so that a balancer can turn away
    #[arg(long, env = "MILLPOND_LAME_DUCK_SECONDS", value_name = "SECONDS", default_value_t = 0)]
    pub(crate) lame_duck_seconds: u64,

    /// A network that the server may call beside the public Internet, as in 10.1.0.0/16: for webhooks, previews of links
    /// and Open Graph; repeat it for more
    #[arg(long, env = "MILLPOND_OUTBOUND_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) outbound_allow: Vec<IpNet>,

    /// Where topics (SNS) are published, if that is not Amazon's service in the region of the topic
    #[arg(long, env = "MILLPOND_SNS_ENDPOINT", value_name = "URL")]
    pub(crate) sns_endpoint: Option<String>,

    /// Who translates messages: the address of LibreTranslate, or of what speaks its API; without it, nobody does
    #[arg(long, env = "MILLPOND_TRANSLATOR", value_name = "URL")]
    pub(crate) translator: Option<String>,

    /// The API key that it asks for
    #[arg(long, env = "MILLPOND_TRANSLATOR_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) translator_key: Option<String>,
}

/// How the data is kept.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Data")]
pub(crate) struct Storage {
    /// Use a fresh directory that is removed at the end
    #[arg(
        long, env = "MILLPOND_EPHEMERAL", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set
    )]
    pub(crate) ephemeral: bool,

    /// Memory for what is kept ready: a third for blocks read from disk, the rest for feeds and activities
    #[arg(long, env = "MILLPOND_CACHE_BYTES", value_name = "SIZE", default_value_t = Size(768 << 20))]
    pub(crate) cache_bytes: Size,
}

/// What is erased.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Data")]
pub(crate) struct Erasure {
    /// Make what was erased unreadable in the files at once, which is costly
    #[arg(
        long, env = "MILLPOND_ERASURE_COMPACT", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set
    )]
    pub(crate) erasure_compact: bool,
}

/// The app that is made at the start.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "First app")]
pub(crate) struct FirstApp {
    /// The API key of an app to make if it is not there; without it, an empty directory gets one with a key made up
    #[arg(long, env = "MILLPOND_APP_KEY", value_name = "KEY")]
    pub(crate) app_key: Option<String>,

    /// Its secret; made up if it is left out
    #[arg(long, env = "MILLPOND_APP_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(crate) app_secret: Option<String>,

    /// Its number; the next free one if it is left out
    #[arg(long, env = "MILLPOND_APP_ID", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) app_id: Option<u32>,

    /// What the app gets besides the usual feed groups and settings
    #[arg(long, env = "MILLPOND_PRESET", value_name = "NAME")]
    pub(crate) preset: Option<Preset>,

    /// A TOML file with feed groups and feed webhooks that the app has from the start on
    #[arg(long, env = "MILLPOND_FEEDS", value_name = "FILE")]
    pub(crate) feeds: Option<String>,
}

/// What an app may be made with.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preset {
    /// The feed groups and settings that the test suites of the official client libraries presume
    SdkSuites,
}

/// What callers may ask for.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// Rate limits: off, default (100 times the published ones), or another factor on the published ones
    #[arg(long, env = "MILLPOND_RATE_LIMITS", value_name = "off|default|FACTOR", default_value_t = RateLimitSetting::Default)]
    pub(crate) rate_limits: RateLimitSetting,

    /// The largest request body, on the wire and after decompression
    #[arg(long, env = "MILLPOND_BODY_MAX_BYTES", value_name = "SIZE", default_value_t = Size(10 << 20))]
    pub(crate) body_max_bytes: Size,

    /// The largest request head
    #[arg(long, env = "MILLPOND_HEADER_MAX_BYTES", value_name = "SIZE", default_value_t = Size(64 << 10))]
    pub(crate) header_max_bytes: Size,

    /// Answers below this size are never compressed
    #[arg(long, env = "MILLPOND_COMPRESS_MIN_BYTES", value_name = "SIZE", default_value_t = Size(1 << 10))]
    pub(crate) compress_min_bytes: Size,

    /// Open connections in all; beyond it the newest is closed at once
    #[arg(long, env = "MILLPOND_CONNECTIONS_MAX", value_name = "N", default_value_t = 65_536)]
    pub(crate) connections_max: u32,

    /// Open connections from one address; raise it behind a proxy
    #[arg(long, env = "MILLPOND_CONNECTIONS_PER_PEER_MAX", value_name = "N", default_value_t = 16_384)]
    pub(crate) connections_per_peer_max: u32,

    /// How long a new connection may say nothing
    #[arg(long, env = "MILLPOND_FIRST_BYTE_SECONDS", value_name = "SECONDS", default_value_t = 10, value_parser = at_least_one())]
    pub(crate) first_byte_seconds: u64,

    /// How long a request head may take from its first byte
    #[arg(long, env = "MILLPOND_HEADER_SECONDS", value_name = "SECONDS", default_value_t = 10, value_parser = at_least_one())]
    pub(crate) header_seconds: u64,

    /// How long a connection may rest between requests
    #[arg(long, env = "MILLPOND_IDLE_SECONDS", value_name = "SECONDS", default_value_t = 75, value_parser = at_least_one())]
    pub(crate) idle_seconds: u64,

    /// How long a body may take for each KiB
    #[arg(long, env = "MILLPOND_BODY_PROGRESS_SECONDS", value_name = "SECONDS", default_value_t = 10, value_parser = at_least_one())]
    pub(crate) body_progress_seconds: u64,

    /// How long a client may refuse to take a single byte of its answer
    #[arg(long, env = "MILLPOND_WRITE_STALL_SECONDS", value_name = "SECONDS", default_value_t = 30, value_parser = at_least_one())]
    pub(crate) write_stall_seconds: u64,
}

fn at_least_one() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..)
}

/// What is logged, to standard error.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Logs")]
pub(crate) struct Logs {
    /// error, warn, info, debug or trace, or directives such as `info,millpond::access=debug` (a line per request)
    #[arg(long, env = "MILLPOND_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: String,

    /// The form of a log line
    #[arg(long, env = "MILLPOND_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// The form of a log line.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// An object per line, for programs
    Json,
}

/// `millpond app`.
#[derive(Args, Debug)]
pub(crate) struct App {
    #[command(subcommand)]
    pub(crate) command: AppCommand,
    #[command(flatten)]
    pub(crate) data: GlobalData,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// [`Data`] for commands with commands of their own.
#[derive(Args, Debug, Clone)]
pub(crate) struct GlobalData {
    /// The directory that holds everything; a server that runs on it is asked to do the work
    #[arg(long, env = "MILLPOND_DATA_DIR", value_name = "DIR", default_value = "./millpond-data", global = true)]
    pub(crate) data_dir: PathBuf,

    /// The key that seals app secrets: base64 of 32 bytes; without it, the file `server.key` in the data directory
    #[arg(long, env = "MILLPOND_SERVER_KEY", value_name = "KEY", hide_env_values = true, global = true)]
    pub(crate) server_key: Option<String>,
}

/// What `app` does.
#[derive(Subcommand, Debug)]
pub(crate) enum AppCommand {
    /// Make an app
    #[command(after_help = "Example:\n  millpond app create --name shop")]
    Create {
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// Its API key; made up if it is left out
        #[arg(long)]
        key: Option<String>,
        /// Its secret; made up if it is left out
        #[arg(long)]
        secret: Option<String>,
        /// Its number; the next free one if it is left out
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        id: Option<u32>,
        /// What it gets besides the usual feed groups and settings
        #[arg(long, value_name = "NAME")]
        preset: Option<Preset>,
    },
    /// List the apps with their keys
    #[command(after_help = "Example:\n  millpond app list --json")]
    List,
    /// Give an app another secret; its old tokens are worth nothing from then on
    #[command(after_help = "Example:\n  millpond app rotate 1")]
    Rotate {
        /// The app's number or API key
        app: String,
    },
    /// Show, make and take away the feed groups of an app
    #[command(after_help = "Example:\n  millpond app groups list 1")]
    Groups {
        #[command(subcommand)]
        command: GroupsCommand,
    },
    /// Show, make and take away who is told of what changes in the feeds of an app
    #[command(after_help = "Example:\n  millpond app webhooks list 1")]
    Webhooks {
        #[command(subcommand)]
        command: WebhooksCommand,
    },
    /// Refuse every call of an app from now on; its data stays
    #[command(after_help = "Example:\n  millpond app revoke 1")]
    Revoke {
        /// The app's number or API key
        app: String,
    },
}

/// `millpond token`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("whom").required(true).args(["user", "server"]))]
pub(crate) struct Token {
    /// The app's number or API key
    #[arg(long, value_name = "APP")]
    pub(crate) app: String,
    /// The user that the token speaks for
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// A token for the app's own server, which may do everything
    #[arg(long)]
    pub(crate) server: bool,
    /// Seconds until the token expires; without it, it does not
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires_in: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

/// `millpond backup`.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The file to write; it must not be there
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

/// `millpond restore`.
#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The backup
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

/// `millpond check`.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Check this backup instead of the data directory
    #[arg(long, value_name = "FILE")]
    pub(crate) backup: Option<PathBuf>,
    /// Say what is left of this user in rows, files and queues: where, never what
    #[arg(long, value_name = "USER", conflicts_with = "backup")]
    pub(crate) residue: Option<String>,
    /// A text that only this user's data holds; repeat it for more
    #[arg(long, value_name = "TEXT", requires = "residue")]
    pub(crate) needle: Vec<String>,
    /// The number of the app to look in; all, if it is left out
    #[arg(long, value_name = "N", requires = "residue", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) app: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

/// `millpond compact`.
#[derive(Args, Debug)]
pub(crate) struct Compact {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}
