//! Shared locations: where somebody is, said in a message, once or live for a while (chat §6.15, §11.6; v2 §7.6).
//!
//! A location is a part of its message. One that is live has a row in `LIVE` and one in `LIVE_IN`, both at the moment at
//! which it ends; those whose moment is over may stand there until the message goes.

use ids::{ChannelId, MessageId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{
    events::{self, Event},
    messages::{self, Message, Scene},
};
use crate::{
    Error, Result, Tx,
    keyspace::{At, Chat, LIVE, LIVE_IN, MESSAGE},
};

/// The setting of the app without which nobody shares a location.
pub const SWITCH: &str = "shared_locations_enabled";
/// The most locations that are answered at once.
const LISTED_MAX: usize = 100;
/// The longest id of a device, in bytes.
const DEVICE_BYTES_MAX: usize = 255;

/// Where somebody is.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Location {
    /// Degrees north, -90 to 90.
    #[n(0)]
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    #[n(1)]
    pub longitude: f64,
    /// Which device of the user's tells.
    #[n(2)]
    pub device: String,
    /// Until when it is told anew; it is told once, if absent.
    #[n(3)]
    pub end_at: Option<Timestamp>,
    /// When it was last told.
    #[n(4)]
    pub updated_at: Timestamp,
}

/// What is told anew of a live location; what is absent stays.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Update {
    /// See [`Location::latitude`].
    pub latitude: Option<f64>,
    /// See [`Location::longitude`].
    pub longitude: Option<f64>,
    /// See [`Location::device`].
    pub device: Option<String>,
    /// When it ends; a moment that is over ends it at once.
    pub end_at: Option<Timestamp>,
}

impl Location {
    /// Whether it is live at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.end_at.is_some_and(|end| now < end)
    }

    fn check(&self) -> Result<()> {
        let within = |value: f64, max: f64| value.is_finite() && value.abs() <= max;
        if !within(self.latitude, 90.0) {
            return Err(Error::Unfit("latitude must be between -90 and 90".to_owned()));
        }
        if !within(self.longitude, 180.0) {
            return Err(Error::Unfit("longitude must be between -180 and 180".to_owned()));
        }
        match self.device.len() > DEVICE_BYTES_MAX {
            true => Err(Error::Unfit(format!("created_by_device_id has at most {DEVICE_BYTES_MAX} bytes"))),
            false => Ok(()),
        }
    }
}

/// Checks that a message in `scene` may tell `location`.
///
/// # Errors
/// [`Error::FeatureOff`] when the app or the channel shares none, [`Error::Unfit`] when it is no place on Earth, or over.
pub(super) fn check(tx: &Tx, scene: &Scene, location: &Location, now: Timestamp) -> Result<()> {
    check_shared(tx, scene)?;
    location.check()?;
    match location.end_at.is_some_and(|end| end <= now) {
        true => Err(Error::Unfit("shared_location.end_at must lie ahead".to_owned())),
        false => Ok(()),
    }
}

fn check_shared(tx: &Tx, scene: &Scene) -> Result<()> {
    if !tx.app.settings.is_on(SWITCH) {
        return Err(Error::FeatureOff(
            "shared_locations_enabled: shared locations are not enabled for this app".to_owned(),
        ));
    }
    match scene.config.shared_locations {
        true => Ok(()),
        false => Err(Error::FeatureOff(format!("shared_locations is not enabled for channel {}", scene.id))),
    }
}

/// Lists the location of a message that is stored, if it is live.
pub(super) fn list(tx: &mut Tx, id: &MessageId, message: &Message) {
    let Some((user, end)) = live(message) else { return };
    let tenant = tx.tenant();
    LIVE.put(tx, tenant, &(user.to_string(), At(end), id.to_string()), &());
    LIVE_IN.put(tx, tenant, &(Chat(message.channel.clone()), At(end), id.to_string()), &());
}

/// Takes the location of a message out of the lists.
pub(super) fn unlist(tx: &mut Tx, id: &MessageId, message: &Message) {
    let Some((user, end)) = live(message) else { return };
    let tenant = tx.tenant();
    LIVE.delete(tx, tenant, &(user.to_string(), At(end), id.to_string()));
    LIVE_IN.delete(tx, tenant, &(Chat(message.channel.clone()), At(end), id.to_string()));
}

fn live(message: &Message) -> Option<(&UserId, Timestamp)> {
    Some((message.user.as_ref()?, message.location.as_ref()?.end_at?))
}

