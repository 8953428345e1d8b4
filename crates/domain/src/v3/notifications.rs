//! Notification activities: that somebody followed, commented, reacted or mentioned, told in the feed `notification:<user>` of
//! whom it concerns (feeds-v3 §5).
//!
//! Such an activity is an activity like others, by who caused it, with a [`Notice`] that points to what it is about. What it
//! quotes is looked up when it is read, so nothing of anybody is copied. **Invariant:** each has a row in `V3_NOTIFIED`, under
//! the thing with which it goes.

mod quotes;
mod remove;

use ids::{ActivityId, Fid, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

pub(crate) use quotes::load as quote;
pub use quotes::{Context, Parent, Quote, Target};
pub use remove::{Mentioning, forget_comment, forget_follow, forget_mentions, forget_reaction};
pub(super) use remove::{clear, clear_feed, delist};

use super::{
    activities::{self, Activity, Content},
    comments::Comment,
    feeds::{self, Visibility},
    follows::Edge,
    groups,
    made::Scene,
    objects::Object,
    reactions::Given,
    selectors,
};
use crate::{
    Result, Tx,
    feeds::activities::Moment,
    keyspace::{Id, V3_NOTIFIED},
    users,
};

/// The group of the feeds that tell of notifications.
pub const GROUP: &str = "notification";
/// What tells the ids of notifications from those of other activities that one call makes.
const SEED_STEP: u64 = 0x0100_0000;
/// The most notifications that are looked at to find out whether one is there.
const LOOKED_AT_MAX: usize = 200;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Somebody follows a feed.
    #[n(0)]
    Follow,
    /// Somebody commented on an activity.
    #[n(1)]
    Comment,
    /// Somebody replied to a comment.
    #[n(2)]
    Reply,
    /// Somebody reacted to an activity.
    #[n(3)]
    Reaction,
    /// Somebody reacted to a comment.
    #[n(4)]
    CommentReaction,
    /// Somebody mentioned a user in an activity.
    #[n(5)]
    Mention,
    /// Somebody mentioned a user in a comment.
    #[n(6)]
    CommentMention,
}

impl Kind {
    /// The name in the API, which is also the type of the activity.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Follow => "follow",
            Kind::Comment => "comment",
            Kind::Reply => "comment_reply",
            Kind::Reaction => "reaction",
            Kind::CommentReaction => "comment_reaction",
            Kind::Mention => "mention",
            Kind::CommentMention => "comment_mention",
        }
    }

    fn code(self) -> u8 {
        self as u8
    }
}

