//! What clients say of channels and members (chat §6.3, §6.6, §11.3).

use domain::chat::{
    channels::{CUSTOM_BYTES_MAX, Details, batch},
    members::Newcomer,
};
use ids::{UserId, json::Object};
use serde_json::value::RawValue;
use wire::chat::error::Code;

use crate::chat::{
    error::{Error, Result},
    fields::{self, Fields},
};

/// The most members of one list in a call.
pub(crate) const MEMBERS_MAX: usize = 100;
/// The longest wait of slow mode.
const COOLDOWN_SECONDS_MAX: i64 = 120;
/// Members of a channel that the server sets, and that clients echo.
const READ_ONLY: &[&str] = &[
    "blocked",
    "cid",
    "config",
    "created_at",
    "deleted_at",
    "draft",
    "hidden",
    "hide_messages_before",
    "id",
    "last_message_at",
    "member_count",
    "membership",
    "message_count",
    "messages",
    "muted",
    "mute_expires_at",
    "own_capabilities",
    "pending_messages",
    "pinned_messages",
    "push_preferences",
    "read",
    "truncated_at",
    "truncated_by",
    "truncated_by_id",
    "type",
    "updated_at",
    "watcher_count",
    "watchers",
];
/// The same of a member.
pub(crate) const MEMBER_READ_ONLY: &[&str] = &[
    "archived_at",
    "ban_expires",
    "ban_from_future_channels",
    "banned",
    "created_at",
    "deleted_at",
    "deleted_messages",
    "future_channel_ban_expires",
    "invite_accepted_at",
    "invite_rejected_at",
    "invited",
    "is_moderator",
    "notifications_muted",
    "pinned_at",
    "role",
    "shadow_banned",
    "status",
    "updated_at",
    "user",
    "user_id",
];

/// The member `data` of a call.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// Who is said to have made the channel.
    pub(crate) created_by: Option<UserId>,
    /// Its settings.
    pub(crate) details: Details,
    /// Its members.
    pub(crate) members: Vec<Newcomer>,
    /// Who is invited.
    pub(crate) invites: Vec<Newcomer>,
}

/// Reads `data`.
///
/// # Errors
/// 4 when a member is not what the contract says, 22 when the own fields are too big.
pub(crate) fn data(mut sent: Fields) -> Result<Data> {
    sent.skip(READ_ONLY);
    let mut created_by = sent.user("created_by_id")?;
    if let Some(mut maker) = sent.object("created_by")? {
        created_by = maker.user("id")?.or(created_by);
    }
    let (members, invites) = (newcomers(&mut sent, "members")?, newcomers(&mut sent, "invites")?);
    Ok(Data { created_by, members, invites, details: details(sent)? })
}

/// Reads the `data` of a batch: some settings, and in both dialects the application's own fields in `custom`.
///
/// # Errors
/// 4 when there is something else in it, 22 when the own fields are too big.
pub(crate) fn batch_data(mut sent: Fields) -> Result<batch::Data> {
    let custom = sent.object("custom")?.map(Fields::rest).unwrap_or_default();
    let details = details(sent)?;
    if let Some((name, _)) = details.custom.iter().next() {
        return Err(Error::field(&format!("data.{name}"), "cannot be changed by a batch; own fields stand in custom"));
    }
    let cannot = |name| Error::field(&format!("data.{name}"), "cannot be changed by a batch");
    if details.cooldown_seconds.is_some() {
        return Err(cannot("cooldown"));
    }
    if details.filter_tags.is_some() {
        return Err(cannot("filter_tags"));
    }
    check_custom("a channel", &custom)?;
    Ok(Details { custom, ..details }.into())
}

/// The settings of a channel, and the application's own fields.
fn details(mut sent: Fields) -> Result<Details> {
    let details = Details {
        team: sent.text("team")?,
        is_frozen: sent.flag("frozen")?,
        is_disabled: sent.flag("disabled")?,
        cooldown_seconds: sent.number("cooldown")?.map(cooldown).transpose()?,
        is_auto_translated: sent.flag("auto_translation_enabled")?,
        auto_translation_language: sent.text("auto_translation_language")?,
        filter_tags: sent.texts("filter_tags")?,
        config_overrides: sent.object("config_overrides")?.map(Fields::rest),
        custom: sent.custom()?,
    };
    check_custom("a channel", &details.custom)?;
    Ok(details)
}

/// Seconds of slow mode.
///
/// # Errors
/// 4 when they are too many.
pub(crate) fn cooldown(seconds: i64) -> Result<u32> {
    let fits = u32::try_from(seconds).ok().filter(|_| seconds <= COOLDOWN_SECONDS_MAX);
    fits.ok_or_else(|| Error::field("cooldown", &format!("must be 0 to {COOLDOWN_SECONDS_MAX} seconds")))
}

/// Checks the size of own fields.
///
/// # Errors
/// 22 when they are too big.
fn check_custom(what: &str, custom: &Object) -> Result<()> {
    match custom.to_string().len() > CUSTOM_BYTES_MAX {
        true => {
            Err(Error::new(Code::PayloadTooBig, format!("{what} has at most {CUSTOM_BYTES_MAX} bytes of own fields")))
        }
        false => Ok(()),
    }
}

/// A list of members: ids, objects, or both; who comes twice counts once.
///
/// # Errors
/// 4 when it is something else or too long.
pub(crate) fn newcomers(sent: &mut Fields, name: &str) -> Result<Vec<Newcomer>> {
    let dialect = sent.dialect();
    let list = sent.list(name)?.unwrap_or_default();
    if list.len() > MEMBERS_MAX {
        return Err(Error::field(name, &format!("must hold at most {MEMBERS_MAX} members")));
    }
    let mut newcomers: Vec<Newcomer> = Vec::with_capacity(list.len());
    for raw in list {
        let newcomer = newcomer(name, &raw, dialect)?;
        if !newcomers.iter().any(|known| known.user == newcomer.user) {
            newcomers.push(newcomer);
        }
    }
    Ok(newcomers)
}

fn newcomer(list: &str, raw: &RawValue, dialect: wire::chat::dialect::Dialect) -> Result<Newcomer> {
    if let Ok(id) = serde_json::from_str::<String>(raw.get()) {
        return Ok(Newcomer::plain(fields::user(&id)?));
    }
    let mut sent = Fields::parse(raw.get(), dialect)?;
    let mut user = sent.user("user_id")?;
    if user.is_none()
        && let Some(mut object) = sent.object("user")?
    {
        user = object.user("id")?;
    }
    let user = user.ok_or_else(|| Error::field(list, "must hold ids of users, or objects with a user_id"))?;
    let channel_role = sent.filled("channel_role")?;
    Ok(Newcomer { user, channel_role, custom: member_custom(sent)? })
}

/// A member's own fields.
///
/// # Errors
/// 22 when they are too big.
pub(crate) fn member_custom(mut sent: Fields) -> Result<Object> {
    sent.skip(MEMBER_READ_ONLY);
    let custom = sent.custom()?;
    check_custom("a member", &custom)?;
    Ok(custom)
}
