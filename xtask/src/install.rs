//! Brings in what a step needs and the machine lacks. Says what it installs and asks for nothing.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::shell;

const INSTALL_MAX: Duration = Duration::from_secs(30 * 60);

/// Makes sure that `program` is there, from Debian's `package` if need be.
pub(crate) async fn debian(program: &str, package: &str) -> Result<()> {
    if shell::is_installed(program) {
        return Ok(());
    }
    eprintln!("installing {package} from Debian's packages: it has `{program}`");
    if !shell::is_installed("apt-get") {
        bail!("`{program}` is not installed and there is no apt-get to install it with; install {package} by hand");
    }
    apt(&["update", "--quiet"]).await?;
    apt(&["install", "--yes", "--quiet", "--no-install-recommends", package]).await
}

async fn apt(words: &[&str]) -> Result<()> {
    let is_root = shell::output(Command::new("id").arg("-u"), Duration::from_secs(10)).await?.trim() == "0";
    let mut command = Command::new(if is_root { "apt-get" } else { "sudo" });
    if !is_root {
        command.args(["--non-interactive", "apt-get"]);
    }
    shell::run(command.args(words).env("DEBIAN_FRONTEND", "noninteractive"), INSTALL_MAX).await
}

/// Makes sure that the cargo tool `name` is there, at `version` if it has to be installed.
pub(crate) async fn cargo_tool(name: &str, version: &str) -> Result<()> {
    if shell::is_installed(name) {
        return Ok(());
    }
    eprintln!("installing {name} {version} with cargo; this is slow the first time");
    let mut command = shell::cargo();
    // Its own target folder: a tool's build shares nothing with ours, and may be thrown away.
    command.args(["install", "--locked", "--version", version, name]).env_remove("CARGO_TARGET_DIR");
    shell::run(&mut command, INSTALL_MAX).await
}

/// Installs the packages that `e2e/js/package-lock.json` pins, unless they are there.
pub(crate) async fn node_modules() -> Result<()> {
    debian("node", "nodejs").await?;
    debian("npm", "npm").await?;
    let suite = shell::root().join("e2e/js");
    let lock = std::fs::read_to_string(suite.join("package-lock.json")).context("e2e/js/package-lock.json")?;
    let stamp = suite.join("node_modules/.installed-lock.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    eprintln!("installing the packages of e2e/js with npm");
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&suite);
    shell::run(&mut command, INSTALL_MAX).await?;
    std::fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Makes a Python environment with what `e2e/python/requirements.txt` pins; returns its `bin` folder.
pub(crate) async fn python_environment() -> Result<PathBuf> {
    debian("python3", "python3").await?;
    let requirements = shell::root().join("e2e/python/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).context("e2e/python/requirements.txt")?;
    let folder = shell::cache()?.join("e2e-python");
    let stamp = folder.join("installed-requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder.join("bin"));
    }
    eprintln!("installing the packages of e2e/python with pip into {}", folder.display());
    make_environment(&folder).await?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&requirements);
    shell::run(&mut pip, INSTALL_MAX).await?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(folder.join("bin"))
}

async fn make_environment(folder: &std::path::Path) -> Result<()> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(folder);
    if shell::run(&mut venv, INSTALL_MAX).await.is_ok() {
        return Ok(());
    }
    // Debian keeps the module in a package of its own.
    eprintln!("installing python3-venv from Debian's packages");
    apt(&["update", "--quiet"]).await?;
    apt(&["install", "--yes", "--quiet", "--no-install-recommends", "python3-venv"]).await?;
    shell::run(&mut venv, INSTALL_MAX).await
}
