//! Who is connected, who watches which channel, and who follows whose presence: one room for each app.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use domain::chat::events::Event;
use ids::{AppId, ChannelId, Fid, Timestamp, UserId};
use parking_lot::{Mutex, RwLock};
use uuid::Uuid;
use wire::chat::dialect::Dialect;

use super::{
    Options,
    audience::Audience,
    feed::Feed,
    frames::Frame,
    online::Online,
    outbox::{End, Outbox},
    unread::Tallies,
};

/// The most channels that one connection watches; beyond it the oldest is forgotten.
const CHANNELS_WATCHED_MAX: usize = 1000;
/// The most feeds that one connection watches; beyond it the oldest is forgotten.
const FEEDS_WATCHED_MAX: usize = 1000;
/// How often a crowd is told who watches, in microseconds (chat §9.5).
const NEWS_EVERY_MICROS: i64 = 5_000_000;
/// The most users whose presence one connection follows; beyond it the oldest is forgotten.
const USERS_FOLLOWED_MAX: usize = 1000;

/// Whose connection it is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Which app.
    pub(crate) app: AppId,
    /// Which user; `!anon` for one without a token.
    pub(crate) user: UserId,
    /// Whether there is no token, and nobody stored.
    pub(crate) is_anonymous: bool,
    /// How its frames are written.
    pub(crate) dialect: Dialect,
}

/// One connection, as events find it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// What clients name it by.
    pub(crate) id: Uuid,
    /// Whose it is.
    pub(crate) identity: Identity,
    pub(super) outbox: Outbox,
    interests: Mutex<Interests>,
}

/// What a connection follows, in the order in which it asked.
#[derive(Debug, Default)]
struct Interests {
    channels: Vec<ChannelId>,
    /// What few follow.
    rare: Option<Box<Rare>>,
}

/// What few connections follow.
#[derive(Debug, Default)]
struct Rare {
    users: Vec<UserId>,
    feeds: Vec<Fid>,
}

impl Connection {
    pub(super) fn new(id: Uuid, identity: Identity) -> Arc<Self> {
        Arc::new(Connection { id, identity, outbox: Outbox::default(), interests: Mutex::default() })
    }

    /// Whether it watches `channel`.
    pub(super) fn watches(&self, channel: &ChannelId) -> bool {
        self.interests.lock().channels.contains(channel)
    }
}

/// A connection that is found by its id.
#[derive(Debug)]
struct ById(Arc<Connection>);

