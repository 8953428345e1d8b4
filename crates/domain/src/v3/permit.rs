//! What users' tokens may do (feeds-v3 §3.2): the app's own server may do everything.

use ids::{Fid, UserId};

use super::{
    activities::{Activity, Audience, By},
    comments::Comment,
    feeds::{self, Feed, Visibility},
    follows,
    grants::{self, Grants},
    members,
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

/// What `user` can do with `feed`, by the names of the API.
///
/// # Errors
/// When the store fails.
pub async fn capabilities(tx: &mut Tx, feed: &Feed, user: &UserId) -> Result<Vec<&'static str>> {
    match grants::get(tx, feed.visibility).await? {
        Some(granted) => granted.to(tx, feed, user).await,
        None => Ok(relation(tx, feed, user).await?.capabilities(feed.visibility)),
    }
}

/// Whether `user` may do what the API calls `id` with `feed`; `usually` says so where the app does not.
async fn allows(
    tx: &mut Tx,
    feed: &Feed,
    user: &UserId,
    id: &str,
    usually: fn(Relation, Visibility) -> bool,
) -> Result<bool> {
    let granted = grants::get(tx, feed.visibility).await?;
    allows_by(tx, feed, granted.as_ref(), user, id, usually).await
}

/// The same with what is `granted` for the visibility of `feed`.
async fn allows_by(
    tx: &mut Tx,
    feed: &Feed,
    granted: Option<&Grants>,
    user: &UserId,
    id: &str,
    usually: fn(Relation, Visibility) -> bool,
) -> Result<bool> {
    match granted {
        Some(granted) => Ok(granted.to(tx, feed, user).await?.contains(&id)),
        None => Ok(usually(relation(tx, feed, user).await?, feed.visibility)),
    }
}

/// Whether `user` may do what the API calls `id` with what stands in `feeds`: one that allows it suffices. `usually` says so where
/// the app does not.
async fn some_allows(tx: &mut Tx, feeds: &[Fid], user: &UserId, id: &str, usually: bool) -> Result<bool> {
    let mut is_allowed = None;
    for feed in feeds::get_many(tx, feeds).await?.into_iter().flatten() {
        let by_feed = match grants::get(tx, feed.visibility).await? {
            Some(granted) => granted.to(tx, &feed, user).await?.contains(&id),
            None => usually,
        };
        is_allowed = Some(is_allowed.unwrap_or_default() || by_feed);
    }
    Ok(is_allowed.unwrap_or(usually))
}

/// Whether `user` sees `feed`.
///
/// # Errors
/// When the store fails.
pub async fn reads(tx: &mut Tx, feed: &Feed, user: &UserId) -> Result<bool> {
    Readers::of(tx, feed).await?.include(tx, user).await
}

/// Whether `user` may let a feed follow `feed`.
///
/// # Errors
/// When the store fails.
pub async fn may_follow(tx: &mut Tx, feed: &Feed, user: &UserId) -> Result<bool> {
    allows(tx, feed, user, "follow", Relation::may_follow).await
}

/// Checks that `by` may end a follow of `feed` by a feed of its own.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_unfollow(tx: &mut Tx, fid: &Fid, feed: &Feed, by: By<'_>) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    match allows(tx, feed, user, "unfollow", |_, _| true).await? {
        true => Ok(()),
        false => Err(refused(user, "unfollow", fid)),
    }
}

/// Whether everybody sees what stands in `feed`.
///
/// # Errors
/// When the store fails.
pub async fn is_open(tx: &mut Tx, feed: &Feed) -> Result<bool> {
    Ok(Readers::of(tx, feed).await?.are_all())
}

/// Who sees a feed: what is granted is read once, however many are asked about.
#[derive(Debug)]
pub struct Readers<'f> {
    feed: &'f Feed,
    granted: Option<Grants>,
}

impl<'f> Readers<'f> {
    /// Those of `feed`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(tx: &mut Tx, feed: &'f Feed) -> Result<Self> {
        Ok(Readers { feed, granted: grants::get(tx, feed.visibility).await? })
    }

    /// Whether everybody sees what stands in the feed.
    pub fn are_all(&self) -> bool {
        let reads =
            |ids: &[String]| ["read-feed", "read-activities"].iter().all(|id| ids.iter().any(|known| known == id));
        matches!(self.feed.visibility, Visibility::Visible | Visibility::Public)
            && self.granted.as_ref().is_none_or(|granted| granted.of(grants::USER).is_some_and(reads))
    }

    /// Whether `user` is one of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn include(&self, tx: &mut Tx, user: &UserId) -> Result<bool> {
        allows_by(tx, self.feed, self.granted.as_ref(), user, "read-feed", Relation::may_read).await
    }
}

