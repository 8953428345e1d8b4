//! `/moderation/ban`, `/moderation/unban`, `/query_banned_users` and `/query_future_channel_bans` (chat §11.8; v2 §6.1).

use domain::{
    Tx,
    moderation::{
        bans::{self, Banned, Scope},
        decisions::plan_deletion,
    },
    users::Ban,
};
use ids::{ChannelId, UserId};
use serde_json::Value;
use wire::chat::{error::Code, moderation::Bans};

use super::{Cast, Listing, check_app, check_channel, decide::mode, expires, reason};
use crate::{
    chat::{
        error::{Error, Result},
        fields::{self, Fields},
        gate::Call,
        to_wire,
    },
    reply::Reply,
};

/// `POST /moderation/ban`: bans a user from a channel or from the app, or changes the ban.
pub(crate) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let has_address = sent.flag("ip_ban")?.unwrap_or_default();
    let deletes = mode(&mut sent, "delete_messages")?;
    let user = target(&call, &mut sent)?;
    let channel = channel(&call, &mut sent)?;
    check(&call, channel.as_ref()).await?;
    let has_later_channels = sent.flag("ban_from_future_channels")?.unwrap_or_default();
    let now = call.now();
    let ban = Ban {
        by: issuer(&call, &mut sent, &["banned_by_id", "banned_by"])?,
        reason: reason(&mut sent)?,
        expires: expires(&mut sent, now)?,
        is_shadow: sent.flag("shadow")?.unwrap_or_default(),
        created_at: now,
        address: String::new(),
    };
    let (scope, note, task) = (Scope { channel, has_later_channels, has_address }, call.new_id(), call.new_id());
    let body = async |tx: &mut Tx| {
        bans::add(tx, &user, &scope, &ban, &note).await?;
        if let Some(mode) = deletes {
            plan_deletion(tx, &task, (&user, scope.channel.as_ref()), mode, now);
        }
        Ok(())
    };
    call.app.write(body).await?;
    call.done()
}

/// `DELETE /moderation/ban` and `POST /moderation/unban`: ends a ban, if there is one.
pub(crate) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = target(&call, &mut sent)?;
    let channel = channel(&call, &mut sent)?;
    check(&call, channel.as_ref()).await?;
    let has_later_channels =
        call.flag("remove_future_channels_ban")? || sent.flag("remove_future_channels_ban")?.unwrap_or_default();
    let by = issuer(&call, &mut sent, &["unbanned_by_id", "unbanned_by", "created_by"])?;
    let (scope, note, now) = (Scope { channel, has_later_channels, has_address: false }, call.new_id(), call.now());
    let body = async |tx: &mut Tx| bans::remove(tx, &user, &scope, by.as_ref(), &note, now).await;
    call.app.write(body).await?;
    call.done()
}

/// A member of the body, or a parameter of the query.
fn either(call: &Call, sent: &mut Fields, name: &str) -> Result<Option<String>> {
    let named = sent.filled(name)?;
    Ok(named.or_else(|| call.query.get(name).filter(|text| !text.is_empty()).map(str::to_owned)))
}

fn target(call: &Call, sent: &mut Fields) -> Result<UserId> {
    let id =
        either(call, sent, "target_user_id")?.ok_or_else(|| Error::field("target_user_id", "is a required field"))?;
    fields::user(&id).map_err(|error| Error::field("target_user_id", &error.reason))
}

/// The channel, by `channel_cid` or by `type` and `id`; none for the whole app.
fn channel(call: &Call, sent: &mut Fields) -> Result<Option<ChannelId>> {
    let cid = either(call, sent, "channel_cid")?;
    let (kind, id) = (either(call, sent, "type")?, either(call, sent, "id")?);
    let (name, parsed) = match (cid, kind, id) {
        (Some(cid), ..) => ("channel_cid", ChannelId::parse(&cid)),
        (None, Some(kind), Some(id)) => ("id", ChannelId::new(&kind, &id)),
        (None, None, None) => return Ok(None),
        (None, Some(_), None) => return Err(Error::field("id", "is required with type")),
        (None, None, Some(_)) => return Err(Error::field("type", "is required with id")),
    };
    parsed.map(Some).map_err(|error| Error::field(name, &error.to_string()))
}