impl Borrow<Uuid> for ById {
    fn borrow(&self) -> &Uuid {
        &self.0.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

type Connections = Vec<Arc<Connection>>;

/// The connections of one app.
#[derive(Debug, Default)]
pub(super) struct Room {
    by_id: HashSet<ById>,
    /// Users who are online.
    users: HashSet<Online>,
    watchers: HashMap<ChannelId, Connections>,
    followers: HashMap<UserId, Connections>,
    feeds: HashMap<Fid, Connections>,
    /// When a crowd was last told who watches.
    news: HashMap<ChannelId, Timestamp>,
    /// Rises whenever a user comes.
    pub(super) arrivals: u64,
}

/// All connections of a server.
pub(crate) struct Hub {
    pub(super) options: Options,
    rooms: RwLock<HashMap<AppId, Arc<RwLock<Room>>>>,
    pub(super) feed: Arc<Feed>,
    pub(super) audience: Audience,
    pub(super) tallies: Tallies,
    open: AtomicUsize,
    is_closing: AtomicBool,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Full {
    /// The user has too many.
    User,
    /// The server stops.
    Closing,
}

impl Hub {
    /// A hub without connections that takes its events from `feed`.
    pub(crate) fn new(options: Options, feed: Arc<Feed>) -> Self {
        Hub {
            options,
            rooms: RwLock::default(),
            feed,
            audience: Audience::default(),
            tallies: Tallies::default(),
            open: AtomicUsize::new(0),
            is_closing: AtomicBool::new(false),
        }
    }

    pub(super) fn room(&self, app: AppId) -> Option<Arc<RwLock<Room>>> {
        self.rooms.read().get(&app).cloned()
    }

    /// Takes a connection; answers whether its user was offline.
    pub(super) fn join(&self, connection: &Arc<Connection>) -> Result<bool, Full> {
        let Identity { app, user, is_anonymous, .. } = &connection.identity;
        let room = self.rooms.write().entry(*app).or_default().clone();
        let mut room = room.write();
        if self.is_closing.load(Ordering::Acquire) {
            return Err(Full::Closing);
        }
        let own = room.users.get(user).map_or(0, |online| online.connections().len());
        if own >= self.options.connections_per_user_max && !is_anonymous {
            return Err(Full::User);
        }
        let known = room.users.take(user);
        let is_new = known.is_none();
        room.users.insert(Online::with(known, connection.clone()));
        room.by_id.insert(ById(connection.clone()));
        room.arrivals += u64::from(is_new);
        let before = self.open.fetch_add(1, Ordering::AcqRel);
        if before == 0 {
            self.audience.forget();
            self.tallies.forget_all();
        }
        self.feed.listen(before + 1);
        Ok(is_new)
    }

    /// Lets go of a connection; answers whether it was its user's last.
    pub(super) fn leave(&self, connection: &Arc<Connection>) -> bool {
        let Identity { app, user, .. } = &connection.identity;
        let Some(room) = self.room(*app) else { return false };
        let watched = std::mem::take(&mut connection.interests.lock().channels);
        for channel in &watched {
            self.told_stop(connection, channel, &room);
        }
        let mut room = room.write();
        if let Some(followed) = connection.interests.lock().rare.take() {
            followed.users.iter().for_each(|user| forget(&mut room.followers, user, connection));
            followed.feeds.iter().for_each(|feed| forget(&mut room.feeds, feed, connection));
        }
        room.by_id.remove(&connection.id);
        let is_last = room.users.take(user).is_some_and(|online| {
            let rest = online.without(connection);
            let is_last = rest.connections().is_empty();
            room.users.insert(rest);
            is_last
        });
        self.feed.listen(self.open.fetch_sub(1, Ordering::AcqRel) - 1);
        is_last
    }

    /// Takes a user without connections for offline; answers whether it still had none.
    pub(super) fn is_gone(&self, app: AppId, user: &UserId) -> bool {
        let Some(room) = self.room(app) else { return false };
        let mut room = room.write();
        let is_gone = room.users.get(user).is_some_and(|online| online.connections().is_empty());
        if is_gone {
            room.users.remove(user);
            self.tallies.forget(app, user);
        }
        is_gone
    }

    /// The connection `id` of `user`.
    pub(crate) fn connection(&self, app: AppId, id: &str, user: &UserId) -> Option<Arc<Connection>> {
        let id = Uuid::try_parse(id).ok()?;
        let connection = self.room(app)?.read().by_id.get(&id)?.0.clone();
        (connection.identity.user == *user).then_some(connection)
    }

    /// Lets the connection watch these channels, and tells those who watch them already.
    pub(crate) fn watch(&self, connection: &Arc<Connection>, channels: &[ChannelId]) {
        let Some(room) = self.room(connection.identity.app) else { return };
        for channel in channels {
            let forgotten = {
                let mut room = room.write();
                // One that has left meanwhile watches nothing any more.
                if !room.by_id.contains(&connection.id) || connection.watches(channel) {
                    continue;
                }
                // All who watch a channel share one text of its id.
                let known = room.watchers.get_key_value(channel).map(|(known, _)| known.clone());
                let channel = known.unwrap_or_else(|| channel.clone());
                room.watchers.entry(channel.clone()).or_default().push(connection.clone());
                let mut interests = connection.interests.lock();
                interests.channels.reserve_exact(1);
                interests.channels.push(channel);
                (interests.channels.len() > CHANNELS_WATCHED_MAX).then(|| interests.channels.remove(0))
            };
            if let Some(channel) = forgotten {
                self.told_stop(connection, &channel, &room);
            }
            self.tell_watching(connection, "user.watching.start", channel);
        }
    }

    /// Lets the connection watch these channels no longer.
    pub(crate) fn stop_watching(&self, connection: &Arc<Connection>, channel: &ChannelId) {
        let Some(room) = self.room(connection.identity.app) else { return };
        let was_watched = {
            let mut interests = connection.interests.lock();
            let at = interests.channels.iter().position(|known| known == channel);
            at.map(|at| interests.channels.remove(at)).is_some()
        };
        if was_watched {
            self.told_stop(connection, channel, &room);
        }
    }

    fn told_stop(&self, connection: &Arc<Connection>, channel: &ChannelId, room: &RwLock<Room>) {
        {
            let mut room = room.write();
            forget(&mut room.watchers, channel, connection);
            if !room.watchers.contains_key(channel) {
                room.news.remove(channel);
            }
        }
        self.tell_watching(connection, "user.watching.stop", channel);
    }

    fn tell_watching(&self, connection: &Connection, kind: &str, channel: &ChannelId) {
        let Identity { app, user, is_anonymous, .. } = &connection.identity;
        if !is_anonymous {
            // The time is set where the event is told: here is no clock.
            let at = Timestamp::from_micros(0);
            self.tell(*app, Event::new(kind, at, Some(channel)).by(Some(user)));
        }
    }

    /// Lets the connection hear when these users come and go.
    pub(crate) fn follow_presence(&self, connection: &Arc<Connection>, users: &[UserId]) {
        let Some(room) = self.room(connection.identity.app) else { return };
        let mut room = room.write();
        if !room.by_id.contains(&connection.id) {
            return;
        }
        let mut interests = connection.interests.lock();
        let followed = interests.rare.get_or_insert_default();
        for user in users {
            if followed.users.contains(user) {
                continue;
            }
            room.followers.entry(user.clone()).or_default().push(connection.clone());
            followed.users.push(user.clone());
            if followed.users.len() > USERS_FOLLOWED_MAX {
                let oldest = followed.users.remove(0);
                forget(&mut room.followers, &oldest, connection);
            }
        }
    }

    /// Lets the connection hear of what happens in these feeds.
    pub(crate) fn watch_feeds<'a>(&self, connection: &Arc<Connection>, feeds: impl Iterator<Item = &'a Fid>) {
        let Some(room) = self.room(connection.identity.app) else { return };
        let mut room = room.write();
        if !room.by_id.contains(&connection.id) {
            return;
        }
        let mut interests = connection.interests.lock();
        let followed = interests.rare.get_or_insert_default();
        for feed in feeds {
            if followed.feeds.contains(feed) {
                continue;
            }
            room.feeds.entry(feed.clone()).or_default().push(connection.clone());
            followed.feeds.push(feed.clone());
            if followed.feeds.len() > FEEDS_WATCHED_MAX {
                let oldest = followed.feeds.remove(0);
                forget(&mut room.feeds, &oldest, connection);
            }
        }
    }

    /// How many connections watch `channel`.
    pub(crate) fn watcher_count(&self, app: AppId, channel: &ChannelId) -> usize {
        self.room(app).map_or(0, |room| room.read().watchers.get(channel).map_or(0, Vec::len))
    }

    /// Whether it is time to tell the crowd in `channel` who came or went: not each of them is told.
    pub(super) fn is_news(&self, app: AppId, channel: &ChannelId, now: Timestamp) -> bool {
        let Some(room) = self.room(app) else { return false };
        let mut room = room.write();
        let last = room.news.get(channel);
        let is_news = last.is_none_or(|last| now.micros() - last.micros() >= NEWS_EVERY_MICROS);
        if is_news {
            room.news.insert(channel.clone(), now);
        }
        is_news
    }

    /// The users who watch `channel`, each once.
    pub(crate) fn watchers(&self, app: AppId, channel: &ChannelId) -> Vec<UserId> {
        let Some(room) = self.room(app) else { return Vec::new() };
        let room = room.read();
        let watching = room.watchers.get(channel).into_iter().flatten();
        let mut users: Vec<UserId> = watching
            .filter(|connection| !connection.identity.is_anonymous)
            .map(|connection| connection.identity.user.clone())
            .collect();
        users.sort();
        users.dedup();
        users
    }

    /// Whether `user` is connected, or was a moment ago.
    pub(crate) fn is_online(&self, app: AppId, user: &UserId) -> bool {
        self.room(app).is_some_and(|room| room.read().users.contains(user))
    }

    /// Who is online.
    pub(crate) fn online_users(&self, app: AppId) -> Vec<UserId> {
        self.online(app).1()
    }

    /// How many arrivals there were, and who is online.
    pub(super) fn online(&self, app: AppId) -> (u64, impl FnOnce() -> Vec<UserId> + use<>) {
        let room = self.room(app);
        let arrivals = room.as_ref().map_or(0, |room| room.read().arrivals);
        (arrivals, move || {
            room.map_or_else(Vec::new, |room| room.read().users.iter().map(|online| online.user().clone()).collect())
        })
    }

    /// Tells of something that is worth no record: whoever is not connected now never hears of it.
    pub(crate) fn tell(&self, app: AppId, event: Event) {
        self.feed.tell(app, event);
    }

    /// Ends the connections of `user`, who may no longer be connected.
    pub(crate) fn disconnect(&self, app: AppId, user: &UserId) {
        self.each_of(app, user, |connection| connection.outbox.end(End::Refused));
    }

    /// Ends every connection, so that clients go to another server or come back.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        for room in self.rooms.read().values() {
            room.read().by_id.iter().for_each(|ById(connection)| connection.outbox.end(End::Restart));
        }
    }

