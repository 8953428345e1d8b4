//! Who may do what (chat §8).

pub mod capabilities;
pub mod catalogue;
pub mod roles;

use std::iter;

use ids::{UserId, json::Object};

use super::{
    channels::Channel,
    members::Member,
    types::{self, ChannelType, Grants},
};
use crate::{Error, Result, settings::Settings, users::User};

pub use capabilities::capabilities;

/// The role of who has no token.
const ANONYMOUS: &str = "anonymous";

/// Who asks: the app's own server, which may do everything, a user, or somebody without a token.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// The app's own server.
    Server,
    /// A user, with what is known of it.
    User(&'a UserId, &'a User),
    /// Somebody without a token.
    Anonymous,
}

/// What an app says of all checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    /// Whether users may do everything.
    pub are_off: bool,
    /// Whether teams are kept apart.
    pub has_teams: bool,
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
    match allows(who, place, id, owner) {
        true => Ok(()),
        false => Err(refused(who, id)),
    }
}

/// Whether `who` has the permission `id`; see [`check`].
pub fn allows(who: Who<'_>, place: Place<'_>, id: &str, owner: Option<&UserId>) -> bool {
    let (user, role) = match who {
        Who::Server => return true,
        Who::User(..) if place.kind.rules.are_off => return true,
        Who::User(user, profile) => (Some(user), role_in(profile, place.channel)),
        Who::Anonymous => (None, ANONYMOUS),
    };
    let owner = owner.or_else(|| place.channel?.created_by.as_ref());
    let asked = Asked { id, is_owner: user.is_some() && owner == user, is_same_team: is_same_team(who, place) };
    let modifiers = place.channel.map(modifiers).unwrap_or_default();
    let roles = iter::once(role).chain(place.member.map(|member| member.channel_role.as_str()));
    roles.into_iter().any(|role| {
        let modified = modifiers.get(role).map_or(&[][..], Vec::as_slice);
        let is_revoked = |id: &&String| modified.iter().any(|other| other.strip_prefix('!') == Some(id));
        let of_type = place.kind.granted(role).iter().filter(|id| !is_revoked(id));
        of_type.chain(modified).any(|grant| asked.is_covered(grant))
    })
}

/// Checks a permission outside of channels, such as `search-user`, by what the app's `settings` grant.
///
/// # Errors
/// [`Error::NotAllowed`] otherwise.
pub fn check_app(who: Who<'_>, settings: &Settings, id: &str, owner: Option<&UserId>) -> Result<()> {
    let (user, role) = match who {
        Who::Server => return Ok(()),
        Who::User(..) if settings.disable_permissions_checks => return Ok(()),
        Who::User(user, profile) => (Some(user), profile.role.as_str()),
        Who::Anonymous => (None, ANONYMOUS),
    };
    let asked = Asked { id, is_owner: user.is_some() && owner == user, is_same_team: true };
    match settings.granted(role).iter().any(|grant| asked.is_covered(grant)) {
        true => Ok(()),
        false => Err(refused(who, id)),
    }
}

/// A permission that is asked for.
struct Asked<'a> {
    id: &'a str,
    is_owner: bool,
    is_same_team: bool,
}

impl Asked<'_> {
    fn is_covered(&self, grant: &str) -> bool {
        let (grant, is_any_team) = match grant.strip_suffix("-any-team") {
            Some(grant) => (grant, true),
            None => (grant, false),
        };
        (is_any_team || self.is_same_team)
            && (grant == self.id || (self.is_owner && grant.strip_suffix("-owner") == Some(self.id)))
    }
}

/// Whether the channel is of a team of the asking user, in apps whose teams are kept apart (chat §8.6).
fn is_same_team(who: Who<'_>, place: Place<'_>) -> bool {
    let Some(channel) = place.channel.filter(|_| place.kind.rules.has_teams) else { return true };
    let teams = match who {
        Who::User(_, profile) => profile.teams.as_slice(),
        Who::Server | Who::Anonymous => &[],
    };
    if channel.team.is_empty() { teams.is_empty() } else { teams.contains(&channel.team) }
}

