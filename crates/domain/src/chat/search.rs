//! Finding messages (chat §7, §11.4).
//!
//! **Invariant:** a message that can be found has a row in `WORD` for each of its words, and one for no word at all. It is
//! written in the commit that shows, changes or deletes the message.

mod channels;
mod index;

pub use index::{index, unindex};

use std::{borrow::Cow, collections::BTreeSet};

use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};
use store::{Direction, Limit};

use crate::{
    Result, Tx,
    chat::messages::{self, Message},
    filter::{self, Cursor, Expression, Field, Filter, Kind, Operator, Page, Row, Schema, Sort, Value},
    keyspace::{Chat, MESSAGE, REPLIES, WORD},
};

pub use channels::CHANNELS;

/// What queries of messages name.
pub const MESSAGES: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("cid", Kind::Text),
        Field::new("text", Kind::Text),
        Field::new("type", Kind::Text),
        Field::new("parent_id", Kind::Text),
        Field::new("reply_count", Kind::Number),
        Field::new("attachments", Kind::List),
        Field::new("attachments.type", Kind::List),
        Field::new("mentioned_users.id", Kind::List),
        Field::new("user.id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("pinned", Kind::Bool),
        Field::new("relevance", Kind::Number),
    ],
    has_custom: true,
};
/// The most messages of one channel that one search looks at: the newest.
const LOOKED_AT_MAX: usize = 10_000;
/// The most messages that one search finds.
const FOUND_MAX: usize = 5_000;

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// In which channels.
    pub channels: &'a Filter,
    /// What holds of the messages.
    pub messages: &'a Filter,
    /// Words that they say.
    pub text: Option<&'a str>,
    /// In which order.
    pub sort: &'a Sort,
    /// Where the page is.
    pub cursor: Option<&'a Cursor>,
    /// The most messages.
    pub limit: usize,
    /// How many to pass over, where no cursor says.
    pub offset: usize,
}

/// A message that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The id.
    pub id: MessageId,
    /// The message.
    pub message: Message,
    custom: Object,
    kinds: Vec<String>,
    replies: i64,
    relevance: i64,
    now: Timestamp,
}

impl Row for Hit {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.id.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        let message = &self.message;
        match field {
            "id" => Value::text(self.id.as_str()),
            "cid" => Value::text(message.channel.as_str()),
            "text" => Value::text(&message.text),
            "type" => Value::text(if message.parent.is_some() { "reply" } else { "regular" }),
            "parent_id" => Value::maybe_text(message.parent.as_ref().map(MessageId::as_str)),
            "reply_count" => Value::Integer(self.replies),
            "attachments" if self.kinds.is_empty() => Value::Null,
            "attachments" | "attachments.type" => Value::texts(&self.kinds),
            "mentioned_users.id" => {
                Value::List(message.mentioned.iter().map(|user| Value::text(user.as_str())).collect())
            }
            "user.id" => Value::maybe_text(message.user.as_ref().map(UserId::as_str)),
            "created_at" => Value::Time(message.created_at),
            "updated_at" => Value::Time(message.updated_at),
            "pinned" => Value::Bool(message.pin.as_ref().is_some_and(|pin| pin.holds(self.now))),
            "relevance" => Value::Integer(self.relevance),
            _ => filter::custom(&self.custom, field),
        }
    }
}

/// A page of the messages that fit, of those that `caller` may read; none is the app's own server.
///
/// # Errors
/// [`Error::FeatureOff`] when the one channel that is named cannot be searched.
pub async fn search(tx: &mut Tx, caller: Option<&UserId>, asked: &Asked<'_>, now: Timestamp) -> Result<Page<Hit>> {
    let mut found = Vec::new();
    for channel in channels::find(tx, caller, asked.channels, now).await? {
        let viewer = messages::Viewer { user: caller.cloned(), hidden_until: channel.hidden_until };
        in_channel(tx, &channel.id, &viewer, asked, now, &mut found).await?;
    }
    let mut page = filter::page(found, asked.sort, asked.cursor, asked.limit.saturating_add(asked.offset));
    if asked.offset > 0 {
        page.rows.drain(..asked.offset.min(page.rows.len()));
    }
    Ok(page)
}

