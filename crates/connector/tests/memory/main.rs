//! Check 13: an export of 300 MB goes through in bounded memory, and what is read of it is what was sent.
//!
//! One test in a process of its own, so that nothing else grows beside it. What is measured is the peak of the process,
//! which has the fake upstream in it too. The bound is that of a fifth of it for the whole, too.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

#[path = "../shared/size.rs"]
mod size;
#[path = "../shared/start.rs"]
mod start;

use connector::{
    Connector, NewRequest,
    requests::{Category, GivenIdentifier, Kind},
    status::{Outcome, Status},
};
use store::Options;
use testing::{clock::HandClock, upstream::Upstream};

const START: i64 = 1_767_225_600_000_000;
const KEY: &str = "memorykey1";
const SECRET: &str = "a-secret-that-is-long-enough-for-hs256";
/// Of ten kilobytes each, without and with `MILLPOND_SCALE`.
const MESSAGES: (usize, usize) = (6_000, 30_000);
const MESSAGE_BYTES: u64 = 10_000;
/// In KiB; twice as large an export takes no more.
const GROWTH_MAX: u64 = 32 << 10;

/// A line of `/proc/self/status`, in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// Counts what goes through.
#[derive(Default)]
struct Sink(u64);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn check_13_an_export_of_300_mb_streams_in_bounded_memory() {
    let clock = HandClock::at(START);
    let upstream = Upstream::start(KEY, SECRET, &clock).await;
    let dir = tempfile::tempdir().unwrap();
    let connector = start::open(dir.path(), &clock, Options::default()).await;
    let messages = size::sized(MESSAGES.0, MESSAGES.1, MESSAGES.1);
    upstream.set(|world| {
        world.add("small", "small@example.com");
        world.add("large", "large@example.com");
        world.large_exports.insert("large".to_owned(), messages);
    });
    start::connect(&connector, upstream.url(), "stream_v2", (KEY, SECRET)).await;
    // What is made once is made before anything is measured.
    access(&connector, &clock, "small").await;
    let before = memory("VmRSS");
    let id = access(&connector, &clock, "large").await;
    let grown = memory("VmHWM").saturating_sub(before);
    assert!(grown < GROWTH_MAX, "memory grew by {grown} KiB");

    let details = connector.details(&id).await.unwrap();
    let exported = details[0].tasks.iter().flat_map(|(_, attempts)| attempts).map(|attempt| attempt.bytes).max();
    assert!(exported.unwrap() >= messages as u64 * MESSAGE_BYTES, "{exported:?}");
    let mut package = Sink::default();
    connector.artifact(&details[0].execution.id, "package.zip", &mut package).await.unwrap();
    assert!(package.0 > 0);
    let still = memory("VmHWM").saturating_sub(before);
    assert!(still < GROWTH_MAX, "handing it out grew memory by {still} KiB");
}

async fn access(connector: &Connector, clock: &HandClock, user: &str) -> String {
    let identifier = GivenIdentifier::new(Category::UserId, user).unwrap();
    let asked = connector.ask(&NewRequest::new(Kind::Access, vec![identifier])).await.unwrap();
    let id = asked.request().id.clone();
    loop {
        connector.run_due().await.unwrap();
        let state = connector.request(&id).await.unwrap().state;
        if state.status().is_final() {
            assert_eq!((state.status(), state.outcome()), (Status::Complete, Some(Outcome::RecordsFound)));
            return id;
        }
        if let Some(at) = connector.next_due().await.unwrap() {
            clock.set(at.micros().max(clock.micros()));
        }
    }
}
