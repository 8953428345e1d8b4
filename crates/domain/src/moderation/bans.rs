//! Bans, of the whole app, of one channel, and of every channel that somebody makes later (chat §12.18).
//!
//! A ban from later channels is one row, and no row in the channels: a channel is later if it was made later. What the
//! rows of the user and of the member say of a ban, nobody but this file writes.

use std::borrow::Cow;

use ids::{ChannelId, Timestamp, UserId};
use serde_json::json;
use store::{Direction, Limit, key::after};

use super::{
    Found,
    actions::{self, Action},
};
use crate::{
    Error, Result, Tx,
    chat::{
        channels::{self, Channel},
        events::{self, Event},
        members,
    },
    filter::{Field, Filter, Kind, Row, Schema, Sort, Value},
    keyspace::{ADDRESS_BAN, BAN, FUTURE_BAN},
    rows,
    users::{self, Ban},
};

/// The most bans that one user can have.
const BANS_MAX: usize = 10_000;

/// The most bans of one address that are looked at.
const BANS_OF_ADDRESS_MAX: usize = 256;

/// How a user stands where it wants to write.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Whether it may not write at all.
    pub is_banned: bool,
    /// Whether only the author sees what it writes.
    pub is_shadow_banned: bool,
}

/// How `user` stands in `channel`, or in the app alone.
///
/// # Errors
/// When the store fails.
pub async fn standing(
    tx: &mut Tx,
    user: &UserId,
    channel: Option<(&ChannelId, &Channel)>,
    now: Timestamp,
) -> Result<Standing> {
    let tenant = tx.tenant();
    let mut keys = vec![(user.to_string(), String::new())];
    keys.extend(channel.map(|(id, _)| (user.to_string(), id.to_string())));
    keys.extend(of_address(tx, channel.map(|(id, _)| id)).await?);
    let mut bans: Vec<Ban> = BAN.get_many(tx, tenant, &keys).await?.into_iter().flatten().collect();
    if let Some((_, channel)) = channel
        && let Some(maker) = &channel.created_by
    {
        let ban = FUTURE_BAN.get(tx, tenant, &(user.to_string(), maker.to_string())).await?;
        bans.extend(ban.filter(|ban| ban.created_at <= channel.created_at));
    }
    let holding = || bans.iter().filter(|ban| ban.holds(now));
    Ok(Standing {
        is_banned: holding().any(|ban| !ban.is_shadow),
        is_shadow_banned: holding().any(|ban| ban.is_shadow),
    })
}

/// The bans, of whomever, that came with the address from which the caller calls.
async fn of_address(tx: &mut Tx, channel: Option<&ChannelId>) -> Result<Vec<(String, String)>> {
    let (tenant, Some(address)) = (tx.tenant(), tx.app.address) else { return Ok(Vec::new()) };
    let range = ADDRESS_BAN.prefix(tenant, &address.to_string());
    let rows = rows::list(tx, &ADDRESS_BAN, range, BANS_OF_ADDRESS_MAX).await?;
    let places = rows.into_iter().map(|((_, user, place), ())| (user, place));
    Ok(places
        .filter(|(_, place)| place.is_empty() || channel.is_some_and(|channel| channel.as_str() == place))
        .collect())
}

/// Where somebody is banned from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// The channel; the whole app, if absent.
    pub channel: Option<ChannelId>,
    /// Whether it is also every channel that the banning user makes later.
    pub has_later_channels: bool,
    /// Whether whoever calls from the address from which the user was last connected is banned, too.
    pub has_address: bool,
}

impl Scope {
    fn key(&self, user: &UserId) -> (String, String) {
        (user.to_string(), self.channel.as_ref().map(ChannelId::to_string).unwrap_or_default())
    }
}

