//! Lists of reminders (chat §7, §11.6).

use std::borrow::Cow;

use ids::{MessageId, Timestamp, UserId};

use super::Reminder;
use crate::{
    Result, Tx,
    chat::threads::Places,
    filter::{self, Cursor, Field, Filter, Kind, Page, Row, Schema, Sort, Value},
    keyspace::REMINDER,
    rows,
};

/// What queries of reminders name.
pub const REMINDERS: Schema = Schema {
    fields: &[
        Field::new("message_id", Kind::Text),
        Field::new("channel_cid", Kind::Text),
        Field::new("remind_at", Kind::Time),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};
/// The most reminders of one user that a query looks at.
const QUERIED_MAX: usize = 1000;

/// A reminder, with whose and of what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Whose.
    pub user: UserId,
    /// Of which message.
    pub message: MessageId,
    /// The reminder.
    pub reminder: Reminder,
}

impl Row for Found {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.message.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "message_id" => Value::text(self.message.as_str()),
            "channel_cid" => Value::text(self.reminder.channel.as_str()),
            "remind_at" => self.reminder.remind_at.map_or(Value::Null, Value::Time),
            "created_at" => Value::Time(self.reminder.created_at),
            "updated_at" => Value::Time(self.reminder.updated_at),
            _ => Value::Null,
        }
    }
}

/// A page of the reminders of `user` that fit the filter, in channels that `caller` may read; the first `offset` of them
/// are passed over.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    caller: Option<&UserId>,
    user: &UserId,
    (filter, sort): (&Filter, &Sort),
    (cursor, offset, limit): (Option<&Cursor>, usize, usize),
    now: Timestamp,
) -> Result<Page<Found>> {
    let range = REMINDER.prefix(tx.tenant(), &user.to_string());
    let (mut places, mut fitting) = (Places::default(), Vec::new());
    for ((_, message), reminder) in rows::list(tx, &REMINDER, range, QUERIED_MAX).await? {
        let Ok(message) = MessageId::parse(&message) else { continue };
        let found = Found { user: user.clone(), message, reminder };
        if filter.fits(&found) && places.get(tx, &found.reminder.channel, caller, now).await?.is_some() {
            fitting.push(found);
        }
    }
    let mut page = filter::page(fitting, sort, cursor, offset + limit);
    page.rows.drain(..offset.min(page.rows.len()));
    Ok(page)
}

/// The reminders of `user` for these messages, each in the place of its message.
///
/// # Errors
/// When the store fails.
pub async fn of_messages<'m>(
    tx: &mut Tx,
    user: &UserId,
    messages: impl Iterator<Item = &'m MessageId>,
) -> Result<Vec<Option<Reminder>>> {
    let (tenant, keys) = (tx.tenant(), messages.map(|id| (user.to_string(), id.to_string())).collect::<Vec<_>>());
    Ok(REMINDER.get_many(tx, tenant, &keys).await?)
}
