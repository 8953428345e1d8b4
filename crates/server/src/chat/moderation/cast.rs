//! Whom and what an answer about moderation shows, loaded once and written in the dialect of the call.

use std::collections::BTreeMap;

use domain::{
    chat::{
        channels,
        messages::{self, Message},
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

use crate::chat::{
    error::Result,
    gate::Call,
    to_wire::{self, channels::Pen, messages::Frame},
};

/// People, channels and messages of one answer.
pub(crate) struct Cast {
    pub(crate) people: People,
    pub(crate) dialect: Dialect,
    pub(crate) now: Timestamp,
    channels: BTreeMap<ChannelId, Box<RawValue>>,
    messages: BTreeMap<MessageId, Box<RawValue>>,
}

impl Cast {
    /// A cast of these users.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn load(call: &Call, users: Vec<&UserId>) -> Result<Self> {
        let mut people = People::load(&mut call.snapshot(), users).await?;
        call.note_online(&mut people);
        let (channels, messages) = (BTreeMap::new(), BTreeMap::new());
        Ok(Cast { people, dialect: call.dialect, now: call.now(), channels, messages })
    }

    /// Adds channels; those that are gone are not there.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn add_channels(&mut self, call: &Call, ids: Vec<&ChannelId>) -> Result<()> {
        let mut tx = call.snapshot();
        for id in ids {
            if self.channels.contains_key(id) {
                continue;
            }
            let Some(channel) = channels::get(&mut tx, id).await? else { continue };
            self.people.add(&mut tx, &channel.created_by).await?;
            let pen = Pen { dialect: self.dialect, people: &self.people, now: self.now };
            let shown = raw(&to_wire::channels::bare(pen, id, &channel, &channel.custom()));
            self.channels.insert(id.clone(), shown);
        }
        Ok(())
    }

    /// Adds messages, also deleted ones; those that are gone are not there.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn add_messages(&mut self, call: &Call, ids: Vec<MessageId>) -> Result<()> {
        let mut tx = call.snapshot();
        let mut found: Vec<(MessageId, Message)> = Vec::new();
        for id in ids {
            if found.iter().all(|(known, _)| *known != id)
                && let Some(message) = messages::get(&mut tx, &id).await?
            {
                found.push((id, message));
            }
        }
        let shown = messages::gather(&mut tx, found, call.user(), &mut self.people).await?;
        let frame = Frame { dialect: self.dialect, people: &self.people, now: self.now, shows_deleted: true };
        for message in &shown {
            self.messages.insert(message.id.clone(), raw(&frame.message(message)));
        }
        Ok(())
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