/// Bans `user`, or changes the ban. `id` becomes that of the note in the log of actions.
///
/// # Errors
/// [`Error::Absent`] when there is no such user or channel, [`Error::Unfit`] when somebody bans themselves, or nobody bans
/// from the channels that they make later.
pub async fn add(tx: &mut Tx, user: &UserId, scope: &Scope, ban: &Ban, id: &str) -> Result<()> {
    let now = ban.created_at;
    let mut profile = users::load(tx, user).await?;
    if let Some(by) = &ban.by {
        users::load(tx, by).await?;
    }
    if ban.by.as_ref() == Some(user) {
        return Err(Error::Unfit("target_user_id: a user cannot ban itself".to_owned()));
    }
    let tenant = tx.tenant();
    if scope.has_later_channels {
        let by = ban.by.as_ref().filter(|_| scope.channel.is_some()).ok_or_else(|| {
            Error::Unfit("ban_from_future_channels: needs a channel and the user who bans".to_owned())
        })?;
        FUTURE_BAN.put(tx, tenant, &(user.to_string(), by.to_string()), ban);
    }
    forget_address(tx, user, scope).await?;
    let address = if scope.has_address { profile.address.clone() } else { String::new() };
    if !address.is_empty() {
        let (user, place) = scope.key(user);
        ADDRESS_BAN.put(tx, tenant, &(address.clone(), user, place), &());
    }
    BAN.put(tx, tenant, &scope.key(user), &Ban { address, ..ban.clone() });
    match &scope.channel {
        None => {
            profile.ban = Some(ban.clone());
            users::put(tx, user, &profile);
        }
        Some(channel) => {
            channels::load(tx, channel).await?;
            members::set_ban(tx, channel, user, Some(ban)).await?;
        }
    }
    let total = count(tx, user).await?;
    let mut more = json!({ "shadow": ban.is_shadow, "total_bans": total });
    if !ban.reason.is_empty() {
        more["reason"] = json!(ban.reason);
    }
    if let Some(expires) = ban.expires {
        more["expiration"] = json!(expires.rfc3339_short().to_string());
    }
    tell(tx, "user.banned", user, scope, ban.by.as_ref(), more.to_string(), now);
    note(tx, id, if ban.is_shadow { "shadow_ban" } else { "ban" }, user, scope, ban);
    Ok(())
}

/// Ends the ban of `user`, shadow or not, if there is one.
///
/// # Errors
/// [`Error::Absent`] when there is no such user.
pub async fn remove(
    tx: &mut Tx,
    user: &UserId,
    scope: &Scope,
    by: Option<&UserId>,
    id: &str,
    now: Timestamp,
) -> Result<()> {
    let profile = users::get(tx, user).await?;
    let mut profile =
        profile.ok_or_else(|| Error::Absent(format!("user not found: user_id '{user}' does not exist")))?;
    let tenant = tx.tenant();
    if scope.has_later_channels {
        remove_later(tx, user, by).await?;
    }
    forget_address(tx, user, scope).await?;
    let Some(ban) = BAN.get(tx, tenant, &scope.key(user)).await? else { return Ok(()) };
    BAN.delete(tx, tenant, &scope.key(user));
    match &scope.channel {
        None => {
            profile.ban = None;
            users::put(tx, user, &profile);
        }
        Some(channel) => members::set_ban(tx, channel, user, None).await?,
    }
    let more = json!({ "shadow": ban.is_shadow }).to_string();
    tell(tx, "user.unbanned", user, scope, by, more, now);
    let lifted = Ban { by: by.cloned(), reason: String::new(), created_at: now, ..ban };
    note(tx, id, "unban", user, scope, &lifted);
    Ok(())
}

/// Bans the address no more that is banned with `user`.
async fn forget_address(tx: &mut Tx, user: &UserId, scope: &Scope) -> Result<()> {
    let (tenant, (id, place)) = (tx.tenant(), scope.key(user));
    let ban = BAN.get(tx, tenant, &(id.clone(), place.clone())).await?;
    if let Some(ban) = ban.filter(|ban| !ban.address.is_empty()) {
        ADDRESS_BAN.delete(tx, tenant, &(ban.address, id, place));
    }
    Ok(())
}

/// Ends the bans of `user` from later channels: those by `by`, or by anybody.
async fn remove_later(tx: &mut Tx, user: &UserId, by: Option<&UserId>) -> Result<()> {
    let tenant = tx.tenant();
    let range = FUTURE_BAN.prefix(tenant, &user.to_string());
    for (key, _) in rows::list(tx, &FUTURE_BAN, range, BANS_MAX).await? {
        if by.is_none_or(|by| key.1 == by.as_str()) {
            FUTURE_BAN.delete(tx, tenant, &key);
        }
    }
    Ok(())
}

async fn count(tx: &mut Tx, user: &UserId) -> Result<usize> {
    let range = BAN.prefix(tx.tenant(), &user.to_string());
    Ok(rows::list(tx, &BAN, range, BANS_MAX).await?.len())
}

