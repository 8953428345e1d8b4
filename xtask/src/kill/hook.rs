//! A webhook of feeds that is told what posters post, over all lives of the server: at least once, and in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Every so many posts one is refused, and one is taken without a word: both must come again.
const REFUSED_EVERY: usize = 40;
const UNANSWERED_EVERY: usize = 33;
/// How long the last server may take to tell what is left.
const REST_MAX: Duration = Duration::from_secs(120);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The receiver and all that it was told.
pub(super) struct Hook {
    told: Arc<Mutex<Told>>,
    settings: PathBuf,
}

#[derive(Default)]
struct Told {
    /// The foreign ids of each feed, in the order in which they were told first.
    feeds: BTreeMap<String, Vec<String>>,
    posts: usize,
    /// Whether some posts are refused.
    is_moody: bool,
}

/// What is told of one feed.
#[derive(Deserialize)]
struct Change {
    feed: String,
    new: Vec<New>,
}

#[derive(Deserialize)]
struct New {
    foreign_id: String,
}

/// What becomes of a post.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    Refused,
    Unanswered,
}

impl Hook {
    /// Listens, and writes the settings with which a server tells it of the groups `user`.
    pub(super) async fn open(directory: &Path) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port for the webhook")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let settings = directory.join("feeds.toml");
        let toml = format!("[feed_webhooks.kill]\nurl = \"{url}\"\nfeed_groups = [\"user\"]\nreactions = false\n");
        std::fs::write(&settings, toml).with_context(|| format!("cannot write {}", settings.display()))?;
        let told = Arc::new(Mutex::new(Told { is_moody: true, ..Told::default() }));
        let hears = told.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let told = hears.clone();
                // A connection ends with its server, or because it was left without an answer.
                tokio::spawn(async move { drop(hear(socket, &told).await) });
            }
        });
        Ok(Self { told, settings })
    }

    /// The settings of a server that tells it.
    pub(super) fn settings(&self) -> &Path {
        &self.settings
    }

    /// Waits until the rest is told, and compares the whole: `expected` by feed, in order.
    pub(super) async fn check(&self, expected: &BTreeMap<String, Vec<String>>) -> Result<()> {
        lock(&self.told).is_moody = false;
        let deadline = Instant::now() + REST_MAX;
        let wanted: usize = expected.values().map(Vec::len).sum();
        let heard = |told: &Told| expected.keys().filter_map(|feed| told.feeds.get(feed)).map(Vec::len).sum::<usize>();
        while heard(&lock(&self.told)) < wanted && Instant::now() < deadline {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let told = lock(&self.told);
        for (feed, expected) in expected {
            let found = told.feeds.get(feed).map_or(&[][..], Vec::as_slice);
            let same = found.iter().zip(expected).take_while(|(found, expected)| found == expected).count();
            if same < expected.len().max(found.len()) {
                let (found_there, right) = (found.get(same), expected.get(same));
                let (found, expected) = (found.len(), expected.len());
                bail!(
                    "of {feed} the webhook was told {found} where {expected} are right; number {same} is {found_there:?} and must be {right:?}"
                );
            }
        }
        Ok(())
    }

    /// How many posts it has got.
    pub(super) fn posts(&self) -> usize {
        lock(&self.told).posts
    }
}

fn lock(told: &Mutex<Told>) -> std::sync::MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes posts from one connection until it ends.
async fn hear(socket: TcpStream, told: &Mutex<Told>) -> Result<()> {
    let mut socket = BufReader::new(socket);
    loop {
        let body = post(&mut socket).await?;
        let changes: Vec<Change> = serde_json::from_slice(&body)?;
        let answer = match note(&mut lock(told), changes) {
            Fate::Taken => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            Fate::Refused => "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            Fate::Unanswered => return Ok(()),
        };
        socket.write_all(answer.as_bytes()).await?;
    }
}

/// The body of the next post.
async fn post(socket: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await? == 0 {
            bail!("the connection has ended");
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
            _ if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    Ok(body)
}

fn note(told: &mut Told, changes: Vec<Change>) -> Fate {
    told.posts += 1;
    let fate = match told.is_moody {
        true if told.posts.is_multiple_of(REFUSED_EVERY) => Fate::Refused,
        true if told.posts.is_multiple_of(UNANSWERED_EVERY) => Fate::Unanswered,
        _ => Fate::Taken,
    };
    if fate != Fate::Refused {
        for change in changes {
            let known = told.feeds.entry(change.feed).or_default();
            for new in change.new {
                if !known.contains(&new.foreign_id) {
                    known.push(new.foreign_id);
                }
            }
        }
    }
    fate
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(ids: &[&str]) -> Vec<Change> {
        let new = ids.iter().map(|id| New { foreign_id: (*id).to_owned() }).collect();
        vec![Change { feed: "user:a".to_owned(), new }]
    }

    fn hook(told: Told) -> Hook {
        Hook { told: Arc::new(Mutex::new(told)), settings: PathBuf::new() }
    }

    fn expected(ids: &[&str]) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([("user:a".to_owned(), ids.iter().map(|id| (*id).to_owned()).collect())])
    }

    #[test]
    fn what_is_refused_was_not_told_and_what_is_told_twice_counts_once() {
        let mut told = Told { is_moody: true, posts: REFUSED_EVERY - 1, ..Told::default() };
        assert!(note(&mut told, change(&["1"])) == Fate::Refused && told.feeds.is_empty());
        assert!(note(&mut told, change(&["1", "2"])) == Fate::Taken);
        assert!(note(&mut told, change(&["2", "3"])) == Fate::Taken);
        assert_eq!(told.feeds, expected(&["1", "2", "3"]));
    }

    #[tokio::test]
    async fn what_was_told_in_another_order_or_by_nobody_is_a_fault() {
        for wrong in [&["2", "1"][..], &["1", "2", "3"]] {
            let hook = hook(Told { feeds: expected(wrong), ..Told::default() });
            let fault = hook.check(&expected(&["1", "2"])).await.unwrap_err().to_string();
            assert!(fault.contains("user:a"), "{fault}");
        }
        let hook = hook(Told { feeds: expected(&["1", "2"]), ..Told::default() });
        hook.check(&expected(&["1", "2"])).await.unwrap();
    }
}
