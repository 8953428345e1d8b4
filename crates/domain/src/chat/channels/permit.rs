//! Who may change what of a channel (chat §8.2, §11.3).

use ids::UserId;

use super::{Change, Details};
use crate::{
    Error, Result,
    chat::permissions::{Place, Who, check},
};

/// Checks that `who` may make `change`.
///
/// # Errors
/// [`Error::NotAllowed`] otherwise.
pub fn may_update(who: Who<'_>, place: Place<'_>, change: &Change) -> Result<()> {
    let Some(own) = user(who)? else { return Ok(()) };
    if !(change.add_moderators.is_empty() && change.demote_moderators.is_empty() && change.assign_roles.is_empty()) {
        return Err(server_only("roles in a channel"));
    }
    if change.add_members.iter().any(|newcomer| newcomer.channel_role.is_some()) {
        return Err(server_only("roles in a channel"));
    }
    if let Some(details) = &change.details {
        check(who, place, "update-channel", None)?;
        may_set(who, place, details)?;
    }
    may_set(who, place, &change.settings)?;
    if !(change.add_filter_tags.is_empty() && change.remove_filter_tags.is_empty()) {
        check(who, place, "update-channel", None)?;
    }
    let added: Vec<&UserId> = change.add_members.iter().map(|newcomer| &newcomer.user).collect();
    moves(who, place, &added, own, "add-own-channel-membership")?;
    moves(who, place, &change.remove_members.iter().collect::<Vec<_>>(), own, "remove-own-channel-membership")?;
    match change.invites.is_empty() {
        true => Ok(()),
        false => check(who, place, "update-channel-members", None),
    }
}

/// Who comes or goes alone needs less than who moves others.
fn moves(who: Who<'_>, place: Place<'_>, users: &[&UserId], own: &UserId, permission: &str) -> Result<()> {
    match users {
        [] => Ok(()),
        [one] if *one == own => {
            check(who, place, "update-channel-members", None).or_else(|_| check(who, place, permission, None))
        }
        _ => check(who, place, "update-channel-members", None),
    }
}

/// Checks that `who` may give the channel these settings. What is as it was is nobody's wish.
///
/// # Errors
/// [`Error::NotAllowed`] otherwise.
pub fn may_set(who: Who<'_>, place: Place<'_>, details: &Details) -> Result<()> {
    let (Some(_), Some(channel)) = (user(who)?, place.channel) else { return Ok(()) };
    let differs = |said: Option<bool>, known: bool| said.is_some_and(|said| said != known);
    if differs(details.is_frozen, channel.is_frozen) {
        check(who, place, "update-channel-frozen", None)?;
    }
    if details.cooldown_seconds.is_some_and(|seconds| seconds != channel.cooldown_seconds) {
        check(who, place, "update-channel-cooldown", None)?;
    }
    if differs(details.is_disabled, channel.is_disabled) {
        return Err(server_only("disabled"));
    }
    if details.team.as_ref().is_some_and(|team| *team != channel.team) {
        return Err(server_only("team"));
    }
    match details.config_overrides {
        Some(_) => Err(server_only("config_overrides")),
        None => Ok(()),
    }
}

/// The asking user; none for the app's own server.
fn user(who: Who<'_>) -> Result<Option<&UserId>> {
    match who {
        Who::Server => Ok(None),
        Who::User(user, _) => Ok(Some(user)),
        Who::Anonymous => Err(Error::NotAllowed("who has no token changes nothing".to_owned())),
    }
}

fn server_only(what: &str) -> Error {
    Error::NotAllowed(format!("{what} can be changed by the app's own server only"))
}
