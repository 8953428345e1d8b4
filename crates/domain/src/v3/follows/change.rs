//! Following, asking to, being accepted or not, and leaving.

use ids::{Fid, Timestamp, UserId, json::Object};

use super::{COPY_LIMIT_MAX, Edge, Follow, ROLE, Status, get};
use crate::{
    Error, Result, Tx,
    feeds::{activities::Moment, follows as engine},
    keyspace::{Feed as Stream, V3_FOLLOW, V3_FOLLOWER},
    users,
    v3::{
        activities::By,
        events::{self, Event},
        feeds::{self, Feed, Visibility},
        permit,
    },
};

/// The most bytes of a follow's own fields.
pub(super) const CUSTOM_BYTES_MAX: usize = 5 * 1024;

/// A follow as it is asked for.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The follower.
    pub source: Fid,
    /// The followed.
    pub target: Fid,
    /// How much of what was posted before it brings; all, if absent.
    pub copy_limit: Option<usize>,
    /// See [`Follow::pushes_all`].
    pub pushes_all: Option<bool>,
    /// What the app's own server says of how it stands.
    pub status: Option<Status>,
    /// The application's own fields.
    pub custom: Option<Object>,
}

impl Draft {
    /// A follow of which only the ends are known.
    pub fn new(source: Fid, target: Fid) -> Self {
        Draft { source, target, copy_limit: None, pushes_all: None, status: None, custom: None }
    }
}

