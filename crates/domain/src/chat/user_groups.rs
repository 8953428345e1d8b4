//! Groups of users, by which messages can mention many (v2 §7.2).

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use crate::{
    Error, Result, Tx,
    chat::events::{self, Event, Matter},
    keyspace::{USER_GROUP, USER_GROUP_MEMBER},
    users,
};

/// The most groups of an app.
const GROUPS_MAX: usize = 1000;
/// The most members of a group.
const MEMBERS_MAX: usize = 1000;
/// The longest id, name or team, in bytes.
const TEXT_BYTES_MAX: usize = 255;
/// The longest description, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 1024;
/// The most bytes of a list of them.
const LIST_BYTES_MAX: usize = 16 << 20;

/// A group of users.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct UserGroup {
    /// What people call it.
    #[n(0)]
    pub name: String,
    /// What it is for.
    #[n(1)]
    pub description: String,
    /// The team that it belongs to; empty when it is nobody's.
    #[n(2)]
    pub team: String,
    /// Who made it; absent when the app's own server did.
    #[n(3)]
    pub created_by: Option<UserId>,
    /// Since when there is it.
    #[n(4)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(5)]
    pub updated_at: Timestamp,
}

/// A member of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct UserGroupMember {
    /// Whether it leads the group.
    #[n(0)]
    pub is_admin: bool,
    /// Since when it belongs to it.
    #[n(1)]
    pub created_at: Timestamp,
}

/// What is said of a group; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// See [`UserGroup::name`].
    pub name: Option<String>,
    /// See [`UserGroup::description`].
    pub description: Option<String>,
    /// See [`UserGroup::team`]: it cannot change.
    pub team: Option<String>,
}

/// A group with its members.
pub type WithMembers = (UserGroup, Vec<(String, UserGroupMember)>);

/// The group `id` with its members, if it belongs to `team`, when one is named.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str, team: Option<&str>) -> Result<WithMembers> {
    let tenant = tx.tenant();
    let group = USER_GROUP.get(tx, tenant, &id.to_owned()).await?;
    let group = group.filter(|group| team.is_none_or(|team| group.team == team));
    let group = group.ok_or_else(|| Error::Absent(format!("user group \"{id}\" does not exist")))?;
    Ok((group, members(tx, id).await?))
}

async fn members(tx: &mut Tx, id: &str) -> Result<Vec<(String, UserGroupMember)>> {
    let tenant = tx.tenant();
    let range = USER_GROUP_MEMBER.prefix(tenant, &id.to_owned());
    let limit = Limit { rows: MEMBERS_MAX, bytes: LIST_BYTES_MAX };
    let page = USER_GROUP_MEMBER.scan(tx, tenant, range, Direction::Forward, limit).await?;
    Ok(page.rows.into_iter().map(|((_, user), member)| (user, member)).collect())
}

/// Those of the groups `ids` that exist, without their members.
///
/// # Errors
/// When the store fails.
pub async fn named(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, UserGroup)>> {
    let tenant = tx.tenant();
    let groups = USER_GROUP.get_many(tx, tenant, ids).await?;
    Ok(ids.iter().cloned().zip(groups).filter_map(|(id, group)| Some((id, group?))).collect())
}

/// Every group with its id, of one team if one is named.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, team: Option<&str>) -> Result<Vec<(String, UserGroup)>> {
    let tenant = tx.tenant();
    let limit = Limit { rows: GROUPS_MAX, bytes: LIST_BYTES_MAX };
    let mut groups = USER_GROUP.scan(tx, tenant, USER_GROUP.range(tenant), Direction::Forward, limit).await?.rows;
    groups.retain(|(_, group)| team.is_none_or(|team| group.team == team));
    Ok(groups)
}

/// Makes the group `id` with these members.
///
/// # Errors
/// [`Error::Unfit`] when there is one, when there are too many, when a text is too long, or a member does not exist.
pub async fn create(tx: &mut Tx, id: &str, change: &Change, users: &[UserId], now: Timestamp) -> Result<WithMembers> {
    let tenant = tx.tenant();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if id.is_empty() || id.len() > TEXT_BYTES_MAX || !id.chars().all(fits) {
        return Err(Error::Unfit("id may hold up to 255 letters, digits, `_`, `-` and `.`".to_owned()));
    }
    if USER_GROUP.exists(tx, tenant, &id.to_owned()).await? {
        return Err(Error::Unfit(format!("user group \"{id}\" already exists")));
    }
    if list(tx, None).await?.len() >= GROUPS_MAX {
        return Err(Error::Unfit(format!("an app has at most {GROUPS_MAX} user groups")));
    }
    let group = UserGroup {
        name: String::new(),
        description: String::new(),
        team: change.team.clone().unwrap_or_default(),
        created_by: None,
        created_at: now,
        updated_at: now,
    };
    let group = put(tx, id, group, change, now)?;
    tell(tx, "created", id, &group, None, now);
    if users.is_empty() { load(tx, id, None).await } else { add(tx, id, None, users, false, now).await }
}

