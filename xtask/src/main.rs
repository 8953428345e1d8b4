//! Project tasks: `cargo xtask <task>`.
//!
//! `test` is everything that CI runs. The other tasks are parts of it that are useful alone.

mod api;
mod compatibility;
mod fuzz;
mod idle;
mod install;
mod kill;
mod memory;
mod quickstart;
mod replay;
mod scale;
mod seed;
mod serve;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and proves Millpond", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check and test, installing what is missing
    #[command(after_help = "Example: cargo xtask test --only e2e-js --only e2e-python")]
    Test(test::Arguments),
    /// Check the house rules: dependency arrows, file names and lengths, documents
    #[command(after_help = "Example: cargo xtask tidy --bless")]
    Tidy(tidy::Arguments),
    /// Check the page that says what works of the official clients, or write it from what the suites saw
    #[command(after_help = "Example: cargo xtask compatibility --bless")]
    Compatibility(compatibility::Arguments),
    /// Let libFuzzer look for inputs that break a target of fuzz/
    #[command(after_help = "Example: cargo xtask fuzz ranking --seconds 600")]
    Fuzz(fuzz::Arguments),
    /// Load recorded commits through the API and compare every timeline with a naive model
    #[command(after_help = "Example: cargo xtask replay --events 5000 --concurrency 32")]
    Replay(replay::Arguments),
    /// Kill a server under load, again and again, and look for lost, doubled or reordered writes
    #[command(after_help = "Example: cargo xtask kill --rounds 5 --seed 42")]
    Kill(kill::Arguments),
    /// Hold ten thousand silent sockets open, and see that others hear every message and that a drain closes each
    #[command(after_help = "Example: cargo xtask idle --sockets 1000")]
    Idle(idle::Arguments),
    /// Measure what a person with very many messages costs in memory, when exported and when erased
    #[command(after_help = "Example: cargo xtask memory --messages 10000")]
    Memory(memory::Arguments),
    /// Do the checks of the privacy connector at the contract's sizes: 300 MB, 10,000 rows, 100,000 requests
    #[command(after_help = "Example: cargo xtask scale")]
    Scale,
    /// Run the code blocks of the quickstart documents against a fresh server
    #[command(after_help = "Example: cargo xtask quickstart python")]
    Quickstart(quickstart::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run_until_interrupted(Arguments::parse().task).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Dropping the task kills the processes that it started: each is held by a guard.
async fn run_until_interrupted(task: Task) -> Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = run(task) => done,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
        _ = terminate.recv() => anyhow::bail!("terminated"),
    }
}

async fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Test(arguments) => return test::run(&arguments).await,
        Task::Tidy(arguments) => tidy::run(&arguments)?,
        Task::Compatibility(arguments) => compatibility::run(&arguments)?,
        Task::Fuzz(arguments) => fuzz::run(&arguments).await?,
        Task::Replay(arguments) => replay::run(arguments).await?,
        Task::Kill(arguments) => kill::run(arguments).await?,
        Task::Idle(arguments) => idle::run(arguments).await?,
        Task::Memory(arguments) => memory::run(arguments).await?,
        Task::Scale => scale::run(scale::Scale::Full).await?,
        Task::Quickstart(arguments) => quickstart::run(&arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}
