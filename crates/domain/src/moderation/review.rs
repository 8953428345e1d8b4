//! The review queue (v2 §6.5): one item for each thing that was reported, open until a moderator has looked at it.

use std::borrow::Cow;

use ids::{ChannelId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use super::{
    Found,
    actions::{self, Action},
    flags::Entity,
};
use crate::{
    Error, Result, Tx,
    filter::{Field, Filter, Kind, Row, Schema, Sort, Value},
    keyspace::{REVIEW, REVIEW_OF},
};

/// An item of the queue.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Item {
    /// What was reported.
    #[n(0)]
    pub entity: Entity,
    /// Whose it is.
    #[n(1)]
    pub creator: Option<UserId>,
    /// Where it is.
    #[n(2)]
    pub channel: Option<ChannelId>,
    /// The content, where only the application has it: a JSON object.
    #[n(3)]
    pub payload: String,
    /// When it was first reported.
    #[n(4)]
    pub created_at: Timestamp,
    /// When something last happened to it.
    #[n(5)]
    pub updated_at: Timestamp,
    /// When a moderator had looked at it; open, if absent.
    #[n(6)]
    pub reviewed_at: Option<Timestamp>,
    /// Who.
    #[n(7)]
    pub reviewed_by: Option<UserId>,
    /// What was last done about it.
    #[n(8)]
    pub action: String,
    /// The result, in the application's words: for flag reports.
    #[n(9)]
    pub result: String,
    /// More of it: a JSON object.
    #[n(10)]
    pub details: String,
}

/// The id of the open item of `entity`, made as `fresh` if there is none.
pub(super) async fn open(
    tx: &mut Tx,
    entity: &Entity,
    creator: Option<&UserId>,
    channel: Option<&ChannelId>,
    payload: &Object,
    fresh: &str,
    now: Timestamp,
) -> Result<String> {
    let (tenant, key) = (tx.tenant(), (entity.kind.clone(), entity.id.clone()));
    let (id, before) = match of(tx, entity).await? {
        Some(known) => (known.id, Some(known.item)),
        None => (fresh.to_owned(), None),
    };
    let item = Item {
        entity: entity.clone(),
        creator: creator.cloned(),
        channel: channel.cloned(),
        payload: payload.to_string(),
        created_at: before.as_ref().map_or(now, |before| before.created_at),
        updated_at: now,
        reviewed_at: None,
        reviewed_by: None,
        action: before.map(|before| before.action).unwrap_or_default(),
        result: String::new(),
        details: "{}".to_owned(),
    };
    REVIEW.put(tx, tenant, &id, &item);
    REVIEW_OF.put(tx, tenant, &key, &id);
    Ok(id)
}

/// The item of `entity`, open or closed: the last one, with its id.
///
/// # Errors
/// When the store fails.
pub async fn of(tx: &mut Tx, entity: &Entity) -> Result<Option<Queued>> {
    let (tenant, key) = (tx.tenant(), (entity.kind.clone(), entity.id.clone()));
    let Some(id) = REVIEW_OF.get(tx, tenant, &key).await? else { return Ok(None) };
    Ok(get(tx, &id).await?.map(|item| Queued { id, item }))
}

/// The item `id`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Item>> {
    let tenant = tx.tenant();
    Ok(REVIEW.get(tx, tenant, &id.to_owned()).await?)
}

/// The item `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Item> {
    get(tx, id).await?.ok_or_else(|| Error::Absent(format!("review queue item '{id}' does not exist")))
}

