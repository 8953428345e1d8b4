//! Reactions of feeds v3, to activities and to comments: one per user, object and type (feeds-v3 §3.5).
//!
//! Counts are counters and the first and last of each type are the ends of an index, so many may react to one activity at
//! once and nobody waits; nothing is kept with the activity that would have to be corrected later.

mod list;

pub use list::{Given, Group, LATEST, SCHEMA, SORT, Summary, batch, counts, newest, of_user, query, summary};

use ids::{Timestamp, UserId, json::Object as Fields};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{
    activities::Tally,
    objects::{Object, count},
};
use crate::{
    Error, Result, Tx,
    keyspace::{At, Latest, V3_REACTED, V3_REACTION, V3_REACTION_COUNT, V3_REACTION_GROUP, V3_REACTION_ORDER},
};

/// The longest name of a type, in bytes.
pub const KIND_BYTES_MAX: usize = 255;
/// The most bytes of a reaction's own fields.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most types with which one user reacts to one object.
pub const KINDS_OF_USER_MAX: usize = 100;
/// The type that counts for a comment.
pub const UPVOTE: &str = "upvote";
/// The type that counts against a comment.
pub const DOWNVOTE: &str = "downvote";

/// A reaction; object, user and type are its key.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Reaction {
    /// The application's own fields: a JSON object, as it was sent; empty when none were.
    #[n(0)]
    pub custom: String,
    /// Since when.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(2)]
    pub updated_at: Timestamp,
}

/// A reaction as its sender describes it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who reacts.
    pub user: UserId,
    /// The type.
    pub kind: String,
    /// Whether it takes the place of the user's other reactions to the object.
    pub is_only: bool,
    /// The application's own fields.
    pub custom: Option<Fields>,
}

/// Reacts to `object`, which the caller has seen to be there; a reaction of the same type is changed. Answers the reaction,
/// and whether it is new.
///
/// # Errors
/// [`Error::Unfit`] and [`Error::TooBig`] for what is past its limit.
pub async fn add(tx: &mut Tx, object: &Object, draft: &Draft, now: Timestamp) -> Result<(Given, bool)> {
    check(draft)?;
    let own = own(tx, object, &draft.user).await?;
    let known = own.iter().find(|given| given.kind == draft.kind).map(|given| given.reaction.clone());
    if known.is_none() && !draft.is_only && own.len() >= KINDS_OF_USER_MAX {
        return Err(Error::Unfit(format!("type: a user reacts to one thing with at most {KINDS_OF_USER_MAX} types")));
    }
    if draft.is_only {
        for other in own.iter().filter(|given| given.kind != draft.kind) {
            take(tx, other).await?;
        }
    }
    let reaction = Reaction {
        custom: draft.custom.as_ref().map(Fields::to_string).unwrap_or_default(),
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        updated_at: now,
    };
    let given = Given { object: object.clone(), user: draft.user.clone(), kind: draft.kind.clone(), reaction };
    put(tx, &given, known.is_none()).await?;
    Ok((given, known.is_none()))
}

/// Takes the reaction of `user` with this type back, and answers it.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn delete(tx: &mut Tx, object: &Object, user: &UserId, kind: &str) -> Result<Given> {
    let given = get(tx, object, user, kind).await?;
    let given = given.ok_or_else(|| {
        let (what, id) = (object.kind(), object.id());
        Error::Absent(format!("reaction with type '{kind}' of user '{user}' on {what} '{id}' not found"))
    })?;
    take(tx, &given).await?;
    Ok(given)
}

/// The reaction of `user` with this type.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, object: &Object, user: &UserId, kind: &str) -> Result<Option<Given>> {
    let (tenant, key) = (tx.tenant(), (object.clone(), user.to_string(), kind.to_owned()));
    let reaction = V3_REACTION.get(tx, tenant, &key).await?;
    Ok(reaction.map(|reaction| Given { object: key.0, user: user.clone(), kind: key.2, reaction }))
}

