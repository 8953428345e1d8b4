//! Reading comments: in the order of a thread, the newest on an activity, by a filter.

use std::borrow::Cow;

use ids::UserId;
use store::{Direction, Limit, key::after};

use super::{Comment, get};
use crate::{
    Result, Tx,
    filter::{self, Field, Kind, Row, Schema, Sort, Value},
    keyspace::{V3_COMMENT, V3_COMMENT_ORDER, V3_COMMENT_TALLY, V3_COMMENTED, V3_REACTION_COUNT},
    rows,
    v3::{
        activities::{By, Tally},
        made::seen,
        objects::Object,
        query::{LOOKED_AT_MAX, Query},
        reactions::{self, DOWNVOTE, Summary, UPVOTE},
    },
};

/// The newest comments that are shown with an activity.
pub const LATEST: usize = 5;
/// The normal deviate of the 95 % interval whose lower end is the confidence in a comment.
const CONFIDENCE_Z: f64 = 1.96;

/// What a query of comments names.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("object_id", Kind::Text),
        Field::new("object_type", Kind::Text),
        Field::new("parent_id", Kind::Text),
        Field::new("status", Kind::Text),
        Field::new("comment_text", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("reply_count", Kind::Number),
        Field::new("upvote_count", Kind::Number),
        Field::new("downvote_count", Kind::Number),
        Field::new("score", Kind::Number),
        Field::new("confidence_score", Kind::Number),
        Field::new("controversy_score", Kind::Number),
    ],
    has_custom: false,
};

/// In which order comments come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// The oldest first.
    #[default]
    First,
    /// The newest first.
    Last,
    /// Those with the most votes for them over those against them first.
    Top,
    /// Those first that are good with the most confidence.
    Best,
    /// Those first about which votes differ most.
    Controversial,
}

impl Order {
    /// All of them.
    pub const ALL: [Order; 5] = [Order::First, Order::Last, Order::Top, Order::Best, Order::Controversial];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Order::First => "first",
            Order::Last => "last",
            Order::Top => "top",
            Order::Best => "best",
            Order::Controversial => "controversial",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// By which fields it goes; what is equal in the first goes by age.
    pub fn sort(self) -> Sort {
        Sort::by(match self {
            Order::First => &["created_at"],
            Order::Last => &["-created_at"],
            Order::Top => &["-score", "-created_at"],
            Order::Best => &["-confidence_score", "-created_at"],
            Order::Controversial => &["-controversy_score", "-created_at"],
        })
    }
}

/// A comment with how it was voted on.
#[derive(Clone, PartialEq, Debug)]
pub struct Scored {
    /// Its id.
    pub id: String,
    /// The comment.
    pub comment: Comment,
    /// Votes for it.
    pub up: i64,
    /// Votes against it.
    pub down: i64,
    /// Replies to it that are live.
    pub replies: i64,
    /// Bookmarks of it.
    pub bookmarks: i64,
}

impl Scored {
    /// Votes for it over those against it.
    pub fn score(&self) -> i64 {
        self.up - self.down
    }

    /// The lower end of Wilson's interval for the share of votes that are for it; 0 without votes.
    pub fn confidence(&self) -> f64 {
        let total = (self.up + self.down) as f64;
        if total <= 0.0 {
            return 0.0;
        }
        let (share, square) = (self.up as f64 / total, CONFIDENCE_Z * CONFIDENCE_Z);
        let spread = CONFIDENCE_Z * ((share * (1.0 - share) + square / (4.0 * total)) / total).sqrt();
        (share + square / (2.0 * total) - spread) / (1.0 + square / total)
    }

    /// Many votes that differ count most; 0 while all are for it, or against it.
    pub fn controversy(&self) -> f64 {
        let (less, more) = (self.up.min(self.down), self.up.max(self.down));
        if less <= 0 {
            return 0.0;
        }
        ((self.up + self.down) as f64).powf(less as f64 / more as f64)
    }
}

impl Row for Scored {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let comment = &self.comment;
        match field {
            "id" => Value::text(&self.id),
            "user_id" => Value::maybe_text(comment.user.as_ref().map(UserId::as_str)),
            "object_id" => Value::text(&comment.activity),
            "object_type" => Value::text(crate::v3::objects::ACTIVITY),
            "parent_id" => Value::maybe_text(comment.parent.as_deref()),
            "status" => Value::text(comment.status()),
            "comment_text" => Value::text(&comment.text),
            "created_at" => Value::Time(comment.created_at),
            "updated_at" => Value::Time(comment.updated_at),
            "reply_count" => Value::Integer(self.replies),
            "upvote_count" => Value::Integer(self.up),
            "downvote_count" => Value::Integer(self.down),
            "score" => Value::Integer(self.score()),
            "confidence_score" => Value::Float(self.confidence()),
            "controversy_score" => Value::Float(self.controversy()),
            _ => Value::Null,
        }
    }
}

/// A comment with what belongs to it.
#[derive(Clone, PartialEq, Debug)]
pub struct Shown {
    /// The comment, how it was voted on, and how many replies it has; a stub has no words.
    pub scored: Scored,
    /// Reactions to it.
    pub reactions: Summary,
}

