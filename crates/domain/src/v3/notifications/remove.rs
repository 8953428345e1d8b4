//! Taking notifications back: with their cause, where that was asked for, and with what they are about, always.

use std::{future::Future, pin::Pin};

use ids::{ActivityId, Fid, Timestamp, UserId};
use store::{Direction, Limit};

use super::{About, GROUP, Kind, known, of_comment_mentions, of_mentions};
use crate::{
    Result, Tx,
    keyspace::{Id, V3_NOTIFIED},
    v3::{
        activities::{self, Activity},
        comments::Comment,
        follows::Edge,
        objects::Object,
        reactions::Given,
    },
};

/// What one notification costs of the budget of a step.
const COST: usize = 12;

/// Takes back what was said of a reaction that is gone.
///
/// # Errors
/// When the store fails.
pub async fn forget_reaction(tx: &mut Tx, given: &Given, now: Timestamp) -> Result<()> {
    let (kind, about) = match &given.object {
        Object::Activity(id) => (Kind::Reaction, About::Activity(id.clone())),
        Object::Comment(id) => (Kind::CommentReaction, About::Comment(id.clone())),
    };
    let notice = super::Notice { kind, about, reaction: Some(given.kind.clone()), source: None, custom: String::new() };
    for (id, activity) in known(tx, &notice, &given.user).await? {
        if activity.notice.as_deref().is_some_and(|known| known.reaction == notice.reaction) {
            drop_one(tx, id, &activity, now).await?;
        }
    }
    Ok(())
}

/// Takes back what was said of a follow that ended.
///
/// # Errors
/// When the store fails.
pub async fn forget_follow(tx: &mut Tx, edge: &Edge, now: Timestamp) -> Result<()> {
    let about = About::Feed(edge.target.clone());
    for (id, activity) in under(tx, &about, &[Kind::Follow]).await? {
        if activity.notice.as_deref().is_some_and(|known| known.source.as_ref() == Some(&edge.source)) {
            drop_one(tx, id, &activity, now).await?;
        }
    }
    Ok(())
}

/// Takes back what was said of a comment that was deleted: all of it, but that others reacted to it.
///
/// # Errors
/// When the store fails.
pub async fn forget_comment(tx: &mut Tx, id: &str, now: Timestamp) -> Result<()> {
    let kinds = [Kind::Comment, Kind::Reply, Kind::CommentMention];
    for (id, activity) in under(tx, &About::Comment(id.to_owned()), &kinds).await? {
        drop_one(tx, id, &activity, now).await?;
    }
    Ok(())
}

/// What no longer mentions somebody.
#[derive(Clone, Copy, Debug)]
pub enum Mentioning<'a> {
    /// An activity.
    Activity(&'a Activity),
    /// A comment with its id.
    Comment(&'a str, &'a Comment),
}

/// Takes back that it mentions users: with `all` all of them, else those whom it does not mention any more.
///
/// # Errors
/// When the store fails.
pub async fn forget_mentions(tx: &mut Tx, what: Mentioning<'_>, all: bool, now: Timestamp) -> Result<()> {
    let (notice, by, mentioned) = match what {
        Mentioning::Activity(activity) => {
            (of_mentions(activity, String::new()), &activity.user, &activity.content.mentioned)
        }
        Mentioning::Comment(id, comment) => (of_comment_mentions(id, String::new()), &comment.user, &comment.mentioned),
    };
    let Some(by) = by else { return Ok(()) };
    for (id, activity) in known(tx, &notice, by).await? {
        let is_still = |user: &UserId| activity.feeds.iter().any(|fid| fid.id() == user.as_str());
        if all || !mentioned.iter().any(is_still) {
            drop_one(tx, id, &activity, now).await?;
        }
    }
    Ok(())
}

/// Notifications of some kinds about something: at most [`super::LOOKED_AT_MAX`] of each.
async fn under(tx: &mut Tx, about: &About, kinds: &[Kind]) -> Result<Vec<(ActivityId, Activity)>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for kind in kinds {
        let range = V3_NOTIFIED.prefix(tenant, &(about.key(), kind.code()));
        let page = V3_NOTIFIED.scan(tx, tenant, range, Direction::Forward, Limit::rows(super::LOOKED_AT_MAX)).await?;
        let ids: Vec<ActivityId> = page.rows.into_iter().map(|((.., Id(id)), ())| id).collect();
        let activities = activities::get_many(tx, &ids).await?;
        found.extend(ids.into_iter().zip(activities).filter_map(|(id, activity)| Some((id, activity?))));
    }
    Ok(found)
}

/// Takes one back, and tells its feed. What little hangs on it goes with it.
async fn drop_one(tx: &mut Tx, _: ActivityId, activity: &Activity, now: Timestamp) -> Result<()> {
    Box::pin(activities::delete(tx, None, &activity.id, true, now)).await.map(drop)
}

/// Removes what was said about something that goes for good, as far as `budget` goes; whether that was all.
///
/// The type is written out, for what is removed may have been said something about in turn.
pub(in crate::v3) fn clear<'a>(
    tx: &'a mut Tx,
    about: &'a About,
    budget: &'a mut usize,
) -> Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>> {
    Box::pin(async move {
        let tenant = tx.tenant();
        let range = V3_NOTIFIED.prefix(tenant, &about.key());
        let page =
            V3_NOTIFIED.scan(tx, tenant, range, Direction::Forward, Limit::rows((*budget / COST).max(1))).await?;
        let ids: Vec<ActivityId> = page.rows.iter().map(|((.., Id(id)), ())| *id).collect();
        for ((key, ()), activity) in page.rows.into_iter().zip(activities::get_many(tx, &ids).await?) {
            if *budget == 0 || tx.is_full() {
                return Ok(false);
            }
            *budget = budget.saturating_sub(COST);
            match activity {
                Some(activity) if !activities::erase(tx, &activity.id, None).await?.1 => return Ok(false),
                Some(_) => {}
                None => V3_NOTIFIED.delete(tx, tenant, &key),
            }
        }
        Ok(!page.more)
    })
}

/// Removes who was told to follow a feed that goes, at most `max` at once; whether that was all.
pub(in crate::v3) async fn clear_feed(tx: &mut Tx, fid: &Fid, max: usize) -> Result<bool> {
    let mut budget = max * COST;
    clear(tx, &About::Feed(fid.clone()), &mut budget).await
}

/// Forgets under what a notification stands, which goes for good.
pub(in crate::v3) fn delist(tx: &mut Tx, id: ActivityId, activity: &Activity) {
    let (Some(notice), Some(by)) = (&activity.notice, &activity.user) else { return };
    debug_assert!(activity.feeds.iter().all(|fid| fid.group() == GROUP));
    let tenant = tx.tenant();
    V3_NOTIFIED.delete(tx, tenant, &(notice.about.key(), notice.kind.code(), by.to_string(), Id(id)));
}
