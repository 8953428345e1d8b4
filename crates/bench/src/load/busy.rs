//! How much of a core the calling thread has used, and how long it had to wait for one.

use std::time::{Duration, Instant};

/// A stretch of the calling thread's life.
pub(super) struct Busy {
    started: Instant,
    before: Option<Account>,
}

/// The kernel's account of a thread.
#[derive(Clone, Copy)]
struct Account {
    /// On a core.
    used: Duration,
    /// Ready to run, while something else had the core.
    waited: Duration,
}

impl Busy {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), before: account() }
    }

    /// The parts of the time since the start that this thread was on a core, and that it waited for one.
    pub(super) fn parts(&self) -> Option<(f64, f64)> {
        let (now, before) = (account()?, self.before?);
        let part = |now: Duration, before: Duration| {
            Some(now.checked_sub(before)?.as_secs_f64() / self.started.elapsed().as_secs_f64())
        };
        Some((part(now.used, before.used)?, part(now.waited, before.waited)?))
    }
}

/// The account of the calling thread, where the kernel keeps one.
fn account() -> Option<Account> {
    parse(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

fn parse(line: &str) -> Option<Account> {
    let mut numbers = line.split_whitespace().map(|number| number.parse().map(Duration::from_nanos));
    Some(Account { used: numbers.next()?.ok()?, waited: numbers.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_used_and_waited() {
        let account = parse("1500 250 7\n").unwrap();
        assert_eq!((account.used.as_nanos(), account.waited.as_nanos()), (1_500, 250));
        assert!(parse("").is_none());
        assert!(parse("1500").is_none());
    }
}
