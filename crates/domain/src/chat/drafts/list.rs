//! Lists of drafts (chat §7, §11.6).

use std::borrow::Cow;

use ids::{ChannelId, MessageId, Timestamp, UserId};
use store::{Direction, Limit};

use super::{Draft, Spot};
use crate::{
    Result, Tx,
    chat::threads::Places,
    filter::{self, Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value},
    keyspace::{Chat, DRAFT},
    rows,
};

/// What queries of drafts name.
pub const DRAFTS: Schema = Schema {
    fields: &[
        Field::new("channel_cid", Kind::Text),
        Field::new("parent_id", Kind::Text),
        Field::new("created_at", Kind::Time),
    ],
    has_custom: false,
};
/// The most drafts of one user that a query looks at.
const QUERIED_MAX: usize = 1000;
/// The most drafts of one user in one channel that its messages show.
const SHOWN_MAX: usize = 100;

/// A draft, with where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Where.
    pub spot: Spot,
    /// What.
    pub draft: Draft,
}

impl Row for Found {
    fn id(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{} {}", self.spot.channel, self.spot.thread()))
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "channel_cid" => Value::text(self.spot.channel.as_str()),
            "parent_id" => Value::maybe_text(self.spot.parent.as_ref().map(MessageId::as_str)),
            "created_at" => Value::Time(self.draft.created_at),
            _ => Value::Null,
        }
    }
}

fn found(((_, chat, thread), draft): ((String, Chat, String), Draft)) -> Found {
    Found { spot: Spot { channel: chat.0, parent: MessageId::parse(&thread).ok() }, draft }
}

/// A page of the drafts of `user` that fit the filter, in channels that `caller` may read.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: &UserId,
    (filter, sort): (&Filter, &Sort),
    (cursor, limit): (Option<&Cursor>, usize),
    now: Timestamp,
) -> Result<Page<Found>> {
    let range = DRAFT.prefix(tx.tenant(), &user.to_string());
    let (mut places, mut fitting) = (Places::default(), Vec::new());
    for row in rows::list(tx, &DRAFT, range, QUERIED_MAX).await? {
        let found = found(row);
        if filter.fits(&found) && places.get(tx, &found.spot.channel, caller, now).await?.is_some() {
            fitting.push(found);
        }
    }
    Ok(filter::page(fitting, sort, cursor, limit))
}

/// The drafts of `user` in `channel` and its threads.
///
/// # Errors
/// When the store fails.
pub async fn of_channel(tx: &mut Tx, user: &UserId, channel: &ChannelId) -> Result<Vec<Found>> {
    let tenant = tx.tenant();
    let range = DRAFT.prefix(tenant, &(user.to_string(), Chat(channel.clone())));
    let page = DRAFT.scan(tx, tenant, range, Direction::Forward, Limit::rows(SHOWN_MAX)).await?;
    Ok(page.rows.into_iter().map(found).collect())
}
