//! What users' tokens may do (feeds-v3 §3.2): the app's own server may do everything.

use ids::{Fid, UserId};

use super::{
    activities::{Activity, Audience, By},
    feeds::{Feed, Visibility},
    follows, members,
};
use crate::{Error, Result, Tx, users};

/// What a user is to a feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Relation {
    /// Whether the feed is the user's own.
    pub is_owner: bool,
    /// Whether the user is a member.
    pub is_member: bool,
    /// Whether a feed of the user follows it, and the follow was accepted.
    pub is_follower: bool,
}

/// What `user` is to `feed`.
///
/// # Errors
/// When the store fails.
pub async fn relation(tx: &mut Tx, feed: &Feed, user: &UserId) -> Result<Relation> {
    if feed.is_of(user) {
        return Ok(Relation { is_owner: true, ..Relation::default() });
    }
    let is_member = members::is_member(tx, &feed.stream, user).await?;
    let is_follower = follows::is_followed_by(tx, feed, user).await?;
    Ok(Relation { is_owner: false, is_member, is_follower })
}

impl Relation {
    /// Whether such a user sees a feed of this visibility.
    pub fn may_read(self, visibility: Visibility) -> bool {
        self.is_owner
            || match visibility {
                Visibility::Visible | Visibility::Public => true,
                Visibility::Followers => self.is_follower || self.is_member,
                Visibility::Members => self.is_member,
                Visibility::Private => false,
            }
    }

    /// Whether such a user may let a feed follow it.
    pub fn may_follow(self, visibility: Visibility) -> bool {
        self.is_owner
            || match visibility {
                Visibility::Visible | Visibility::Public | Visibility::Followers => true,
                Visibility::Members => self.is_member,
                Visibility::Private => false,
            }
    }

    /// Whether such a user may post to it.
    pub fn may_post(self, visibility: Visibility) -> bool {
        self.is_owner || visibility == Visibility::Public || (self.is_member && visibility != Visibility::Private)
    }

    /// What such a user can do with it, by the names of the API.
    pub fn capabilities(self, visibility: Visibility) -> Vec<&'static str> {
        let mut can = Vec::new();
        if self.may_read(visibility) {
            can.extend([
                "read-feed",
                "read-activities",
                "add-activity-reaction",
                "delete-own-activity-reaction",
                "add-activity-bookmark",
                "update-own-activity-bookmark",
                "delete-own-activity-bookmark",
                "add-comment",
                "update-own-comment",
                "delete-own-comment",
                "add-comment-reaction",
                "delete-own-comment-reaction",
                "query-feed-members",
                "query-follows",
            ]);
        }
        if self.may_post(visibility) {
            can.extend(["add-activity", "update-own-activity", "delete-own-activity"]);
        }
        if self.may_follow(visibility) {
            can.extend(["follow", "unfollow"]);
        }
        if self.is_owner {
            can.extend([
                "create-feed",
                "update-feed",
                "delete-feed",
                "pin-activity",
                "update-feed-followers",
                "update-feed-members",
            ]);
        }
        can.sort_unstable();
        can
    }
}

/// Checks that `by` may make the feed `fid`: its id must not be that of another user, whose it would seem to be.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_create(tx: &mut Tx, fid: &Fid, by: By<'_>) -> Result<()> {
    let (Some(user), Ok(named)) = (by, UserId::parse(fid.id())) else { return Ok(()) };
    match named == *user || users::get(tx, &named).await?.is_none() {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("user '{user}' may not make feed '{fid}': its id is another user's"))),
    }
}

/// Checks that `by` sees `feed`.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_read(tx: &mut Tx, fid: &Fid, feed: &Feed, by: By<'_>) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    match relation(tx, feed, user).await?.may_read(feed.visibility) {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("user '{user}' may not read feed '{fid}'"))),
    }
}

/// Checks that `user` may post to `feed`.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_post(tx: &mut Tx, fid: &Fid, feed: &Feed, user: &UserId) -> Result<()> {
    match relation(tx, feed, user).await?.may_post(feed.visibility) {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("user '{user}' may not add activities to feed '{fid}'"))),
    }
}

/// Checks that `by` owns `feed`.
///
/// # Errors
/// [`Error::NotAllowed`].
pub fn may_manage(fid: &Fid, feed: &Feed, by: By<'_>) -> Result<()> {
    match by.is_none_or(|user| feed.is_of(user)) {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("feed '{fid}' belongs to another user"))),
    }
}

/// Checks that `by` may change the activity.
///
/// # Errors
/// [`Error::NotAllowed`].
pub fn may_change(activity: &Activity, by: By<'_>) -> Result<()> {
    match by.is_none_or(|user| activity.is_of(user)) {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("activity '{}' belongs to another user", activity.id))),
    }
}

/// Checks that `by` sees the activity: it is the user's own, or a feed that holds it is open to the user and it is not
/// private. One with a tag is seen by all of them, though by some as a preview.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_see(tx: &mut Tx, activity: &Activity, by: By<'_>) -> Result<()> {
    let Some(user) = by.filter(|user| !activity.is_of(user)) else { return Ok(()) };
    if activity.content.audience != Audience::Private {
        for feed in super::feeds::get_many(tx, &activity.feeds).await?.into_iter().flatten() {
            if relation(tx, &feed, user).await?.may_read(feed.visibility) {
                return Ok(());
            }
        }
    }
    Err(Error::NotAllowed(format!("user '{user}' may not read activity '{}'", activity.id)))
}
