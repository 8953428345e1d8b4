//! What of the machine goes to others than this run: other guests of its host, and other processes.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;

/// All columns of a core's time: those after are part of the first ones.
const ALL: Range<usize> = 0..8;
/// What other guests took.
const STOLEN: usize = 7;
/// User, nice and system: interrupts are the run's own as well as others'.
const USED: Range<usize> = 0..3;

/// A stretch of the machine's time.
pub(crate) struct Others {
    before: Option<Account>,
}

/// The kernel's account of all cores, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Account {
    cores: usize,
    /// As many as passed on all cores.
    all: u64,
    /// Taken by other guests.
    stolen: u64,
    /// Used by processes.
    used: u64,
    /// Used by this process and those that it started, also those that have ended.
    own: u64,
}

impl Others {
    /// Begins a stretch now.
    pub(crate) fn start() -> Self {
        Self { before: account() }
    }

    /// The part of one core that went to others since the start, where the kernel tells.
    pub(crate) fn part(&self) -> Option<f64> {
        Some(others(self.before?, account()?))
    }
}

/// The part of one core that went to others between two accounts.
fn others(before: Account, now: Account) -> f64 {
    let passed = |of: fn(Account) -> u64| of(now).saturating_sub(of(before));
    let foreign = passed(|account| account.used).saturating_sub(passed(|account| account.own));
    let all = passed(|account| account.all).max(1);
    (passed(|account| account.stolen) + foreign) as f64 / all as f64 * now.cores as f64
}

fn account() -> Option<Account> {
    let machine = machine(&fs::read_to_string("/proc/stat").ok()?)?;
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        // One that has ended meanwhile counts with its parent.
        Some((pid, process(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))
    });
    Some(Account { own: of_tree(std::process::id(), &processes.collect()), ..machine })
}

/// The account without what is our own.
fn machine(stat: &str) -> Option<Account> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|ticks| ticks.parse().ok()).collect();
    let sum = |columns| Some(ticks.get::<Range<usize>>(columns)?.iter().sum());
    let cores = stat.lines().skip(1).take_while(|line| line.starts_with("cpu")).count();
    Some(Account { cores, all: sum(ALL)?, stolen: *ticks.get(STOLEN)?, used: sum(USED)?, own: 0 })
}

/// The parent of a process, and what it and its ended children have used.
fn process(stat: &str) -> Option<(u32, u64)> {
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
    let used = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some((fields.get(1)?.parse().ok()?, used))
}

/// What `root` and all below it have used.
fn of_tree(root: u32, processes: &HashMap<u32, (u32, u64)>) -> u64 {
    let is_below = |mut pid: u32| {
        while pid != root {
            match processes.get(&pid) {
                Some((parent, _)) if *parent != 0 => pid = *parent,
                _ => return false,
            }
        }
        true
    };
    processes.iter().filter(|(pid, _)| is_below(**pid)).map(|(_, (_, used))| used).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_a_machine_is_of_all_cores() {
        let stat =
            "cpu  100 5 30 900 7 1 2 40 9 9\ncpu0 50 2 15 450 3 0 1 20 0 0\ncpu1 50 3 15 450 4 1 1 20 0 0\nintr 5\n";
        assert_eq!(machine(stat), Some(Account { cores: 2, all: 1085, stolen: 40, used: 135, own: 0 }));
        assert_eq!(machine("cpu  1 2 3\n"), None);
    }

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 0 0 0 0 0 10 20 3 4 20 0 1 0 0 0 0";
        assert_eq!(process(stat), Some((7, 37)));
    }

    #[test]
    fn a_tree_is_a_process_and_all_that_it_started() {
        let processes = HashMap::from([(1, (0, 1)), (5, (1, 10)), (6, (5, 20)), (7, (6, 40)), (8, (1, 80))]);
        assert_eq!(of_tree(5, &processes), 70);
    }

    #[test]
    fn others_have_what_was_stolen_and_what_no_process_of_ours_used() {
        let before = Account { cores: 2, all: 1000, stolen: 10, used: 100, own: 50 };
        let later = Account { all: 1200, stolen: 13, used: 160, own: 106, ..before };
        assert_eq!(others(before, later), 0.07);
        // The accounts are not taken at one instant.
        assert_eq!(others(before, Account { used: 101, own: 52, ..before }), 0.0);
    }

    #[test]
    fn a_machine_that_tells_has_a_part_for_others() {
        let others = Others::start();
        assert_eq!(others.part().is_some(), fs::exists("/proc/stat").unwrap());
    }
}
