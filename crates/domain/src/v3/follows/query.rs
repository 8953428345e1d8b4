//! Finding follows (feeds-v3 §3.8, §6).

use std::borrow::Cow;

use ids::{FeedId, Fid};
use store::Limit;

use super::{Edge, Follow, Status};
use crate::{
    Result, Tx,
    filter::{Cursor, Field, Filter, Kind, Operator, Page, Row, Schema, Sort, Value, page},
    keyspace::{Feed as Stream, V3_FOLLOW, V3_FOLLOWER},
    rows,
    v3::feeds,
};

/// The order if nobody says.
pub const SORT: &[&str] = &["-created_at"];
/// The most follows that are looked at for one page.
const LOOKED_AT_MAX: usize = 10_000;

/// What a filter of follows may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("source_feed", Kind::Text).only(&[Operator::Eq, Operator::In]),
        Field::new("target_feed", Kind::Text).only(&[Operator::Eq, Operator::In]),
        Field::new("status", Kind::Text).only(&[Operator::Eq, Operator::In]),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};

/// A follow as filters see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The follow.
    pub edge: Edge,
    id: String,
}

impl Row for Candidate {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Edge { source, target, follow } = &self.edge;
        match field {
            "source_feed" => Value::text(source.as_str()),
            "target_feed" => Value::text(target.as_str()),
            "status" => Value::text(follow.status.name()),
            "created_at" => Value::Time(follow.created_at),
            "updated_at" => Value::Time(follow.updated_at),
            _ => Value::Null,
        }
    }
}

/// The follows that the filter wants.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    filter: &Filter,
    sort: &Sort,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Candidate>> {
    let pairs = match (filter.only("source_feed"), filter.only("target_feed")) {
        (Some(sources), _) => of_sources(tx, &parsed(sources)).await?,
        (None, Some(targets)) => of_targets(tx, &parsed(targets)).await?,
        (None, None) => {
            let tenant = tx.tenant();
            rows::list(tx, &V3_FOLLOW, V3_FOLLOW.range(tenant), LOOKED_AT_MAX).await?
        }
    };
    let rows = name(tx, pairs).await?.into_iter().filter(|row| filter.fits(row)).collect();
    Ok(page(rows, &sort.clone().or(SORT), cursor, limit))
}

fn parsed(fids: std::collections::BTreeSet<&str>) -> Vec<Fid> {
    fids.into_iter().filter_map(|fid| Fid::parse(fid).ok()).collect()
}

type Pair = ((Stream, Stream), Follow);

async fn of_sources(tx: &mut Tx, fids: &[Fid]) -> Result<Vec<Pair>> {
    let mut found = Vec::new();
    for feed in feeds::get_many(tx, fids).await?.into_iter().flatten() {
        let range = V3_FOLLOW.prefix(tx.tenant(), &Stream(feed.stream));
        found.extend(rows::list(tx, &V3_FOLLOW, range, LOOKED_AT_MAX.saturating_sub(found.len())).await?);
    }
    Ok(found)
}

async fn of_targets(tx: &mut Tx, fids: &[Fid]) -> Result<Vec<Pair>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for feed in feeds::get_many(tx, fids).await?.into_iter().flatten() {
        let range = V3_FOLLOWER.prefix(tenant, &Stream(feed.stream));
        let followers = rows::list(tx, &V3_FOLLOWER, range, LOOKED_AT_MAX.saturating_sub(found.len())).await?;
        let keys: Vec<_> = followers.into_iter().map(|((target, source), ())| (source, target)).collect();
        for keys in keys.chunks(Limit::PAGE.rows) {
            let follows = V3_FOLLOW.get_many(tx, tenant, keys).await?;
            found.extend(keys.iter().cloned().zip(follows).filter_map(|(key, follow)| Some((key, follow?))));
        }
    }
    Ok(found)
}

/// Finds out which feeds the streams are of.
async fn name(tx: &mut Tx, pairs: Vec<Pair>) -> Result<Vec<Candidate>> {
    let mut streams: Vec<FeedId> =
        pairs.iter().flat_map(|((Stream(a), Stream(b)), _)| [a.clone(), b.clone()]).collect();
    streams.sort();
    streams.dedup();
    let mut names = Vec::with_capacity(streams.len());
    for streams in streams.chunks(Limit::PAGE.rows) {
        names.extend(feeds::of_streams(tx, streams).await?);
    }
    let named = |stream: &FeedId| streams.binary_search(stream).ok().and_then(|at| names[at].clone());
    let rows = pairs.into_iter().filter_map(|((Stream(source), Stream(target)), follow)| {
        let (source, target) = (named(&source)?, named(&target)?);
        let id = format!("{source} {target}");
        Some(Candidate { edge: Edge { source, target, follow }, id })
    });
    Ok(rows.collect())
}

/// The newest accepted follows of the feed with this stream: by it, or of it with `is_of_it`. At most `limit` after
/// `offset`, and whether there are more.
///
/// # Errors
/// When the store fails.
pub async fn newest(
    tx: &mut Tx,
    stream: &FeedId,
    is_of_it: bool,
    limit: usize,
    offset: usize,
) -> Result<(Vec<Edge>, bool)> {
    use crate::feeds::follows::{Part, followers, following};
    let part = Part { limit: limit + 1, offset };
    let relations = match is_of_it {
        true => followers(tx, stream, part).await?,
        false => following(tx, stream, part).await?,
    };
    let has_more = relations.len() > limit;
    let tenant = tx.tenant();
    let keys: Vec<_> =
        relations.into_iter().take(limit).map(|relation| (Stream(relation.feed), Stream(relation.target))).collect();
    let follows = V3_FOLLOW.get_many(tx, tenant, &keys).await?;
    let pairs = keys.into_iter().zip(follows).filter_map(|(key, follow)| Some((key, follow?)));
    let pairs = pairs.filter(|(_, follow)| follow.status == Status::Accepted).collect();
    Ok((name(tx, pairs).await?.into_iter().map(|row| row.edge).collect(), has_more))
}
