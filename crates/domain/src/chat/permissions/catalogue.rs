//! What can be granted: the permissions that every app has, and its own (chat §8.2).
//!
//! A permission of an app's own is kept and shown; a check that asks for its id by name finds it, and no other does.

use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use crate::{Error, Result, Tx, keyspace::PERMISSION};

/// The most permissions of an app's own.
const PERMISSIONS_MAX: usize = 100;
/// The most bytes of one, in all its texts.
const PERMISSION_BYTES_MAX: usize = 5 * 1024;

const OF_CHANNELS: &str = "add-links add-own-channel-membership ban-channel-member create-channel \
    create-distinct-channel-for-others create-message create-reply create-attachment create-mention create-reaction \
    create-system-message delete-channel flag-message mute-channel pin-message read-channel read-channel-members \
    read-message-flags recreate-channel remove-own-channel-membership send-custom-event skip-channel-cooldown \
    skip-message-moderation truncate-channel update-channel update-channel-cooldown update-channel-frozen \
    update-channel-members upload-attachment use-frozen-channel send-poll cast-vote create-call join-call";
const OF_MESSAGES: &str = "delete-message run-message-action unblock-message update-message";
const OF_USERS: &str = "ban-user flag-user mute-user search-user update-user update-user-role update-user-teams";
const OF_APPS: &str = "read-flag-reports update-flag-report create-restricted-visibility-message \
    read-restricted-visibility-message read-disabled-channel";

/// A permission.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Permission {
    /// What people call it.
    #[n(0)]
    pub name: String,
    /// What it allows, in words.
    #[n(1)]
    pub description: String,
    /// What it allows, such as `CreateMessage`.
    #[n(2)]
    pub action: String,
    /// Whether it is for the owner alone.
    #[n(3)]
    pub is_owner: bool,
    /// Of what, such as `Channel`.
    #[n(4)]
    pub owner_resource: String,
    /// Whether it is for the own team alone.
    #[n(5)]
    pub is_same_team: bool,
    /// `channel` or `app`.
    #[n(6)]
    pub level: String,
    /// Words of the application.
    #[n(7)]
    pub tags: Vec<String>,
    /// When it holds: a JSON object, as it was sent.
    #[n(8)]
    pub condition: Option<String>,
    /// Whether it is of the app's own.
    #[n(9)]
    pub is_custom: bool,
}

/// The permissions that every app has, with their ids.
fn built_in() -> impl Iterator<Item = (String, Permission)> {
    let of = |ids: &'static str, resource: &'static str, level: &'static str| {
        ids.split_whitespace().map(move |id| (id, resource, level))
    };
    let bases = of(OF_CHANNELS, "Channel", "channel")
        .chain(of(OF_MESSAGES, "Message", "channel"))
        .chain(of("delete-attachment", "Attachment", "channel"))
        .chain(of("delete-reaction", "Reaction", "channel"))
        .chain(of("update-poll", "Poll", "channel"))
        .chain(of(OF_USERS, "User", "app"))
        .chain(of(OF_APPS, "Channel", "app"));
    bases.flat_map(|base| [(false, true), (true, true), (false, false), (true, false)].map(|of| variant(base, of)))
}

