//! Whom and what an answer about moderation shows, loaded once and written in the dialect of the call.

use std::collections::BTreeMap;

use domain::{
    Tx,
    chat::{
        channels, members,
        messages::{self, Message},
    },
    moderation::{
        decisions::{ACTIVITY, COMMENT},
        flags::Entity,
    },
    users::People,
};
use ids::{ChannelId, MessageId, Timestamp, UserId};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use wire::chat::{
    dialect::{Dialect, Time},
    users::User,
};

use crate::{
    Server,
    apps::Tenant,
    chat::{
        gate::Call,
        to_wire::{self, channels::Pen, messages::Frame},
    },
    v3::reviewed,
};

/// Who looks at what moderation shows: somebody who calls, or a hook that is told.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) server: &'a Server,
    pub(crate) tenant: &'a Tenant,
    /// The user, unless it is the app's own server.
    pub(crate) user: Option<&'a UserId>,
    pub(crate) dialect: Dialect,
    pub(crate) now: Timestamp,
}

impl<'a> From<&'a Call> for Desk<'a> {
    fn from(call: &'a Call) -> Self {
        let Call { server, tenant, .. } = call;
        Desk { server, tenant, user: call.user(), dialect: call.dialect, now: call.now() }
    }
}

impl Desk<'_> {
    /// A transaction that only reads.
    pub(crate) fn snapshot(self) -> Tx {
        self.tenant.app.snapshot()
    }
}

/// People, channels and messages of one answer.
pub(crate) struct Cast {
    pub(crate) people: People,
    pub(crate) dialect: Dialect,
    pub(crate) now: Timestamp,
    channels: BTreeMap<ChannelId, Box<RawValue>>,
    messages: BTreeMap<MessageId, Box<RawValue>>,
    /// Activities and comments of feeds v3, always in the v2 dialect.
    of_feeds: BTreeMap<Entity, Box<RawValue>>,
}

impl Cast {
    /// A cast of these users.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn load(desk: impl Into<Desk<'_>>, users: Vec<&UserId>) -> domain::Result<Self> {
        let desk = desk.into();
        let mut people = People::load(&mut desk.snapshot(), users).await?;
        for (id, person) in people.iter_mut() {
            person.is_online = desk.server.hub.is_online(desk.tenant.app.id, id);
        }
        let (channels, messages, of_feeds) = Default::default();
        Ok(Cast { people, dialect: desk.dialect, now: desk.now, channels, messages, of_feeds })
    }

    /// Adds channels; those that are gone are not there.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn add_channels(&mut self, desk: impl Into<Desk<'_>>, ids: Vec<&ChannelId>) -> domain::Result<()> {
        let mut tx = desk.into().snapshot();
        for id in ids {
            if self.channels.contains_key(id) {
                continue;
            }
            let Some(channel) = channels::get(&mut tx, id).await? else { continue };
            self.people.add(&mut tx, &channel.created_by).await?;
            let member_count = members::count(&mut tx, id).await?;
            let pen = Pen { dialect: self.dialect, people: &self.people, now: self.now };
            let shown = raw(&to_wire::channels::bare(pen, (id, &channel, &channel.custom()), member_count));
            self.channels.insert(id.clone(), shown);
        }
        Ok(())
    }

    /// Adds messages, also deleted ones; those that are gone are not there.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn add_messages(&mut self, desk: impl Into<Desk<'_>>, ids: Vec<MessageId>) -> domain::Result<()> {
        let desk = desk.into();
        let mut tx = desk.snapshot();
        let mut found: Vec<(MessageId, Message)> = Vec::new();
        for id in ids {
            if found.iter().all(|(known, _)| *known != id)
                && let Some(message) = messages::get(&mut tx, &id).await?
            {
                found.push((id, message));
            }
        }
        let shown = messages::gather(&mut tx, found, desk.user, &mut self.people).await?;
        let frame = Frame { dialect: self.dialect, people: &self.people, now: self.now, shows_deleted: true };
        for message in &shown {
            self.messages.insert(message.id.clone(), raw(&frame.message(message)));
        }
        Ok(())
    }

    /// Adds those of `entities` that are activities or comments of feeds v3, also deleted ones; those that are gone are not
    /// there.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn add_of_feeds(
        &mut self,
        desk: impl Into<Desk<'_>>,
        entities: impl Iterator<Item = &Entity>,
    ) -> domain::Result<()> {
        let mut tx = desk.into().snapshot();
        for entity in entities {
            let shown = match entity.kind.as_str() {
                ACTIVITY => reviewed::activity(&mut tx, &entity.id, self.now).await?,
                COMMENT => reviewed::comment(&mut tx, &entity.id, self.now).await?,
                _ => None,
            };
            self.of_feeds.extend(shown.map(|shown| (entity.clone(), shown)));
        }
        Ok(())
    }

    /// The activity or comment that `entity` is, if it is of this kind and still there.
    pub(crate) fn of_feeds(&self, kind: &str, entity: &Entity) -> Option<Box<RawValue>> {
        self.of_feeds.get(entity).filter(|_| entity.kind == kind).cloned()
    }

    /// A user, if anybody knows it.
    pub(crate) fn user(&self, id: Option<&UserId>) -> Option<User<'_>> {
        to_wire::users::embedded(self.dialect, &self.people, id?, self.now)
    }

    /// A channel, if it is still there.
    pub(crate) fn channel(&self, id: Option<&ChannelId>) -> Option<Box<RawValue>> {
        self.channels.get(id?).cloned()
    }

    /// A message, if it is still there.
    pub(crate) fn message(&self, id: Option<&MessageId>) -> Option<Box<RawValue>> {
        self.messages.get(id?).cloned()
    }

    pub(crate) fn time(&self, at: Timestamp) -> Time {
        Time { at, dialect: self.dialect }
    }
}

fn raw(object: &impl Serialize) -> Box<RawValue> {
    to_raw_value(object).expect("wire types are JSON")
}
