//! Check 49: memory stays flat however many requests were fulfilled, and a start with many open ones is quick.
//!
//! One test in a process of its own, so that nothing else grows beside it. A build without optimisation is given a
//! two-hundredth of the requests; `cargo test --release --package connector --test scale` does all of them.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use connector::{
    Connector, Filter, NewIntegration, NewRequest, Secret, Setup,
    integrations::Pair,
    keys::{KEY_BYTES, Kek},
    requests::{Category, GivenIdentifier, Kind},
    status::Status,
    surroundings::{Clock, Surroundings, SystemDice},
    upstream::{Http, HttpOptions},
};
use ids::Timestamp;
use store::Options;
use testing::{clock::HandClock, upstream::Upstream};

const START: i64 = 1_767_225_600_000_000;
const KEY: &str = "scalekey01";
const SECRET: &str = "a-secret-that-is-long-enough-for-hs256";
const REQUESTS: usize = if cfg!(debug_assertions) { 500 } else { 100_000 };
/// What the start may take (§23).
const START_MAX: Duration = Duration::from_secs(5);
/// What the second half of the requests may add to the memory of the first, in KiB: the caches and buffers of the store.
const GROWTH_MAX: u64 = 48 << 10;
/// What recent writes may take, so that they are on disk before the half is done.
const WRITE_BUFFER_BYTES: u64 = 4 << 20;

struct Hand(HandClock);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.micros())
    }
}

async fn open(dir: &Path, clock: &HandClock) -> Connector {
    let setup = Setup {
        kek: Kek::new(&[7; KEY_BYTES]).unwrap(),
        surroundings: Surroundings::new(Arc::new(Hand(clock.clone())), Arc::new(SystemDice)),
        http: Http::new(HttpOptions::default()).unwrap(),
        dialects: Vec::new(),
    };
    let options = Options { write_buffer_bytes: WRITE_BUFFER_BYTES, ..Options::default() };
    Connector::open_with(dir, setup, options).await.unwrap()
}

/// The resident memory of the process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// How many requests are open, or done.
async fn count(connector: &Connector, status: Status) -> usize {
    let filter = Filter { status: Some(status), ..Filter::default() };
    let (mut count, mut after) = (0, None::<String>);
    loop {
        let page = connector.requests(&filter, after.as_deref(), 200).await.unwrap();
        count += page.requests.len();
        match page.next {
            Some(next) => after = Some(next),
            None => return count,
        }
    }
}

#[tokio::test]
async fn check_49_memory_is_flat_and_a_start_with_many_open_requests_is_quick() {
    let clock = HandClock::at(START);
    let upstream = Upstream::start(KEY, SECRET, &clock).await;
    let dir = tempfile::tempdir().unwrap();
    let connector = open(dir.path(), &clock).await;
    let pair = Pair { key: Secret::new(KEY.to_owned()), secret: Secret::new(SECRET.to_owned()) };
    let new = NewIntegration { base_url: Some(upstream.url()), ..NewIntegration::new("Stream") };
    connector.connect(&new, pair).await.unwrap();
    for number in 0..REQUESTS {
        // Nobody has these ids, so that what is measured is what the connector keeps of a request.
        let identifier = GivenIdentifier::new(Category::UserId, &format!("user-{number}")).unwrap();
        connector.ask(&NewRequest::new(Kind::Access, vec![identifier])).await.unwrap();
    }
    drop(connector);
    let began = Instant::now();
    let connector = open(dir.path(), &clock).await;
    assert!(connector.next_due().await.unwrap().is_some());
    let took = began.elapsed();
    assert!(took < START_MAX, "{took:?}");
    assert_eq!(count(&connector, Status::Queued).await, REQUESTS);

    let mut done = 0;
    let mut half = None;
    while let Some(at) = connector.next_due().await.unwrap() {
        clock.set(at.micros().max(clock.micros()));
        done += connector.run_due().await.unwrap();
        upstream.forget();
        if done >= REQUESTS / 2 {
            half.get_or_insert_with(resident);
        }
    }
    assert_eq!(count(&connector, Status::Complete).await, REQUESTS);
    let grown = resident().saturating_sub(half.unwrap());
    assert!(grown < GROWTH_MAX, "memory grew by {grown} KiB");
}