/// Who bans or ends a ban: the token's user, or whom the app's own server names.
fn issuer(call: &Call, sent: &mut Fields, names: &[&str]) -> Result<Option<UserId>> {
    let mut named = None;
    for name in names {
        let id = match sent.raw(name) {
            None => call.query.get(name).map(str::to_owned),
            Some(raw) => match serde_json::from_str(raw.get()) {
                Ok(Value::String(id)) => Some(id),
                Ok(Value::Object(user)) => user.get("id").and_then(Value::as_str).map(str::to_owned),
                _ => return Err(Error::field(name, "must be a user, or the id of one")),
            },
        };
        let id = id.filter(|id| !id.is_empty());
        named = named.or(id);
    }
    let named = named.map(|id| fields::user(&id)).transpose()?;
    let actor = call.actor(sent)?;
    match (call.user(), named) {
        (Some(own), Some(named)) if *own != named => {
            Err(Error::new(Code::NotAllowed, "a user's token acts for that user alone"))
        }
        (_, named) => Ok(named.or(actor)),
    }
}

async fn check(call: &Call, channel: Option<&ChannelId>) -> Result<()> {
    match channel {
        None => check_app(call, "ban-user"),
        Some(channel) => check_channel(call, channel, "ban-channel-member").await,
    }
}

/// `GET /query_banned_users`: who is banned from where.
pub(crate) async fn query(call: Call, _: Fields) -> Result<Reply> {
    let mut payload = call.payload()?;
    let listing = Listing::take(&mut payload, bans::SCHEMA, bans::SORT)?;
    let only_holding = payload.flag("exclude_expired_bans")?.unwrap_or_default();
    let mut moment = |name| payload.time(name);
    let after = (moment("created_at_after")?, moment("created_at_after_or_equal")?);
    let before = (moment("created_at_before")?, moment("created_at_before_or_equal")?);
    match listing.filter.only("channel_cid") {
        _ if call.is_server() => {}
        Some(cids) => {
            for cid in cids {
                let channel = ChannelId::parse(cid).map_err(|error| Error::field("channel_cid", &error.to_string()))?;
                check_channel(&call, &channel, "ban-channel-member").await?;
            }
        }
        None => check_app(&call, "ban-user")?,
    }
    let now = call.now();
    let mut banned = bans::query(&mut call.snapshot(), &listing.filter, &listing.sort).await?;
    banned.retain(|Banned { ban, .. }| {
        let at = ban.created_at;
        (!only_holding || ban.holds(now))
            && after.0.is_none_or(|after| at > after)
            && after.1.is_none_or(|after| at >= after)
            && before.0.is_none_or(|before| at < before)
            && before.1.is_none_or(|before| at <= before)
    });
    answer(&call, &listing.page(banned), false, None).await
}

/// `GET /query_future_channel_bans`: who is banned from the channels that somebody makes later.
pub(crate) async fn later(call: Call, _: Fields) -> Result<Reply> {
    let mut payload = call.payload()?;
    let by = call.actor(&mut payload)?;
    let user = payload.user("target_user_id")?;
    let only_holding = payload.flag("exclude_expired_bans")?.unwrap_or_default();
    let counts = payload.flag("include_total")?.unwrap_or_default();
    let listing = Listing::take(&mut payload, bans::SCHEMA, bans::SORT)?;
    let now = call.now();
    let mut banned = bans::later(&mut call.snapshot(), user.as_ref(), by.as_ref()).await?;
    banned.retain(|banned| !only_holding || banned.ban.holds(now));
    let total = counts.then_some(banned.len());
    answer(&call, &listing.page(banned), user.is_some(), total).await
}

async fn answer(call: &Call, banned: &[Banned], hides_user: bool, total: Option<usize>) -> Result<Reply> {
    let users = banned.iter().flat_map(|banned| [Some(&banned.user), banned.ban.by.as_ref()]).flatten();
    let mut cast = Cast::load(call, users.collect()).await?;
    cast.add_channels(call, banned.iter().filter_map(|banned| banned.channel.as_ref()).collect()).await?;
    let bans = banned.iter().map(|banned| {
        let mut shown = to_wire::moderation::ban(&cast, banned);
        // Whoever asks for the bans of one user knows who it is (chat §6.12).
        shown.user = shown.user.filter(|_| !hides_user);
        shown
    });
    call.answer(&Bans { bans: bans.collect(), total })
}
