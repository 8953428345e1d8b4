//! From what is stored to what chat clients read, in the dialect of the request.

use domain::users::{Privacy, User};
use ids::{Timestamp, UserId, json::Object};
use wire::chat::{
    dialect::{Custom, Dialect, Time},
    users::{Enabled, PrivacySettings, User as WireUser},
};

/// A user in the size that other objects embed; `custom` is [`User::custom`].
pub(crate) fn user<'a>(
    dialect: Dialect,
    id: &'a UserId,
    user: &'a User,
    custom: &'a Object,
    is_online: bool,
    now: Timestamp,
) -> WireUser<'a> {
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
        teams_role: Some(roles.collect()).filter(|roles: &std::collections::BTreeMap<_, _>| !roles.is_empty()),
        created_at: time(user.created_at),
        updated_at: time(user.updated_at),
        last_active: user.last_active.map(time),
        banned: ban.is_some_and(|ban| !ban.is_shadow),
        ban_expires: ban.and_then(|ban| ban.expires).map(time),
        shadow_banned: dialect.v2_only(is_shadow_banned).or(is_shadow_banned.then_some(true)),
        online: is_online && !user.is_invisible,
        invisible: dialect.v2_only(user.is_invisible).or(user.is_invisible.then_some(true)),
        deactivated_at: user.deactivated_at.map(time),
        deleted_at: user.deleted_at.map(time),
        revoke_tokens_issued_before: user.revoke_tokens_issued_before.map(time),
        privacy_settings: user.privacy.map(privacy),
        blocked_user_ids: Some(user.blocked.iter().map(UserId::as_str).collect()),
        custom: Custom { fields: custom, dialect },
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
