//! Writing comments: each says what it needs to read, so that two who comment on one activity do not meet.

use ids::{Timestamp, UserId, json::Object as Fields};

use super::{
    ATTACHMENTS_BYTES_MAX, ATTACHMENTS_MAX, BYTES_MAX, CUSTOM_BYTES_MAX, Comment, MENTIONS_MAX, NESTING_MAX, Status,
    TEXT_BYTES_MAX, absent, check_id, delist, enlist,
    erase::{ALONG_MAX, bury, clear_object},
    get,
    list::children,
    load, put, tally,
};
use crate::{
    Error, Result, Tx, previews,
    translation::Translation,
    users,
    v3::{
        owned::{self, Kind},
        permit::{self, Act},
        query::LOOKED_AT_MAX,
    },
};

/// A comment as its author describes it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id, unlike every other.
    pub id: String,
    /// The activity; of a reply it is that of the parent, and may be left out.
    pub activity: Option<String>,
    /// The comment that it replies to.
    pub parent: Option<String>,
    /// Who writes.
    pub user: UserId,
    /// What it says.
    pub text: String,
    /// Attachments: JSON objects, in the classic shape.
    pub attachments: Vec<String>,
    /// Whom it mentions.
    pub mentioned: Vec<UserId>,
    /// The application's own fields.
    pub custom: Option<Fields>,
}

/// What changes of a comment; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// See [`Comment::text`].
    pub text: Option<String>,
    /// See [`Comment::attachments`]; all of them.
    pub attachments: Option<Vec<String>>,
    /// See [`Comment::mentioned`]; all of them.
    pub mentioned: Option<Vec<UserId>>,
    /// See [`Comment::custom`]; some nothing takes them away.
    pub custom: Option<Option<Fields>>,
    /// See [`Comment::status`]; the moderators'.
    pub status: Option<Status>,
}

/// Adds a comment to an activity that the caller has seen to be there; see [`activity_of`].
///
/// # Errors
/// [`Error::Taken`] when the id is, [`Error::Absent`] when the parent is not there, [`Error::Unfit`] and [`Error::TooBig`]
/// when a field breaks a rule.
pub async fn add(tx: &mut Tx, draft: &Draft, now: Timestamp) -> Result<Comment> {
    check_id(&draft.id)?;
    if get(tx, &draft.id).await?.is_some() {
        return Err(Error::Taken(format!("comment with id '{}' exists already", draft.id)));
    }
    if draft.text.is_empty() && draft.attachments.is_empty() && draft.custom.is_none() {
        return Err(Error::Unfit("comment is a required field unless attachments or custom are given".to_owned()));
    }
    let (activity, depth) = activity_of(tx, draft).await?;
    let comment = Comment {
        activity,
        parent: draft.parent.clone(),
        user: Some(draft.user.clone()),
        text: draft.text.clone(),
        attachments: draft.attachments.clone(),
        mentioned: without_duplicates(&draft.mentioned),
        custom: draft.custom.as_ref().map(Fields::to_string).unwrap_or_default(),
        status: Status::Active,
        depth,
        created_at: now,
        updated_at: now,
        edited_at: None,
        deleted_at: None,
        is_erased: false,
        translations: Vec::new(),
    };
    check(&comment)?;
    check_mentioned(tx, &comment.mentioned).await?;
    put(tx, &draft.id, &comment);
    enlist(tx, &draft.id, &comment);
    tally(tx, &comment, 1).await?;
    for user in &comment.mentioned {
        owned::name(tx, user, Kind::Comment, &draft.id);
    }
    Ok(comment)
}

/// The activity of a comment that is to be, and how deep it stands.
async fn activity_of(tx: &mut Tx, draft: &Draft) -> Result<(String, u16)> {
    let Some(parent) = &draft.parent else {
        let activity = draft.activity.clone();
        return Ok((activity.ok_or_else(|| Error::Unfit("object_id is a required field".to_owned()))?, 0));
    };
    let parent = load(tx, parent).await?;
    if draft.activity.as_ref().is_some_and(|activity| *activity != parent.activity) {
        return Err(Error::Unfit("object_id is not what the parent is about; leave it out".to_owned()));
    }
    match parent.depth >= NESTING_MAX {
        true => Err(Error::Unfit(format!("parent_id: replies nest at most {NESTING_MAX} deep"))),
        false => Ok((parent.activity, parent.depth + 1)),
    }
}

fn without_duplicates(users: &[UserId]) -> Vec<UserId> {
    let mut seen: Vec<UserId> = Vec::with_capacity(users.len());
    for user in users {
        if !seen.contains(user) {
            seen.push(user.clone());
        }
    }
    seen
}