/// The user's role, which can be another in the channel's team.
fn role_in<'a>(user: &'a User, channel: Option<&Channel>) -> &'a str {
    let team = channel.map(|channel| channel.team.as_str()).filter(|team| !team.is_empty());
    let of_team = |team| user.teams_role.iter().find(|(known, _)| known == team).map(|(_, role)| role);
    team.and_then(of_team).unwrap_or(&user.role)
}

fn modifiers(channel: &Channel) -> Grants {
    if !channel.config_overrides.contains("\"grants\"") {
        return Grants::new();
    }
    let overrides = Object::parse(&channel.config_overrides).expect("overrides were parsed before they were stored");
    types::modifiers(&overrides).unwrap_or_default()
}

fn refused(who: Who<'_>, id: &str) -> Error {
    let (user, role) = match who {
        Who::User(user, profile) => (user.as_str(), profile.role.as_str()),
        Who::Server | Who::Anonymous => ("!anon", ANONYMOUS),
    };
    Error::NotAllowed(format!("User '{user}' with role '{role}' is not allowed to perform action {id}"))
}

#[cfg(test)]
mod tests {
    use ids::Timestamp;

    use super::*;
    use crate::chat::members;

    fn now() -> Timestamp {
        Timestamp::from_micros(1_000_000)
    }

    fn user(id: &str) -> UserId {
        UserId::parse(id).unwrap()
    }

    /// Whether amy, with this role and this channel role, may.
    fn may(kind: &ChannelType, channel: &Channel, role: &str, channel_role: Option<&str>, id: &str) -> bool {
        let profile = User { role: role.into(), ..User::new(now()) };
        let member = channel_role.map(|role| Member { channel_role: role.into(), ..Member::new(now()) });
        let place = Place { kind, channel: Some(channel), member: member.as_ref() };
        check(Who::User(&user("amy"), &profile), place, id, None).is_ok()
    }

    fn messaging() -> ChannelType {
        ChannelType::built_in("messaging").unwrap()
    }

    #[test]
    fn a_member_may_what_a_stranger_may_not() {
        let (kind, channel) = (messaging(), Channel::new(Some(user("bob")), now()));
        assert!(!may(&kind, &channel, "user", None, "create-message"));
        assert!(may(&kind, &channel, "user", Some(members::ROLE), "create-message"));
        assert!(!may(&kind, &channel, "user", Some(members::ROLE), "update-channel"));
        assert!(may(&kind, &channel, "user", Some(members::MODERATOR), "update-channel"));
        assert!(
            may(&kind, &channel, "admin", None, "delete-channel")
                && !may(&kind, &channel, "guest", None, "read-channel")
        );
    }

    #[test]
    fn who_made_the_channel_is_its_owner() {
        let (kind, own) = (messaging(), Channel::new(Some(user("amy")), now()));
        assert!(may(&kind, &own, "user", None, "create-message") && may(&kind, &own, "user", None, "delete-channel"));
        assert!(!may(&kind, &own, "guest", None, "create-message"));
    }

    #[test]
    fn what_has_an_owner_of_its_own_belongs_to_nobody_else() {
        let (kind, own, profile) = (messaging(), Channel::new(Some(user("amy")), now()), User::new(now()));
        let place = Place { kind: &kind, channel: Some(&own), member: None };
        let may = |owner: &str| allows(Who::User(&user("amy"), &profile), place, "update-message", Some(&user(owner)));
        assert!(may("amy") && !may("bob"));
    }

    #[test]
    fn a_channel_adds_grants_and_takes_them_away() {
        let kind = messaging();
        let overrides = r#"{"grants":{"channel_member":["!create-message","update-channel"]}}"#.to_owned();
        let channel = Channel { config_overrides: overrides, ..Channel::new(None, now()) };
        assert!(!may(&kind, &channel, "user", Some(members::ROLE), "create-message"));
        assert!(may(&kind, &channel, "user", Some(members::ROLE), "create-reaction"));
        assert!(may(&kind, &channel, "user", Some(members::ROLE), "update-channel"));
        assert!(may(&kind, &channel, "admin", Some(members::ROLE), "create-message"));
    }