    /// Calls `each` for the connections that watch `channel`.
    pub(super) fn each_watcher(&self, app: AppId, channel: &ChannelId, mut each: impl FnMut(&Arc<Connection>)) {
        if let Some(room) = self.room(app) {
            room.read().watchers.get(channel).into_iter().flatten().for_each(&mut each);
        }
    }

    /// Calls `each` for the connections that watch `feed`.
    pub(super) fn each_feed_watcher(&self, app: AppId, feed: &Fid, mut each: impl FnMut(&Arc<Connection>)) {
        if let Some(room) = self.room(app) {
            room.read().feeds.get(feed).into_iter().flatten().for_each(&mut each);
        }
    }

    /// Calls `each` for the connections of `user`.
    pub(super) fn each_of(&self, app: AppId, user: &UserId, mut each: impl FnMut(&Arc<Connection>)) {
        if let Some(room) = self.room(app) {
            room.read().users.get(user).into_iter().flat_map(Online::connections).for_each(&mut each);
        }
    }

    /// Calls `each` for the connections that follow the presence of `user`.
    pub(super) fn each_follower(&self, app: AppId, user: &UserId, mut each: impl FnMut(&Arc<Connection>)) {
        if let Some(room) = self.room(app) {
            room.read().followers.get(user).into_iter().flatten().for_each(&mut each);
        }
    }

    pub(super) fn push(&self, connection: &Connection, frame: Frame) {
        connection.outbox.push(frame, &self.options);
    }
}

/// Takes the connection out of the list under `key`, and the list away when it is empty.
fn forget<K: Hash + Eq>(lists: &mut HashMap<K, Connections>, key: &K, connection: &Arc<Connection>) {
    let Some(list) = lists.get_mut(key) else { return };
    if let Some(at) = list.iter().position(|other| Arc::ptr_eq(other, connection)) {
        list.swap_remove(at);
    }
    if list.is_empty() {
        lists.remove(key);
    }
}
