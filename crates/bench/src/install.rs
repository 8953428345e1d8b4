//! Finding the peers' programs, and installing them where that is allowed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::progress::Progress;

/// Why there is no peer to compare with.
#[derive(Debug, Clone)]
pub(crate) struct Missing(pub(crate) String);

/// The Redis to run: the one asked for, the one on `PATH`, or the one installed now.
pub(crate) fn redis(asked: Option<&Path>, may_install: bool, progress: &Progress) -> Result<PathBuf, Missing> {
    if let Some(path) = asked {
        let missing = || Missing(format!("{} is not a file", path.display()));
        return path.is_file().then(|| path.to_owned()).ok_or_else(missing);
    }
    find("redis-server", "redis-server", &on_path, may_install, progress)
}

/// What `look` finds of a program, before or after its package is installed.
pub(crate) fn find(
    program: &str,
    package: &str,
    look: &dyn Fn(&str) -> Option<PathBuf>,
    may_install: bool,
    progress: &Progress,
) -> Result<PathBuf, Missing> {
    if let Some(path) = look(program) {
        return Ok(path);
    }
    if !may_install || !rustix::process::geteuid().is_root() || on_path("apt-get").is_none() {
        return Err(Missing(format!(
            "{program} is not installed; install {package}, or run as root where apt-get can"
        )));
    }
    progress.say(&format!("{program} is not installed: installing Debian's {package}"));
    install(package)?;
    look(program).ok_or_else(|| Missing(format!("{program} is not there although {package} is installed")))
}

fn install(package: &str) -> Result<(), Missing> {
    let lists = apt(&["update", "-qq"]);
    apt(&["install", "-qq", "-y", "--no-install-recommends", package]).map_err(|error| match lists {
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

/// A program on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_peer_is_reported_with_its_reason() {
        let missing = redis(Some(Path::new("/nowhere/redis")), true, &Progress::silent()).unwrap_err();
        assert_eq!(missing.0, "/nowhere/redis is not a file");
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program").is_none());
    }
}
