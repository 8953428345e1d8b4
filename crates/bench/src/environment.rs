//! What the figures were taken on.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::cores::Cores;

/// The load before a run beyond which a machine is not quiet.
const LOAD_MAX: f64 = 0.7;

/// The machine and the program.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Environment {
    pub(crate) cores: usize,
    pub(crate) cores_used: String,
    pub(crate) processor: String,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    pub(crate) filesystem: String,
    pub(crate) commit: String,
    pub(crate) is_optimised: bool,
    /// The load of the last minute when the run began.
    pub(crate) load_before: f64,
}

impl Environment {
    /// Looks around; what cannot be found out is `unknown`.
    ///
    /// Called before the calling thread is put on a core of its own, which would change what it sees.
    pub(crate) fn look(folder: &Path, cores: &Cores) -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cores_used: cores.to_string(),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            memory_mib: field("/proc/meminfo", "MemTotal").and_then(kilobytes).unwrap_or(0) / 1024,
            kernel: first_line("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
            filesystem: filesystem(folder).unwrap_or_else(unknown),
            commit: commit().unwrap_or_else(unknown),
            is_optimised: !cfg!(debug_assertions),
            load_before: load().unwrap_or(0.0),
        }
    }

    /// What makes the figures worth less than they seem.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.is_optimised {
            warnings.push("a debug build: the figures say nothing about a release".to_owned());
        }
        if self.load_before > LOAD_MAX {
            warnings.push(format!("the machine had a load of {} before the run: is it quiet?", self.load_before));
        }
        if matches!(self.filesystem.as_str(), "tmpfs" | "ramfs") {
            warnings.push(format!("the data is on {}, where a sync costs nothing: use --dir", self.filesystem));
        }
        warnings
    }
}

impl std::fmt::Display for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} cores ({}; {}), {} MiB, Linux {}, {}, commit {}",
            self.cores, self.processor, self.cores_used, self.memory_mib, self.kernel, self.filesystem, self.commit
        )
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn first_line(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.lines().next()?.trim().to_owned())
}

fn load() -> Option<f64> {
    first_line("/proc/loadavg")?.split(' ').next()?.parse().ok()
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kilobytes(text: String) -> Option<u64> {
    text.trim_end_matches("kB").trim().parse().ok()
}

fn filesystem(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    filesystem_in(&mounts, &folder.canonicalize().ok()?)
}

/// The type of the mount with the longest path that `folder` is under; of several on one path, the last.
fn filesystem_in(mounts: &str, folder: &Path) -> Option<String> {
    let mounted = mounts.lines().filter_map(|line| {
        let mut parts = line.split(' ');
        let (_, path, kind) = (parts.next()?, parts.next()?, parts.next()?);
        folder.starts_with(path).then_some((path.len(), kind))
    });
    mounted.max_by_key(|(length, _)| *length).map(|(_, kind)| kind.to_owned())
}

/// The commit that the program was built from, if its build said so, or the one of the current folder.
fn commit() -> Option<String> {
    if let Some(commit) = option_env!("MILLPOND_COMMIT") {
        return Some(commit.to_owned());
    }
    let hash = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() { hash } else { format!("{hash} with changes") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_is_the_filesystem() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/x xfs rw 0 0\n";
        let found = |path: &str| filesystem_in(mounts, Path::new(path)).unwrap();
        assert_eq!(found("/home"), "ext4");
        assert_eq!(found("/tmp/y"), "tmpfs");
        assert_eq!(found("/tmp/x/z"), "xfs");
        assert_eq!(found("/tmpx"), "ext4");
    }
}
