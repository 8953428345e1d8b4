//! What a row of a file says: `{"type":"…","item":{…}}`, the own fields flat beside the others, as the documentation of imports
//! has it (chat §11.12).
//!
//! A field that has an effect elsewhere and none here is refused, so that nobody believes it stored.

use domain::{
    App,
    chat::{
        channels::import::Imported as Channel,
        imports::Item,
        members::{Invite, MODERATOR, import::Imported as Member},
        messages::{Kind, import::Imported as Message},
        reactions::{Draft as Reaction, import::Imported as Reacted},
    },
    users::{devices::Device, import::Imported as User},
};
use ids::{ChannelId, Timestamp, UserId};
use wire::chat::dialect::Dialect;

use crate::{
    chat::{
        self,
        channels::{self, fields as of_channels},
        fields::Fields,
        messages::draft,
        users,
    },
    erasures,
};

type Result<T> = std::result::Result<T, chat::Error>;

/// What a row of the app says.
///
/// # Errors
/// What is wrong with it, in words that name nobody.
pub(super) fn read(app: &App, text: &[u8]) -> std::result::Result<Item, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the row is not valid UTF-8".to_owned())?;
    item(app, text).map_err(|error| error.reason)
}

/// The type that a row says it has, if it says one.
pub(super) fn kind(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let known = ["user", "device", "channel", "member", "message", "reaction"];
    let said = Fields::parse(text, Dialect::Classic).and_then(|mut row| row.filled("type"));
    said.ok().flatten().filter(|kind| known.contains(&kind.as_str())).unwrap_or_default()
}

fn item(app: &App, text: &str) -> Result<Item> {
    let mut row = Fields::parse(text, Dialect::Classic)?;
    let kind = row.filled("type")?.ok_or_else(|| missing("type"))?;
    let item = match row.object("item")? {
        Some(item) => item,
        None => row.object("data")?.ok_or_else(|| missing("item"))?,
    };
    match kind.as_str() {
        "user" => user(app, item),
        "device" => device(item),
        "channel" => channel(item),
        "member" => member(item),
        "message" => message(item),
        "reaction" => reaction(item),
        _ => Err(chat::Error::field("type", "must be one of [user device channel member message reaction]")),
    }
}

fn missing(field: &str) -> chat::Error {
    chat::Error::field(field, "is a required field")
}

/// Refuses what is set and would have no effect.
fn refuse(item: &mut Fields, names: &[&str]) -> Result<()> {
    for name in names {
        if item.raw(name).is_some_and(|value| !matches!(value.get(), "false" | "\"\"" | "[]" | "{}")) {
            return Err(chat::Error::field(name, "cannot be imported"));
        }
    }
    Ok(())
}