/// Notes that `action` was done about the item `id`, which closes it; `note` is the id of the note in the log.
///
/// # Errors
/// [`Error::Absent`] when there is no such item.
pub async fn close(tx: &mut Tx, id: &str, action: &Action, note: &str) -> Result<Item> {
    let mut item = load(tx, id).await?;
    item.reviewed_at = Some(action.at);
    item.reviewed_by = action.user.clone();
    item.updated_at = action.at;
    item.action = action.kind.clone();
    let tenant = tx.tenant();
    REVIEW.put(tx, tenant, &id.to_owned(), &item);
    let action = Action {
        target: action.target.clone().or_else(|| item.creator.clone()),
        entity: Some(item.entity.clone()),
        channel: action.channel.clone().or_else(|| item.channel.clone()),
        item: Some(id.to_owned()),
        ..action.clone()
    };
    actions::record(tx, note, &action);
    Ok(item)
}

/// Notes what came of the review of a flag report (chat §11.8).
///
/// # Errors
/// [`Error::Absent`] when there is no such item.
pub async fn report(
    tx: &mut Tx,
    id: &str,
    by: Option<&UserId>,
    (result, details): (&str, &Object),
    note: &str,
    now: Timestamp,
) -> Result<Item> {
    let action = Action { kind: "mark_reviewed".to_owned(), user: by.cloned(), ..Action::new(now) };
    let mut item = close(tx, id, &action, note).await?;
    item.result = result.to_owned();
    item.details = details.to_string();
    let tenant = tx.tenant();
    REVIEW.put(tx, tenant, &id.to_owned(), &item);
    Ok(item)
}

/// What a filter of the queue may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("report_id", Kind::Text),
        Field::new("status", Kind::Text),
        Field::new("reviewed", Kind::Bool),
        Field::new("is_reviewed", Kind::Bool),
        Field::new("entity_type", Kind::Text),
        Field::new("entity_id", Kind::Text),
        Field::new("message_id", Kind::Text),
        Field::new("entity_creator_id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("channel_cid", Kind::Text),
        Field::new("review_result", Kind::Text),
        Field::new("reviewed_by", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
        Field::new("reviewed_at", Kind::Time),
    ],
    has_custom: false,
};
/// The order of the queue if nobody says.
pub const SORT: &[&str] = &["-created_at"];

/// An item with its id.
#[derive(Clone, PartialEq, Debug)]
pub struct Queued {
    /// The id.
    pub id: String,
    /// The item.
    pub item: Item,
}

impl Item {
    /// How it stands, in the API's words.
    pub fn status(&self) -> &'static str {
        if self.reviewed_at.is_some() { "reviewed" } else { "pending" }
    }
}

impl Row for Queued {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Item { entity, creator, channel, created_at, updated_at, reviewed_at, reviewed_by, result, .. } =
            &self.item;
        match field {
            "id" | "report_id" => Value::text(&self.id),
            "status" => Value::text(self.item.status()),
            "reviewed" | "is_reviewed" => Value::Bool(reviewed_at.is_some()),
            "entity_type" => Value::text(&entity.kind),
            "entity_id" | "message_id" => Value::text(&entity.id),
            "entity_creator_id" | "user_id" => Value::maybe_text(creator.as_ref().map(UserId::as_str)),
            "channel_cid" => Value::maybe_text(channel.as_ref().map(ChannelId::as_str)),
            "review_result" => Value::text(result),
            "reviewed_by" => Value::maybe_text(reviewed_by.as_ref().map(UserId::as_str)),
            "created_at" => Value::Time(*created_at),
            "updated_at" => Value::Time(*updated_at),
            "reviewed_at" => Value::maybe_time(*reviewed_at),
            _ => Value::Null,
        }
    }
}

/// The items that `filter` wants, of things of `kind` or of any, in the order of `sort`.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, kind: Option<&str>, filter: &Filter, sort: &Sort) -> Result<Vec<Queued>> {
    let tenant = tx.tenant();
    let (mut found, mut range) = (Found::new(filter, sort), REVIEW.range(tenant));
    loop {
        let page = REVIEW.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = after(REVIEW.key(tenant, key));
        }
        for (id, item) in page.rows {
            if kind.is_none_or(|kind| item.entity.kind == kind) {
                found.look(Queued { id, item });
            }
        }
        if !page.more {
            return Ok(found.sorted());
        }
    }
}
