//! A short harness for tests of chat: an app on the memory engine, spoken to in the language of the product.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use ids::{AppId, ChannelId, MessageId, Timestamp, UserId};
use store::Store;

use super::{
    channels::Channel,
    members::Member,
    messages::{self, Draft, Message, Part, Viewer},
    types::{ChannelType, Config},
};
use crate::{
    App, Error, Result, Tx,
    keyspace::{CHANNEL, CHANNEL_TYPE, Chat, LOG, MEMBER, USER},
    log,
    users::User,
};

/// The channel of most tests, of a type whose members may do most things.
pub(crate) const CHANNEL_ID: &str = "test:general";
/// What members may do there.
const GRANTS: &[&str] = &[
    "add-links",
    "create-attachment",
    "create-mention",
    "create-message",
    "create-reaction",
    "delete-message-owner",
    "delete-reaction-owner",
    "pin-message",
    "read-channel",
    "run-message-action",
    "update-message-owner",
];

/// A server's domain in a test.
pub(crate) struct Pond {
    pub(crate) app: App,
    now: AtomicI64,
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

pub(crate) fn message(id: &str) -> MessageId {
    MessageId::parse(id).unwrap()
}

pub(crate) fn channel() -> ChannelId {
    ChannelId::parse(CHANNEL_ID).unwrap()
}

impl Pond {
    /// A channel with the members amy, bob and cat, and nothing said.
    pub(crate) async fn new() -> Self {
        let app = App::bare(AppId(1), Store::memory(), 1 << 20);
        let pond = Pond { app, now: AtomicI64::new(1_600_000_000_000_000) };
        pond.set_type(|_| {}).await;
        let now = pond.tick();
        pond.write(async |tx| {
            let tenant = tx.tenant();
            CHANNEL.put(tx, tenant, &Chat(channel()), &Channel::new(Some(user("amy")), now));
            for id in ["amy", "bob", "cat"] {
                USER.put(tx, tenant, &id.to_owned(), &User::new(now));
                MEMBER.put(tx, tenant, &(Chat(channel()), id.to_owned()), &Member::new(now));
            }
            Ok(())
        })
        .await;
        pond
    }

    /// Runs what may not fail.
    pub(crate) async fn write<T, F>(&self, body: F) -> T
    where
        T: Send,
        F: AsyncFnMut(&mut Tx) -> Result<T> + for<'a> crate::app::Body<'a, T> + Send,
    {
        self.app.write(body).await.unwrap()
    }

    /// Changes the settings of the channel's type.
    pub(crate) async fn set_type(&self, change: impl Fn(&mut Config) + Send + Sync) {
        let mut kind = ChannelType::new("test", Timestamp::from_micros(0));
        change(&mut kind.config);
        kind.changed_grants = BTreeMap::from([
            ("channel_member".to_owned(), GRANTS.iter().map(|&grant| grant.to_owned()).collect()),
            ("user".to_owned(), vec!["update-message-owner".to_owned(), "delete-message-owner".to_owned()]),
        ]);
        self.write(async |tx| {
            let tenant = tx.tenant();
            CHANNEL_TYPE.put(tx, tenant, &"test".to_owned(), &kind);
            Ok(())
        })
        .await;
    }

    /// Changes the channel.
    pub(crate) async fn set_channel(&self, change: impl Fn(&mut Channel) + Send + Sync) {
        self.write(async |tx| {
            let mut known = super::channels::load(tx, &channel()).await?;
            change(&mut known);
            let tenant = tx.tenant();
            CHANNEL.put(tx, tenant, &Chat(channel()), &known);
            Ok(())
        })
        .await;
    }

    /// A moment later than all before: a second each.
    pub(crate) fn tick(&self) -> Timestamp {
        Timestamp::from_micros(self.now.fetch_add(1_000_000, Ordering::Relaxed) + 1_000_000)
    }

    pub(crate) async fn send_as(&self, caller: Option<&str>, id: &str, draft: &Draft) -> Result<Message> {
        let (now, caller) = (self.tick(), caller.map(user));
        self.app.write(async |tx| messages::send(tx, caller.as_ref(), &channel(), &message(id), draft, now).await).await
    }

    /// The app's own server says `text` for `author`.
    pub(crate) async fn say(&self, author: &str, id: &str, text: &str) -> Message {
        self.send_as(None, id, &Draft::text(Some(user(author)), text)).await.unwrap()
    }

    /// The app's own server says `text` for `author` in the thread on `parent`.
    pub(crate) async fn reply(&self, author: &str, id: &str, parent: &str) -> Message {
        let draft = Draft { parent: Some(message(parent)), ..Draft::text(Some(user(author)), id) };
        self.send_as(None, id, &draft).await.unwrap()
    }

    /// The ids of a page, in one line.
    pub(crate) async fn page(&self, part: &Part, viewer: Option<&str>) -> String {
        let viewer = Viewer { user: viewer.map(user), hidden_until: None };
        let page = messages::page(&mut self.app.snapshot(), &channel(), part, &viewer).await.unwrap();
        page.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(" ")
    }

    pub(crate) async fn get(&self, id: &str) -> Option<Message> {
        messages::get(&mut self.app.snapshot(), &message(id)).await.unwrap()
    }

    /// The types of everything that was told so far.
    pub(crate) async fn told(&self) -> Vec<String> {
        let mut tx = self.app.snapshot();
        let rows = LOG.scan(&mut tx, 1, store::Stamp::default(), store::Limit::PAGE).await.unwrap().rows;
        let told = rows.into_iter().filter_map(|(_, event)| match event {
            log::Event::Chat(event) => Some(event.kind),
            _ => None,
        });
        told.collect()
    }
}

/// The rule that was broken, in words.
pub(crate) fn broken<T>(outcome: std::result::Result<T, Error>) -> String {
    outcome.err().expect("this breaks a rule").to_string()
}
