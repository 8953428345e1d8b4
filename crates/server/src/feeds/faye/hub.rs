//! Who is connected, what they subscribed to, and what waits for them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{App, feeds::follows, keyspace::LOG, log::Event};
use ids::{AppId, FeedId};
use parking_lot::Mutex;
use store::{Stamp, Store};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, timeout},
};

use super::pace::Pace;
use crate::seal;

/// The most clients.
const CLIENTS_MAX: usize = 50_000;
/// The most feeds that a client subscribes to.
const SUBSCRIPTIONS_MAX: usize = 200;
/// Messages that wait for a client; one with more is forgotten, and shakes hands again.
const WAITING_MAX: usize = 500;
/// A client that did not ask for so long is forgotten.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// One that subscribed to nothing is forgotten sooner: it waits for nothing, and whoever can reach the server can make some.
const NEWCOMER_SILENCE_MAX: Duration = Duration::from_secs(35);
/// Commits that wait to be told; more are lost, for nobody keeps a place here.
const COMMITS_MAX: usize = 16_384;

/// A feed of an app.
type Key = (AppId, FeedId);

/// What a commit did.
pub(super) struct Commit {
    pub(super) stamp: Stamp,
    pub(super) events: Vec<(AppId, Event)>,
}

/// All of it.
pub(crate) struct Hub {
    state: Mutex<State>,
    is_listening: AtomicBool,
    commits: tokio::sync::Mutex<mpsc::Receiver<Commit>>,
}

#[derive(Default)]
struct State {
    clients: HashMap<String, Client>,
    watched: HashMap<Key, Watched>,
    /// Feed → those watched that follow it.
    followers: HashMap<Key, HashSet<FeedId>>,
    is_closed: bool,
}

struct Client {
    /// Channel → its feeds.
    channels: HashMap<String, Vec<Key>>,
    waiting: VecDeque<Arc<str>>,
    wake: Arc<Notify>,
    seen_at: Instant,
    pace: Pace,
}

/// What becomes of a message of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// It is looked at.
    Yes,
    /// The client sends too many.
    TooMany,
    /// There is no such client.
    Unknown,
}

/// A feed that somebody subscribed to.
#[derive(Default)]
struct Watched {
    clients: HashSet<String>,
    follows: Vec<FeedId>,
}

impl Hub {
    /// Hears of what is committed to `store`, as long as somebody subscribes.
    pub(crate) fn new(store: &Store) -> Arc<Self> {
        let (sender, receiver) = mpsc::channel(COMMITS_MAX);
        let hub = Arc::new(Hub {
            state: Mutex::default(),
            is_listening: AtomicBool::new(false),
            commits: tokio::sync::Mutex::new(receiver),
        });
        let hook = Arc::downgrade(&hub);
        store.on_publish(Box::new(move |published| {
            let Some(hub) = hook.upgrade() else { return };
            if published.appended.is_empty() || !hub.is_listening.load(Ordering::Acquire) {
                return;
            }
            let logged = published.appended.iter().filter_map(|(key, value)| {
                let (app, tag, _) = store::split(key)?;
                let event = (tag == LOG.tag()).then(|| LOG.decode(key, value).ok())??.1;
                let is_of_feeds = !matches!(event, Event::Chat(_) | Event::Planned { .. } | Event::Reacted { .. });
                is_of_feeds.then_some((AppId(app), event))
            });
            let commit = Commit { stamp: published.stamp, events: logged.collect() };
            if !commit.events.is_empty() && sender.try_send(commit).is_err() {
                tracing::warn!("subscribers of feeds are too far behind; they are not told of a commit");
            }
        }));
        hub
    }

    /// The next commit.
    pub(super) async fn next(&self) -> Option<Commit> {
        self.commits.lock().await.recv().await
    }

    /// Takes a new client; `None` when there are too many.
    pub(super) fn join(&self) -> Option<String> {
        let mut state = self.state.lock();
        if state.clients.len() >= CLIENTS_MAX {
            state.sweep();
        }
        if state.clients.len() >= CLIENTS_MAX || state.is_closed {
            return None;
        }
        let id: String = seal::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let (channels, waiting, wake) = (HashMap::new(), VecDeque::new(), Arc::new(Notify::new()));
        let client = Client { channels, waiting, wake, seen_at: Instant::now(), pace: Pace::new() };
        state.clients.insert(id.clone(), client);
        Some(id)
    }

    /// Notes that a client is there, and sends a message.
    pub(super) fn hear(&self, client: &str) -> Heard {
        let mut state = self.state.lock();
        let Some(client) = state.clients.get_mut(client) else { return Heard::Unknown };
        client.seen_at = Instant::now();
        if client.pace.takes_one() { Heard::Yes } else { Heard::TooMany }
    }

    /// Forgets clients that are silent for too long.
    pub(super) fn sweep(&self) {
        self.state.lock().sweep();
    }

    /// Forgets a client.
    pub(super) fn forget(&self, client: &str) {
        self.state.lock().forget(client);
    }

    /// Subscribes a client to a channel; false when it has too many subscriptions, or went away.
    pub(super) async fn subscribe(&self, app: &App, client: &str, channel: &str, feeds: &[FeedId]) -> bool {
        self.is_listening.store(true, Ordering::Release);
        {
            let mut state = self.state.lock();
            let keys: Vec<Key> = feeds.iter().map(|feed| (app.id, feed.clone())).collect();
            match state.clients.get_mut(client) {
                Some(known) if known.channels.len() < SUBSCRIPTIONS_MAX => {
                    known.channels.insert(channel.to_owned(), keys.clone());
                }
                _ => return false,
            }
            for key in keys {
                state.watched.entry(key).or_default().clients.insert(client.to_owned());
            }
        }
        for feed in feeds {
            self.look(app, feed).await;
        }
        true
    }