fn check(comment: &Comment) -> Result<()> {
    let unfit = |words: String| Err(Error::Unfit(words));
    if comment.text.len() > TEXT_BYTES_MAX {
        return unfit(format!("comment must have at most {TEXT_BYTES_MAX} bytes"));
    }
    let bytes: usize = comment.attachments.iter().map(String::len).sum();
    if comment.attachments.len() > ATTACHMENTS_MAX || bytes > ATTACHMENTS_BYTES_MAX {
        return unfit(format!("attachments: at most {ATTACHMENTS_MAX} with {ATTACHMENTS_BYTES_MAX} bytes"));
    }
    if comment.mentioned.len() > MENTIONS_MAX {
        return unfit(format!("mentioned_user_ids must hold at most {MENTIONS_MAX} ids"));
    }
    match comment.custom.len() > CUSTOM_BYTES_MAX {
        true => Err(Error::TooBig(format!("custom of a comment has at most {CUSTOM_BYTES_MAX} bytes"))),
        false => Ok(()),
    }
}

async fn check_mentioned(tx: &mut Tx, mentioned: &[UserId]) -> Result<()> {
    let known = users::get_many(tx, mentioned).await?;
    match mentioned.iter().zip(known).find(|(_, known)| known.is_none()) {
        Some((user, _)) => Err(Error::Unfit(format!("mentioned_user_ids: user '{user}' does not exist"))),
        None => Ok(()),
    }
}

/// Changes the comment `id`; `by` a user only if that user may.
///
/// # Errors
/// [`Error::Absent`], [`Error::NotAllowed`]; and as [`add`] for the fields.
pub async fn update(tx: &mut Tx, id: &str, change: &Change, by: Option<&UserId>, now: Timestamp) -> Result<Comment> {
    let stored = get(tx, id).await?.filter(|comment| comment.deleted_at.is_none()).ok_or_else(|| absent(id))?;
    permit::may_change_comment(tx, &stored, by, Act::Update).await?;
    let mut comment = stored.clone();
    if let Some(text) = change.text.as_ref().filter(|text| **text != comment.text) {
        comment.text.clone_from(text);
        comment.translations.clear();
    }
    if let Some(attachments) = &change.attachments {
        comment.attachments.clone_from(attachments);
    }
    if let Some(custom) = &change.custom {
        comment.custom = custom.as_ref().map(Fields::to_string).unwrap_or_default();
    }
    if let Some(mentioned) = &change.mentioned {
        comment.mentioned = without_duplicates(mentioned);
        let new: Vec<_> = comment.mentioned.iter().filter(|user| !stored.mentioned.contains(user)).cloned().collect();
        check_mentioned(tx, &new).await?;
    }
    check(&comment)?;
    if comment.bytes() > BYTES_MAX {
        comment.translations.clear();
    }
    comment.status = change.status.unwrap_or(comment.status);
    comment.updated_at = now;
    if (&comment.text, &comment.attachments) != (&stored.text, &stored.attachments) {
        comment.edited_at = Some(now);
    }
    match (stored.is_live(), comment.is_live()) {
        (true, false) => tally(tx, &comment, -1).await?,
        (false, true) => tally(tx, &comment, 1).await?,
        _ => {}
    }
    for user in &stored.mentioned {
        owned::unname(tx, user, Kind::Comment, id);
    }
    for user in &comment.mentioned {
        owned::name(tx, user, Kind::Comment, id);
    }
    put(tx, id, &comment);
    Ok(comment)
}

/// Adds a translation to the comment `id`, of which the caller checked who may see it. Nobody edited it: [`Comment::edited_at`]
/// stays.
///
/// # Errors
/// [`Error::Absent`]; [`Error::Unfit`] when it says something else by now; [`Error::TooBig`].
pub(in crate::v3) async fn translate(
    tx: &mut Tx,
    id: &str,
    translation: &Translation,
    now: Timestamp,
) -> Result<Comment> {
    let mut comment = load(tx, id).await?;
    translation.check_is_of(&comment.text, &format!("comment '{id}'"))?;
    translation.put_into(&mut comment.translations);
    if comment.bytes() > BYTES_MAX {
        return Err(Error::TooBig(format!("a comment says at most {BYTES_MAX} bytes with its translations")));
    }
    comment.updated_at = now;
    put(tx, id, &comment);
    Ok(comment)
}