impl Shown {
    /// The users whom it names.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        let comment = &self.scored.comment;
        comment.user.iter().chain(&comment.mentioned).chain(self.reactions.users())
    }
}

/// Comments with how they were voted on.
pub(super) async fn scored(tx: &mut Tx, comments: Vec<(String, Comment)>) -> Result<Vec<Scored>> {
    let tenant = tx.tenant();
    let object = |(id, _): &(String, Comment)| Object::Comment(id.clone());
    let votes: Vec<_> =
        comments.iter().flat_map(|one| [UPVOTE, DOWNVOTE].map(|kind| (object(one), kind.to_owned()))).collect();
    let votes = V3_REACTION_COUNT.get_many(tx, tenant, &votes).await?;
    let tallies: Vec<_> = comments
        .iter()
        .flat_map(|(id, _)| [Tally::Comments, Tally::Bookmarks].map(|tally| (id.clone(), tally.code())))
        .collect();
    let tallies = V3_COMMENT_TALLY.get_many(tx, tenant, &tallies).await?;
    let all = comments.into_iter().zip(votes.chunks(2)).zip(tallies.chunks(2));
    Ok(all
        .map(|(((id, comment), votes), tallies)| Scored {
            id,
            comment,
            up: votes[0],
            down: votes[1],
            replies: tallies[0],
            bookmarks: tallies[1],
        })
        .collect())
}

/// Comments with what belongs to them, as `viewer` sees them; stubs lose their words.
///
/// # Errors
/// When the store fails.
pub async fn gather(tx: &mut Tx, comments: Vec<(String, Comment)>, viewer: Option<&UserId>) -> Result<Vec<Shown>> {
    let scored = scored(tx, comments).await?;
    let mut all = Vec::with_capacity(scored.len());
    for scored in scored {
        all.push(show(tx, scored, viewer).await?);
    }
    Ok(all)
}

pub(super) async fn show(tx: &mut Tx, scored: Scored, viewer: Option<&UserId>) -> Result<Shown> {
    if !scored.comment.is_live() {
        let mut comment = scored.comment.without_words();
        comment.user = comment.user.filter(|_| !comment.is_erased);
        let scored = Scored { comment, up: 0, down: 0, bookmarks: 0, ..scored };
        return Ok(Shown { scored, reactions: Summary::default() });
    }
    let object = Object::Comment(scored.id.clone());
    let reactions = reactions::summary(tx, &object, viewer).await?;
    Ok(Shown { scored, reactions })
}

/// Comments below `parent`, or at the top of the activity if it is empty, the oldest first, at most `max`.
pub(super) async fn children(tx: &mut Tx, activity: &str, parent: &str, max: usize) -> Result<Vec<(String, Comment)>> {
    let range = V3_COMMENT_ORDER.prefix(tx.tenant(), &(activity.to_owned(), parent.to_owned()));
    let rows = rows::list(tx, &V3_COMMENT_ORDER, range, max).await?;
    comments(tx, rows.into_iter().map(|((.., id), ())| id).collect()).await
}

/// Those of `ids` that are there.
async fn comments(tx: &mut Tx, ids: Vec<String>) -> Result<Vec<(String, Comment)>> {
    let tenant = tx.tenant();
    let found = V3_COMMENT.get_many(tx, tenant, &ids).await?;
    Ok(ids.into_iter().zip(found).filter_map(|(id, comment)| Some((id, comment?))).collect())
}

/// Whether readers see that there is, or was, this comment: it is live, or something below it is.
pub(super) async fn is_shown(tx: &mut Tx, id: &str, comment: &Comment) -> Result<bool> {
    if comment.is_live() {
        return Ok(true);
    }
    let mut below = vec![id.to_owned()];
    while let Some(parent) = below.pop() {
        for (id, reply) in children(tx, &comment.activity, &parent, LOOKED_AT_MAX).await? {
            if reply.is_live() {
                return Ok(true);
            }
            below.push(id);
        }
    }
    Ok(false)
}

/// The comments of one level that are shown, with how they were voted on, the oldest first.
pub(super) async fn level(tx: &mut Tx, activity: &str, parent: &str) -> Result<Vec<Scored>> {
    let mut shown = Vec::new();
    for (id, comment) in children(tx, activity, parent, LOOKED_AT_MAX).await? {
        if is_shown(tx, &id, &comment).await? {
            shown.push((id, comment));
        }
    }
    scored(tx, shown).await
}

/// The comments that an activity shows with itself: at most `limit` of those at the top, in `order`, without replies.
///
/// # Errors
/// When the store fails.
pub async fn latest(
    tx: &mut Tx,
    activity: &str,
    order: Order,
    limit: usize,
    viewer: Option<&UserId>,
) -> Result<Vec<Shown>> {
    if order == Order::Last {
        let newest = newest(tx, activity, limit).await?;
        return gather(tx, newest, viewer).await;
    }
    let level = level(tx, activity, "").await?.into_iter().filter(|scored| scored.comment.is_live()).collect();
    let page = filter::page(level, &order.sort(), None, limit);
    let mut all = Vec::with_capacity(page.rows.len());
    for scored in page.rows {
        all.push(show(tx, scored, viewer).await?);
    }
    Ok(all)
}

