//! `cargo xtask fuzz`: a target of `fuzz/` driven by libFuzzer, for as long as one likes.
//!
//! What cargo-fuzz does on nightly is done here with the stable compiler: the coverage that libFuzzer goes by is an LLVM pass
//! that any compiler can be told to run, and without `unsafe` of our own the sanitizers that need nightly have little to find.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::{install, serve, shell};

const BUILD_MAX: Duration = Duration::from_secs(60 * 60);
/// Beyond the time that the run was given: reading its seeds, writing what it found.
const END_MAX: Duration = Duration::from_secs(10 * 60);
/// What makes code tell libFuzzer where it is and what it compares.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What is fuzzed: a folder of fuzz/seeds
    target: String,
    /// How long
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The longest input, in bytes
    #[arg(long, default_value_t = 4096)]
    bytes: u32,
}

/// Builds the target and runs it. A finding is a failure, and names the file that holds it.
pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let seeds = shell::root().join("fuzz/seeds").join(&arguments.target);
    std::fs::read_dir(&seeds).with_context(|| format!("no target `{}`: see fuzz/seeds", arguments.target))?;
    let binary = build().await?;
    let found = serve::target().join("fuzz-found").join(&arguments.target);
    let corpus = found.join("corpus");
    std::fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    println!("what it finds goes to {}; put a copy into fuzz/seeds with the fix", found.display());
    let mut fuzz = Command::new(binary);
    fuzz.env("MILLPOND_FUZZ_TARGET", &arguments.target);
    fuzz.arg(format!("-max_total_time={}", arguments.seconds)).arg(format!("-max_len={}", arguments.bytes));
    fuzz.args(["-timeout=20", "-rss_limit_mb=4096"]).arg(format!("-artifact_prefix={}/", found.display()));
    fuzz.arg(corpus).arg(seeds);
    shell::run(&mut fuzz, Duration::from_secs(arguments.seconds) + END_MAX).await
}

async fn build() -> Result<PathBuf> {
    install::debian("c++", "g++").await?;
    let host = host().await?;
    let target = serve::target().join("fuzz");
    let mut cargo = shell::cargo();
    // With a `--target`, flags are not those of build scripts.
    cargo.args([
        "build",
        "--locked",
        "--profile",
        "fuzz",
        "--package",
        "fuzz",
        "--bin",
        "fuzz",
        "--features",
        "libfuzzer",
    ]);
    cargo.args(["--target", &host]).env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", &target);
    shell::run(&mut cargo, BUILD_MAX).await?;
    Ok(target.join(host).join("fuzz/fuzz"))
}

async fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = shell::output(Command::new(rustc).arg("-vV"), Duration::from_secs(60)).await?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it is the host of")?.to_owned())
}
