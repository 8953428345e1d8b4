//! Finding Redis, and installing it where that is allowed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::progress::Progress;

/// The name of the program and of its package.
const REDIS: &str = "redis-server";

/// Why there is no Redis to compare with.
#[derive(Debug, Clone)]
pub(crate) struct Missing(pub(crate) String);

/// The program to run: the one asked for, the one on `PATH`, or the one installed now.
pub(crate) fn find(asked: Option<&Path>, may_install: bool, progress: &Progress) -> Result<PathBuf, Missing> {
    if let Some(path) = asked {
        let missing = || Missing(format!("{} is not a file", path.display()));
        return path.is_file().then(|| path.to_owned()).ok_or_else(missing);
    }
    if let Some(path) = on_path(REDIS) {
        return Ok(path);
    }
    if !may_install || !rustix::process::geteuid().is_root() || on_path("apt-get").is_none() {
        return Err(Missing(format!("{REDIS} is not on PATH; install it, or run as root where apt-get can")));
    }
    progress.say(&format!("{REDIS} is not on PATH: installing Debian's package"));
    install()?;
    on_path(REDIS).ok_or_else(|| Missing(format!("{REDIS} is not on PATH although its package is installed")))
}

fn install() -> Result<(), Missing> {
    let lists = apt(&["update", "-qq"]);
    apt(&["install", "-qq", "-y", "--no-install-recommends", REDIS]).map_err(|error| match lists {
        Ok(()) => error,
        Err(first) => Missing(format!("{}; {}", first.0, error.0)),
    })
}

fn apt(arguments: &[&str]) -> Result<(), Missing> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // The bench runs its own server: the package's service is not wanted.
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Missing(format!("apt-get {} ended with {status}", arguments[0]))),
        Err(error) => Err(Missing(format!("apt-get {}: {error}", arguments[0]))),
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_peer_is_reported_with_its_reason() {
        let missing = find(Some(Path::new("/nowhere/redis")), true, &Progress::silent()).unwrap_err();
        assert_eq!(missing.0, "/nowhere/redis is not a file");
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program").is_none());
    }
}