/// What came of a follow that was asked for.
#[derive(Clone, Debug)]
pub struct Added {
    /// The follow as it is now.
    pub edge: Edge,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// Makes `draft.source` follow `draft.target`, or ask to. A feed that is not there is made for the user whose id it has; a follow that was
/// rejected may be asked for again; one that is there stays as it is.
///
/// # Errors
/// [`Error::Absent`] when the target is not there; [`Error::Unfit`] for a feed that follows itself; [`Error::NotAllowed`].
pub async fn add(tx: &mut Tx, by: By<'_>, draft: &Draft, moment: Moment) -> Result<Added> {
    check(draft)?;
    let now = moment.now;
    let target = ensure_end(tx, by, &draft.target, moment).await?;
    let source = ensure_end(tx, by, &draft.source, moment.nth(1)).await?;
    permit::may_manage(&draft.source, &source, by)?;
    if let Some(user) = by
        && !permit::may_follow(tx, &target, user).await?
    {
        return Err(Error::NotAllowed(format!("user '{user}' may not follow feed '{}'", draft.target)));
    }
    let known = get(tx, &source.stream, &target.stream).await?;
    let edge = |follow: Follow| Edge { source: draft.source.clone(), target: draft.target.clone(), follow };
    if let Some(known) = known.filter(|known| known.status != Status::Rejected) {
        return Ok(Added { edge: edge(known), is_new: false });
    }
    let is_own = source.created_by.is_some() && source.created_by == target.created_by;
    let must_ask = target.visibility == Visibility::Followers && !is_own;
    let status = draft.status.unwrap_or(if must_ask { Status::Pending } else { Status::Accepted });
    let follow = Follow {
        status,
        role: ROLE.to_owned(),
        pushes_all: draft.pushes_all.unwrap_or(false),
        custom: draft.custom.as_ref().map_or_else(|| "{}".to_owned(), Object::to_string),
        copy_limit: draft.copy_limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
        created_at: now,
        updated_at: now,
        accepted_at: None,
        rejected_at: (status == Status::Rejected).then_some(now),
    };
    put(tx, &source, &target, &follow);
    if status == Status::Accepted {
        engine::connect(tx, &source.stream, &target.stream, draft.copy_limit, now).await?;
    }
    let edge = edge(follow);
    tell(tx, "feeds.follow.created", &edge, by.or(source.created_by.as_ref()), now);
    Ok(Added { edge, is_new: true })
}

fn check(draft: &Draft) -> Result<()> {
    if draft.source == draft.target {
        return Err(Error::Unfit(format!("feed '{}' cannot follow itself", draft.source)));
    }
    if draft.copy_limit.is_some_and(|limit| limit > COPY_LIMIT_MAX) {
        return Err(Error::Unfit(format!("activity_copy_limit must be between 0 and {COPY_LIMIT_MAX}")));
    }
    check_custom(draft.custom.as_ref())
}

fn check_custom(custom: Option<&Object>) -> Result<()> {
    match custom {
        Some(custom) if custom.to_string().len() > CUSTOM_BYTES_MAX => {
            Err(Error::TooBig(format!("a follow has at most {CUSTOM_BYTES_MAX} bytes of own fields")))
        }
        _ => Ok(()),
    }
}

/// The feed at an end of a follow. One that is not there is made for the user whose id it has, if there is such a user.
async fn ensure_end(tx: &mut Tx, by: By<'_>, fid: &Fid, moment: Moment) -> Result<Feed> {
    if let Some(feed) = feeds::get(tx, fid).await? {
        return Ok(feed);
    }
    let owner = UserId::parse(fid.id()).map_err(|_| feeds::absent(fid))?;
    let is_known = users::get(tx, &owner).await?.is_some_and(|user| user.deleted_at.is_none());
    if !is_known && by != Some(&owner) {
        return Err(feeds::absent(fid));
    }
    Ok(feeds::ensure(tx, fid, Some(&owner), &feeds::Input::default(), moment.seed, moment.now).await?.0)
}

fn put(tx: &mut Tx, source: &Feed, target: &Feed, follow: &Follow) {
    let (tenant, source, target) = (tx.tenant(), Stream(source.stream.clone()), Stream(target.stream.clone()));
    V3_FOLLOW.put(tx, tenant, &(source.clone(), target.clone()), follow);
    V3_FOLLOWER.put(tx, tenant, &(target, source), &());
}

fn tell(tx: &mut Tx, kind: &str, edge: &Edge, by: By<'_>, at: Timestamp) {
    events::record(tx, Event::of_follow(kind, (&edge.source, &edge.target), &edge.follow, at).by(by));
}

/// The follow with its ends.
async fn load(tx: &mut Tx, source: &Fid, target: &Fid) -> Result<(Feed, Feed, Follow)> {
    let ends = (feeds::load(tx, source).await?, feeds::load(tx, target).await?);
    let follow = get(tx, &ends.0.stream, &ends.1.stream).await?;
    Ok((ends.0, ends.1, follow.ok_or_else(|| absent(source, target))?))
}

/// That `source` does not follow `target`.
pub fn absent(source: &Fid, target: &Fid) -> Error {
    Error::Absent(format!("follow of '{target}' by '{source}' not found"))
}

/// Changes of a follow; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// See [`Draft::copy_limit`]; only of a follow that was not accepted yet.
    pub copy_limit: Option<usize>,
    /// See [`Follow::pushes_all`].
    pub pushes_all: Option<bool>,
    /// See [`Follow::status`].
    pub status: Option<Status>,
    /// See [`Follow::role`].
    pub role: Option<String>,
    /// The application's own fields.
    pub custom: Option<Object>,
}

/// Changes a follow.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`] when `by` does not own the follower; [`Error::TooBig`].
pub async fn patch(
    tx: &mut Tx,
    by: By<'_>,
    (source_id, target_id): (&Fid, &Fid),
    patch: &Patch,
    now: Timestamp,
) -> Result<Edge> {
    check_custom(patch.custom.as_ref())?;
    let (source, target, mut follow) = load(tx, source_id, target_id).await?;
    permit::may_manage(source_id, &source, by)?;
    if let Some(limit) = patch.copy_limit {
        if follow.status == Status::Accepted {
            let rule = "activity_copy_limit cannot change once the follow is accepted: what it brings is settled then";
            return Err(Error::Unfit(rule.to_owned()));
        }
        follow.copy_limit = Some(u32::try_from(limit).unwrap_or(u32::MAX));
    }
    if let Some(status) = patch.status {
        set_status(tx, (&source, &target), &mut follow, status, now).await?;
    }
    follow.pushes_all = patch.pushes_all.unwrap_or(follow.pushes_all);
    follow.role = patch.role.clone().unwrap_or(follow.role);
    follow.custom = patch.custom.as_ref().map_or(follow.custom, Object::to_string);
    follow.updated_at = now;
    put(tx, &source, &target, &follow);
    let edge = Edge { source: source_id.clone(), target: target_id.clone(), follow };
    tell(tx, "feeds.follow.updated", &edge, by, now);
    Ok(edge)
}

