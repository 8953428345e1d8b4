//! What messages said before (chat §6.15, §7).

use std::borrow::Cow;

use ids::{MessageId, Timestamp, json::Object};
use store::{Direction, Limit};

use super::Version;
use crate::{
    Error, Result, Tx,
    filter::{self, Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value},
    keyspace::{At, VERSION},
};

/// What queries of the history name.
pub const HISTORY: Schema = Schema {
    fields: &[
        Field::new("message_id", Kind::Text),
        Field::new("message_updated_by_id", Kind::Text),
        Field::new("message_updated_at", Kind::Time),
    ],
    has_custom: false,
};
/// The most messages that one query names.
const MESSAGES_MAX: usize = 100;

/// An older version, with the message that it is of, and when it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Of which message.
    pub message: MessageId,
    /// When it was written.
    pub at: Timestamp,
    /// What it said.
    pub version: Version,
    /// The application's own fields.
    pub custom: Object,
}

impl Row for Written {
    fn id(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}:{}", self.message, self.at.micros()))
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "message_id" => Value::text(self.message.as_str()),
            "message_updated_by_id" => Value::maybe_text(self.version.by.as_ref().map(|user| user.as_str())),
            "message_updated_at" => Value::Time(self.at),
            _ => Value::Null,
        }
    }
}

/// A page of the older versions that fit `filter`, which names their messages.
///
/// # Errors
/// [`Error::Unfit`] when the filter names no message, or too many.
pub async fn history(
    tx: &mut Tx,
    filter: &Filter,
    sort: &Sort,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Written>> {
    let ids = filter.only("message_id").filter(|ids| (1..=MESSAGES_MAX).contains(&ids.len()));
    let rule = || Error::Unfit(format!("filter: message_id must name 1 to {MESSAGES_MAX} messages"));
    let mut found = Vec::new();
    for id in ids.ok_or_else(rule)? {
        let tenant = tx.tenant();
        let range = VERSION.prefix(tenant, &(id.to_owned(),));
        let rows = VERSION.scan(tx, tenant, range, Direction::Backward, Limit::PAGE).await?.rows;
        found.extend(rows.into_iter().filter_map(written).filter(|written| filter.fits(written)));
    }
    Ok(filter::page(found, sort, cursor, limit))
}

fn written(((id, At(at)), version): ((String, At), Version)) -> Option<Written> {
    let custom = Object::parse(&version.custom).unwrap_or_default();
    Some(Written { message: MessageId::parse(&id).ok()?, at, version, custom })
}
