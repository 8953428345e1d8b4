//! Users, in their sizes (chat §5A.4, §6.1).

use std::collections::BTreeMap;

use domain::users::{People, Person, Privacy};
use ids::{Timestamp, UserId};
use wire::chat::{
    dialect::{Custom, Dialect, Time},
    users::{Enabled, PrivacySettings, User as WireUser},
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
        deactivated_at: user.deactivated_at.map(time),
        deleted_at: user.deleted_at.map(time),
        revoke_tokens_issued_before: user.revoke_tokens_issued_before.map(time),
        privacy_settings: user.privacy.map(privacy),
        blocked_user_ids: Some(user.blocked.iter().map(|block| block.user.as_str()).collect()),
        custom: Custom { fields: custom, dialect },
    }
}

/// A user in the size that events have.
pub(crate) fn lite<'a>(dialect: Dialect, id: &'a UserId, person: &'a Person, now: Timestamp) -> WireUser<'a> {
    WireUser {
        ban_expires: None,
        shadow_banned: None,
        invisible: None,
        privacy_settings: None,
        ..user(dialect, id, person, now)
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