    /// Takes a client off a channel.
    pub(super) fn unsubscribe(&self, client: &str, channel: &str) {
        let mut state = self.state.lock();
        let keys = state.clients.get_mut(client).and_then(|known| known.channels.remove(channel));
        for key in keys.unwrap_or_default() {
            state.unwatch(&key, client);
        }
    }

    /// Looks whom a watched feed follows.
    pub(super) async fn look(&self, app: &App, feed: &FeedId) {
        let key = (app.id, feed.clone());
        if !self.state.lock().watched.contains_key(&key) {
            return;
        }
        let follows = match follows::all_of(&mut app.snapshot(), feed).await {
            Ok(follows) => {
                follows.into_iter().filter(|(_, follow)| follow.is_active).map(|(target, _)| target).collect()
            }
            Err(error) => {
                tracing::error!(%error, "whom a feed follows could not be read");
                return;
            }
        };
        self.state.lock().set_follows(&key, follows);
    }

    /// The watched feeds that show what is posted to `feed`: itself, and those that follow it.
    pub(super) fn watchers(&self, app: AppId, feed: &FeedId) -> Vec<FeedId> {
        let (state, key) = (self.state.lock(), (app, feed.clone()));
        let own = state.watched.contains_key(&key).then(|| feed.clone());
        own.into_iter().chain(state.followers.get(&key).into_iter().flatten().cloned()).collect()
    }

    /// Leaves a message for whoever subscribed to `feed`.
    pub(super) fn tell(&self, app: AppId, feed: &FeedId, message: &Arc<str>) {
        let mut state = self.state.lock();
        let clients = state.watched.get(&(app, feed.clone())).map(|watched| watched.clients.clone());
        for id in clients.unwrap_or_default() {
            let Some(client) = state.clients.get_mut(&id) else { continue };
            client.waiting.push_back(message.clone());
            client.wake.notify_one();
            if client.waiting.len() > WAITING_MAX {
                state.forget(&id);
            }
        }
    }

    /// What waits for a client; waits itself until there is something, at most so long.
    pub(super) async fn wait(&self, client: &str, at_most: Duration) -> Vec<Arc<str>> {
        let Some(wake) = self.wake_of(client) else { return Vec::new() };
        let until = Instant::now() + at_most;
        loop {
            let waiting = self.take(client);
            let left = until.saturating_duration_since(Instant::now());
            if !waiting.is_empty() || left.is_zero() || self.is_closed() {
                return waiting;
            }
            // Whether it was woken or the time is over shows in the next round.
            let _ = timeout(left, wake.notified()).await;
        }
    }

    /// What waits for a client.
    pub(super) fn take(&self, client: &str) -> Vec<Arc<str>> {
        let mut state = self.state.lock();
        state.clients.get_mut(client).map(|client| client.waiting.drain(..).collect()).unwrap_or_default()
    }

    /// What wakes whoever waits for a client's messages.
    pub(super) fn wake_of(&self, client: &str) -> Option<Arc<Notify>> {
        self.state.lock().clients.get(client).map(|client| client.wake.clone())
    }

    /// Whether the server stops.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().is_closed
    }

    /// Lets everybody go.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.clients.values().for_each(|client| client.wake.notify_waiters());
        state.clients.values().for_each(|client| client.wake.notify_one());
    }
}

impl State {
    fn forget(&mut self, client: &str) {
        let Some(known) = self.clients.remove(client) else { return };
        known.wake.notify_one();
        for key in known.channels.values().flatten() {
            self.unwatch(key, client);
        }
    }

    fn unwatch(&mut self, key: &Key, client: &str) {
        // Another channel of the client may name the same feed.
        let others =
            self.clients.get(client).is_some_and(|known| known.channels.values().flatten().any(|own| own == key));
        let Some(watched) = self.watched.get_mut(key).filter(|_| !others) else { return };
        watched.clients.remove(client);
        if watched.clients.is_empty() {
            self.set_follows(key, Vec::new());
            self.watched.remove(key);
        }
    }

    fn set_follows(&mut self, key: &Key, follows: Vec<FeedId>) {
        let Some(watched) = self.watched.get_mut(key) else { return };
        let before = std::mem::replace(&mut watched.follows, follows.clone());
        for target in before {
            let target = (key.0, target);
            let is_empty = self.followers.get_mut(&target).is_some_and(|followers| {
                followers.remove(&key.1);
                followers.is_empty()
            });
            if is_empty {
                self.followers.remove(&target);
            }
        }
        for target in follows {
            self.followers.entry((key.0, target)).or_default().insert(key.1.clone());
        }
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        let is_silent = |client: &Client| {
            let longest = if client.channels.is_empty() { NEWCOMER_SILENCE_MAX } else { SILENCE_MAX };
            now > client.seen_at + longest
        };
        let silent: Vec<String> =
            self.clients.iter().filter(|(_, client)| is_silent(client)).map(|(id, _)| id.clone()).collect();
        silent.iter().for_each(|id| self.forget(id));
    }
}
