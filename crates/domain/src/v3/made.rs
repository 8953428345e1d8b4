//! What users make of activities and comments, with who may and what is told of it (feeds-v3 §3.4–§3.6, §7).
//!
//! The records and their rules are in [`comments`], [`reactions`] and [`bookmarks`]; here a call finds what it is about,
//! checks that its caller sees it, and tells the feeds.

use std::collections::{BTreeSet, HashMap};

use ids::{ActivityId, Timestamp, UserId};

use super::{
    activities::{self, Activity, By, Replies},
    bookmarks::{self, Saved},
    comments::{self, Comment},
    events::{self, Event, Subject},
    follows,
    objects::Object,
    permit,
    reactions::{self, Given},
};
use crate::{Error, Result, Tx};

/// What a call is about.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The activity inside.
    pub id: ActivityId,
    /// The activity; of a comment that which it is about.
    pub activity: Activity,
    /// The comment, if it is about one.
    pub comment: Option<(String, Comment)>,
}

/// What `object` is about, if `by` sees it.
///
/// # Errors
/// [`Error::Absent`] when it, or the activity, is not there; [`Error::NotAllowed`].
pub async fn open(tx: &mut Tx, object: &Object, by: By<'_>) -> Result<Scene> {
    let comment = match object {
        Object::Activity(_) => None,
        Object::Comment(id) => Some((id.clone(), comments::load(tx, id).await?)),
    };
    let activity = comment.as_ref().map_or(object.id(), |(_, comment)| &comment.activity);
    let (id, activity) = activities::load(tx, activity).await?;
    permit::may_see(tx, &activity, by).await?;
    Ok(Scene { id, activity, comment })
}

/// Which of the activities `ids` are there and seen by `by`.
///
/// # Errors
/// When the store fails.
pub(super) async fn seen(tx: &mut Tx, ids: BTreeSet<String>, by: By<'_>) -> Result<HashMap<String, bool>> {
    let mut seen = HashMap::with_capacity(ids.len());
    for id in ids {
        let is_seen = match open(tx, &Object::Activity(id.clone()), by).await {
            Ok(_) => true,
            Err(Error::Absent(_) | Error::NotAllowed(_)) => false,
            Err(error) => return Err(error),
        };
        seen.insert(id, is_seen);
    }
    Ok(seen)
}

/// Checks that `by` may comment on the activity.
///
/// # Errors
/// [`Error::NotAllowed`].
async fn may_comment(tx: &mut Tx, activity: &Activity, by: By<'_>) -> Result<()> {
    permit::may_engage(tx, activity, by, "add-comment").await?;
    let Some(user) = by.filter(|user| !activity.is_of(user)) else { return Ok(()) };
    let is_allowed = match activity.content.replies {
        Replies::Everyone => true,
        Replies::Nobody => false,
        Replies::PeopleIFollow => is_followed_by_author(tx, activity, user).await?,
    };
    match is_allowed {
        true => Ok(()),
        false => Err(Error::NotAllowed(format!("user '{user}' may not comment on activity '{}'", activity.id))),
    }
}