/// Hangs what was found at `link` on the comment `id`, if it still says that link, has no such attachment, and does not become
/// too big; the comment, if that was so. Nobody edited it: [`Comment::edited_at`] stays.
///
/// # Errors
/// When the store fails.
pub async fn add_preview(
    tx: &mut Tx,
    id: &str,
    link: &str,
    preview: &Fields,
    now: Timestamp,
) -> Result<Option<Comment>> {
    let Some(mut comment) = get(tx, id).await?.filter(Comment::is_live) else { return Ok(None) };
    if !previews::is_wanted(&comment.text, &comment.attachments, link) {
        return Ok(None);
    }
    comment.attachments.push(preview.to_string());
    comment.updated_at = now;
    if check(&comment).is_err() {
        return Ok(None);
    }
    put(tx, id, &comment);
    Ok(Some(comment))
}

/// Deletes the comment `id`; `by` a user only if that user may. Softly, it can be restored; for good, a stub without
/// an author stays where others replied. Answers the comment as it is afterwards, and whether that was all: one for which
/// more stands than one transaction removes is marked deleted, and the call is made again.
///
/// # Errors
/// [`Error::Absent`], [`Error::NotAllowed`].
pub async fn delete(
    tx: &mut Tx,
    id: &str,
    is_hard: bool,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<(Comment, bool)> {
    // What was deleted softly can still be deleted for good.
    let is_there = |comment: &Comment| comment.user.is_some() && (is_hard || comment.deleted_at.is_none());
    let stored = get(tx, id).await?.filter(is_there).ok_or_else(|| absent(id))?;
    permit::may_change_comment(tx, &stored, by, Act::Delete).await?;
    if stored.is_live() {
        tally(tx, &stored, -1).await?;
    }
    let deleted = Comment { deleted_at: Some(stored.deleted_at.unwrap_or(now)), updated_at: now, ..stored };
    let mut budget = ALONG_MAX;
    let is_done = !is_hard || clear_object(tx, id, &mut budget).await?;
    match is_hard && is_done {
        true => bury(tx, id, &deleted).await?,
        false => put(tx, id, &deleted),
    }
    Ok((deleted.without_words(), is_done))
}

/// Brings back the comment `id` and all replies below it that were deleted softly; `by` a user only if that user may.
///
/// # Errors
/// [`Error::Absent`] when it is not there; [`Error::Unfit`] when it was not deleted, or with its author's feed data;
/// [`Error::NotAllowed`].
pub async fn restore(tx: &mut Tx, id: &str, by: Option<&UserId>, now: Timestamp) -> Result<Comment> {
    let stored = get(tx, id).await?.filter(|comment| comment.user.is_some()).ok_or_else(|| absent(id))?;
    permit::may_change_comment(tx, &stored, by, Act::Update).await?;
    if stored.is_erased {
        return Err(Error::Unfit("the comment was deleted with its author's feed data, which is final".to_owned()));
    }
    if stored.is_live() {
        return Err(Error::Unfit(format!("comment with id '{id}' is not deleted")));
    }
    let restored = revive(tx, id, stored, now).await?;
    let (mut below, mut looked_at) = (vec![id.to_owned()], 0);
    while let Some(parent) = below.pop() {
        for (id, reply) in children(tx, &restored.activity, &parent, LOOKED_AT_MAX).await? {
            looked_at += 1;
            if looked_at > RESTORED_MAX {
                return Err(Error::Unfit(format!(
                    "a thread of more than {RESTORED_MAX} replies is not restored at once"
                )));
            }
            below.push(id.clone());
            if !reply.is_live() && reply.user.is_some() && !reply.is_erased {
                revive(tx, &id, reply, now).await?;
            }
        }
    }
    Ok(restored)
}

/// The most replies that are looked at when a comment is restored, so that all of it fits into one transaction.
const RESTORED_MAX: usize = 400;

async fn revive(tx: &mut Tx, id: &str, stored: Comment, now: Timestamp) -> Result<Comment> {
    let comment = Comment { deleted_at: None, status: Status::Active, updated_at: now, ..stored };
    tally(tx, &comment, 1).await?;
    put(tx, id, &comment);
    Ok(comment)
}

/// Removes the row of a comment, and its place.
pub(super) fn remove_row(tx: &mut Tx, id: &str, comment: &Comment) {
    let tenant = tx.tenant();
    crate::keyspace::V3_COMMENT.delete(tx, tenant, &id.to_owned());
    delist(tx, id, comment);
    for user in &comment.mentioned {
        owned::unname(tx, user, Kind::Comment, id);
    }
}
