//! What roles may do with feeds of a visibility, where an app says otherwise than is usual (feeds-v3 §3.1, §3.2).
//!
//! Without a row that is what [`Relation`](super::permit::Relation) says. With one, users may do what stands in it and nothing else;
//! the app's own server may do everything.

use ids::{UserId, json::Object};
use minicbor::{Decode, Encode};

use super::{
    feeds::{Feed, Visibility},
    follows,
    members::{self, Status},
};
use crate::{Error, Result, Tx, keyspace::V3_GRANTS, users};

/// Everything that can be granted, by the names of the API.
pub const CAPABILITIES: [&str; 29] = [
    "add-activity",
    "add-activity-bookmark",
    "add-activity-reaction",
    "add-comment",
    "add-comment-reaction",
    "create-feed",
    "delete-any-activity",
    "delete-any-comment",
    "delete-feed",
    "delete-own-activity",
    "delete-own-activity-bookmark",
    "delete-own-activity-reaction",
    "delete-own-comment",
    "delete-own-comment-reaction",
    "follow",
    "pin-activity",
    "query-feed-members",
    "query-follows",
    "read-activities",
    "read-feed",
    "unfollow",
    "update-any-activity",
    "update-any-comment",
    "update-feed",
    "update-feed-followers",
    "update-feed-members",
    "update-own-activity",
    "update-own-activity-bookmark",
    "update-own-comment",
];
/// The role of whom a feed belongs to.
pub const OWNER: &str = "feed_owner";
/// The role of users of whom nothing else is said.
pub const USER: &str = "user";
/// The most roles that are named.
pub const ROLES_MAX: usize = 50;
/// The longest name of a role, in bytes.
pub const ROLE_BYTES_MAX: usize = 255;

/// What each role may do.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Grants {
    /// Role → some of [`CAPABILITIES`].
    #[n(0)]
    pub roles: Vec<(String, Vec<String>)>,
}

impl Grants {
    /// Reads role → capabilities from `object`.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is something else, names what cannot be granted, or names too many roles.
    pub fn parse(object: &Object) -> Result<Self> {
        let wrong = |rule: String| Error::Unfit(format!("grants {rule}"));
        let mut roles = Vec::new();
        for (role, ids) in object.iter() {
            if role.is_empty() || role.len() > ROLE_BYTES_MAX {
                return Err(wrong(format!("must name roles by 1 to {ROLE_BYTES_MAX} bytes")));
            }
            let ids: Vec<String> = serde_json::from_str(ids.get())
                .map_err(|_| wrong("must be an object with lists of capabilities by role".to_owned()))?;
            if let Some(unknown) = ids.iter().find(|id| !CAPABILITIES.contains(&id.as_str())) {
                return Err(wrong(format!("of '{role}' name '{unknown}', which is no capability")));
            }
            roles.push((role.to_owned(), ids));
        }
        match roles.len() > ROLES_MAX {
            true => Err(wrong(format!("must name at most {ROLES_MAX} roles"))),
            false => Ok(Grants { roles }),
        }
    }

    /// What `role` may do; nothing is known of a role that is not named.
    pub fn of(&self, role: &str) -> Option<&[String]> {
        self.roles.iter().find(|(known, _)| known == role).map(|(_, ids)| ids.as_slice())
    }

    /// What `user` may do with `feed`: all that a role of the user may.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn to(&self, tx: &mut Tx, feed: &Feed, user: &UserId) -> Result<Vec<&'static str>> {
        let mut granted: Vec<&String> = Vec::new();
        if feed.is_of(user) {
            granted.extend(self.of_kind(OWNER, OWNER));
        }
        let member = members::get(tx, &feed.stream, user).await?.filter(|member| member.status == Status::Member);
        if let Some(member) = member {
            granted.extend(self.of_kind(&member.role, members::ROLE));
        }
        for (_, follow) in follows::of_user(tx, user, feed).await? {
            granted.extend(self.of_kind(&follow.role, follows::ROLE));
        }
        granted.extend(self.of_kind(&role(tx, user).await?, USER));
        Ok(CAPABILITIES.into_iter().filter(|id| granted.iter().any(|known| *known == id)).collect())
    }

    /// Whether `user` may make a feed that will be the user's own.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lets_make(&self, tx: &mut Tx, user: &UserId) -> Result<bool> {
        let role = role(tx, user).await?;
        let mut granted = self.of_kind(OWNER, OWNER).iter().chain(self.of_kind(&role, USER));
        Ok(granted.any(|id| id == "create-feed"))
    }

    /// What `role` may do; one that is not named may what the `usual` one of its kind may.
    fn of_kind(&self, role: &str, usual: &str) -> &[String] {
        self.of(role).or_else(|| self.of(usual)).unwrap_or_default()
    }
}

/// The role that `user` has everywhere.
async fn role(tx: &mut Tx, user: &UserId) -> Result<String> {
    Ok(users::get(tx, user).await?.map_or_else(|| USER.to_owned(), |profile| profile.role))
}

/// What is granted for feeds of this visibility, if the app said so.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, visibility: Visibility) -> Result<Option<Grants>> {
    let tenant = tx.tenant();
    Ok(V3_GRANTS.get(tx, tenant, &visibility.name().to_owned()).await?)
}

/// Grants for feeds of this visibility what stands in `grants`, and nothing else.
pub fn set(tx: &mut Tx, visibility: Visibility, grants: &Grants) {
    let tenant = tx.tenant();
    V3_GRANTS.put(tx, tenant, &visibility.name().to_owned(), grants);
}

#[cfg(test)]
mod tests;
