//! Check 49: memory stays flat however many requests were fulfilled, and a start with many open ones is quick.
//!
//! One test in a process of its own, so that nothing else grows beside it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

#[path = "../shared/size.rs"]
mod size;
#[path = "../shared/start.rs"]
mod start;

use std::time::{Duration, Instant};

use connector::{
    Connector, Filter, NewRequest,
    requests::{Category, GivenIdentifier, Kind},
    status::Status,
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use store::Options;
use testing::{clock::HandClock, upstream::Upstream};

const START: i64 = 1_767_225_600_000_000;
const KEY: &str = "scalekey01";
const SECRET: &str = "a-secret-that-is-long-enough-for-hs256";
/// The requests: without `MILLPOND_SCALE`, with `step` and with `full`.
const REQUESTS: (usize, usize, usize) = (500, 20_000, 100_000);
/// Those that are made at the same time.
const ASKED_AT_ONCE: usize = 64;
/// What the start may take (§23).
const START_MAX: Duration = Duration::from_secs(5);
/// What the second half of the requests may add to the memory of the first, in KiB: the caches and buffers of the store.
const GROWTH_MAX: u64 = 48 << 10;
/// What recent writes may take, so that they are on disk before the half is done.
const WRITE_BUFFER_BYTES: u64 = 4 << 20;

fn options() -> Options {
    Options { write_buffer_bytes: WRITE_BUFFER_BYTES, ..Options::default() }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_49_memory_is_flat_and_a_start_with_many_open_requests_is_quick() {
    let clock = HandClock::at(START);
    let upstream = Upstream::start(KEY, SECRET, &clock).await;
    let dir = tempfile::tempdir().unwrap();
    let connector = start::open(dir.path(), &clock, options()).await;
    start::connect(&connector, upstream.url(), "stream_v2", (KEY, SECRET)).await;
    let requests = size::sized(REQUESTS.0, REQUESTS.1, REQUESTS.2);
    // Nobody has these ids, so that what is measured is what the connector keeps of a request.
    let new = |number: usize| {
        let identifier = GivenIdentifier::new(Category::UserId, &format!("user-{number}")).unwrap();
        NewRequest::new(Kind::Access, vec![identifier])
    };
    let asked = futures_util::stream::iter((0..requests).map(new)).map(|new| {
        let connector = &connector;
        async move { connector.ask(&new).await }
    });
    asked.buffer_unordered(ASKED_AT_ONCE).try_for_each(async |_| Ok(())).await.unwrap();
    drop(connector);
    let began = Instant::now();
    let connector = start::open(dir.path(), &clock, options()).await;
    assert!(connector.next_due().await.unwrap().is_some());
    let took = began.elapsed();
    assert!(took < START_MAX, "{took:?}");
    assert_eq!(count(&connector, Status::Queued).await, requests);

    let mut done = 0;
    let mut half = None;
    while let Some(at) = connector.next_due().await.unwrap() {
        clock.set(at.micros().max(clock.micros()));
        done += connector.run_due().await.unwrap();
        upstream.forget();
        if done >= requests / 2 {
            half.get_or_insert_with(resident);
        }
    }
    assert_eq!(count(&connector, Status::Complete).await, requests);
    let grown = resident().saturating_sub(half.unwrap());
    assert!(grown < GROWTH_MAX, "memory grew by {grown} KiB");
}
