//! Users whom a user does not want to hear of (chat §6.12, §12.18).

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::People;
use crate::{
    Error, Result, Tx,
    chat::events::{self, Event},
    keyspace::{MUTE, MUTED},
    rows,
};

/// The most users whom a user mutes.
pub const MUTES_MAX: usize = 1000;

/// That a user mutes another.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Mute {
    /// Since when.
    #[n(0)]
    pub created_at: Timestamp,
    /// When it was last said again.
    #[n(1)]
    pub updated_at: Timestamp,
    /// Until when; for good, if absent.
    #[n(2)]
    pub expires: Option<Timestamp>,
}

/// Mutes `targets` for `user` until `expires`; answers the mutes of the targets that exist, and who does not.
///
/// # Errors
/// [`Error::Unfit`] when `user` is among the targets or would mute too many, [`Error::Absent`] when no target exists.
pub async fn add(
    tx: &mut Tx,
    user: &UserId,
    targets: &[UserId],
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Vec<(UserId, Mute)>, Vec<UserId>)> {
    if targets.contains(user) {
        return Err(Error::Unfit("target_id: a user cannot mute itself".to_owned()));
    }
    let people = People::load(tx, targets).await?;
    let (known, missing): (Vec<_>, Vec<_>) = targets.iter().cloned().partition(|target| people.get(target).is_some());
    if known.is_empty() {
        return Err(Error::Absent(format!("cannot find users to mute: {}", joined(&missing))));
    }
    let before = list(tx, user, now).await?;
    if before.len() + known.len() > MUTES_MAX {
        return Err(Error::Unfit(format!("a user can mute at most {MUTES_MAX} users")));
    }
    let tenant = tx.tenant();
    let mut mutes = Vec::with_capacity(known.len());
    for target in known {
        let created_at = before.iter().find(|(muted, _)| *muted == target).map_or(now, |(_, mute)| mute.created_at);
        let mute = Mute { created_at, updated_at: now, expires };
        MUTE.put(tx, tenant, &(user.to_string(), target.to_string()), &mute);
        MUTED.put(tx, tenant, &(target.to_string(), user.to_string()), &());
        tell(tx, "user.muted", user, &target, now);
        mutes.push((target, mute));
    }
    events::record(tx, Event::new("notification.mutes_updated", now, None).by(Some(user)).only_for([user.clone()]));
    Ok((mutes, missing))
}

/// Ends the mutes of `targets` for `user`; answers who does not exist.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, user: &UserId, targets: &[UserId], now: Timestamp) -> Result<Vec<UserId>> {
    let people = People::load(tx, targets).await?;
    let tenant = tx.tenant();
    for target in targets {
        MUTE.delete(tx, tenant, &(user.to_string(), target.to_string()));
        MUTED.delete(tx, tenant, &(target.to_string(), user.to_string()));
        if people.get(target).is_some() {
            tell(tx, "user.unmuted", user, target, now);
        }
    }
    events::record(tx, Event::new("notification.mutes_updated", now, None).by(Some(user)).only_for([user.clone()]));
    Ok(targets.iter().filter(|target| people.get(target).is_none()).cloned().collect())
}

fn tell(tx: &mut Tx, kind: &str, user: &UserId, target: &UserId, now: Timestamp) {
    let event = Event { other: Some(target.clone()), ..Event::new(kind, now, None).by(Some(user)) };
    events::record(tx, event.only_for([user.clone()]));
}

/// Whom `user` mutes at `now`, by id.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, user: &UserId, now: Timestamp) -> Result<Vec<(UserId, Mute)>> {
    let range = MUTE.prefix(tx.tenant(), &user.to_string());
    let rows = rows::list(tx, &MUTE, range, MUTES_MAX).await?;
    let holding = rows.into_iter().filter(|(_, mute)| mute.expires.is_none_or(|expires| now < expires));
    Ok(holding.map(|((_, target), mute)| (id(&target), mute)).collect())
}

/// Who mutes `target` at `now`, and how.
///
/// # Errors
/// When the store fails.
pub async fn list_of_target(tx: &mut Tx, target: &UserId, now: Timestamp) -> Result<Vec<(UserId, Mute)>> {
    let tenant = tx.tenant();
    let rows = rows::list(tx, &MUTED, MUTED.prefix(tenant, &target.to_string()), MUTES_MAX).await?;
    let keys: Vec<_> = rows.into_iter().map(|((target, user), ())| (user, target)).collect();
    let mutes = MUTE.get_many(tx, tenant, &keys).await?;
    let known = keys.iter().zip(mutes).filter_map(|((user, _), mute)| Some((id(user), mute?)));
    Ok(known.filter(|(_, mute)| mute.expires.is_none_or(|expires| now < expires)).collect())
}

fn id(text: &str) -> UserId {
    UserId::parse(text).expect("keys are made of user ids")
}

fn joined(ids: &[UserId]) -> String {
    ids.iter().map(UserId::as_str).collect::<Vec<_>>().join(", ")
}