/// A user: an id, or an object that has one.
fn named(item: &mut Fields, names: &[&str]) -> Result<Option<UserId>> {
    for name in names {
        let Some(raw) = item.raw(name) else { continue };
        let mut fields = match raw.get().starts_with('{') {
            true => Fields::parse(raw.get(), Dialect::Classic)?,
            false => Fields::parse(&format!(r#"{{"id":{}}}"#, raw.get()), Dialect::Classic)?,
        };
        if let Some(user) = fields.user("id")? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// The channel of a member or a message: by its id, or by the members that are its identity.
fn place(item: &mut Fields) -> Result<ChannelId> {
    let kind = item.filled("channel_type")?.ok_or_else(|| missing("channel_type"))?;
    let members = item.users("channel_member_ids")?.unwrap_or_default();
    match (item.filled("channel_id")?, members.is_empty()) {
        (Some(id), _) => identified(&kind, &id, "channel_id"),
        (None, false) => channels::distinct(&kind, members.iter()),
        (None, true) => Err(missing("channel_id")),
    }
}

fn identified(kind: &str, id: &str, field: &str) -> Result<ChannelId> {
    ChannelId::new(kind, id).map_err(|error| chat::Error::field(field, &error.to_string()))
}

fn user(app: &App, mut item: Fields) -> Result<Item> {
    refuse(&mut item, &["banned", "shadow_banned", "ban_expires", "blocked_user_ids", "bypass_moderation"])?;
    let mut time = |name: &str| item.time(name);
    let (created_at, updated_at) = (time("created_at")?, time("updated_at")?);
    let (deactivated_at, deleted_at) = (time("deactivated_at")?, time("deleted_at")?);
    let is_push_disabled = match item.object("push_notifications")? {
        Some(mut push) => push.flag("disabled")?,
        None => None,
    };
    let (mutes, cids) = (item.users("user_mutes")?, item.texts("channel_mutes")?);
    let parse =
        |cid: &String| ChannelId::parse(cid).map_err(|error| chat::Error::field("channel_mutes", &error.to_string()));
    let channel_mutes = cids.unwrap_or_default().iter().map(parse).collect::<Result<_>>()?;
    let (id, profile) = users::profile(item)?;
    let hash = erasures::hash(app.id, &id);
    Ok(Item::User(Box::new(User {
        id,
        hash,
        profile,
        created_at,
        updated_at,
        deactivated_at,
        deleted_at,
        is_push_disabled,
        mutes: mutes.unwrap_or_default(),
        channel_mutes,
    })))
}

fn device(mut item: Fields) -> Result<Item> {
    let user = named(&mut item, &["user_id", "user"])?.ok_or_else(|| missing("user_id"))?;
    let id = item.filled("id")?.ok_or_else(|| missing("id"))?;
    let push_provider = match item.filled("push_provider_type")? {
        Some(provider) => Some(provider),
        None => item.filled("push_provider")?,
    };
    let device = Device {
        push_provider: push_provider.ok_or_else(|| missing("push_provider_type"))?,
        push_provider_name: item.filled("push_provider_name")?,
        hardware_id: item.filled("hardware_id")?,
        is_voip: item.flag("voip_token")?.unwrap_or_default(),
        created_at: item.time("created_at")?.ok_or_else(|| missing("created_at"))?,
        disabled_reason: item.filled("disabled_reason")?,
    };
    Ok(Item::Device(user, id, device))
}

fn channel(mut item: Fields) -> Result<Item> {
    let kind = item.filled("type")?.ok_or_else(|| missing("type"))?;
    let members = item.users("member_ids")?.unwrap_or_default();
    let id = match item.filled("id")? {
        Some(id) => identified(&kind, &id, "id")?,
        None if members.is_empty() => return Err(missing("id")),
        None => channels::distinct(&kind, members.iter())?,
    };
    refuse(&mut item, &["members", "invites", "truncated_by"])?;
    let created_by = named(&mut item, &["created_by", "created_by_id"])?;
    let mut time = |name: &str| item.time(name);
    let (created_at, updated_at) = (time("created_at")?, time("updated_at")?);
    let (truncated_at, deleted_at) = (time("truncated_at")?, time("deleted_at")?);
    let details = of_channels::data(item)?.details;
    Ok(Item::Channel(Box::new(Channel { id, created_by, details, created_at, updated_at, truncated_at, deleted_at })))
}

fn member(mut item: Fields) -> Result<Item> {
    let channel = place(&mut item)?;
    let user = named(&mut item, &["user_id", "user"])?.ok_or_else(|| missing("user_id"))?;
    refuse(&mut item, &["banned", "shadow_banned", "ban_expires"])?;
    let role = item.filled("channel_role")?;
    let is_moderator = item.flag("is_moderator")?.unwrap_or_default();
    let invite = invite(&mut item)?;
    let mut time = |name: &str| item.time(name);
    let (created_at, updated_at) = (time("created_at")?, time("updated_at")?);
    let (pinned_at, archived_at) = (time("pinned_at")?, time("archived_at")?);
    let (hides_before, last_read) = (time("hide_messages_before")?, time("last_read")?);
    let is_hidden = item.flag("hide_channel")?.unwrap_or_default();
    Ok(Item::Member(Box::new(Member {
        channel,
        user,
        channel_role: role.or_else(|| is_moderator.then(|| MODERATOR.to_owned())),
        invite,
        created_at,
        updated_at,
        pinned_at,
        archived_at,
        hides_before,
        is_hidden,
        last_read,
        custom: of_channels::member_custom(item)?,
    })))
}

fn invite(item: &mut Fields) -> Result<Option<Invite>> {
    let (accepted, rejected) = (item.time("invite_accepted_at")?, item.time("invite_rejected_at")?);
    let is_invited = item.flag("invited")?.unwrap_or_default() || item.time("invited_at")?.is_some();
    match (accepted, rejected) {
        (Some(_), Some(_)) => Err(chat::Error::field("invite_rejected_at", "excludes invite_accepted_at")),
        (Some(at), None) => Ok(Some(Invite::Accepted(at))),
        (None, Some(at)) => Ok(Some(Invite::Rejected(at))),
        (None, None) => Ok(is_invited.then_some(Invite::Pending)),
    }
}

fn message(mut item: Fields) -> Result<Item> {
    let id = item.message("id")?.ok_or_else(|| missing("id"))?;
    let channel = place(&mut item)?;
    let user = named(&mut item, &["user", "user_id"])?.ok_or_else(|| missing("user"))?;
    refuse(&mut item, &["poll_id", "shared_location", "shadowed", "pending", "command"])?;
    let created_at = item.time("created_at")?.ok_or_else(|| missing("created_at"))?;
    let (updated_at, mut deleted_at) = (item.time("updated_at")?, item.time("deleted_at")?);
    let pin = pin(&mut item, created_at)?;
    if item.has("mentioned_users_ids") {
        let ids = item.raw("mentioned_users_ids");
        ids.iter().for_each(|ids| item.put("mentioned_users", ids));
    }
    let mut is_system = false;
    if let Some(kind) = item.filled("type")? {
        match kind.as_str() {
            "deleted" => deleted_at = deleted_at.or(updated_at).or(Some(created_at)),
            "system" => is_system = true,
            "regular" | "reply" => {}
            _ => return Err(chat::Error::field("type", "must be one of [regular reply system deleted]")),
        }
    }
    let mut draft = draft::imported(item, user, created_at)?;
    if is_system {
        draft.kind = Kind::System;
    }
    let is_fit =
        deleted_at.is_some() || draft.kind == Kind::System || !draft.text.is_empty() || !draft.attachments.is_empty();
    match is_fit {
        true => Ok(Item::Message(Box::new(Message { id, channel, draft, created_at, updated_at, deleted_at, pin }))),
        false => Err(chat::Error::field("text", "is empty: a message has a text or an attachment")),
    }
}

fn pin(item: &mut Fields, created_at: Timestamp) -> Result<Option<(Timestamp, Option<UserId>)>> {
    let (at, by) = (item.time("pinned_at")?, named(item, &["pinned_by_id", "pinned_by"])?);
    let is_pinned = item.flag("pinned")?.unwrap_or(at.is_some());
    Ok(is_pinned.then(|| (at.unwrap_or(created_at), by)))
}

fn reaction(mut item: Fields) -> Result<Item> {
    let message = item.message("message_id")?.ok_or_else(|| missing("message_id"))?;
    let user = named(&mut item, &["user_id", "user"])?.ok_or_else(|| missing("user_id"))?;
    let kind = item.filled("type")?.ok_or_else(|| missing("type"))?;
    let score = item.number("score")?.filter(|score| *score != 0).unwrap_or(1);
    let created_at = item.time("created_at")?.ok_or_else(|| missing("created_at"))?;
    let updated_at = item.time("updated_at")?;
    let draft = Reaction { user, kind, score, is_only: false, custom: item.custom()?.to_string() };
    Ok(Item::Reaction(Box::new(Reacted { message, draft, created_at, updated_at })))
}