async fn in_channel(
    tx: &mut Tx,
    channel: &ChannelId,
    viewer: &messages::Viewer,
    asked: &Asked<'_>,
    now: Timestamp,
    found: &mut Vec<Hit>,
) -> Result<()> {
    let (tenant, word) = (tx.tenant(), word(asked));
    let mut range = WORD.prefix(tenant, &(Chat(channel.clone()), word));
    let mut looked_at = 0;
    while looked_at < LOOKED_AT_MAX && found.len() < FOUND_MAX {
        let page = WORD.scan(tx, tenant, range.clone(), Direction::Backward, Limit::PAGE).await?;
        let Some((last, ())) = page.rows.last() else { return Ok(()) };
        range.end = WORD.key(tenant, last);
        looked_at += page.rows.len();
        let ids: Vec<String> = page.rows.into_iter().map(|((.., id), ())| id).collect();
        let messages = MESSAGE.get_many(tx, tenant, &ids).await?;
        for (id, message) in ids.into_iter().zip(messages) {
            let (Ok(id), Some(message)) = (MessageId::parse(&id), message) else { continue };
            found.extend(hit(tx, id, message, viewer, asked, now).await?);
        }
        if !page.more {
            return Ok(());
        }
    }
    Ok(())
}

/// The message, if it fits and the viewer sees it.
async fn hit(
    tx: &mut Tx,
    id: MessageId,
    message: Message,
    viewer: &messages::Viewer,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<Option<Hit>> {
    let is_seen = match &viewer.user {
        Some(user) => messages::is_visible(&message, user),
        None => !messages::is_private(&message),
    };
    let is_cut = viewer.hidden_until.is_some_and(|until| message.created_at <= until);
    if !is_seen || is_cut || !index::is_findable(&message) {
        return Ok(None);
    }
    let relevance = match asked.text {
        Some(text) if !filter::has_words(&message.text, text) => return Ok(None),
        Some(text) => relevance(&message.text, text),
        None => 0,
    };
    let tenant = tx.tenant();
    let replies = match asked.messages.mentions("reply_count") {
        true => REPLIES.get(tx, tenant, &(id.to_string(), false)).await?,
        false => 0,
    };
    let kinds = message.attachments.iter().filter_map(|attachment| kind(attachment)).collect();
    let hit = Hit { custom: message.custom(), kinds, replies, relevance, now, id, message };
    Ok(asked.messages.fits(&hit).then_some(hit))
}

/// The type of an attachment; one without a type is a file.
fn kind(attachment: &str) -> Option<String> {
    let attachment = Object::parse(attachment).ok()?;
    let kind = attachment.get("type").and_then(|kind| serde_json::from_str(kind.get()).ok());
    Some(kind.unwrap_or_else(|| "file".to_owned()))
}

/// How often the text says one of the words.
fn relevance(text: &str, wanted: &str) -> i64 {
    let wanted: BTreeSet<String> = filter::words(wanted).collect();
    let count = filter::words(text).filter(|word| wanted.contains(word)).count();
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A word that all messages that fit have: the longest, for it is rare; empty, if there is none.
fn word(asked: &Asked<'_>) -> String {
    let text = asked.text.or_else(|| said(asked.messages.expression()));
    let words = text.into_iter().flat_map(filter::words);
    words.max_by_key(String::len).map(|word| index::indexed(&word).to_owned()).unwrap_or_default()
}

/// What a filter says that every message says.
fn said(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::And(parts) => parts.iter().find_map(said),
        Expression::Field(field, conditions) if field == "text" => {
            let query = conditions.iter().find(|condition| condition.operator == Operator::Query);
            query.and_then(|condition| condition.value.as_text())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
