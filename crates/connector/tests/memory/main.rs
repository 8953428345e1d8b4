//! Check 13: an export of 300 MB goes through in bounded memory, and what is read of it is what was sent.
//!
//! One test in a process of its own, so that nothing else grows beside it. What is measured is the peak of the process,
//! which has the fake upstream in it too. A build without optimisation takes minutes for 300 MB: it is given a fifth of
//! them, and a fifth of the growth.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

use std::sync::Arc;

use connector::{
    Connector, NewIntegration, NewRequest, Secret, Setup,
    integrations::Pair,
    keys::{KEY_BYTES, Kek},
    requests::{Category, GivenIdentifier, Kind},
    status::{Outcome, Status},
    surroundings::{Clock, Surroundings, SystemDice},
    upstream::{Http, HttpOptions},
};
use ids::Timestamp;
use testing::{clock::HandClock, upstream::Upstream};

const START: i64 = 1_767_225_600_000_000;
const KEY: &str = "memorykey1";
const SECRET: &str = "a-secret-that-is-long-enough-for-hs256";
/// The parts of the whole check that are done.
const FIFTHS: u64 = if cfg!(debug_assertions) { 1 } else { 5 };
/// Of ten kilobytes each.
const MESSAGES: u64 = 6_000 * FIFTHS;
const EXPORT_BYTES_MIN: u64 = 60_000_000 * FIFTHS;
/// In KiB; twice as large an export takes no more.
const GROWTH_MAX: u64 = 32 << 10;

struct Hand(HandClock);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.micros())
    }
}

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
    let setup = Setup {
        kek: Kek::new(&[7; KEY_BYTES]).unwrap(),
        surroundings: Surroundings::new(Arc::new(Hand(clock.clone())), Arc::new(SystemDice)),
        http: Http::new(HttpOptions::default()).unwrap(),
        dialects: Vec::new(),
    };
    let connector = Connector::open(dir.path(), setup).await.unwrap();
    upstream.set(|world| {
        world.add("small", "small@example.com");
        world.add("large", "large@example.com");
        world.large_exports.insert("large".to_owned(), usize::try_from(MESSAGES).unwrap());
    });
    let pair = Pair { key: Secret::new(KEY.to_owned()), secret: Secret::new(SECRET.to_owned()) };
    let new = NewIntegration { base_url: Some(upstream.url()), ..NewIntegration::new("Stream") };
    connector.connect(&new, pair).await.unwrap();
    // What is made once is made before anything is measured.
    access(&connector, &clock, "small").await;
    let before = memory("VmRSS");
    let id = access(&connector, &clock, "large").await;
    let grown = memory("VmHWM").saturating_sub(before);
    assert!(grown < GROWTH_MAX, "memory grew by {grown} KiB");

    let details = connector.details(&id).await.unwrap();
    let exported = details[0].tasks.iter().flat_map(|(_, attempts)| attempts).map(|attempt| attempt.bytes).max();
    assert!(exported.unwrap() >= EXPORT_BYTES_MIN, "{exported:?}");
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