async fn is_followed_by_author(tx: &mut Tx, activity: &Activity, user: &UserId) -> Result<bool> {
    let Some(author) = &activity.user else { return Ok(false) };
    for (_, feed) in follows::own_feeds(tx, user).await? {
        if follows::is_followed_by(tx, &feed, author).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Scene {
    /// Tells each feed that holds the activity.
    fn tell(&self, tx: &mut Tx, kind: &str, subject: &Subject, by: Option<&UserId>, now: Timestamp) {
        for fid in &self.activity.feeds {
            let subject = Subject { fid: Some(fid.clone()), ..subject.clone() };
            events::record(tx, Event::new(kind, now, subject.about(self.id, &self.activity)).by(by));
        }
    }

    pub(super) fn tell_comment(
        &self,
        tx: &mut Tx,
        what: &str,
        (id, comment): (&str, &Comment),
        by: By<'_>,
        now: Timestamp,
    ) {
        let subject = Subject::default().about_comment(id, comment);
        self.tell(tx, &format!("feeds.comment.{what}"), &subject, by.or(comment.user.as_ref()), now);
    }

    /// What an event is about that is about the comment, too, if there is one.
    fn of_comment(&self) -> Subject {
        let comment = self.comment.as_ref();
        comment.map_or_else(Subject::default, |(id, comment)| Subject::default().about_comment(id, comment))
    }

    fn tell_reaction(&self, tx: &mut Tx, what: &str, given: &Given, now: Timestamp) {
        let Given { object, user, kind, reaction } = given;
        let subject = Subject {
            reaction: Some((object.clone(), user.clone(), kind.clone(), Box::new(reaction.clone()))),
            ..self.of_comment()
        };
        self.tell(tx, &format!("feeds.{}.reaction.{what}", object.kind()), &subject, Some(user), now);
    }

    /// Bookmarks are their owner's alone, so they are told once and name no feed.
    fn tell_bookmark(&self, tx: &mut Tx, what: &str, saved: &Saved, now: Timestamp) {
        let Saved { user, object, folder, bookmark } = saved;
        let subject = Subject {
            bookmark: Some((object.clone(), user.clone(), folder.clone(), Box::new(bookmark.clone()))),
            ..self.of_comment()
        };
        let subject = subject.about(self.id, &self.activity);
        events::record(tx, Event::new(&format!("feeds.bookmark.{what}"), now, subject).by(Some(user)));
    }
}

/// Comments on an activity.
///
/// # Errors
/// As [`open`] and [`comments::add`]; [`Error::NotAllowed`] when `by` may not comment on it.
pub async fn comment(tx: &mut Tx, by: By<'_>, draft: &comments::Draft, now: Timestamp) -> Result<(Scene, Comment)> {
    let activity = match &draft.parent {
        Some(parent) => comments::load(tx, parent).await?.activity,
        None => draft.activity.clone().ok_or_else(|| Error::Unfit("object_id is a required field".to_owned()))?,
    };
    let scene = open(tx, &Object::Activity(activity), by).await?;
    may_comment(tx, &scene.activity, by).await?;
    let comment = comments::add(tx, draft, now).await?;
    scene.tell_comment(tx, "added", (&draft.id, &comment), by, now);
    Ok((scene, comment))
}

/// Changes the comment `id`.
///
/// # Errors
/// As [`open`] and [`comments::update`].
pub async fn change_comment(
    tx: &mut Tx,
    by: By<'_>,
    id: &str,
    change: &comments::Change,
    now: Timestamp,
) -> Result<Comment> {
    let comment = comments::update(tx, id, change, by, now).await?;
    let scene = open(tx, &Object::Activity(comment.activity.clone()), by).await?;
    scene.tell_comment(tx, "updated", (id, &comment), by, now);
    Ok(comment)
}

/// Hangs what was found at `link` on the comment `id`; see [`comments::add_preview`].
///
/// # Errors
/// When the store fails.
pub async fn preview_comment(
    tx: &mut Tx,
    id: &str,
    link: &str,
    preview: &ids::json::Object,
    now: Timestamp,
) -> Result<()> {
    let Some(comment) = comments::add_preview(tx, id, link, preview, now).await? else { return Ok(()) };
    let found = activities::get_any(tx, &comment.activity).await?;
    if let Some((inner, activity)) = found.filter(|(_, activity)| activity.deleted_at.is_none()) {
        let scene = Scene { id: inner, activity, comment: None };
        scene.tell_comment(tx, "updated", (id, &comment), None, now);
    }
    Ok(())
}

/// Deletes the comment `id`; see [`comments::delete`]. What is left to do after the first call tells nobody anything new.
///
/// # Errors
/// As [`open`] and [`comments::delete`].
pub async fn delete_comment(
    tx: &mut Tx,
    by: By<'_>,
    id: &str,
    is_hard: bool,
    now: Timestamp,
) -> Result<(Scene, Comment, bool)> {
    let was_there = comments::get(tx, id).await?.is_some_and(|comment| comment.deleted_at.is_none());
    let (comment, is_done) = comments::delete(tx, id, is_hard, by, now).await?;
    let scene = open(tx, &Object::Activity(comment.activity.clone()), by).await?;
    if was_there {
        scene.tell_comment(tx, "deleted", (id, &comment), by, now);
    }
    Ok((scene, comment, is_done))
}

/// Brings back the comment `id` and what was deleted below it.
///
/// # Errors
/// As [`open`] and [`comments::restore`].
pub async fn restore_comment(tx: &mut Tx, by: By<'_>, id: &str, now: Timestamp) -> Result<(Scene, Comment)> {
    let comment = comments::restore(tx, id, by, now).await?;
    let scene = open(tx, &Object::Activity(comment.activity.clone()), by).await?;
    scene.tell_comment(tx, "restored", (id, &comment), by, now);
    Ok((scene, comment))
}

/// Reacts to `object`.
///
/// # Errors
/// As [`open`] and [`reactions::add`].
pub async fn react(
    tx: &mut Tx,
    by: By<'_>,
    object: &Object,
    draft: &reactions::Draft,
    now: Timestamp,
) -> Result<(Scene, Given)> {
    let scene = open(tx, object, by).await?;
    permit::may_engage(tx, &scene.activity, by, &format!("add-{}-reaction", object.kind())).await?;
    let (given, is_new) = reactions::add(tx, object, draft, now).await?;
    scene.tell_reaction(tx, if is_new { "added" } else { "updated" }, &given, now);
    Ok((scene, given))
}

/// Takes a reaction to `object` back.
///
/// # Errors
/// As [`open`] and [`reactions::delete`].
pub async fn unreact(
    tx: &mut Tx,
    by: By<'_>,
    object: &Object,
    (user, kind): (&UserId, &str),
    now: Timestamp,
) -> Result<(Scene, Given)> {
    let scene = open(tx, object, by).await?;
    permit::may_engage(tx, &scene.activity, by, &format!("delete-own-{}-reaction", object.kind())).await?;
    let given = reactions::delete(tx, object, user, kind).await?;
    scene.tell_reaction(tx, "deleted", &given, now);
    Ok((scene, given))
}

/// Bookmarks `object` for `user`.
///
/// # Errors
/// As [`open`] and [`bookmarks::add`].
pub async fn bookmark(
    tx: &mut Tx,
    by: By<'_>,
    (user, object): (&UserId, &Object),
    folder: &bookmarks::Folder,
    custom: Option<&ids::json::Object>,
    now: Timestamp,
) -> Result<(Scene, Saved)> {
    let scene = open(tx, object, by).await?;
    permit::may_engage(tx, &scene.activity, by, "add-activity-bookmark").await?;
    let (saved, is_new) = bookmarks::add(tx, user, object, folder, custom, now).await?;
    scene.tell_bookmark(tx, if is_new { "added" } else { "updated" }, &saved, now);
    Ok((scene, saved))
}

/// Changes a bookmark of `user`.
///
/// # Errors
/// As [`open`] and [`bookmarks::update`].
pub async fn change_bookmark(
    tx: &mut Tx,
    by: By<'_>,
    (user, object): (&UserId, &Object),
    change: &bookmarks::Change,
    now: Timestamp,
) -> Result<(Scene, Saved)> {
    let scene = open(tx, object, by).await?;
    permit::may_engage(tx, &scene.activity, by, "update-own-activity-bookmark").await?;
    let saved = bookmarks::update(tx, user, object, change, now).await?;
    scene.tell_bookmark(tx, "updated", &saved, now);
    Ok((scene, saved))
}

/// Removes a bookmark of `user`; see [`bookmarks::delete`].
///
/// # Errors
/// As [`open`] and [`bookmarks::delete`].
pub async fn unbookmark(
    tx: &mut Tx,
    by: By<'_>,
    (user, object): (&UserId, &Object),
    folder: Option<&str>,
    now: Timestamp,
) -> Result<(Scene, Saved)> {
    let scene = open(tx, object, by).await?;
    permit::may_engage(tx, &scene.activity, by, "delete-own-activity-bookmark").await?;
    let saved = bookmarks::delete(tx, user, object, folder).await?;
    scene.tell_bookmark(tx, "deleted", &saved, now);
    Ok((scene, saved))
}

/// Tells its owner that a folder changed, or is gone.
pub fn tell_folder(tx: &mut Tx, what: &str, id: &str, folder: &super::folders::Folder, now: Timestamp) {
    let subject = Subject { folder: Some((id.to_owned(), Box::new(folder.clone()))), ..Subject::default() };
    let event = Event::new(&format!("feeds.bookmark_folder.{what}"), now, subject);
    events::record(tx, event.by(Some(&folder.user)));
}
