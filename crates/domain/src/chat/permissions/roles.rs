//! Roles: those that every app has, and its own (chat §8.1).

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use crate::{
    Error, Result, Tx,
    chat::types::{self, ChannelType},
    keyspace::{ROLE, USER},
};

/// The roles that every app has.
pub const BUILT_IN: [&str; 9] = [
    "user",
    "guest",
    "anonymous",
    "admin",
    "moderator",
    "channel_member",
    "channel_moderator",
    "global_moderator",
    "global_admin",
];
/// The most roles of an app's own.
const ROLES_MAX: usize = 25;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The scope of what is granted outside of channels.
const APP_SCOPE: &str = ".app";

/// A role of an app's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Role {
    /// Since when there is it.
    #[n(0)]
    pub created_at: Timestamp,
}

/// A role with where it is granted something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Absent for one that every app has.
    pub role: Option<Role>,
    /// Names of channel types, and [`APP_SCOPE`].
    pub scopes: Vec<String>,
}

/// Every role.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<Shown>> {
    let kinds = types::list(tx).await?;
    let own = own(tx).await?;
    let names = BUILT_IN.into_iter().map(|name| (name.to_owned(), None));
    let all = names.chain(own.into_iter().map(|(name, role)| (name, Some(role))));
    Ok(all.map(|(name, role)| Shown { scopes: scopes(tx, &kinds, &name), name, role }).collect())
}

async fn own(tx: &mut Tx) -> Result<Vec<(String, Role)>> {
    let tenant = tx.tenant();
    Ok(ROLE.scan(tx, tenant, ROLE.range(tenant), Direction::Forward, Limit::rows(ROLES_MAX)).await?.rows)
}

/// Where the role is granted something.
fn scopes(tx: &Tx, kinds: &[ChannelType], name: &str) -> Vec<String> {
    let of_app = (!tx.app.settings.granted(name).is_empty()).then(|| APP_SCOPE.to_owned());
    let of_types = kinds.iter().filter(|kind| !kind.granted(name).is_empty()).map(|kind| kind.name.clone());
    of_app.into_iter().chain(of_types).collect()
}

/// Makes the role `name`.
///
/// # Errors
/// [`Error::Unfit`] when there is one, when there are too many, or when the name does not fit.
pub async fn create(tx: &mut Tx, name: &str, now: Timestamp) -> Result<Role> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(fits) {
        return Err(Error::Unfit(format!("name must have 1 to {NAME_BYTES_MAX} letters, digits, `_` and `-`")));
    }
    let own = own(tx).await?;
    if BUILT_IN.contains(&name) || own.iter().any(|(known, _)| known == name) {
        return Err(Error::Unfit(format!("role \"{name}\" already exists")));
    }
    if own.len() >= ROLES_MAX {
        return Err(Error::Unfit(format!("an app has at most {ROLES_MAX} roles of its own")));
    }
    let (tenant, role) = (tx.tenant(), Role { created_at: now });
    ROLE.put(tx, tenant, &name.to_owned(), &role);
    Ok(role)
}

/// Removes the role `name`, which nobody has: see [`is_held`].
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it, or it is granted something.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<()> {
    if BUILT_IN.contains(&name) {
        return Err(Error::Unfit(format!("role \"{name}\" is built in and cannot be deleted")));
    }
    let tenant = tx.tenant();
    if !ROLE.exists(tx, tenant, &name.to_owned()).await? {
        return Err(Error::Absent(format!("role \"{name}\" does not exist")));
    }
    let kinds = types::list(tx).await?;
    if let Some(scope) = scopes(tx, &kinds, name).first() {
        return Err(Error::Unfit(format!(
            "role \"{name}\" is granted permissions in \"{scope}\"; take them away first"
        )));
    }
    ROLE.delete(tx, tenant, &name.to_owned());
    Ok(())
}

/// Whether a user who is not deleted has the role; it looks at all of them.
///
/// # Errors
/// When the store fails.
pub async fn is_held(tx: &mut Tx, name: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let mut range = USER.range(tenant);
    loop {
        let page = USER.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        let holds = |role: &String| role == name;
        let is_holder = |user: &crate::users::User| {
            user.deleted_at.is_none() && (holds(&user.role) || user.teams_role.iter().any(|(_, role)| holds(role)))
        };
        if page.rows.iter().any(|(_, user)| is_holder(user)) {
            return Ok(true);
        }
        match page.rows.last() {
            Some((last, _)) if page.more => range.start = USER.after(tenant, last).start,
            _ => return Ok(false),
        }
    }
}