/// The thing with which a notification goes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum About {
    /// An activity, by its id.
    #[n(0)]
    Activity(#[n(0)] String),
    /// A comment, by its id.
    #[n(1)]
    Comment(#[n(0)] String),
    /// A feed.
    #[n(2)]
    Feed(#[n(0)] Fid),
}

impl About {
    /// As it stands in keys.
    fn key(&self) -> String {
        match self {
            About::Activity(id) => format!("a:{id}"),
            About::Comment(id) => format!("c:{id}"),
            About::Feed(fid) => format!("f:{fid}"),
        }
    }
}

/// Why an activity stands in a notification feed.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Notice {
    /// What happened.
    #[n(0)]
    pub kind: Kind,
    /// With what it goes: what was reacted to or mentions, the comment that was written, the feed that is followed.
    #[n(1)]
    pub about: About,
    /// The type of the reaction.
    #[n(2)]
    pub reaction: Option<String>,
    /// The feed that follows.
    #[n(3)]
    pub source: Option<Fid>,
    /// The own fields of what caused it, if they were to come along: a JSON object; else empty.
    #[n(4)]
    pub custom: String,
}

/// Says `notice`, which `by` caused, to `to`: unless both are the same, `to` is gone, or the same was said within the
/// deduplication window. Whether it was said. `number` tells apart what one call says.
async fn say(
    tx: &mut Tx,
    (by, to): (&UserId, &UserId),
    (notice, target): (Notice, &str),
    moment: Moment,
    number: usize,
) -> Result<bool> {
    let is_there = |user: &users::User| user.deleted_at.is_none() && user.deactivated_at.is_none();
    let Ok(fid) = Fid::new(GROUP, to.as_str()) else { return Ok(false) };
    if by == to || !users::get(tx, to).await?.as_ref().is_some_and(is_there) {
        return Ok(false);
    }
    if is_repeated(tx, by, &fid, &notice, moment.now).await? {
        return Ok(false);
    }
    let seed = moment.seed.wrapping_add(SEED_STEP + number as u64);
    let moment = Moment { seed, ..moment };
    // What others did concerns its reader alone.
    let private = feeds::Input { visibility: Some(Visibility::Private), ..feeds::Input::default() };
    feeds::ensure(tx, &fid, Some(to), &private, seed, moment.now).await?;
    let id = ActivityId::from_seed(seed, moment.now);
    let draft = activities::Draft {
        id: format!("notification-{id}"),
        user: by.clone(),
        kind: notice.kind.name().to_owned(),
        feeds: vec![fid],
        // Groups are made by it.
        content: Content { custom: serde_json::json!({ "target_id": target }).to_string(), ..Content::default() },
        parent: None,
        creates_users: false,
    };
    let key = (notice.about.key(), notice.kind.code(), by.to_string(), Id(id));
    activities::create(tx, None, &draft, Some(notice), moment).await?;
    let tenant = tx.tenant();
    V3_NOTIFIED.put(tx, tenant, &key, &());
    Ok(true)
}

/// Whether the group's settings forbid to say it once more. Only reactions and follows repeat.
async fn is_repeated(tx: &mut Tx, by: &UserId, to: &Fid, notice: &Notice, now: Timestamp) -> Result<bool> {
    if !matches!(notice.kind, Kind::Reaction | Kind::CommentReaction | Kind::Follow) {
        return Ok(false);
    }
    let group = groups::load(tx, GROUP).await?;
    let Some(window) = group.notification.as_deref().and_then(window) else { return Ok(false) };
    let known = known(tx, notice, by).await?;
    Ok(known
        .iter()
        .any(|(_, activity)| activity.feeds.contains(to) && now.micros() - activity.created_at.micros() < window))
}

/// `deduplication_window` of the settings in microseconds; nothing for always.
fn window(settings: &str) -> Option<i64> {
    let settings: serde_json::Value = serde_json::from_str(settings).ok()?;
    let text = settings.get("deduplication_window")?.as_str()?;
    selectors::micros(text).filter(|micros| *micros > 0)
}

/// What `by` caused of the same kind about the same: at most [`LOOKED_AT_MAX`], the newest.
async fn known(tx: &mut Tx, notice: &Notice, by: &UserId) -> Result<Vec<(ActivityId, Activity)>> {
    let tenant = tx.tenant();
    let range = V3_NOTIFIED.prefix(tenant, &(notice.about.key(), notice.kind.code(), by.to_string()));
    let page = V3_NOTIFIED.scan(tx, tenant, range, Direction::Backward, Limit::rows(LOOKED_AT_MAX)).await?;
    let ids: Vec<ActivityId> = page.rows.into_iter().map(|((.., Id(id)), ())| id).collect();
    let found = activities::get_many(tx, &ids).await?;
    Ok(ids.into_iter().zip(found).filter_map(|(id, activity)| Some((id, activity?))).collect())
}

/// Tells the owner of a feed that another follows it; with `is_once` not if that was said before. Whether it was said.
///
/// # Errors
/// When the store fails.
pub async fn follow(tx: &mut Tx, edge: &Edge, copies: bool, is_once: bool, moment: Moment) -> Result<bool> {
    let ends = (feeds::get(tx, &edge.source).await?, feeds::get(tx, &edge.target).await?);
    let (Some(by), Some(to)) =
        (ends.0.and_then(|source| source.created_by), ends.1.and_then(|target| target.created_by))
    else {
        return Ok(false);
    };
    let notice = Notice {
        kind: Kind::Follow,
        about: About::Feed(edge.target.clone()),
        reaction: None,
        source: Some(edge.source.clone()),
        custom: copied(copies, &edge.follow.custom),
    };
    let is_same = |known: &Activity| known.notice.as_deref().is_some_and(|known| known.source == notice.source);
    if is_once && known(tx, &notice, &by).await?.iter().any(|(_, activity)| is_same(activity)) {
        return Ok(false);
    }
    let target = edge.target.to_string();
    say(tx, (&by, &to), (notice, &target), moment, 0).await
}

/// Tells whose thing it is that somebody reacted to it. Whether it was said.
///
/// # Errors
/// When the store fails.
pub async fn reaction(tx: &mut Tx, scene: &Scene, given: &Given, copies: bool, moment: Moment) -> Result<bool> {
    let (kind, about, to) = match (&given.object, &scene.comment) {
        (Object::Comment(id), Some((_, comment))) => (Kind::CommentReaction, About::Comment(id.clone()), &comment.user),
        (object, _) => (Kind::Reaction, About::Activity(object.id().to_owned()), &scene.activity.user),
    };
    let Some(to) = to else { return Ok(false) };
    let custom = copied(copies, &given.reaction.custom);
    let notice = Notice { kind, about, reaction: Some(given.kind.clone()), source: None, custom };
    say(tx, (&given.user, to), (notice, given.object.id()), moment, 0).await
}

/// What was said of a comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// Whether the author of what it is about was told.
    pub is_told: bool,
    /// How many users were told that it mentions them.
    pub mentions: i64,
}