/// The newest live comments at the top of an activity.
async fn newest(tx: &mut Tx, activity: &str, limit: usize) -> Result<Vec<(String, Comment)>> {
    let tenant = tx.tenant();
    let mut range = V3_COMMENT_ORDER.prefix(tenant, &(activity.to_owned(), String::new()));
    let mut found = Vec::new();
    loop {
        let page =
            V3_COMMENT_ORDER.scan(tx, tenant, range.clone(), Direction::Backward, Limit::rows(limit.max(1))).await?;
        let more = page.more;
        if let Some((last, ())) = page.rows.last() {
            range.end = V3_COMMENT_ORDER.key(tenant, last);
        }
        let ids = page.rows.into_iter().map(|((.., id), ())| id).collect();
        found.extend(comments(tx, ids).await?.into_iter().filter(|(_, comment)| comment.is_live()));
        if !more || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}

/// A page of the comments that fit, on activities that `by` sees; those that were deleted or taken down only if the filter
/// names `status`, and then without words. The page is `around` a comment, if one is named.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, by: By<'_>, query: &Query, around: Option<&str>) -> Result<filter::Page<Scored>> {
    let mut found = candidates(tx, query).await?;
    let with_stubs = query.filter.mentions("status");
    found.retain(|(_, comment)| comment.user.is_some() && !comment.is_erased && (with_stubs || comment.is_live()));
    let seen = seen(tx, found.iter().map(|(_, comment)| comment.activity.clone()).collect(), by).await?;
    found.retain(|(_, comment)| seen.get(&comment.activity) == Some(&true));
    for (_, comment) in found.iter_mut().filter(|(_, comment)| !comment.is_live()) {
        *comment = comment.without_words();
    }
    let scored = scored(tx, found).await?;
    match around {
        None => Ok(query.page(scored)),
        Some(id) => {
            let fitting = scored.into_iter().filter(|scored| query.filter.fits(scored)).collect();
            Ok(filter::page_around(fitting, &query.sort, id, query.limit))
        }
    }
}

async fn candidates(tx: &mut Tx, query: &Query) -> Result<Vec<(String, Comment)>> {
    let (tenant, mut found) = (tx.tenant(), Vec::new());
    let texts = |field| query.filter.only(field).map(|only| only.into_iter().map(str::to_owned).collect::<Vec<_>>());
    if let Some(ids) = texts("id") {
        return comments(tx, ids).await;
    }
    if let Some(activities) = texts("object_id") {
        for activity in activities {
            let range = V3_COMMENT_ORDER.prefix(tenant, &activity);
            let rows = rows::list(tx, &V3_COMMENT_ORDER, range, LOOKED_AT_MAX).await?;
            found.extend(comments(tx, rows.into_iter().map(|((.., id), ())| id).collect()).await?);
        }
        return Ok(found);
    }
    if let Some(users) = texts("user_id") {
        for user in users {
            let range = V3_COMMENTED.prefix(tenant, &user);
            let rows = rows::list(tx, &V3_COMMENTED, range, LOOKED_AT_MAX).await?;
            found.extend(comments(tx, rows.into_iter().map(|((.., id), ())| id).collect()).await?);
        }
        return Ok(found);
    }
    rows::list(tx, &V3_COMMENT, V3_COMMENT.range(tenant), LOOKED_AT_MAX).await
}

/// The next comments of `user` after the key `from`, the oldest first, at most `max`, also deleted ones; and the last key,
/// none after the last.
///
/// # Errors
/// When the store fails.
pub async fn of_user(
    tx: &mut Tx,
    user: &UserId,
    from: Option<Vec<u8>>,
    max: usize,
) -> Result<(Vec<(String, Comment)>, Option<Vec<u8>>)> {
    let tenant = tx.tenant();
    let mut range = V3_COMMENTED.prefix(tenant, &user.to_string());
    if let Some(from) = from {
        range.start = after(from);
    }
    let page = V3_COMMENTED.scan(tx, tenant, range, Direction::Forward, Limit::rows(max)).await?;
    let last = page.rows.last().filter(|_| page.more).map(|(key, ())| V3_COMMENTED.key(tenant, key));
    Ok((comments(tx, page.rows.into_iter().map(|((.., id), ())| id).collect()).await?, last))
}

/// The comment at the top of the thread below `top` in which `id` stands: itself, or one above it.
pub(super) async fn ancestor(tx: &mut Tx, id: &str, top: Option<&str>) -> Result<Option<String>> {
    let mut at = id.to_owned();
    loop {
        let Some(comment) = get(tx, &at).await? else { return Ok(None) };
        match comment.parent {
            parent if parent.as_deref() == top => return Ok(Some(at)),
            Some(parent) => at = parent,
            None => return Ok(None),
        }
    }
}
