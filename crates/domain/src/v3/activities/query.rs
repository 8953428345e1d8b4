//! Finding activities (feeds-v3 §3.3, §6).

use std::borrow::Cow;

use ids::{ActivityId, Fid, Timestamp, UserId, json::Object};
use store::{Direction, Limit};

use super::{Activity, Audience, Tallies, tallies};
use crate::{
    Result, Tx,
    filter::{Cursor, Field, Filter, Kind, Operator, Page, Row, Schema, Sort, Value, custom, page},
    keyspace::{Id, V3_ACTIVITY},
    v3::{feeds, owned, permit},
};

/// The order if nobody says.
pub const SORT: &[&str] = &["-created_at"];
/// The most activities that are looked at for one page.
const LOOKED_AT_MAX: usize = 10_000;

/// What a filter of activities may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("activity_type", Kind::Text),
        Field::new("type", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("text", Kind::Text).only(&[Operator::Eq, Operator::Query, Operator::Exists]),
        Field::new("feeds", Kind::List),
        Field::new("filter_tags", Kind::List),
        Field::new("interest_tags", Kind::List),
        Field::new("mentioned_user_ids", Kind::List),
        Field::new("visibility", Kind::Text),
        Field::new("poll_id", Kind::Text),
        Field::new("popularity", Kind::Number),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("expires_at", Kind::Time),
        Field::new("near", Kind::Place),
        Field::new("within_bounds", Kind::Place),
    ],
    has_custom: true,
};

/// Which of what is usually left out is wanted, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Also {
    /// What has expired.
    pub expired: bool,
    /// What is for its author alone.
    pub private: bool,
    /// What was deleted.
    pub deleted: bool,
}

/// Which activities are wanted.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Where the page is.
    pub cursor: Option<Cursor>,
    /// At most how many.
    pub limit: usize,
    /// What else.
    pub also: Also,
    /// The user whose token asks; none for the app's own server.
    pub by: Option<UserId>,
    /// Who sees private ones: the user for whom the app's own server asks.
    pub viewer: Option<UserId>,
}

/// An activity as filters see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which.
    pub id: ActivityId,
    /// What is stored.
    pub activity: Activity,
    custom: Object,
    search_data: Object,
    tallies: Tallies,
}

impl Candidate {
    /// An activity, and what is counted of it.
    pub fn new(id: ActivityId, activity: &Activity, tallies: Tallies) -> Self {
        let (custom, search_data) = (activity.custom(), activity.search_data());
        Candidate { id, activity: activity.clone(), custom, search_data, tallies }
    }

    /// What is counted of it.
    pub fn tallies(&self) -> Tallies {
        self.tallies
    }
}

impl Row for Candidate {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.activity.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Activity { content, .. } = &self.activity;
        match field {
            "id" => Value::text(&self.activity.id),
            "activity_type" | "type" => Value::text(&self.activity.kind),
            "user_id" => Value::maybe_text(self.activity.user.as_ref().map(UserId::as_str)),
            "text" => Value::maybe_text(content.text.as_deref()),
            "feeds" => Value::List(self.activity.feeds.iter().map(|fid| Value::text(fid.as_str())).collect()),
            "filter_tags" => Value::texts(&content.filter_tags),
            "interest_tags" => Value::texts(&content.interest_tags),
            "mentioned_user_ids" => {
                Value::List(content.mentioned.iter().map(|user| Value::text(user.as_str())).collect())
            }
            "visibility" => Value::text(visibility(&content.audience)),
            "poll_id" => Value::maybe_text(content.poll.as_deref()),
            "popularity" => Value::Integer(self.tallies.popularity()),
            "created_at" => Value::Time(self.activity.created_at),
            "updated_at" => Value::Time(self.activity.updated_at),
            "expires_at" => Value::maybe_time(content.expires_at),
            "near" | "within_bounds" => {
                content.location.map_or(Value::Null, |place| Value::Place(place.lat, place.lng))
            }
            _ => match (field.strip_prefix("custom."), field.strip_prefix("search_data.")) {
                (Some(path), _) => custom(&self.custom, path),
                (_, Some(path)) => custom(&self.search_data, path),
                _ => custom(&self.custom, field),
            },
        }
    }
}

/// The name of who sees an activity.
pub fn visibility(audience: &Audience) -> &'static str {
    match audience {
        Audience::Public => "public",
        Audience::Private => "private",
        Audience::Tag(_) => "tag",
    }
}