/// Tells of a new comment: the author of the activity, that of the comment above it, and whom it mentions.
///
/// # Errors
/// When the store fails.
pub async fn comment(
    tx: &mut Tx,
    scene: &Scene,
    (id, comment): (&str, &Comment),
    copies: bool,
    moment: Moment,
) -> Result<Told> {
    let Some(by) = &comment.user else { return Ok(Told::default()) };
    let notice = |kind| Notice {
        kind,
        about: About::Comment(id.to_owned()),
        reaction: None,
        source: None,
        custom: copied(copies, &comment.custom),
    };
    let above = match &comment.parent {
        Some(parent) => super::comments::get(tx, parent).await?.and_then(|parent| parent.user),
        None => None,
    };
    let mut told = Told::default();
    if let (Some(to), Some(parent)) = (&above, &comment.parent) {
        told.is_told |= say(tx, (by, to), (notice(Kind::Reply), parent), moment, 0).await?;
    }
    if let Some(to) = scene.activity.user.as_ref().filter(|to| above.as_ref() != Some(to)) {
        told.is_told |= say(tx, (by, to), (notice(Kind::Comment), &comment.activity), moment, 1).await?;
    }
    told.mentions = mention(tx, by, notice(Kind::CommentMention), (&comment.mentioned, id), moment).await?;
    Ok(told)
}

/// Tells whom an activity mentions that it does, and nobody twice. How many were told.
///
/// # Errors
/// When the store fails.
pub async fn mentions(tx: &mut Tx, activity: &Activity, copies: bool, moment: Moment) -> Result<i64> {
    let Some(by) = &activity.user else { return Ok(0) };
    let notice = of_mentions(activity, copied(copies, &activity.content.custom));
    mention(tx, by, notice, (&activity.content.mentioned, &activity.id), moment).await
}

/// The same of a comment that was changed.
///
/// # Errors
/// When the store fails.
pub async fn comment_mentions(
    tx: &mut Tx,
    (id, comment): (&str, &Comment),
    copies: bool,
    moment: Moment,
) -> Result<i64> {
    let Some(by) = &comment.user else { return Ok(0) };
    let notice = of_comment_mentions(id, copied(copies, &comment.custom));
    mention(tx, by, notice, (&comment.mentioned, id), moment).await
}

fn of_mentions(activity: &Activity, custom: String) -> Notice {
    let about = About::Activity(activity.id.clone());
    Notice { kind: Kind::Mention, about, reaction: None, source: None, custom }
}

fn of_comment_mentions(id: &str, custom: String) -> Notice {
    Notice { kind: Kind::CommentMention, about: About::Comment(id.to_owned()), reaction: None, source: None, custom }
}

async fn mention(
    tx: &mut Tx,
    by: &UserId,
    notice: Notice,
    (mentioned, target): (&[UserId], &str),
    moment: Moment,
) -> Result<i64> {
    let known = if mentioned.is_empty() { Vec::new() } else { known(tx, &notice, by).await? };
    let mut told = 0;
    for (at, to) in mentioned.iter().enumerate() {
        let is_told = |(_, activity): &(ActivityId, Activity)| activity.feeds.iter().any(|fid| fid.id() == to.as_str());
        if !known.iter().any(is_told) && say(tx, (by, to), (notice.clone(), target), moment, 2 + at).await? {
            told += 1;
        }
    }
    Ok(told)
}

fn copied(copies: bool, custom: &str) -> String {
    if copies { custom.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests;
