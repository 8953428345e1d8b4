//! Runs other programs: each in its own process group, with a deadline, and never left behind.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// The project root: the folder above this crate, as cargo names it when it runs this.
///
/// What is compiled in comes second: checkouts that share a target directory share the binary, whoever built it.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&folder).parent().expect("xtask lies inside the project").to_owned()
    });
    &ROOT
}

/// Where downloads and environments are kept between runs, outside the checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME is not set; it is where the cache folder goes")?;
    let cache = Path::new(&home).join(".cache/millpond");
    std::fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    Ok(cache)
}

/// The `cargo` that runs this task.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs `command`, shows its output, and fails unless it exits with 0 before `deadline`.
pub(crate) async fn run(command: &mut Command, deadline: Duration) -> Result<()> {
    let line = display(command);
    eprintln!("$ {line}");
    let mut child = command
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let mut group = Group::of(child.id());
    let Ok(status) = tokio::time::timeout(deadline, child.wait()).await else {
        bail!("`{line}` had not finished after {} s and was killed", deadline.as_secs());
    };
    let status = status.with_context(|| format!("cannot wait for `{line}`"))?;
    group.is_done = true;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// Runs `command` to its end and returns what it printed on standard output.
pub(crate) async fn output(command: &mut Command, deadline: Duration) -> Result<String> {
    let line = display(command);
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let Ok(output) = tokio::time::timeout(deadline, running).await else {
        bail!("`{line}` had not finished after {} s and was killed", deadline.as_secs());
    };
    let output = output.with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {}\n{}{complaint}", output.status, String::from_utf8_lossy(&output.stdout));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether `program` is found on the search path.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn display(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    // A script as an argument is known by its beginning.
    match line.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => line,
    }
}

/// Kills the whole process group of an unfinished command: a runner's children die with it.
struct Group {
    leader: Option<u32>,
    is_done: bool,
}

impl Group {
    fn of(leader: Option<u32>) -> Self {
        Self { leader, is_done: false }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(leader) = self.leader.filter(|_| !self.is_done) else { return };
        let killed = std::process::Command::new("kill").args(["-KILL", "--", &format!("-{leader}")]).status();
        if let Err(error) = killed {
            eprintln!("cannot kill process group {leader}: {error}");
        }
    }
}
