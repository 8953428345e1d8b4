//! Events that callers send (chat §11.3, §11.7), and `POST /sync`.

use std::collections::HashSet;

use domain::{
    chat::{
        channels::{self, Channel},
        events::{self, Event},
        members,
        permissions::{self, Place, Who},
        reads,
        types::{self, ChannelType},
    },
    users::{self, User},
};
use ids::{ChannelId, UserId, json::Object};
use serde::Serialize;
use serde_json::value::RawValue;
use wire::chat::error::Code;

use super::{
    error::{Error, Result},
    fields::{self, Fields},
    gate::{Call, Caller},
    watching::channel,
};
use crate::{
    realtime::{self, may_hear},
    reply::Reply,
};

/// The most bytes of an event's own fields.
const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The longest name of an event, in bytes.
const KIND_BYTES_MAX: usize = 128;
/// The most channels of one sync.
const CHANNELS_MAX: usize = 255;
/// Members that the server sets.
const READ_ONLY: &[&str] = &[
    "channel",
    "channel_id",
    "channel_type",
    "cid",
    "connection_id",
    "created_at",
    "me",
    "received_at",
    "team",
    "watcher_count",
];

/// What sending an event answers.
#[derive(Serialize)]
struct Sent {
    event: Box<RawValue>,
}

/// `POST /channels/{type}/{id}/event`.
pub(crate) async fn send(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = channel(&call)?;
    let mut event = sent.object("event")?.ok_or_else(|| Error::field("event", "is a required field"))?;
    let kind = kind(&mut event)?;
    let user = match call.actor(&mut event)? {
        Some(user) => user,
        None => call.some_actor(&mut sent)?,
    };
    let more = own_fields(event)?;
    let (place, profile) = place(&call, &id, &user).await?;
    let config = types::config(&place.kind, &place.channel);
    let off = |what: &str| Error::new(Code::EventNotSupported, format!("{what} are off in channels of this type"));
    let now = call.now();
    let event = Event::new(&kind, now, Some(&id)).by(Some(&user)).with(more.to_string());
    match kind.as_str() {
        "typing.start" | "typing.stop" => {
            if !config.typing_events {
                return Err(off("typing events"));
            }
            let is_private = profile.privacy.and_then(|privacy| privacy.typing_indicators) == Some(false);
            place.check(&call, "read-channel")?;
            if !is_private {
                call.server.hub.tell(call.tenant.app.id, event.clone());
            }
        }
        "message.read" => {
            if !config.read_events {
                return Err(off("read events"));
            }
            place.check(&call, "read-channel")?;
            call.app.write(async |tx| reads::mark_read(tx, &id, &user, None, now).await).await?;
        }
        _ if kind.starts_with("ai_indicator.") => {
            place.check(&call, "read-channel")?;
            call.server.hub.tell(call.tenant.app.id, event.clone());
        }
        _ if kind.contains('.') => {
            return Err(Error::new(Code::EventNotSupported, format!("'{kind}' is not an event that can be sent")));
        }
        _ => {
            if !config.custom_events {
                return Err(off("events of the application's own"));
            }
            place.check(&call, "send-custom-event")?;
            let written = call.app.write(async |tx| {
                events::record(tx, event.clone());
                Ok(())
            });
            written.await?;
        }
    }
    let event = realtime::show(&call.server, &call.tenant, event, call.dialect, now).await?;
    call.answer(&Sent { event })
}

/// `POST /users/{id}/event`: an event of the application's own for all connections of a user.
pub(crate) async fn send_to_user(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = fields::user(call.param("id"))?;
    let mut event = match sent.object("event")? {
        Some(event) => event,
        // One client sends the event itself (chat §16.5).
        None if sent.has("type") => sent,
        None => return Err(Error::field("event", "is a required field")),
    };
    let kind = kind(&mut event)?;
    if kind.contains('.') {
        return Err(Error::field("event.type", "must not contain a dot: such names are the server's"));
    }
    event.skip(&["user", "user_id"]);
    let more = own_fields(event)?.to_string();
    let event = Event::new(&kind, call.now(), None).by(Some(&user)).only_for([user.clone()]).with(more);
    call.app
        .write(async |tx| {
            users::load(tx, &user).await?;
            events::record(tx, event.clone());
            Ok(())
        })
        .await?;
    call.done()
}

fn kind(event: &mut Fields) -> Result<String> {
    let kind = event.filled("type")?.ok_or_else(|| Error::field("event.type", "is a required field"))?;
    match kind.len() <= KIND_BYTES_MAX {
        true => Ok(kind),
        false => Err(Error::field("event.type", &format!("has at most {KIND_BYTES_MAX} characters"))),
    }
}

