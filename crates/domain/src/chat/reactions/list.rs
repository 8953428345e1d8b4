//! Reading reactions, the newest first.

use std::borrow::Cow;

use ids::MessageId;
use store::{Direction, Limit};

use crate::{
    Result, Tx,
    chat::messages::{Reacted, reacted},
    filter::{self, Field, Kind, Row, Schema, Value},
    keyspace::REACTION_ORDER,
};

/// What queries of reactions name.
pub const REACTIONS: Schema = Schema {
    fields: &[
        Field::new("type", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: true,
};
/// The most reactions of one page, and how many can be passed over.
const LIMIT_MAX: usize = 300;
/// How far in a reader can page by number.
const OFFSET_MAX: usize = 1000;
/// The most reactions that one query looks at: the newest.
const QUERIED_MAX: usize = 10_000;

/// The `limit` newest reactions to `id` after the `offset` newest.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, id: &MessageId, limit: usize, offset: usize) -> Result<Vec<Reacted>> {
    let (limit, offset) = (limit.min(LIMIT_MAX), offset.min(OFFSET_MAX));
    let mut newest = newest(tx, id, limit + offset).await?;
    Ok(newest.split_off(offset.min(newest.len())))
}

/// The newest reactions to `id`, at most `count`.
///
/// # Errors
/// When the store fails.
async fn newest(tx: &mut Tx, id: &MessageId, count: usize) -> Result<Vec<Reacted>> {
    let (tenant, mut keys) = (tx.tenant(), Vec::new());
    let mut range = REACTION_ORDER.prefix(tenant, &(id.to_string(),));
    while keys.len() < count {
        let limit = Limit::rows((count - keys.len()).min(Limit::PAGE.rows));
        let page = REACTION_ORDER.scan(tx, tenant, range.clone(), Direction::Forward, limit).await?;
        let Some((last, ())) = page.rows.last() else { break };
        range.start = REACTION_ORDER.after(tenant, last).start;
        keys.extend(page.rows.into_iter().map(|((message, _, user, kind), ())| (message, user, kind)));
        if !page.more {
            break;
        }
    }
    reacted(tx, keys).await
}

/// A page of the reactions to `id` that fit `filter`.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    id: &MessageId,
    filter: &filter::Filter,
    sort: &filter::Sort,
    cursor: Option<&filter::Cursor>,
    limit: usize,
) -> Result<filter::Page<Reacted>> {
    let all = newest(tx, id, QUERIED_MAX).await?;
    let fitting = all.into_iter().filter(|reacted| filter.fits(reacted)).collect();
    Ok(filter::page(fitting, sort, cursor, limit))
}

impl Row for Reacted {
    fn id(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}:{}", self.user, self.kind))
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "type" => Value::text(&self.kind),
            "user_id" => Value::text(self.user.as_str()),
            "created_at" => Value::Time(self.reaction.created_at),
            "updated_at" => Value::Time(self.reaction.updated_at),
            _ => filter::custom(&self.custom, field),
        }
    }
}
