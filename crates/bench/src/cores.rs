//! Which cores the client has, and which the servers.
//!
//! A client that shares its core with what it measures makes everything look alike; so it gets one core, and every server
//! all the others. A child inherits the cores of the thread that starts it.

use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores of this process, divided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    split: Option<(CpuSet, CpuSet)>,
}

impl Cores {
    /// Divides the cores that this process may use; with one core, or without `pin`, they are shared.
    pub(crate) fn new(pin: bool) -> Self {
        let split = sched_getaffinity(None).ok().filter(|all| pin && all.count() >= 2).map(divide);
        Self { split }
    }

    /// Whether the client has a core of its own.
    pub(crate) fn are_split(&self) -> bool {
        self.split.is_some()
    }

    /// Puts the calling thread on the client's core.
    pub(crate) fn enter_client(&self) {
        if let Some((client, _)) = &self.split {
            // A thread that may not be moved measures all the same; the client's lag and load show it.
            let _ = sched_setaffinity(None, client);
        }
    }

    /// Starts `command` on the servers' cores.
    pub(crate) fn spawn(&self, command: &mut Command) -> std::io::Result<Child> {
        if let Some((_, servers)) = &self.split {
            let _ = sched_setaffinity(None, servers);
        }
        let child = command.spawn();
        self.enter_client();
        child
    }
}

impl std::fmt::Display for Cores {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.split {
            Some((_, servers)) => write!(formatter, "1 for the client, {} for each server", servers.count()),
            None => write!(formatter, "shared by client and servers"),
        }
    }
}

/// The last core for the client, the others for the servers.
fn divide(all: CpuSet) -> (CpuSet, CpuSet) {
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| all.is_set(*core)).unwrap_or(0);
    let mut client = CpuSet::new();
    client.set(last);
    let mut servers = all;
    servers.unset(last);
    (client, servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_gets_the_last_core_and_the_servers_the_others() {
        let mut all = CpuSet::new();
        [1, 4, 7].into_iter().for_each(|core| all.set(core));
        let (client, servers) = divide(all);
        assert!(client.is_set(7) && client.count() == 1);
        assert!(servers.is_set(1) && servers.is_set(4) && servers.count() == 2);
    }
}
