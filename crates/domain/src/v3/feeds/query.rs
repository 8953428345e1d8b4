//! Finding feeds (feeds-v3 §3.2, §6).

use std::borrow::Cow;

use ids::{Fid, UserId, json::Object};
use store::Limit;

use super::{Counts, Feed, counts, get_many};
use crate::{
    Result, Tx,
    filter::{Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value, custom, page},
    keyspace::V3_FEED,
    rows,
    v3::{owned, permit},
};

/// The order if nobody says.
pub const SORT: &[&str] = &["-created_at"];
/// The most feeds that are looked at for one page.
const LOOKED_AT_MAX: usize = 10_000;

/// What a filter of feeds may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("feed", Kind::Text),
        Field::new("id", Kind::Text),
        Field::new("group_id", Kind::Text),
        Field::new("feed_group_id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("created_by_id", Kind::Text),
        Field::new("name", Kind::Text),
        Field::new("description", Kind::Text),
        Field::new("visibility", Kind::Text),
        Field::new("filter_tags", Kind::List),
        Field::new("activity_count", Kind::Number),
        Field::new("follower_count", Kind::Number),
        Field::new("following_count", Kind::Number),
        Field::new("member_count", Kind::Number),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: true,
};

/// A feed as filters see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which.
    pub fid: Fid,
    /// What is stored.
    pub feed: Feed,
    custom: Object,
    counts: Counts,
}

impl Row for Candidate {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.fid.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        let feed = &self.feed;
        match field {
            "feed" => Value::text(self.fid.as_str()),
            "id" => Value::text(self.fid.id()),
            "group_id" | "feed_group_id" => Value::text(self.fid.group()),
            "user_id" | "created_by_id" => Value::maybe_text(feed.created_by.as_ref().map(UserId::as_str)),
            "name" => Value::text(&feed.name),
            "description" => Value::text(&feed.description),
            "visibility" => Value::text(feed.visibility.name()),
            "filter_tags" => Value::texts(&feed.filter_tags),
            "activity_count" => Value::Integer(self.counts.activities),
            "follower_count" => Value::Integer(self.counts.followers),
            "following_count" => Value::Integer(self.counts.following),
            "member_count" => Value::Integer(self.counts.members),
            "created_at" => Value::Time(feed.created_at),
            "updated_at" => Value::Time(feed.updated_at),
            _ => custom(&self.custom, field.strip_prefix("custom.").unwrap_or(field)),
        }
    }
}

/// The feeds that the filter wants and `by` may read.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    by: Option<&UserId>,
    (filter, sort): (&Filter, &Sort),
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Candidate>> {
    let sort = sort.clone().or(SORT);
    let is_counted = |field: &str| field.ends_with("_count");
    let needs_counts = SCHEMA
        .fields
        .iter()
        .filter(|field| is_counted(field.name))
        .any(|field| filter.mentions(field.name) || sort.0.iter().any(|key| key.field == field.name));
    let mut found = Vec::new();
    for (fid, feed) in candidates(tx, filter).await? {
        let counts = if needs_counts { counts(tx, &feed.stream).await? } else { Counts::default() };
        let row = Candidate { custom: feed.custom(), fid, feed, counts };
        if filter.fits(&row) && permit::may_read(tx, &row.fid, &row.feed, by).await.is_ok() {
            found.push(row);
        }
    }
    Ok(page(found, &sort, cursor, limit))
}

/// Feeds that the filter can fit: those that it names, those of some users, those of some groups, or all.
async fn candidates(tx: &mut Tx, filter: &Filter) -> Result<Vec<(Fid, Feed)>> {
    if let Some(fids) = filter.only("feed") {
        return named(tx, fids.into_iter().map(str::to_owned).collect()).await;
    }
    if let Some(users) = filter.only("user_id").or_else(|| filter.only("created_by_id")) {
        let mut fids = Vec::new();
        for user in users.into_iter().filter_map(|user| UserId::parse(user).ok()) {
            fids.extend(owned::list(tx, &user, owned::Kind::Feed, "", LOOKED_AT_MAX - fids.len()).await?);
        }
        return named(tx, fids).await;
    }
    let tenant = tx.tenant();
    let groups = filter.only("feed_group_id").or_else(|| filter.only("group_id"));
    let ranges = match groups {
        Some(groups) => groups.into_iter().map(|group| V3_FEED.prefix(tenant, &group.to_owned())).collect(),
        None => vec![V3_FEED.range(tenant)],
    };
    let mut found = Vec::new();
    for range in ranges {
        let rows = rows::list(tx, &V3_FEED, range, LOOKED_AT_MAX - found.len()).await?;
        found.extend(
            rows.into_iter()
                .filter(|(_, feed)| feed.deleted_at.is_none())
                .map(|((group, id), feed)| (Fid::new(&group, &id).expect("keys are made of the parts of fids"), feed)),
        );
    }
    Ok(found)
}

async fn named(tx: &mut Tx, fids: Vec<String>) -> Result<Vec<(Fid, Feed)>> {
    let fids: Vec<Fid> = fids.iter().filter_map(|fid| Fid::parse(fid).ok()).collect();
    let mut found = Vec::with_capacity(fids.len());
    for fids in fids.chunks(Limit::PAGE.rows) {
        let feeds = get_many(tx, fids).await?;
        found.extend(fids.iter().cloned().zip(feeds).filter_map(|(fid, feed)| Some((fid, feed?))));
    }
    Ok(found)
}