/// The reactions of `user` to `object`, by type.
///
/// # Errors
/// When the store fails.
pub async fn own(tx: &mut Tx, object: &Object, user: &UserId) -> Result<Vec<Given>> {
    let tenant = tx.tenant();
    let range = V3_REACTION.prefix(tenant, &(object.clone(), user.to_string()));
    let rows = V3_REACTION.scan(tx, tenant, range, Direction::Forward, Limit::rows(KINDS_OF_USER_MAX)).await?.rows;
    let given = rows.into_iter();
    Ok(given.map(|((object, _, kind), reaction)| Given { object, user: user.clone(), kind, reaction }).collect())
}

fn check(draft: &Draft) -> Result<()> {
    if draft.kind.is_empty() || draft.kind.len() > KIND_BYTES_MAX {
        return Err(Error::Unfit(format!("type must have 1 to {KIND_BYTES_MAX} bytes")));
    }
    match draft.custom.as_ref().is_some_and(|custom| custom.to_string().len() > CUSTOM_BYTES_MAX) {
        true => Err(Error::TooBig(format!("custom of a reaction has at most {CUSTOM_BYTES_MAX} bytes"))),
        false => Ok(()),
    }
}

async fn put(tx: &mut Tx, given: &Given, is_new: bool) -> Result<()> {
    let tenant = tx.tenant();
    let Given { object, user, kind, reaction } = given;
    let user = user.to_string();
    V3_REACTION.put(tx, tenant, &(object.clone(), user.clone(), kind.clone()), reaction);
    if is_new {
        let at = reaction.created_at;
        V3_REACTED.put(tx, tenant, &(user.clone(), object.clone(), kind.clone()), &());
        V3_REACTION_ORDER.put(tx, tenant, &(object.clone(), Latest(at), user.clone(), kind.clone()), &());
        V3_REACTION_GROUP.put(tx, tenant, &(object.clone(), kind.clone(), At(at), user), &());
        V3_REACTION_COUNT.add(tx, tenant, &(object.clone(), kind.clone()), 1);
        count(tx, object, Tally::Reactions, 1).await?;
    }
    Ok(())
}

/// Removes every row of one reaction.
pub(crate) async fn take(tx: &mut Tx, given: &Given) -> Result<()> {
    let tenant = tx.tenant();
    let Given { object, user, kind, reaction } = given;
    let (user, at) = (user.to_string(), reaction.created_at);
    V3_REACTION.delete(tx, tenant, &(object.clone(), user.clone(), kind.clone()));
    V3_REACTED.delete(tx, tenant, &(user.clone(), object.clone(), kind.clone()));
    V3_REACTION_ORDER.delete(tx, tenant, &(object.clone(), Latest(at), user.clone(), kind.clone()));
    V3_REACTION_GROUP.delete(tx, tenant, &(object.clone(), kind.clone(), At(at), user));
    V3_REACTION_COUNT.add(tx, tenant, &(object.clone(), kind.clone()), -1);
    count(tx, object, Tally::Reactions, -1).await
}

/// Removes reactions to `object`, as far as `budget` goes; whether those were all. Their counters go with the last.
pub(crate) async fn clear(tx: &mut Tx, object: &Object, budget: &mut usize) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_REACTION.prefix(tenant, &object.clone());
    let page = V3_REACTION.scan(tx, tenant, range, Direction::Forward, Limit::rows((*budget).max(1))).await?;
    *budget = budget.saturating_sub(page.rows.len());
    for ((object, user, kind), reaction) in page.rows {
        if tx.is_full() {
            return Ok(false);
        }
        let user = UserId::parse(&user).map_err(|error| store::Corrupt::new(error.to_string()));
        take(tx, &Given { object, user: user.map_err(store::Error::from)?, kind, reaction }).await?;
    }
    if !page.more {
        let counters = V3_REACTION_COUNT.prefix(tenant, &object.clone());
        tx.delete_range(counters);
    }
    Ok(!page.more)
}

#[cfg(test)]
mod tests;