fn tell(tx: &mut Tx, kind: &str, user: &UserId, scope: &Scope, by: Option<&UserId>, more: String, now: Timestamp) {
    let event = Event::new(kind, now, scope.channel.as_ref()).by(Some(user)).with(more);
    let event = Event { other: by.cloned(), ..event };
    // A ban from the app is between the user and the application; one from a channel, its watchers see, too.
    let only_for = scope.channel.is_none().then(|| user.clone());
    events::record(tx, event.only_for(only_for));
}

fn note(tx: &mut Tx, id: &str, kind: &str, user: &UserId, scope: &Scope, ban: &Ban) {
    let action = Action {
        kind: kind.to_owned(),
        user: ban.by.clone(),
        target: Some(user.clone()),
        reason: ban.reason.clone(),
        channel: scope.channel.clone(),
        ..Action::new(ban.created_at)
    };
    actions::record(tx, id, &action);
}

/// What a filter of bans may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("user_id", Kind::Text),
        Field::new("banned_by_id", Kind::Text),
        Field::new("channel_cid", Kind::Text),
        Field::new("reason", Kind::Text),
        Field::new("shadow", Kind::Bool),
        Field::new("created_at", Kind::Time),
        Field::new("expires", Kind::Time),
    ],
    has_custom: false,
};
/// The order of bans if nobody says.
pub const SORT: &[&str] = &["-created_at"];

/// A ban, and of whom from where it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Banned {
    /// Who is banned.
    pub user: UserId,
    /// From which channel; from the whole app, if absent.
    pub channel: Option<ChannelId>,
    /// How.
    pub ban: Ban,
}

impl Row for Banned {
    fn id(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{} {}", self.user, self.channel.as_ref().map_or("", ChannelId::as_str)))
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "user_id" => Value::text(self.user.as_str()),
            "banned_by_id" => Value::maybe_text(self.ban.by.as_ref().map(UserId::as_str)),
            "channel_cid" => Value::maybe_text(self.channel.as_ref().map(ChannelId::as_str)),
            "reason" => Value::text(&self.ban.reason),
            "shadow" => Value::Bool(self.ban.is_shadow),
            "created_at" => Value::Time(self.ban.created_at),
            "expires" => Value::maybe_time(self.ban.expires),
            _ => Value::Null,
        }
    }
}

/// The bans that `filter` wants, in the order of `sort`.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, filter: &Filter, sort: &Sort) -> Result<Vec<Banned>> {
    let tenant = tx.tenant();
    let mut found = Found::new(filter, sort);
    let ranges = match filter.only("user_id") {
        Some(users) => users.into_iter().map(|user| BAN.prefix(tenant, &user.to_owned())).collect(),
        None => vec![BAN.range(tenant)],
    };
    for mut range in ranges {
        loop {
            let page = BAN.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
            if let Some((key, _)) = page.rows.last() {
                range.start = after(BAN.key(tenant, key));
            }
            for ((user, channel), ban) in page.rows {
                let user = UserId::parse(&user).expect("keys are made of user ids");
                found.look(Banned { user, channel: ChannelId::parse(&channel).ok(), ban });
            }
            if !page.more {
                break;
            }
        }
    }
    Ok(found.sorted())
}

/// The bans from later channels: of `user`, by `by`; of or by anybody, where absent. The newest first.
///
/// # Errors
/// When the store fails.
pub async fn later(tx: &mut Tx, user: Option<&UserId>, by: Option<&UserId>) -> Result<Vec<Banned>> {
    let tenant = tx.tenant();
    let range = match user {
        Some(user) => FUTURE_BAN.prefix(tenant, &user.to_string()),
        None => FUTURE_BAN.range(tenant),
    };
    let rows = rows::list(tx, &FUTURE_BAN, range, BANS_MAX).await?;
    let rows = rows.into_iter().filter(|((_, banning), _)| by.is_none_or(|by| banning == by.as_str()));
    let banned = rows.map(|((user, _), ban)| Banned {
        user: UserId::parse(&user).expect("keys are made of user ids"),
        channel: None,
        ban,
    });
    let mut banned: Vec<_> = banned.collect();
    Sort::by(SORT).apply(&mut banned);
    Ok(banned)
}
