//! Making and changing feed groups.

use ids::Timestamp;

use super::{Group, absent, built_in, get_any};
use crate::{
    Error, Result, Tx,
    keyspace::V3_GROUP,
    v3::{
        events::{self, Event},
        recipes::Recipe,
    },
};

/// Makes the group `name`.
///
/// # Errors
/// [`Error::Taken`] when there is one, [`Error::Unfit`] when its settings contradict each other.
pub async fn add(tx: &mut Tx, name: &str, group: &Group, now: Timestamp) -> Result<Group> {
    if get_any(tx, name).await?.is_some() {
        return Err(Error::Taken(format!("feed group '{name}' already exists")));
    }
    check(name, group)?;
    let group = Group { created_at: Some(now), updated_at: Some(now), ..group.clone() };
    put(tx, name, &group, now);
    Ok(group)
}

/// The group `name`, made if there is none; whether it was made.
///
/// # Errors
/// As [`add`].
pub async fn ensure(tx: &mut Tx, name: &str, group: &Group, now: Timestamp) -> Result<(Group, bool)> {
    match super::get(tx, name).await? {
        Some(known) => Ok((known, false)),
        None => Ok((add(tx, name, group, now).await?, true)),
    }
}

/// Replaces the settings of the group `name`: what is absent is cleared. Of a built-in group only selectors and ranking
/// change, and what is absent stays.
///
/// # Errors
/// [`Error::Absent`]; as [`add`].
pub async fn replace(tx: &mut Tx, name: &str, group: &Group, now: Timestamp) -> Result<Group> {
    let known = super::load(tx, name).await?;
    let created_at = known.created_at;
    let changed = match built_in::NAMES.contains(&name) {
        false => group.clone(),
        true => {
            let (selectors, ranking) = (group.selectors.clone(), group.ranking.clone());
            let rest = Group { selectors: None, ranking: None, ..group.clone() };
            if rest != Group::default() {
                return Err(Error::Unfit(format!(
                    "of the built-in feed group '{name}' only activity_selectors and ranking can be changed"
                )));
            }
            Group {
                selectors: selectors.or(known.selectors.clone()),
                ranking: ranking.or(known.ranking.clone()),
                ..known
            }
        }
    };
    check(name, &changed)?;
    let changed = Group { created_at, updated_at: Some(now), ..changed };
    put(tx, name, &changed, now);
    Ok(changed)
}

/// Marks the group `name` deleted, or removes it for good with `is_hard`. Its feeds go by a task, see [`super::clear`].
///
/// # Errors
/// [`Error::Absent`]; [`Error::Unfit`] for a built-in group.
pub async fn remove(tx: &mut Tx, name: &str, is_hard: bool, now: Timestamp) -> Result<()> {
    if built_in::NAMES.contains(&name) {
        return Err(Error::Unfit(format!("the built-in feed group '{name}' cannot be deleted")));
    }
    let known = get_any(tx, name).await?.filter(|group| is_hard || group.deleted_at.is_none());
    let known = known.ok_or_else(|| absent(name))?;
    let tenant = tx.tenant();
    match is_hard {
        true => V3_GROUP.delete(tx, tenant, &name.to_owned()),
        false => V3_GROUP.put(tx, tenant, &name.to_owned(), &Group { deleted_at: Some(now), ..known }),
    }
    events::record(tx, Event::of_group("feeds.feed_group.deleted", name, now));
    Ok(())
}

/// Takes back that the group `name` was deleted; its feeds stay so.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was removed for good; [`Error::Unfit`] when it was not deleted.
pub async fn restore(tx: &mut Tx, name: &str, now: Timestamp) -> Result<Group> {
    let known = get_any(tx, name).await?.ok_or_else(|| absent(name))?;
    if known.deleted_at.is_none() {
        return Err(Error::Unfit(format!("the feed group '{name}' is not deleted")));
    }
    let group = Group { deleted_at: None, updated_at: Some(now), ..known };
    let tenant = tx.tenant();
    V3_GROUP.put(tx, tenant, &name.to_owned(), &group);
    events::record(tx, Event::of_group("feeds.feed_group.restored", name, now));
    Ok(group)
}

fn put(tx: &mut Tx, name: &str, group: &Group, now: Timestamp) {
    let tenant = tx.tenant();
    V3_GROUP.put(tx, tenant, &name.to_owned(), group);
    events::record(tx, Event::of_group("feeds.feed_group.changed", name, now));
}

/// Checks what makes no sense, or contradicts itself (feeds-v3 §3.1).
fn check(name: &str, group: &Group) -> Result<()> {
    Recipe::of(group, Timestamp::from_micros(0))?;
    let is_grouped = group.aggregation.is_some() || group.notification.is_some() || group.stories.is_some();
    if group.excludes_owner == Some(true) && is_grouped {
        return Err(Error::Unfit(format!(
            "activity_filter: the feed group '{name}' is aggregated, or of notifications or stories"
        )));
    }
    Ok(())
}