    #[test]
    fn changed_grants_of_a_type_replace_those_of_the_role() {
        let mut kind = messaging();
        kind.changed_grants.insert("user".into(), vec!["read-channel".into()]);
        let channel = Channel::new(Some(user("amy")), now());
        assert!(
            may(&kind, &channel, "user", None, "read-channel") && !may(&kind, &channel, "user", None, "create-message")
        );
        assert!(may(&kind, &channel, "admin", None, "create-message"));
    }

    #[test]
    fn a_role_of_the_team_counts_in_the_teams_channels() {
        let (kind, mut profile) = (messaging(), User::new(now()));
        profile.teams_role = vec![("blue".into(), "admin".into())];
        let may = |team: &str| {
            let channel = Channel { team: team.into(), ..Channel::new(None, now()) };
            let place = Place { kind: &kind, channel: Some(&channel), member: None };
            allows(Who::User(&user("amy"), &profile), place, "delete-channel", None)
        };
        assert!(may("blue") && !may("red") && !may(""));
    }

    #[test]
    fn who_has_no_token_reads_livestreams_only() {
        let reads = |name: &str| {
            let kind = ChannelType::built_in(name).unwrap();
            allows(Who::Anonymous, Place { kind: &kind, channel: None, member: None }, "read-channel", None)
        };
        assert_eq!(types::BUILT_IN.map(reads), [false, true, false, false, false]);
    }

    #[test]
    fn where_teams_are_kept_apart_a_channel_is_for_its_team_and_for_grants_of_any_team() {
        let (mut kind, mut profile) = (messaging(), User::new(now()));
        kind.rules.has_teams = true;
        let may = |kind: &ChannelType, profile: &User, team: &str| {
            let channel = Channel { team: team.into(), ..Channel::new(None, now()) };
            let member = Member::new(now());
            let place = Place { kind, channel: Some(&channel), member: Some(&member) };
            allows(Who::User(&user("amy"), profile), place, "read-channel", None)
        };
        assert!(may(&kind, &profile, "") && !may(&kind, &profile, "blue"));
        profile.teams = vec!["blue".into()];
        assert!(!may(&kind, &profile, "") && may(&kind, &profile, "blue") && !may(&kind, &profile, "red"));
        profile.role = "global_admin".into();
        assert!(may(&kind, &profile, "") && may(&kind, &profile, "red"));
    }

    #[test]
    fn where_checks_are_off_users_may_everything_and_strangers_not() {
        let (mut kind, profile, channel) = (messaging(), User::new(now()), Channel::new(None, now()));
        kind.rules.are_off = true;
        let place = Place { kind: &kind, channel: Some(&channel), member: None };
        assert!(allows(Who::User(&user("amy"), &profile), place, "delete-channel", None));
        assert!(!allows(Who::Anonymous, place, "delete-channel", None));
    }

    #[test]
    fn outside_of_channels_the_apps_grants_count() {
        let profile = User::new(now());
        let (amy, changed) = (user("amy"), Grants::from([("user".to_owned(), Vec::new())]));
        let may = |who, grants: &Grants, id, owner| {
            let settings = Settings { changed_grants: grants.clone(), ..Settings::default() };
            check_app(who, &settings, id, owner).is_ok()
        };
        let who = Who::User(&amy, &profile);
        assert!(may(who, &Grants::new(), "search-user", None) && !may(who, &changed, "search-user", None));
        assert!(may(who, &Grants::new(), "update-user", Some(&amy)) && !may(who, &Grants::new(), "update-user", None));
        assert!(
            !may(Who::Anonymous, &Grants::new(), "search-user", None) && may(Who::Server, &changed, "ban-user", None)
        );
    }
}