async fn set_status(
    tx: &mut Tx,
    (source, target): (&Feed, &Feed),
    follow: &mut Follow,
    status: Status,
    now: Timestamp,
) -> Result<()> {
    if follow.status == status {
        return Ok(());
    }
    match status {
        Status::Accepted => {
            let limit = follow.copy_limit.map(|limit| limit as usize);
            engine::connect(tx, &source.stream, &target.stream, limit, now).await?;
            follow.accepted_at = Some(now);
        }
        Status::Pending | Status::Rejected => {
            if follow.status == Status::Accepted {
                engine::remove(tx, &source.stream, &target.stream, false).await?;
            }
            follow.rejected_at = (status == Status::Rejected).then_some(now);
        }
    }
    follow.status = status;
    Ok(())
}

/// Accepts a follow that waits; `role` is that of the follower from now on.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`] when `by` does not own the followed feed.
pub async fn accept(tx: &mut Tx, by: By<'_>, ends: (&Fid, &Fid), role: Option<&str>, now: Timestamp) -> Result<Edge> {
    answer(tx, by, ends, Status::Accepted, role, now).await
}

/// Rejects a follow.
///
/// # Errors
/// As [`accept`].
pub async fn reject(tx: &mut Tx, by: By<'_>, ends: (&Fid, &Fid), now: Timestamp) -> Result<Edge> {
    answer(tx, by, ends, Status::Rejected, None, now).await
}

async fn answer(
    tx: &mut Tx,
    by: By<'_>,
    (source_id, target_id): (&Fid, &Fid),
    status: Status,
    role: Option<&str>,
    now: Timestamp,
) -> Result<Edge> {
    let (source, target, mut follow) = load(tx, source_id, target_id).await?;
    permit::may(tx, target_id, &target, by, "update-feed-followers").await?;
    set_status(tx, (&source, &target), &mut follow, status, now).await?;
    follow.role = role.map_or(follow.role, str::to_owned);
    follow.updated_at = now;
    put(tx, &source, &target, &follow);
    let edge = Edge { source: source_id.clone(), target: target_id.clone(), follow };
    tell(tx, "feeds.follow.updated", &edge, by, now);
    Ok(edge)
}

/// Ends the follow of `target` by `source`; the follow as it was, or nothing if there was none. With `keeps_history` what
/// it brought stays.
///
/// # Errors
/// [`Error::NotAllowed`] when `by` owns neither end.
pub async fn remove(
    tx: &mut Tx,
    by: By<'_>,
    (source_id, target_id): (&Fid, &Fid),
    keeps_history: bool,
    now: Timestamp,
) -> Result<Option<Edge>> {
    let (Some(source), Some(target)) = (feeds::get(tx, source_id).await?, feeds::get(tx, target_id).await?) else {
        return Ok(None);
    };
    match permit::may(tx, target_id, &target, by, "update-feed-followers").await {
        // Whoever does not manage who follows the feed ends follows of its own.
        Err(Error::NotAllowed(_)) => {
            permit::may_manage(source_id, &source, by)?;
            permit::may_unfollow(tx, target_id, &target, by).await?;
        }
        answer => answer?,
    }
    let Some(follow) = get(tx, &source.stream, &target.stream).await? else { return Ok(None) };
    disconnect(tx, &source, &target, keeps_history).await?;
    let edge = Edge { source: source_id.clone(), target: target_id.clone(), follow };
    tell(tx, "feeds.follow.deleted", &edge, by.or(source.created_by.as_ref()), now);
    Ok(Some(edge))
}

/// Removes the rows of a follow.
pub(in crate::v3) async fn disconnect(tx: &mut Tx, source: &Feed, target: &Feed, keeps_history: bool) -> Result<()> {
    engine::remove(tx, &source.stream, &target.stream, keeps_history).await?;
    let (tenant, source, target) = (tx.tenant(), Stream(source.stream.clone()), Stream(target.stream.clone()));
    V3_FOLLOW.delete(tx, tenant, &(source.clone(), target.clone()));
    V3_FOLLOWER.delete(tx, tenant, &(target, source));
    Ok(())
}