/// Checks that `by` may make the feed `fid`: its id must not be that of another user, whose it would seem to be.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_create(tx: &mut Tx, fid: &Fid, visibility: Visibility, by: By<'_>) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    if let Some(granted) = grants::get(tx, visibility).await?
        && !granted.lets_make(tx, user).await?
    {
        return Err(refused(user, "create-feed", fid));
    }
    let Ok(named) = UserId::parse(fid.id()) else { return Ok(()) };
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
    match reads(tx, feed, user).await? {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("user '{user}' may not read feed '{fid}'"))),
    }
}

/// Checks that `by` sees `feed` and may ask of it what the API calls `id`: its members, or its follows.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_query(tx: &mut Tx, fid: &Fid, feed: &Feed, by: By<'_>, id: &str) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    match allows(tx, feed, user, id, Relation::may_read).await? {
        true => Ok(()),
        false => Err(refused(user, id, fid)),
    }
}

fn refused(user: &UserId, id: &str, fid: &Fid) -> Error {
    Error::NotAllowed(format!("user '{user}' is not granted {id} in feed '{fid}'"))
}

/// Checks that `user` may post to `feed`.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_post(tx: &mut Tx, fid: &Fid, feed: &Feed, user: &UserId) -> Result<()> {
    match allows(tx, feed, user, "add-activity", Relation::may_post).await? {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("user '{user}' may not add activities to feed '{fid}'"))),
    }
}

/// Checks that `by` owns `feed`, as the source of a follow.
///
/// # Errors
/// [`Error::NotAllowed`].
pub fn may_manage(fid: &Fid, feed: &Feed, by: By<'_>) -> Result<()> {
    match by.is_none_or(|user| feed.is_of(user)) {
        true => Ok(()),
        false => Err(others(fid)),
    }
}

fn others(fid: &Fid) -> Error {
    Error::NotAllowed(format!("feed '{fid}' belongs to another user"))
}

/// Checks that `by` may do with `feed` what the API calls `id`; usually that is for its owner.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may(tx: &mut Tx, fid: &Fid, feed: &Feed, by: By<'_>, id: &str) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    match allows(tx, feed, user, id, |relation, _| relation.is_owner).await? {
        true => Ok(()),
        false if feed.is_of(user) => Err(refused(user, id, fid)),
        false => Err(others(fid)),
    }
}

/// Checks that `by` may do with something of the activity, or of comments on it, what the API calls `id`.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_engage(tx: &mut Tx, activity: &Activity, by: By<'_>, id: &str) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    match some_allows(tx, &activity.feeds, user, id, true).await? {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("user '{user}' is not granted {id} for activity '{}'", activity.id))),
    }
}

/// What happens to an activity or a comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// It is changed, or brought back.
    Update,
    /// It is deleted.
    Delete,
}

impl Act {
    /// What the API calls it: of one's own, and of anybody's.
    fn ids(self, what: &str) -> [String; 2] {
        let verb = match self {
            Act::Update => "update",
            Act::Delete => "delete",
        };
        [format!("{verb}-own-{what}"), format!("{verb}-any-{what}")]
    }
}

/// Whether `user` may do that to something in `feeds`; usually that is for whose it is.
async fn may_act(tx: &mut Tx, feeds: &[Fid], user: &UserId, is_own: bool, [own, any]: [String; 2]) -> Result<bool> {
    Ok((is_own && some_allows(tx, feeds, user, &own, true).await?) || some_allows(tx, feeds, user, &any, false).await?)
}

/// Checks that `by` may change the activity.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_change(tx: &mut Tx, activity: &Activity, by: By<'_>, act: Act) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    match may_act(tx, &activity.feeds, user, activity.is_of(user), act.ids("activity")).await? {
        true => Ok(()),
        false if activity.is_of(user) => {
            Err(Error::NotAllowed(format!("user '{user}' is not granted that for activity '{}'", activity.id)))
        }
        false => Err(Error::NotAllowed(format!("activity '{}' belongs to another user", activity.id))),
    }
}

/// Checks that `by` may change the comment.
///
/// # Errors
/// [`Error::NotAllowed`].
pub async fn may_change_comment(tx: &mut Tx, comment: &Comment, by: By<'_>, act: Act) -> Result<()> {
    let Some(user) = by else { return Ok(()) };
    let activity = super::activities::get_any(tx, &comment.activity).await?;
    let feeds = activity.map(|(_, activity)| activity.feeds).unwrap_or_default();
    match may_act(tx, &feeds, user, comment.is_of(user), act.ids("comment")).await? {
        true => Ok(()),
        false => Err(Error::NotAllowed("the comment is somebody else's, or its feeds do not grant that".to_owned())),
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
        for feed in feeds::get_many(tx, &activity.feeds).await?.into_iter().flatten() {
            if allows(tx, &feed, user, "read-activities", Relation::may_read).await? {
                return Ok(());
            }
        }
    }
    Err(Error::NotAllowed(format!("user '{user}' may not read activity '{}'", activity.id)))
}