/// The activities that `query` wants.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, query: &Query, now: Timestamp) -> Result<Page<Candidate>> {
    let sort = query.sort.clone().or(SORT);
    let mut found = Vec::new();
    let needs_tallies = query.filter.mentions("popularity") || sort.0.iter().any(|key| key.field == "popularity");
    for rows in candidates(tx, &query.filter).await?.chunks(Limit::PAGE.rows) {
        let rows: Vec<_> = rows.iter().filter(|(_, activity)| is_wanted(activity, query, now)).collect();
        let ids: Vec<ActivityId> = rows.iter().map(|(id, _)| *id).collect();
        let counted = if needs_tallies { tallies(tx, &ids).await? } else { vec![Tallies::default(); ids.len()] };
        for ((id, activity), tallies) in rows.into_iter().zip(counted) {
            let row = Candidate::new(*id, activity, tallies);
            if query.filter.fits(&row) && permit::may_see(tx, activity, query.by.as_ref()).await.is_ok() {
                found.push(row);
            }
        }
    }
    Ok(page(found, &sort, query.cursor.as_ref(), query.limit))
}

fn is_wanted(activity: &Activity, query: &Query, now: Timestamp) -> bool {
    let Also { expired, private, deleted } = query.also;
    let viewer = query.by.as_ref().or(query.viewer.as_ref());
    let is_own = viewer.is_some_and(|viewer| activity.is_of(viewer));
    let is_private = activity.content.audience == Audience::Private;
    // What notifies of something is found where it stands, and not among what was posted.
    let is_posted =
        activity.notice.is_none() || query.filter.only("feeds").is_some() || query.filter.only("id").is_some();
    is_posted
        && (expired || !activity.is_expired(now))
        && (deleted || activity.deleted_at.is_none())
        && (!is_private || is_own || (private && query.by.is_none()))
}

/// Activities that the filter can fit: those that it names, one user's, one feed's, or the newest of the app.
async fn candidates(tx: &mut Tx, filter: &Filter) -> Result<Vec<(ActivityId, Activity)>> {
    if let Some(ids) = filter.only("id") {
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        return by_ids(tx, &ids).await;
    }
    if let Some(users) = filter.only("user_id") {
        let mut ids = Vec::new();
        for user in users.into_iter().filter_map(|user| UserId::parse(user).ok()) {
            ids.extend(owned::list(tx, &user, owned::Kind::Activity, "", LOOKED_AT_MAX - ids.len()).await?);
        }
        return by_ids(tx, &ids).await;
    }
    if let Some(fids) = filter.only("feeds") {
        return in_feeds(tx, fids.into_iter().filter_map(|fid| Fid::parse(fid).ok()).collect()).await;
    }
    newest(tx, LOOKED_AT_MAX).await
}

async fn by_ids(tx: &mut Tx, ids: &[String]) -> Result<Vec<(ActivityId, Activity)>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids.iter().take(LOOKED_AT_MAX) {
        found.extend(super::get_any(tx, id).await?);
    }
    Ok(found)
}

/// What stands in feeds; what was deleted stands in none and is not found so.
async fn in_feeds(tx: &mut Tx, fids: Vec<Fid>) -> Result<Vec<(ActivityId, Activity)>> {
    let mut ids = std::collections::BTreeSet::new();
    for feed in feeds::get_many(tx, &fids).await?.into_iter().flatten() {
        ids.extend(feeds::posted(tx, &feed.stream, LOOKED_AT_MAX).await?);
    }
    let ids: Vec<ActivityId> = ids.into_iter().rev().take(LOOKED_AT_MAX).collect();
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(Limit::PAGE.rows) {
        let stored = super::get_many(tx, ids).await?;
        found.extend(ids.iter().copied().zip(stored).filter_map(|(id, activity)| Some((id, activity?))));
    }
    Ok(found)
}

/// The newest activities of the app, about `max` at most, also deleted ones.
pub(in crate::v3) async fn newest(tx: &mut Tx, max: usize) -> Result<Vec<(ActivityId, Activity)>> {
    let tenant = tx.tenant();
    let mut range = V3_ACTIVITY.range(tenant);
    let mut found = Vec::new();
    loop {
        let page = V3_ACTIVITY.scan(tx, tenant, range.clone(), Direction::Backward, Limit::PAGE).await?;
        if let Some((last, _)) = page.rows.last() {
            range.end = V3_ACTIVITY.key(tenant, last);
        }
        found.extend(page.rows.into_iter().map(|(Id(id), activity)| (id, activity)));
        if !page.more || found.len() >= max {
            return Ok(found);
        }
    }
}