/// What is left of an event is the application's own.
fn own_fields(mut event: Fields) -> Result<Object> {
    event.skip(READ_ONLY);
    let more = event.custom()?;
    match more.to_string().len() <= CUSTOM_BYTES_MAX {
        true => Ok(more),
        false => {
            Err(Error::new(Code::PayloadTooBig, format!("an event has at most {CUSTOM_BYTES_MAX} bytes of own fields")))
        }
    }
}

/// Where an event is sent, and what the caller is there.
struct Somewhere {
    kind: ChannelType,
    channel: Channel,
    member: Option<members::Member>,
}

impl Somewhere {
    fn check(&self, call: &Call, permission: &str) -> Result<()> {
        let fresh = User::new(call.now());
        let who = match &call.caller {
            Caller::Server => Who::Server,
            Caller::User(id, user) => Who::User(id, user.as_deref().unwrap_or(&fresh)),
            Caller::Anonymous => Who::Anonymous,
        };
        let place = Place { kind: &self.kind, channel: Some(&self.channel), member: self.member.as_ref() };
        Ok(permissions::check(who, place, permission, None)?)
    }
}

/// The channel with its type, and the acting user, who is made if the app's own server names one that nobody knows.
async fn place(call: &Call, id: &ChannelId, user: &UserId) -> Result<(Somewhere, User)> {
    let mut tx = call.snapshot();
    let channel = channels::load(&mut tx, id).await?;
    let kind = types::load(&mut tx, id.kind()).await?;
    let member = members::get(&mut tx, id, user).await?;
    let profile = match users::get(&mut tx, user).await? {
        Some(profile) => profile,
        None => call.app.write(async |tx| users::ensure(tx, user, call.now()).await).await?,
    };
    Ok((Somewhere { kind, channel, member }, profile))
}

/// What a sync answers.
#[derive(Serialize)]
struct Missed {
    events: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inaccessible_cids: Option<Vec<String>>,
}

/// `POST /sync`: what was told in some channels since a moment.
pub(crate) async fn sync(call: Call, mut sent: Fields) -> Result<Reply> {
    let since = sent.time("last_sync_at")?.ok_or_else(|| Error::field("last_sync_at", "is a required field"))?;
    let cids = sent.texts("channel_cids")?.unwrap_or_default();
    if cids.is_empty() || cids.len() > CHANNELS_MAX {
        return Err(Error::field("channel_cids", &format!("must hold 1 to {CHANNELS_MAX} cids")));
    }
    let wants_inaccessible = sent.flag("with_inaccessible_cids")?.unwrap_or(false);
    let user = call.actor(&mut sent)?;
    let (mut readable, mut inaccessible) = (HashSet::new(), Vec::new());
    for cid in cids {
        let id = ChannelId::parse(&cid).map_err(|error| Error::field("channel_cids", &error.to_string()))?;
        match may_read(&call, &id).await? {
            true => drop(readable.insert(id)),
            false => inaccessible.push(id),
        }
    }
    let now = call.now();
    let missed = events::missed(&mut call.snapshot(), &readable, since, now).await?;
    let removed = inaccessible
        .iter()
        .filter(|_| user.is_some())
        .map(|id| Event::new("notification.removed_from_channel", now, Some(id)).by(user.as_ref()));
    let mut told = Vec::new();
    for event in missed.into_iter().filter(|event| hears(event, user.as_ref())).chain(removed) {
        told.push(realtime::show(&call.server, &call.tenant, event, call.dialect, now).await?);
    }
    let inaccessible = wants_inaccessible.then(|| inaccessible.iter().map(ChannelId::to_string).collect());
    call.answer(&Missed { events: told, inaccessible_cids: inaccessible })
}

/// Whether the event is for `user`; the app's own server hears of everything.
fn hears(event: &Event, user: Option<&UserId>) -> bool {
    user.is_none_or(|user| (event.only_for.is_empty() || event.only_for.contains(user)) && may_hear(event, user))
}

async fn may_read(call: &Call, id: &ChannelId) -> Result<bool> {
    let mut tx = call.snapshot();
    let Some(channel) = channels::get(&mut tx, id).await? else { return Ok(false) };
    let kind = types::load(&mut tx, id.kind()).await?;
    let member = members::get(&mut tx, id, &call.viewer()).await?;
    Ok(Somewhere { kind, channel, member }.check(call, "read-channel").is_ok())
}