fn variant(
    (base, resource, level): (&str, &str, &str),
    (is_owner, is_same_team): (bool, bool),
) -> (String, Permission) {
    let words: Vec<String> = base.split('-').map(capitalised).collect();
    let owner = if is_owner { "-owner" } else { "" };
    let team = if is_same_team { "" } else { "-any-team" };
    let whose = if is_owner { format!(" in Owned {resource}") } else { String::new() };
    let which = if is_same_team { "" } else { " in Any Team" };
    let name = format!("{}{whose}{which}", words.join(" "));
    let permission = Permission {
        description: format!("Allows to {}{whose}{which}", base.replace('-', " ")),
        action: words.concat(),
        is_owner,
        owner_resource: resource.to_owned(),
        is_same_team,
        level: level.to_owned(),
        name,
        ..Permission::default()
    };
    (format!("{base}{owner}{team}"), permission)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Every permission with its id.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<(String, Permission)>> {
    let own = own(tx).await?;
    Ok(built_in().chain(own).collect())
}

async fn own(tx: &mut Tx) -> Result<Vec<(String, Permission)>> {
    let tenant = tx.tenant();
    let limit = Limit::rows(PERMISSIONS_MAX);
    Ok(PERMISSION.scan(tx, tenant, PERMISSION.range(tenant), Direction::Forward, limit).await?.rows)
}

/// The permission `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Permission> {
    let known = built_in().find(|(known, _)| known == id).map(|(_, permission)| permission);
    let tenant = tx.tenant();
    let found = match known {
        None => PERMISSION.get(tx, tenant, &id.to_owned()).await?,
        known => known,
    };
    found.ok_or_else(|| Error::Absent(format!("permission \"{id}\" does not exist")))
}

/// Makes the permission `id`.
///
/// # Errors
/// [`Error::Unfit`] when there is one, when there are too many, or when it is too big.
pub async fn create(tx: &mut Tx, id: &str, permission: &Permission) -> Result<()> {
    if load(tx, id).await.is_ok() {
        return Err(Error::Unfit(format!("permission \"{id}\" already exists")));
    }
    if own(tx).await?.len() >= PERMISSIONS_MAX {
        return Err(Error::Unfit(format!("an app has at most {PERMISSIONS_MAX} permissions of its own")));
    }
    put(tx, id, permission)
}

/// Replaces the permission `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it, or when it is too big.
pub async fn update(tx: &mut Tx, id: &str, permission: &Permission) -> Result<()> {
    load_own(tx, id).await?;
    put(tx, id, permission)
}

/// Removes the permission `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<()> {
    load_own(tx, id).await?;
    let tenant = tx.tenant();
    PERMISSION.delete(tx, tenant, &id.to_owned());
    Ok(())
}

/// The permission `id` of the app's own.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it.
pub async fn load_own(tx: &mut Tx, id: &str) -> Result<Permission> {
    let permission = load(tx, id).await?;
    match permission.is_custom {
        true => Ok(permission),
        false => Err(Error::Unfit(format!("permission \"{id}\" is built in and cannot be changed"))),
    }
}

fn put(tx: &mut Tx, id: &str, permission: &Permission) -> Result<()> {
    let Permission { name, description, action, tags, condition, .. } = permission;
    let texts = [name, description, action].into_iter().chain(tags).chain(condition);
    if id.len() + texts.map(String::len).sum::<usize>() > PERMISSION_BYTES_MAX {
        return Err(Error::Unfit(format!("a permission has at most {PERMISSION_BYTES_MAX} bytes")));
    }
    let tenant = tx.tenant();
    PERMISSION.put(tx, tenant, &id.to_owned(), permission);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::types::{BUILT_IN, ChannelType, defaults};

    #[test]
    fn whatever_is_granted_by_default_is_a_permission() {
        let known: Vec<String> = built_in().map(|(id, _)| id).collect();
        let kinds = BUILT_IN.map(|name| ChannelType::built_in(name).unwrap());
        let of_types = kinds.iter().flat_map(|kind| kind.grants().into_values().flatten().cloned().collect::<Vec<_>>());
        let of_app = defaults::of_app().values().flatten().cloned();
        let unknown: Vec<String> = of_types.chain(of_app).filter(|id| !known.contains(id)).collect();
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn the_variants_of_an_action_share_it() {
        let find = |id: &str| built_in().find(|(known, _)| known == id).unwrap().1;
        let own = find("create-message-owner");
        assert_eq!((own.name.as_str(), own.action.as_str()), ("Create Message in Owned Channel", "CreateMessage"));
        assert!(own.is_owner && own.is_same_team && own.owner_resource == "Channel" && own.level == "channel");
        let any = find("update-message-any-team");
        assert!(!any.is_owner && !any.is_same_team && any.owner_resource == "Message");
    }
}