/// Tells the live location of the message `id` of `user` anew, or ends it.
///
/// # Errors
/// [`Error::Absent`] when the user has no such message, [`Error::Unfit`] when it has no live location, [`Error::FeatureOff`]
/// as for a new one.
pub async fn update(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: &UserId,
    id: &MessageId,
    update: &Update,
    now: Timestamp,
) -> Result<Message> {
    let old = messages::read(tx, caller, id, now).await?;
    if old.user.as_ref() != Some(user) {
        return Err(Error::Absent(format!("user '{user}' has no message {id}")));
    }
    let scene = Scene::load(tx, &old.channel, caller, now).await?;
    check_shared(tx, &scene)?;
    let known = old.location.clone().filter(|known| known.is_live(now) && old.deleted_at.is_none());
    let known = known.ok_or_else(|| Error::Unfit(format!("message {id} has no live location")))?;
    let location = Location {
        latitude: update.latitude.unwrap_or(known.latitude),
        longitude: update.longitude.unwrap_or(known.longitude),
        device: update.device.clone().unwrap_or(known.device),
        end_at: update.end_at.or(known.end_at),
        updated_at: now,
    };
    location.check()?;
    let new = Message { location: Some(location), updated_at: now, ..old.clone() };
    unlist(tx, id, &old);
    list(tx, id, &new);
    let tenant = tx.tenant();
    MESSAGE.put(tx, tenant, &id.to_string(), &new);
    events::record(tx, Event::new("message.updated", now, Some(&new.channel)).by(Some(user)).about(id, &new));
    Ok(new)
}

/// The messages of `user` that tell a live location, the one that ends first first.
///
/// # Errors
/// When the store fails.
pub async fn of_user(tx: &mut Tx, user: &UserId, now: Timestamp) -> Result<Vec<(MessageId, Message)>> {
    let tenant = tx.tenant();
    let mut range = LIVE.prefix(tenant, &(user.to_string(),));
    range.start = LIVE.prefix(tenant, &(user.to_string(), At(now))).start;
    let rows = LIVE.scan(tx, tenant, range, Direction::Forward, Limit::rows(LISTED_MAX)).await?.rows;
    found(tx, rows.into_iter().map(|((.., id), ())| id).collect(), now).await
}

/// The messages of `channel` that tell a live location, the one that ends first first.
///
/// # Errors
/// When the store fails.
pub async fn of_channel(tx: &mut Tx, channel: &ChannelId, now: Timestamp) -> Result<Vec<(MessageId, Message)>> {
    let (tenant, chat) = (tx.tenant(), Chat(channel.clone()));
    let mut range = LIVE_IN.prefix(tenant, &(chat.clone(),));
    range.start = LIVE_IN.prefix(tenant, &(chat, At(now))).start;
    let rows = LIVE_IN.scan(tx, tenant, range, Direction::Forward, Limit::rows(LISTED_MAX)).await?.rows;
    found(tx, rows.into_iter().map(|((.., id), ())| id).collect(), now).await
}

async fn found(tx: &mut Tx, ids: Vec<String>, now: Timestamp) -> Result<Vec<(MessageId, Message)>> {
    let tenant = tx.tenant();
    let messages = MESSAGE.get_many(tx, tenant, &ids).await?;
    let read = |(id, message): (String, Option<Message>)| Some((MessageId::parse(&id).ok()?, message?));
    let is_told = |message: &Message| {
        let is_live = message.location.as_ref().is_some_and(|location| location.is_live(now));
        is_live && message.deleted_at.is_none() && !messages::is_private(message)
    };
    Ok(ids.into_iter().zip(messages).filter_map(read).filter(|(_, message)| is_told(message)).collect())
}

/// Removes live locations of `user` from their messages, at most `limit`; how many, and whether those were all.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_user(tx: &mut Tx, user: &UserId, limit: Limit) -> Result<(usize, bool)> {
    let tenant = tx.tenant();
    let page = LIVE.scan(tx, tenant, LIVE.prefix(tenant, &(user.to_string(),)), Direction::Forward, limit).await?;
    for (key, ()) in &page.rows {
        LIVE.delete(tx, tenant, key);
        if let Some(message) = MESSAGE.get(tx, tenant, &key.2).await? {
            LIVE_IN.delete(tx, tenant, &(Chat(message.channel.clone()), At(key.1.0), key.2.clone()));
            MESSAGE.put(tx, tenant, &key.2, &Message { location: None, ..message });
        }
    }
    Ok((page.rows.len(), !page.more))
}

#[cfg(test)]
mod tests;
