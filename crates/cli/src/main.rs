//! The `millpond` binary: runs the server and works on its data.
//!
//! Every setting is defined once, in [`args`]; [`config`] lays a TOML file below the flags and the environment.
//!
//! **Invariant:** standard output holds what was asked for and nothing else; logs and progress go to standard error.

mod apps;
mod args;
mod config;
mod data;
mod erasures;
mod feeds;
mod logs;
mod output;
mod privacy;
mod residue;
mod serve;
mod size;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use args::{Cli, Command, ConfigCommand};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The exit code of a command line or a configuration that cannot be understood.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let (cli, matches) = match config::parse(std::env::args_os().collect()) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Printing can only fail when nobody listens any more.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match run(cli, &matches) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let done = match cli.command {
        Command::Serve(serve) if serve.print_config => output::text(&config::effective(matches)),
        Command::Serve(serve) => serve::run(&serve),
        Command::App(app) => block_on(apps::run(app)),
        Command::Token(token) => block_on(apps::token(token)),
        Command::Backup(backup) => data::backup(&backup),
        Command::Restore(restore) => data::restore(&restore),
        Command::Check(check) if check.residue.is_some() => return block_on(residue::run(check)),
        Command::Check(check) => data::check(&check),
        Command::Compact(compact) => block_on(data::compact(compact)),
        Command::Erasures { command } => block_on(erasures::run(command)),
        Command::Config { command: ConfigCommand::Template } => output::text(&config::template()),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "millpond", &mut std::io::stdout());
            Ok(())
        }
        Command::Bench(args) => block_on(bench::run(args)),
        Command::BenchPeer(args) => block_on(bench::peer(args)),
        Command::Privacy(args) => return block_on(privacy::run(*args)),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// The command line, once parsed.
fn from_matches(matches: &ArgMatches) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(matches)
}
