//! Users, in their sizes (chat §5A.4, §6.1).

use std::collections::BTreeMap;

use domain::users::{
    People, Person, Privacy,
    devices::Device,
    mutes::Mute,
    own::{MutedChannel, Own},
};
use ids::{Timestamp, UserId};
use wire::chat::{
    channels::ChannelMute,
    dialect::{Custom, Dialect, Time},
    users::{Device as WireDevice, Enabled, FullUser, PrivacySettings, User as WireUser, UserMute},
};

use super::{
    channels::{Pen, bare},
    push::preference,
};

/// The user `id` in the size that other objects embed; `None` for whom nobody knows.
pub(crate) fn embedded<'a>(dialect: Dialect, people: &'a People, id: &UserId, now: Timestamp) -> Option<WireUser<'a>> {
    let (id, person) = people.get(id)?;
    Some(user(dialect, id, person, now))
}

/// A user in the size that other objects embed.
pub(crate) fn user<'a>(dialect: Dialect, id: &'a UserId, person: &'a Person, now: Timestamp) -> WireUser<'a> {
    let Person { user, custom, is_online } = person;
    let time = |at| Time { at, dialect };
    let ban = user.ban.as_ref().filter(|ban| ban.holds(now));
    let is_shadow_banned = ban.is_some_and(|ban| ban.is_shadow);
    let roles = user.teams_role.iter().map(|(team, role)| (team.as_str(), role.as_str()));
    WireUser {
        id: id.as_str(),
        role: &user.role,
        name: user.name.as_deref(),
        image: user.image.as_deref(),
        language: dialect.v2_only(user.language.as_str()).or(Some(&*user.language).filter(|code| !code.is_empty())),
        teams: &user.teams,
        teams_role: Some(roles.collect()).filter(|roles: &BTreeMap<_, _>| !roles.is_empty()),
        created_at: time(user.created_at),
        updated_at: time(user.updated_at),
        last_active: user.last_active.map(time),
        banned: ban.is_some_and(|ban| !ban.is_shadow),
        ban_expires: ban.and_then(|ban| ban.expires).map(time),
        shadow_banned: dialect.v2_only(is_shadow_banned).or(is_shadow_banned.then_some(true)),
        online: *is_online && !user.is_invisible,
        invisible: dialect.v2_only(user.is_invisible).or(user.is_invisible.then_some(true)),
        bypass_moderation: user.bypasses_moderation.then_some(true),
        deactivated_at: user.deactivated_at.map(time),
        deleted_at: user.deleted_at.map(time),
        revoke_tokens_issued_before: user.revoke_tokens_issued_before.map(time),
        privacy_settings: user.privacy.map(privacy),
        blocked_user_ids: Some(user.blocked.iter().map(|block| block.user.as_str()).collect()),
        custom: Custom { fields: custom, dialect },
    }
}

/// A user with what only the user itself and the app's own server see; `own` is that.
pub(crate) fn full<'a>(
    dialect: Dialect,
    people: &'a People,
    (id, person): (&'a UserId, &'a Person),
    own: Option<&'a Own>,
    now: Timestamp,
) -> FullUser<'a> {
    FullUser {
        user: user(dialect, id, person, now),
        own: match own {
            Some(own) => Some(own_fields(dialect, people, id, own, now)),
            // Clients of this dialect want the members, if only to find nothing in them.
            None => dialect.v2_only(wire::chat::users::Own::withheld()),
        },
    }
}

/// A user as it sees itself: what clients call `me` and `own_user`.
pub(crate) fn own<'a>(
    dialect: Dialect,
    people: &'a People,
    (id, person): (&'a UserId, &'a Person),
    own: &'a Own,
    now: Timestamp,
) -> FullUser<'a> {
    let user = WireUser { ban_expires: None, shadow_banned: None, ..user(dialect, id, person, now) };
    let user = WireUser { invisible: Some(person.user.is_invisible), ..user };
    FullUser { user, own: Some(own_fields(dialect, people, id, own, now)) }
}

fn own_fields<'a>(
    dialect: Dialect,
    people: &'a People,
    id: &'a UserId,
    own: &'a Own,
    now: Timestamp,
) -> wire::chat::users::Own<'a> {
    let unread = own.unread.as_ref();
    let by_team = unread.into_iter().flat_map(|unread| &unread.by_team).map(|(team, n)| (team.as_str(), *n));
    wire::chat::users::Own {
        mutes: own.mutes.iter().map(|(target, it)| mute(dialect, people, id, target, it, now)).collect(),
        channel_mutes: own.channel_mutes.iter().map(|it| muted(dialect, people, id, it, now)).collect(),
        push_preferences: own.push.as_ref().map(|push| preference(dialect, push)),
        devices: own.devices.iter().map(|(device, it)| self::device(dialect, id, device, it)).collect(),
        total_unread_count: unread.map(|unread| unread.messages),
        unread_count: unread.map(|unread| unread.messages),
        total_unread_count_by_team: by_team.collect(),
        unread_channels: unread.map(|unread| unread.channels),
        unread_threads: unread.map(|unread| unread.threads),
    }
}

/// That `user` mutes a channel.
fn muted<'a>(
    dialect: Dialect,
    people: &'a People,
    user: &UserId,
    muted: &'a MutedChannel,
    now: Timestamp,
) -> ChannelMute<'a> {
    let time = |at| Time { at, dialect };
    ChannelMute {
        user: embedded(dialect, people, user, now),
        channel: bare(Pen { dialect, people, now }, (&muted.id, &muted.channel, &muted.custom), muted.member_count),
        created_at: time(muted.mute.created_at),
        updated_at: time(muted.mute.updated_at),
        expires: muted.mute.expires.map(time),
    }
}

/// That `user` mutes `target`.
pub(crate) fn mute<'a>(
    dialect: Dialect,
    people: &'a People,
    user: &UserId,
    target: &UserId,
    mute: &Mute,
    now: Timestamp,
) -> UserMute<'a> {
    let time = |at| Time { at, dialect };
    UserMute {
        user: embedded(dialect, people, user, now),
        target: embedded(dialect, people, target, now),
        created_at: time(mute.created_at),
        updated_at: time(mute.updated_at),
        expires: mute.expires.map(time),
    }
}

/// A device of `user`.
pub(crate) fn device<'a>(dialect: Dialect, user: &'a UserId, id: &'a str, device: &'a Device) -> WireDevice<'a> {
    WireDevice {
        id,
        user_id: user.as_str(),
        push_provider: &device.push_provider,
        push_provider_name: device.push_provider_name.as_deref(),
        hardware_id: device.hardware_id.as_deref(),
        voip: device.is_voip.then_some(true),
        disabled: device.disabled_reason.is_some().then_some(true),
        disabled_reason: device.disabled_reason.as_deref(),
        created_at: Time { at: device.created_at, dialect },
    }
}

fn privacy(privacy: Privacy) -> PrivacySettings {
    let switch = |is_on: Option<bool>| is_on.map(|enabled| Enabled { enabled });
    PrivacySettings {
        typing_indicators: switch(privacy.typing_indicators),
        read_receipts: switch(privacy.read_receipts),
        delivery_receipts: switch(privacy.delivery_receipts),
    }
}
