//! Who may do what (chat §8).

use ids::UserId;

use super::{channels::Channel, members::Member, types::ChannelType};
use crate::{Error, Result, users::User};

/// Who asks: the app's own server, which may do everything, or a user.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// The app's own server.
    Server,
    /// A user, with what is known of it.
    User(&'a UserId, &'a User),
}

/// Where a permission is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The type of the channel.
    pub kind: &'a ChannelType,
    /// The channel; absent while it is made.
    pub channel: Option<&'a Channel>,
    /// The asking user as a member of it.
    pub member: Option<&'a Member>,
}

/// Checks that `who` has the permission `id`, or its `-owner` variant where `owner` is the user itself; for what is not
/// owned, the owner is whoever made the channel.
///
/// # Errors
/// [`Error::NotAllowed`] otherwise.
pub fn check(who: Who<'_>, place: Place<'_>, id: &str, owner: Option<&UserId>) -> Result<()> {
    let Who::User(user, profile) = who else { return Ok(()) };
    let roles = [Some(&profile.role), place.member.map(|member| &member.channel_role)];
    let grants = roles.into_iter().flatten().filter_map(|role| place.kind.grants.get(role)).flatten();
    let owner = owner.or_else(|| place.channel?.created_by.as_ref());
    let is_owner = owner == Some(user);
    let covers = |grant: &String| grant == id || (is_owner && grant.strip_suffix("-owner") == Some(id));
    match grants.into_iter().any(covers) {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!(
            "User '{user}' with role '{}' is not allowed to perform action {id}",
            profile.role
        ))),
    }
}