/// Tells hooks of the group; `members` are who came or went.
fn tell(tx: &mut Tx, what: &str, id: &str, group: &UserGroup, members: Option<&[UserId]>, now: Timestamp) {
    let (id, group, members) = (id.to_owned(), group.clone(), members.map(<[UserId]>::to_vec));
    let event = Event::new(&format!("user_group.{what}"), now, None);
    events::record(tx, event.on(Matter::Group { id, group, members }));
}

/// Changes the group `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none in the team; [`Error::Unfit`] when a text is too long.
pub async fn update(tx: &mut Tx, id: &str, change: &Change, now: Timestamp) -> Result<WithMembers> {
    let (group, members) = load(tx, id, change.team.as_deref()).await?;
    let group = put(tx, id, group, change, now)?;
    tell(tx, "updated", id, &group, None, now);
    Ok((group, members))
}

fn put(tx: &mut Tx, id: &str, mut group: UserGroup, change: &Change, now: Timestamp) -> Result<UserGroup> {
    group.name = change.name.clone().unwrap_or(group.name);
    group.description = change.description.clone().unwrap_or(group.description);
    group.updated_at = now;
    if group.name.is_empty() || group.name.len().max(group.team.len()) > TEXT_BYTES_MAX {
        return Err(Error::Unfit(format!("name must have 1 to {TEXT_BYTES_MAX} bytes")));
    }
    if group.description.len() > DESCRIPTION_BYTES_MAX {
        return Err(Error::Unfit(format!("description has more than {DESCRIPTION_BYTES_MAX} bytes")));
    }
    let tenant = tx.tenant();
    USER_GROUP.put(tx, tenant, &id.to_owned(), &group);
    Ok(group)
}

/// Removes the group `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none in the team.
pub async fn remove(tx: &mut Tx, id: &str, team: Option<&str>, now: Timestamp) -> Result<()> {
    let (group, _) = load(tx, id, team).await?;
    let tenant = tx.tenant();
    tx.delete_range(USER_GROUP_MEMBER.prefix(tenant, &id.to_owned()));
    USER_GROUP.delete(tx, tenant, &id.to_owned());
    tell(tx, "deleted", id, &group, None, now);
    Ok(())
}

/// Adds `users` to the group `id`, all or none.
///
/// # Errors
/// [`Error::Absent`] when there is none in the team; [`Error::Unfit`] when one of them does not exist, or there are too
/// many.
pub async fn add(
    tx: &mut Tx,
    id: &str,
    team: Option<&str>,
    users: &[UserId],
    is_admin: bool,
    now: Timestamp,
) -> Result<WithMembers> {
    let (group, members) = load(tx, id, team).await?;
    let known = users::get_many(tx, users).await?;
    if let Some((user, _)) = users.iter().zip(&known).find(|(_, known)| known.is_none()) {
        return Err(Error::Unfit(format!("user not found: user_id '{user}' does not exist")));
    }
    if members.len() + users.len() > MEMBERS_MAX {
        return Err(Error::Unfit(format!("a user group has at most {MEMBERS_MAX} members")));
    }
    let tenant = tx.tenant();
    for user in users {
        let since = members.iter().find(|(known, _)| known == user.as_str()).map_or(now, |(_, known)| known.created_at);
        let member = UserGroupMember { is_admin, created_at: since };
        USER_GROUP_MEMBER.put(tx, tenant, &(id.to_owned(), user.to_string()), &member);
    }
    let group = UserGroup { updated_at: now, ..group };
    USER_GROUP.put(tx, tenant, &id.to_owned(), &group);
    tell(tx, "member_added", id, &group, Some(users), now);
    load(tx, id, None).await
}

/// Takes `users` out of the group `id`; who is not in it does not matter.
///
/// # Errors
/// [`Error::Absent`] when there is none in the team.
pub async fn take_out(
    tx: &mut Tx,
    id: &str,
    team: Option<&str>,
    users: &[UserId],
    now: Timestamp,
) -> Result<WithMembers> {
    let (group, _) = load(tx, id, team).await?;
    let tenant = tx.tenant();
    for user in users {
        USER_GROUP_MEMBER.delete(tx, tenant, &(id.to_owned(), user.to_string()));
    }
    let group = UserGroup { updated_at: now, ..group };
    USER_GROUP.put(tx, tenant, &id.to_owned(), &group);
    tell(tx, "member_removed", id, &group, Some(users), now);
    load(tx, id, None).await
}
